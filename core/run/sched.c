/* Lanes, limits, retries. */
#include "core/run/sched.h"

#include <math.h>

#define BACKOFF_BASE_MS 500.0
#define BACKOFF_CAP_MS 60000.0
#define NS_PER_MS 1000000u
#define GATE_MS 5             /* how often is looked whether all connections stand */
#define GATE_LONGEST_MS 3000u /* a provider that can't be reached does not hold up the others */

struct flight { /* what an exchange is doing */
    struct dsr_sched *sched;
    struct dsr_task *task;
    struct dsr_exchange *exchange;
    struct flight *next; /* among the idle */
    struct flight *prev_running, *next_running;
};

struct dsr_sched {
    uv_loop_t *loop;
    struct dsr_net *net;
    struct dsr_sched_options options;
    const struct dsr_sched_handler *handler;
    void *arg;
    struct dsr_lane *lanes;
    size_t n_lanes, turn; /* turn: the lane that is served first next */
    int in_flight;
    struct flight *idle, *running;
    uv_timer_t timer;
    uv_timer_t gate;
    uint64_t gate_ns; /* when it closed */
    uv_idle_t slice;  /* active while requests could be begun */
    struct dsr_rng rng;
    int handles;
    bool started, ended;
};

static void pump(struct dsr_sched *s);

static void on_timer(uv_timer_t *timer)
{
    pump(timer->data);
}

static void on_slice(uv_idle_t *idle)
{
    pump(idle->data);
}

struct dsr_sched *dsr_sched_new(uv_loop_t *loop, struct dsr_net *net, const struct dsr_fleet *fleet,
                                const struct dsr_sched_options *options,
                                const struct dsr_sched_handler *handler, void *arg)
{
    struct dsr_sched *s = calloc(1, sizeof *s);
    if (!s || !(s->lanes = calloc(fleet->n, sizeof *s->lanes))) {
        free(s);
        return NULL;
    }
    s->loop = loop;
    s->net = net;
    s->options = *options;
    s->handler = handler;
    s->arg = arg;
    s->n_lanes = fleet->n;
    for (size_t i = 0; i < fleet->n; i++)
        dsr_lane_init(&s->lanes[i], &fleet->providers[i], options->concurrency);
    dsr_rng_init(&s->rng, options->seed, 0x7363686564);
    uv_timer_init(loop, &s->timer);
    s->timer.data = s;
    uv_idle_init(loop, &s->slice);
    s->slice.data = s;
    uv_timer_init(loop, &s->gate);
    s->gate.data = s;
    s->handles = 3;
    return s;
}

static void land(struct flight *f)
{
    struct dsr_sched *s = f->sched;
    if (f->prev_running)
        f->prev_running->next_running = f->next_running;
    else
        s->running = f->next_running;
    if (f->next_running)
        f->next_running->prev_running = f->prev_running;
    s->lanes[f->task->lane].in_flight--;
    s->lanes[f->task->lane].held = false;
    s->in_flight--;
    f->task = NULL;
    f->next = s->idle;
    s->idle = f;
}

void dsr_sched_stop(struct dsr_sched *s)
{
    for (size_t i = 0; i < s->n_lanes; i++)
        dsr_lane_drop(&s->lanes[i]);
    while (s->running) {
        struct flight *f = s->running;
        struct dsr_task *task = f->task;
        dsr_exchange_cancel(f->exchange);
        land(f);
        dsr_task_free(task);
    }
    pump(s);
}

static void sched_free(uv_handle_t *handle)
{
    struct dsr_sched *s = handle->data;
    if (--s->handles)
        return;
    free(s->lanes);
    free(s);
}

void dsr_sched_close(struct dsr_sched *s)
{
    if (!s)
        return;
    s->ended = true;
    dsr_sched_stop(s);
    while (s->idle) {
        struct flight *f = s->idle;
        s->idle = f->next;
        dsr_exchange_close(f->exchange);
        free(f);
    }
    uv_close((uv_handle_t *)&s->timer, sched_free);
    uv_close((uv_handle_t *)&s->slice, sched_free);
    uv_close((uv_handle_t *)&s->gate, sched_free);
}

