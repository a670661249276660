/* Reading bounds, judging requests. */
#include "core/run/slo.h"

#include <math.h>

/* Seconds of "2s", "100ms", "1.5"; NaN for anything else. */
static double read_time(const char *text, size_t n)
{
    char copy[32], *end;
    if (!n || n >= sizeof copy)
        return NAN;
    memcpy(copy, text, n);
    copy[n] = '\0';
    double value = strtod(copy, &end);
    bool ms = !strcmp(end, "ms");
    if (end == copy || !(value > 0) || !isfinite(value) || (*end && !ms && strcmp(end, "s")))
        return NAN;
    return ms ? value / 1000 : value;
}

int dsr_slo_parse(const char *text, struct dsr_slo *slo, struct dsr_error *err)
{
    *slo = (struct dsr_slo){NAN, NAN, NAN, NAN, NAN, true};
    const struct {
        const char *name;
        double *bound;
    } metrics[] = {{"ttft:", &slo->ttft},
                   {"ttfa:", &slo->ttfa},
                   {"itl:", &slo->itl},
                   {"tpot:", &slo->tpot},
                   {"total:", &slo->total}};
    for (const char *p = text; p;) {
        size_t n = strcspn(p, ","), i = 0;
        while (i < DSR_COUNT(metrics) && !dsr_begins(p, p + n, metrics[i].name))
            i++;
        size_t name = i < DSR_COUNT(metrics) ? strlen(metrics[i].name) : 0;
        double bound = name ? read_time(p + name, n - name) : NAN;
        if (isnan(bound))
            return dsr_error_set(err, DSR_EUSAGE,
                                 "--slo: \"%.*s\" is no bound such as ttft:2s or itl:100ms (of "
                                 "ttft, ttfa, itl, tpot, total)",
                                 (int)n, p);
        *metrics[i].bound = bound;
        p = p[n] ? p + n + 1 : NULL;
    }
    return 0;
}

/* The mean of [[microseconds, count]...]; 0 without gaps: a single event has none to miss. */
static double mean_gap(const json_t *hist)
{
    double sum = 0, n = 0;
    size_t i;
    json_t *pair;
    json_array_foreach((json_t *)hist, i, pair)
    {
        double count = json_number_value(json_array_get(pair, 1));
        sum += count * json_number_value(json_array_get(pair, 0)) / 1e6;
        n += count;
    }
    return n > 0 ? sum / n : 0;
}

bool dsr_slo_is_met(const struct dsr_slo *slo, const json_t *body)
{
    double ttft = dsr_json_number(body, "ttft"), total = dsr_json_number(body, "total_time");
    double output = dsr_json_number(body, "output_tokens");
    const double pairs[][2] = {
        {slo->ttft, ttft},
        {slo->ttfa, dsr_json_number(body, "ttfa")},
        {slo->itl, mean_gap(json_object_get(body, "itl_hist"))},
        {slo->tpot, output > 1 ? (total - ttft) / (output - 1) : 0},
        {slo->total, total},
    };
    if (!json_is_true(json_object_get(body, "success")))
        return false;
    for (size_t i = 0; i < DSR_COUNT(pairs); i++)
        if (!isnan(pairs[i][0]) && !(pairs[i][1] <= pairs[i][0]))
            return false;
    return true;
}
