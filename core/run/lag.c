/* The loop's turns, by libuv's own clock of the time that it slept. */
#include "core/run/lag.h"

#include <math.h>

/* A poll that took no longer found something at once: it may have lain there. */
#define LOOK_NS 50000u

struct dsr_lag {
    uv_loop_t *loop;
    uv_prepare_t prepare;
    struct dsr_hist waits; /* microseconds, of each arrival */
    uint64_t start_ns, worked_ns, longest_ns;
    uint64_t polled_ns, slept_ns; /* when the loop went to look, and what it had slept by then */
    uint64_t looked_ns;           /* when it had looked the time before */
};

/* When the poll of this turn gave something back. */
static uint64_t found_at(const struct dsr_lag *lag, uint64_t *rest)
{
    *rest = uv_metrics_idle_time(lag->loop) - lag->slept_ns;
    return lag->polled_ns + *rest;
}

static void on_prepare(uv_prepare_t *handle)
{
    struct dsr_lag *lag = handle->data;
    uint64_t now = dsr_clock_ns(), rest;
    if (lag->polled_ns) {
        lag->looked_ns = found_at(lag, &rest);
        uint64_t work = now > lag->looked_ns ? now - lag->looked_ns : 0;
        lag->worked_ns += work;
        lag->longest_ns = work > lag->longest_ns ? work : lag->longest_ns;
    } else {
        lag->start_ns = now;
    }
    lag->polled_ns = now;
    lag->slept_ns = uv_metrics_idle_time(lag->loop);
}

/* What was found while the loop slept woke it; else it came at some moment since it last looked. */
static void on_arrival(void *arg, uint64_t now_ns)
{
    struct dsr_lag *lag = arg;
    uint64_t rest, found = found_at(lag, &rest);
    uint64_t since = rest < LOOK_NS && lag->looked_ns ? lag->looked_ns : found;
    dsr_hist_add(&lag->waits, now_ns > since ? (now_ns - since) / 1000 : 0);
}

struct dsr_lag *dsr_lag_new(uv_loop_t *loop, struct dsr_net *net)
{
    struct dsr_lag *lag = calloc(1, sizeof *lag);
    if (!lag)
        return NULL;
    lag->loop = loop;
    uv_loop_configure(loop, UV_METRICS_IDLE_TIME);
    uv_prepare_init(loop, &lag->prepare);
    lag->prepare.data = lag;
    uv_prepare_start(&lag->prepare, on_prepare);
    uv_unref((uv_handle_t *)&lag->prepare);
    dsr_net_watch(net, on_arrival, lag);
    return lag;
}

static void lag_free(uv_handle_t *handle)
{
    struct dsr_lag *lag = handle->data;
    dsr_hist_clear(&lag->waits);
    free(lag);
}

void dsr_lag_close(struct dsr_lag *lag, struct dsr_net *net)
{
    if (!lag)
        return;
    dsr_net_watch(net, NULL, NULL);
    uv_close((uv_handle_t *)&lag->prepare, lag_free);
}

struct dsr_lag_figures dsr_lag_figures(const struct dsr_lag *lag)
{
    if (!lag || lag->polled_ns <= lag->start_ns)
        return (struct dsr_lag_figures){NAN, NAN, NAN};
    return (struct dsr_lag_figures){
        .busy = (double)lag->worked_ns / (double)(lag->polled_ns - lag->start_ns),
        .p99_s = dsr_hist_percentile(&lag->waits, 99) / 1e6,
        .longest_s = (double)lag->longest_ns / 1e9,
    };
}