int dsr_sched_add(struct dsr_sched *s, size_t lane, struct dsr_chat *chat, void *user,
                  uint64_t due_ns)
{
    struct dsr_task *task = chat ? calloc(1, sizeof *task) : NULL;
    if (!task) {
        dsr_chat_free(chat);
        free(user);
        return DSR_ENOMEM;
    }
    task->lane = lane;
    task->chat = chat;
    task->user = user;
    task->due_ns = due_ns;
    s->lanes[lane].added++;
    if (due_ns)
        dsr_lane_make_wait(&s->lanes[lane], task);
    else
        dsr_lane_make_ready(&s->lanes[lane], task);
    return 0;
}

/* Full jitter (Brooker, "Exponential Backoff And Jitter", AWS 2015); a wait that the provider asks
 * for wins. */
static double backoff_ms(struct dsr_sched *s, const struct dsr_task *task,
                         const struct dsr_fault *fault)
{
    double ceiling = fmin(BACKOFF_CAP_MS, BACKOFF_BASE_MS * pow(2, task->tries - 1));
    double jitter = dsr_rng_unit(&s->rng) * ceiling;
    if (fault->retry_after_ms < 0)
        return jitter;
    return (double)fault->retry_after_ms + fmin(jitter, 0.1 * (double)fault->retry_after_ms);
}

static void retry_later(struct dsr_sched *s, struct dsr_task *task, const struct dsr_exchange *x)
{
    struct dsr_lane *lane = &s->lanes[task->lane];
    uint64_t now = dsr_clock_ns();
    task->due_ns = now + (uint64_t)(backoff_ms(s, task, &x->fault) * NS_PER_MS);
    if (x->fault.retry_after_ms > 0)
        dsr_lane_pause(lane, now + (uint64_t)x->fault.retry_after_ms * NS_PER_MS);
    dsr_lane_make_wait(lane, task);
}

static void on_done(void *arg, struct dsr_exchange *x)
{
    struct flight *f = arg;
    struct dsr_sched *s = f->sched;
    struct dsr_task *task = f->task;
    struct dsr_lane *lane = &s->lanes[task->lane];
    dsr_lane_heard(lane, task, x);
    /* the next request is known to be refused before then */
    if (x->rate_wait_ms > 0 && lane->adaptive)
        dsr_lane_pause(lane, dsr_clock_ns() + (uint64_t)x->rate_wait_ms * NS_PER_MS);
    lane->tokens += x->progress;
    x->progress = 0;
    if (x->fault.name[0] && x->fault.retry && task->tries < s->options.max_tries) {
        if (s->handler->on_retry)
            s->handler->on_retry(s->arg, task, x);
        land(f);
        retry_later(s, task, x);
    } else {
        lane->finished++;
        lane->failed += x->fault.name[0] != '\0';
        s->handler->on_final(s->arg, task, x);
        land(f);
        dsr_task_free(task);
    }
    pump(s);
}

static struct flight *flight_get(struct dsr_sched *s)
{
    struct flight *f = s->idle;
    if (f) {
        s->idle = f->next;
        return f;
    }
    f = calloc(1, sizeof *f);
    if (!f || !(f->exchange = dsr_exchange_new(s->loop, s->net))) {
        free(f);
        return NULL;
    }
    f->sched = s;
    return f;
}

static bool launch(struct dsr_sched *s, struct dsr_lane *lane, struct dsr_task *task)
{
    struct flight *f = flight_get(s);
    struct dsr_error err;
    if (!f)
        return false;
    f->task = task;
    f->prev_running = NULL;
    f->next_running = s->running;
    if (s->running)
        s->running->prev_running = f;
    s->running = f;
    dsr_lane_sent(lane, task, dsr_clock_ns());
    s->in_flight++;
    if (dsr_exchange_start(f->exchange, lane->provider, task->chat, on_done, f, &err)) {
        struct dsr_exchange *x = f->exchange;
        snprintf(x->fault.name, sizeof x->fault.name, "build");
        snprintf(x->fault.message, sizeof x->fault.message, "%s", err.message);
        x->start_ns = x->end_ns = dsr_clock_ns();
        x->start_wall_us = x->end_wall_us = dsr_clock_wall_us();
        lane->finished++;
        lane->failed++;
        s->handler->on_final(s->arg, task, x);
        land(f);
        dsr_task_free(task);
    }
    return true;
}

