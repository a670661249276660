/* Lanes, limits, retries. */
#include "core/run/sched.h"

#include <math.h>

#define BACKOFF_BASE_MS 500.0
#define BACKOFF_CAP_MS 60000.0
#define NS_PER_MS 1000000u

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
    struct dsr_rng rng;
    bool started, ended;
};

static void pump(struct dsr_sched *s);

static void on_timer(uv_timer_t *timer)
{
    pump(timer->data);
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
    for (size_t i = 0; i < fleet->n; i++) {
        struct dsr_lane *lane = &s->lanes[i];
        int own = fleet->providers[i].service->max_concurrency;
        lane->provider = &fleet->providers[i];
        lane->ready_tail = &lane->ready;
        lane->max_limit = lane->limit = options->concurrency ? options->concurrency : own;
    }
    dsr_rng_init(&s->rng, options->seed, 0x7363686564);
    uv_timer_init(loop, &s->timer);
    s->timer.data = s;
    return s;
}

static void task_free(struct dsr_task *task)
{
    dsr_chat_free(task->chat);
    free(task->user);
    free(task);
}

static void drop_tasks(struct dsr_lane *lane)
{
    struct dsr_task *lists[] = {lane->ready, lane->waiting};
    for (size_t i = 0; i < 2; i++) {
        for (struct dsr_task *t = lists[i], *next; t; t = next) {
            next = t->next;
            task_free(t);
        }
    }
    lane->ready = lane->waiting = NULL;
    lane->ready_tail = &lane->ready;
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
    s->in_flight--;
    f->task = NULL;
    f->next = s->idle;
    s->idle = f;
}

void dsr_sched_stop(struct dsr_sched *s)
{
    for (size_t i = 0; i < s->n_lanes; i++)
        drop_tasks(&s->lanes[i]);
    while (s->running) {
        struct flight *f = s->running;
        struct dsr_task *task = f->task;
        dsr_exchange_cancel(f->exchange);
        land(f);
        task_free(task);
    }
    pump(s);
}

static void sched_free(uv_handle_t *handle)
{
    struct dsr_sched *s = handle->data;
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
}

static void make_ready(struct dsr_lane *lane, struct dsr_task *task)
{
    task->next = NULL;
    *lane->ready_tail = task;
    lane->ready_tail = &task->next;
}

static void make_wait(struct dsr_lane *lane, struct dsr_task *task)
{
    struct dsr_task **at = &lane->waiting;
    while (*at && (*at)->due_ns <= task->due_ns)
        at = &(*at)->next;
    task->next = *at;
    *at = task;
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
        make_wait(&s->lanes[lane], task);
    else
        make_ready(&s->lanes[lane], task);
    return 0;
}

static bool is_overload(const struct dsr_fault *fault)
{
    return fault->http_status == 429 || !strcmp(fault->name, "http_429") ||
           !strncmp(fault->name, "timeout", 7);
}

/* Additive increase, multiplicative decrease (Chiu and Jain 1989); one cut per flight's length, so
 * that a burst of 429 counts once. */
static void adapt(struct dsr_sched *s, struct dsr_lane *lane, const struct dsr_exchange *x)
{
    if (s->options.concurrency)
        return;
    if (!x->fault.name[0]) {
        lane->limit = fmin(lane->max_limit, lane->limit + 1.0 / lane->limit);
    } else if (is_overload(&x->fault) && x->start_ns > lane->cut_ns) {
        lane->limit = fmax(1.0, lane->limit / 2.0);
        lane->cut_ns = x->end_ns;
    }
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
    if (x->fault.retry_after_ms > 0) {
        uint64_t until = now + (uint64_t)x->fault.retry_after_ms * NS_PER_MS;
        if (until > lane->pause_until_ns)
            lane->pause_until_ns = until;
    }
    make_wait(lane, task);
}

static void on_done(void *arg, struct dsr_exchange *x)
{
    struct flight *f = arg;
    struct dsr_sched *s = f->sched;
    struct dsr_task *task = f->task;
    struct dsr_lane *lane = &s->lanes[task->lane];
    adapt(s, lane, x);
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
        task_free(task);
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
    task->tries++;
    f->prev_running = NULL;
    f->next_running = s->running;
    if (s->running)
        s->running->prev_running = f;
    s->running = f;
    lane->in_flight++;
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
        task_free(task);
    }
    return true;
}

static struct dsr_task *take_task(struct dsr_lane *lane, uint64_t now)
{
    struct dsr_task *task = lane->waiting;
    if (lane->pause_until_ns > now || lane->in_flight >= (int)floor(lane->limit))
        return NULL;
    if (task && task->due_ns <= now) {
        lane->waiting = task->next;
        return task;
    }
    task = lane->ready;
    if (!task)
        return NULL;
    lane->ready = task->next;
    if (!lane->ready)
        lane->ready_tail = &lane->ready;
    return task;
}

/* When a lane that could send now will be allowed to; UINT64_MAX when only an answer helps. */
static uint64_t lane_wakes(const struct dsr_lane *lane)
{
    if (lane->in_flight >= (int)floor(lane->limit) || (!lane->ready && !lane->waiting))
        return UINT64_MAX;
    uint64_t due = lane->ready ? 0 : lane->waiting->due_ns;
    return due > lane->pause_until_ns ? due : lane->pause_until_ns;
}

static void sleep_until_due(struct dsr_sched *s, uint64_t now)
{
    uint64_t at = UINT64_MAX;
    bool left = s->in_flight > 0;
    for (size_t i = 0; i < s->n_lanes; i++) {
        uint64_t wakes = lane_wakes(&s->lanes[i]);
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

static void pump(struct dsr_sched *s)
{
    uint64_t now = dsr_clock_ns();
    if (!s->started)
        return;
    for (size_t missed = 0; missed < s->n_lanes && s->in_flight < s->options.max_workers;) {
        struct dsr_lane *lane = &s->lanes[s->turn];
        s->turn = (s->turn + 1) % s->n_lanes;
        struct dsr_task *task = take_task(lane, now);
        missed = task ? 0 : missed + 1;
        if (task && !launch(s, lane, task)) {
            make_wait(lane, task);
            break;
        }
    }
    sleep_until_due(s, now);
}

void dsr_sched_start(struct dsr_sched *s)
{
    s->started = true;
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
