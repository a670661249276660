/* One line per provider: done/total, tokens per second, errors, time left. */
#include "core/run/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#define LIVE_MS 500
#define PLAIN_MS 5000

struct dsr_progress {
    uv_timer_t timer;
    struct dsr_host *host;
    const struct dsr_sched *sched;
    const struct dsr_fleet *fleet;
    bool live;
    size_t drawn; /* lines on the terminal now */
    uint64_t start_ns;
};

static void format_line(const struct dsr_progress *p, size_t i, char *text, size_t size)
{
    const struct dsr_lane *lane = dsr_sched_lane(p->sched, i);
    double seconds = (double)(dsr_clock_ns() - p->start_ns) / 1e9;
    double rate = seconds > 0 ? (double)dsr_sched_tokens(p->sched, i) / seconds : 0;
    char left[32] = "";
    if (lane->finished && lane->finished < lane->added)
        snprintf(left, sizeof left, ", %.0f s left",
                 seconds / (double)lane->finished * (double)(lane->added - lane->finished));
    snprintf(text, size, "%-20s %zu/%zu, %.0f tok/s, %zu errors%s", p->fleet->services[i]->code,
             lane->finished, lane->added, rate, lane->failed, left);
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
    char line[160];
    size_t rows = p->fleet->n;
    int columns = 80;
    if (!ioctl(STDERR_FILENO, TIOCGWINSZ, &window) && window.ws_row > 2) {
        columns = window.ws_col;
        if (rows > window.ws_row - 2u)
            rows = window.ws_row - 2u;
    }
    erase(p);
    for (size_t i = 0; i < rows; i++) {
        format_line(p, i, line, sizeof line);
        fprintf(stderr, "%.*s\n", columns - 1, line);
    }
    p->drawn = rows;
    fflush(stderr);
}

static void draw_plain(const struct dsr_progress *p)
{
    char line[160];
    for (size_t i = 0; i < p->fleet->n; i++) {
        format_line(p, i, line, sizeof line);
        fprintf(stderr, "progress: %s\n", line);
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
    if (!p)
        return NULL;
    p->host = host;
    p->sched = sched;
    p->fleet = fleet;
    p->live = isatty(STDERR_FILENO);
    p->start_ns = dsr_clock_ns();
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
    free(handle->data);
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