/* A task of the lane that may be sent now. What the handler refuses ends the lane. */
static struct dsr_task *take_task(struct dsr_sched *s, struct dsr_lane *lane, uint64_t now)
{
    struct dsr_task *task = dsr_lane_take(lane, now);
    enum dsr_admission admission =
        task && s->handler->admit ? s->handler->admit(s->arg, task) : DSR_ADMIT;
    if (admission == DSR_ADMIT)
        return task;
    task->due_ns = now;
    dsr_lane_make_wait(lane, task);
    if (admission == DSR_HOLD)
        lane->held = true;
    else
        lane->added -= dsr_lane_drop(lane);
    return NULL;
}

static void sleep_until_due(struct dsr_sched *s, uint64_t now)
{
    uint64_t at = UINT64_MAX;
    bool left = s->in_flight > 0;
    for (size_t i = 0; i < s->n_lanes; i++) {
        uint64_t wakes = dsr_lane_wakes(&s->lanes[i]);
        at = wakes < at ? wakes : at;
        left |= s->lanes[i].ready || s->lanes[i].waiting;
    }
    uv_timer_stop(&s->timer);
    if (!left && !s->ended) {
        s->ended = true;
    } else if (at != UINT64_MAX && s->in_flight < s->options.max_workers) {
        uv_update_time(s->loop);
        uv_timer_start(&s->timer, on_timer, at > now ? (at - now) / NS_PER_MS + 1 : 0, 0);
    }
}

/* Begins what may be begun, for a slice of time; the rest after the next poll. */
static void pump(struct dsr_sched *s)
{
    uint64_t now = dsr_clock_ns(), until = now + DSR_SLICE_NS;
    if (!s->started)
        return;
    uv_idle_stop(&s->slice);
    for (size_t missed = 0; missed < s->n_lanes && s->in_flight < s->options.max_workers;) {
        if (now > until) {
            uv_idle_start(&s->slice, on_slice);
            return;
        }
        struct dsr_lane *lane = &s->lanes[s->turn];
        s->turn = (s->turn + 1) % s->n_lanes;
        struct dsr_task *task = take_task(s, lane, now);
        missed = task ? 0 : missed + 1;
        if (task && !launch(s, lane, task)) {
            dsr_lane_make_wait(lane, task);
            break;
        }
        now = dsr_clock_ns();
    }
    sleep_until_due(s, now);
}

static void on_gate(uv_timer_t *timer)
{
    struct dsr_sched *s = timer->data;
    bool late = dsr_clock_ns() - s->gate_ns > (uint64_t)GATE_LONGEST_MS * NS_PER_MS;
    bool begun = !uv_is_active((uv_handle_t *)&s->slice);
    if (!late && (!begun || dsr_net_held(s->net) < (size_t)s->in_flight))
        return;
    uv_timer_stop(timer);
    dsr_net_release(s->net);
}

void dsr_sched_start(struct dsr_sched *s)
{
    s->started = true;
    if (s->options.together) {
        s->gate_ns = dsr_clock_ns();
        dsr_net_hold(s->net);
        uv_timer_start(&s->gate, on_gate, GATE_MS, GATE_MS);
    }
    pump(s);
}

bool dsr_sched_is_idle(const struct dsr_sched *s)
{
    return s->ended;
}

const struct dsr_lane *dsr_sched_lane(const struct dsr_sched *s, size_t i)
{
    return &s->lanes[i];
}

uint64_t dsr_sched_tokens(const struct dsr_sched *s, size_t lane)
{
    uint64_t tokens = s->lanes[lane].tokens;
    for (const struct flight *f = s->running; f; f = f->next_running)
        if (f->task->lane == lane)
            tokens += f->exchange->progress;
    return tokens;
}
