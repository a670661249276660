/* One line per provider: done/total, in flight, tokens per second, errors, TTFT, time left. */
#include "core/run/progress.h"

#include <math.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define LIVE_MS 500
#define PLAIN_MS 5000
#define PLAIN_COLUMNS 160
#define RATE_S 3.0 /* the time that the shown rate looks back over */

struct meter { /* of one provider */
    uint64_t tokens, at_ns;
    double rate; /* tokens per second, lately */
};

struct dsr_progress {
    uv_timer_t timer;
    struct dsr_host *host;
    const struct dsr_sched *sched;
    const struct dsr_fleet *fleet;
    bool live, blocks; /* blocks: the terminal shows UTF-8 */
    size_t drawn;      /* lines on the terminal now */
    uint64_t start_ns;
    struct meter *meters; /* beside the fleet's providers */
};

/* The user's terminal, not the program's own locale, which is always UTF-8. */
static bool terminal_is_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < DSR_COUNT(names); i++) {
        const char *value = getenv(names[i]);
        if (value && *value)
            return strcasestr(value, "UTF-8") || strcasestr(value, "UTF8");
    }
    return false;
}

static double rate_of(struct dsr_progress *p, size_t i)
{
    struct meter *m = &p->meters[i];
    uint64_t tokens = dsr_sched_tokens(p->sched, i), now = dsr_clock_ns();
    double seconds = (double)(now - m->at_ns) / 1e9;
    double lately = seconds > 0 && tokens > m->tokens ? (double)(tokens - m->tokens) / seconds : 0;
    m->rate += (1 - exp(-seconds / RATE_S)) * (lately - m->rate);
    m->tokens = tokens;
    m->at_ns = now;
    return m->rate;
}

/* The last times to the first token, oldest first, as heights from 0 to the largest of them.
 * Returns how many columns they take. */
static size_t sparkline(const struct dsr_lane *lane, size_t room, struct dsr_buf *text)
{
    static const char *const heights[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    size_t n = lane->n_recent < DSR_LANE_RECENT ? lane->n_recent : DSR_LANE_RECENT;
    double most = 0;
    if (n > room)
        n = room;
    for (size_t k = lane->n_recent - n; k < lane->n_recent; k++)
        most = fmax(most, lane->recent[k % DSR_LANE_RECENT]);
    if (!(most > 0))
        return 0;
    for (size_t k = lane->n_recent - n; k < lane->n_recent; k++)
        dsr_buf_adds(text, heights[lround(7 * lane->recent[k % DSR_LANE_RECENT] / most)]);
    return n;
}

/* All of it is ASCII. */
static void add_figures(struct dsr_progress *p, size_t i, struct dsr_buf *text)
{
    const struct dsr_lane *lane = dsr_sched_lane(p->sched, i);
    dsr_buf_addf(text, "%-19s %zu/%zu, %d in flight, %.0f tok/s, %zu errors",
                 p->fleet->services[i]->code, lane->finished, lane->added, lane->in_flight,
                 rate_of(p, i), lane->failed);
    if (lane->n_recent)
        dsr_buf_addf(text, ", TTFT %.2f ", lane->recent[(lane->n_recent - 1) % DSR_LANE_RECENT]);
}

static void add_time_left(const struct dsr_progress *p, size_t i, struct dsr_buf *text)
{
    const struct dsr_lane *lane = dsr_sched_lane(p->sched, i);
    double seconds = (double)(dsr_clock_ns() - p->start_ns) / 1e9;
    if (lane->finished && lane->finished < lane->added)
        dsr_buf_addf(text, "%.0f s left",
                     seconds / (double)lane->finished * (double)(lane->added - lane->finished));
}

/* As much as there is room for. */
static void make_line(struct dsr_progress *p, size_t i, size_t columns, struct dsr_buf *line)
{
    struct dsr_buf left = {0};
    add_figures(p, i, line);
    add_time_left(p, i, &left);
    if (line->len > columns) {
        line->data[columns] = '\0';
    } else {
        size_t room = columns - line->len;
        if (p->blocks)
            room -= sparkline(dsr_sched_lane(p->sched, i), room, line);
        if (left.len && room > left.len + 2)
            dsr_buf_addf(line, ", %s", left.data);
    }
    dsr_buf_clear(&left);
}

static void erase(struct dsr_progress *p)
{
    if (p->drawn)
        fprintf(stderr, "\033[%zuA\033[J", p->drawn);
    p->drawn = 0;
}

static void draw_live(struct dsr_progress *p)
{
    struct winsize window;
    size_t rows = p->fleet->n, columns = 79;
    if (!ioctl(STDERR_FILENO, TIOCGWINSZ, &window) && window.ws_row > 2 && window.ws_col > 1) {
        columns = window.ws_col - 1u;
        if (rows > window.ws_row - 2u)
            rows = window.ws_row - 2u;
    }
    erase(p);
    for (size_t i = 0; i < rows; i++) {
        struct dsr_buf line = {0};
        make_line(p, i, columns, &line);
        fprintf(stderr, "%s\n", line.data ? line.data : "");
        dsr_buf_clear(&line);
    }
    p->drawn = rows;
    fflush(stderr);
}

static void draw_plain(struct dsr_progress *p)
{
    for (size_t i = 0; i < p->fleet->n; i++) {
        struct dsr_buf line = {0};
        make_line(p, i, PLAIN_COLUMNS, &line);
        fprintf(stderr, "progress: %s\n", line.data ? line.data : "");
        dsr_buf_clear(&line);
    }
}

static void on_tick(uv_timer_t *timer)
{
    struct dsr_progress *p = timer->data;
    if (p->live)
        draw_live(p);
    else
        draw_plain(p);
}

/* A log line takes the place of the live display, which is drawn again at the next tick. */
static void on_log_line(void *arg, bool before)
{
    if (before)
        erase(arg);
}

struct dsr_progress *dsr_progress_new(uv_loop_t *loop, struct dsr_host *host,
                                      const struct dsr_sched *sched, const struct dsr_fleet *fleet)
{
    struct dsr_progress *p = calloc(1, sizeof *p);
    if (!p || !(p->meters = calloc(fleet->n, sizeof *p->meters))) {
        free(p);
        return NULL;
    }
    p->host = host;
    p->sched = sched;
    p->fleet = fleet;
    p->live = isatty(STDERR_FILENO);
    p->blocks = p->live && terminal_is_utf8();
    p->start_ns = dsr_clock_ns();
    for (size_t i = 0; i < fleet->n; i++)
        p->meters[i].at_ns = p->start_ns;
    uv_timer_init(loop, &p->timer);
    p->timer.data = p;
    uint64_t ms = p->live ? LIVE_MS : PLAIN_MS;
    uv_timer_start(&p->timer, on_tick, ms, ms);
    if (p->live)
        dsr_host_on_line(host, on_log_line, p);
    return p;
}

static void progress_free(uv_handle_t *handle)
{
    struct dsr_progress *p = handle->data;
    free(p->meters);
    free(p);
}

void dsr_progress_close(struct dsr_progress *p)
{
    if (!p)
        return;
    if (p->live) {
        draw_live(p);
        dsr_host_on_line(p->host, NULL, NULL);
    }
    uv_close((uv_handle_t *)&p->timer, progress_free);
}
