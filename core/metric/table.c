/* The table of metrics (design, section 5) and the names of statistics. */
#include "core/metric/candidate.h"

static const struct dsr_metric metrics[] = {
    {"ttft", "s", true, DSR_M_TTFT},
    {"ttfa", "s", true, DSR_M_TTFA},
    {"itl", "s", true, -1},
    {"tpot", "s", true, DSR_M_TPOT},
    {"prefill", "tok/s", false, DSR_M_PREFILL},
    {"decode", "tok/s", false, DSR_M_DECODE},
    {"otps", "tok/s", false, DSR_M_OTPS},
    {"otpr", "tok", false, DSR_M_OTPR},
    {"total", "s", true, DSR_M_TOTAL},
    {"cost", "per request", true, DSR_M_COST},
    {"queue", "s", true, DSR_M_QUEUE},
    {"ttft_due", "s", true, DSR_M_TTFT_DUE},
    {"total_due", "s", true, DSR_M_TOTAL_DUE},
    {"dns", "s", true, DSR_M_DNS},
    {"connect", "s", true, DSR_M_CONNECT},
    {"tls", "s", true, DSR_M_TLS},
    {"cached", "0..1", false, DSR_M_CACHED},
    {"success", "0..1", false, -1},
    {"input_price", "per 1M tok", true, -1},
    {"output_price", "per 1M tok", true, -1},
    {"cached_input_price", "per 1M tok", true, -1},
    {"gpqa", "0..100", false, -1},
    {"aime2024", "0..100", false, -1},
    {"ceval", "0..100", false, -1},
    {"mmlu", "0..100", false, -1},
    {"livecodebench", "0..100", false, -1},
};

const struct dsr_metric *dsr_metric_find(const char *name)
{
    for (size_t i = 0; i < DSR_COUNT(metrics); i++)
        if (!strcmp(metrics[i].name, name))
            return &metrics[i];
    return NULL;
}

const struct dsr_metric *dsr_metric_at(size_t i)
{
    return i < DSR_COUNT(metrics) ? &metrics[i] : NULL;
}

bool dsr_metric_low_is_better(const char *metric)
{
    const struct dsr_metric *m = dsr_metric_find(metric);
    return m && m->low_is_better;
}

static bool stat_exists(const char *stat)
{
    static const char *const names[] = {"avg", "median", "min", "max", "n", "lo95", "hi95"};
    for (size_t i = 0; i < DSR_COUNT(names); i++)
        if (!strcmp(names[i], stat))
            return true;
    char *end;
    if (stat[0] != 'p' || stat[1] < '0' || stat[1] > '9')
        return false;
    double p = strtod(stat + 1, &end);
    return !*end && p >= 0 && p <= 100;
}

int dsr_metric_check(const struct dsr_host *host, const char *metric, const char *stat,
                     struct dsr_error *err)
{
    struct dsr_buf known = {0};
    const json_t *own = dsr_host_metrics(host);
    size_t i;
    json_t *name;
    if (stat && !stat_exists(stat))
        return dsr_error_set(err, DSR_ECONFIG,
                             "no statistic \"%s\"; there are: avg, median, p90, p99 and any pNN, "
                             "min, max, n, lo95, hi95",
                             stat);
    if (dsr_metric_find(metric))
        return 0;
    json_array_foreach((json_t *)own, i, name)
    {
        if (!strcmp(json_string_value(name), metric))
            return 0;
    }
    for (i = 0; i < DSR_COUNT(metrics); i++)
        dsr_buf_addf(&known, "%s%s", i ? ", " : "", metrics[i].name);
    dsr_error_set(err, DSR_ECONFIG, "no metric \"%s\"; there are: %s", metric,
                  known.data ? known.data : "");
    dsr_buf_clear(&known);
    return DSR_ECONFIG;
}
