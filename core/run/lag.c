/* Turns of the loop, by libuv's own clock of the time that it slept. */
#include "core/run/lag.h"

#include <math.h>

struct dsr_lag {
    uv_prepare_t prepare;
    struct dsr_hist turns; /* microseconds of work in each */
    uint64_t start_ns, last_ns, last_slept_ns, worked_ns;
};

static void on_prepare(uv_prepare_t *handle)
{
    struct dsr_lag *lag = handle->data;
    uint64_t now = dsr_clock_ns(), slept = uv_metrics_idle_time(handle->loop);
    if (lag->last_ns) {
        uint64_t turn = now - lag->last_ns, rest = slept - lag->last_slept_ns;
        uint64_t work = turn > rest ? turn - rest : 0;
        lag->worked_ns += work;
        dsr_hist_add(&lag->turns, work / 1000);
    } else {
        lag->start_ns = now;
    }
    lag->last_ns = now;
    lag->last_slept_ns = slept;
}

struct dsr_lag *dsr_lag_new(uv_loop_t *loop)
{
    struct dsr_lag *lag = calloc(1, sizeof *lag);
    if (!lag)
        return NULL;
    uv_loop_configure(loop, UV_METRICS_IDLE_TIME);
    uv_prepare_init(loop, &lag->prepare);
    lag->prepare.data = lag;
    uv_prepare_start(&lag->prepare, on_prepare);
    uv_unref((uv_handle_t *)&lag->prepare);
    return lag;
}

static void lag_free(uv_handle_t *handle)
{
    struct dsr_lag *lag = handle->data;
    dsr_hist_clear(&lag->turns);
    free(lag);
}

void dsr_lag_close(struct dsr_lag *lag)
{
    if (lag)
        uv_close((uv_handle_t *)&lag->prepare, lag_free);
}

/* The wait that 1% of the time exceeds: where what turns take beyond it adds up to that. */
static double wait_p99_s(const struct dsr_lag *lag)
{
    double all = (double)(lag->last_ns - lag->start_ns) / 1e3;
    double low = 0, high = (double)lag->turns.max;
    for (int i = 0; i < 40; i++) {
        double middle = (low + high) / 2;
        if (dsr_hist_excess(&lag->turns, middle) > all / 100)
            low = middle;
        else
            high = middle;
    }
    return high / 1e6;
}

struct dsr_lag_figures dsr_lag_figures(const struct dsr_lag *lag)
{
    if (!lag || lag->last_ns <= lag->start_ns)
        return (struct dsr_lag_figures){NAN, NAN, NAN};
    return (struct dsr_lag_figures){
        .busy = (double)lag->worked_ns / (double)(lag->last_ns - lag->start_ns),
        .p99_s = wait_p99_s(lag),
        .longest_s = (double)lag->turns.max / 1e6,
    };
}
