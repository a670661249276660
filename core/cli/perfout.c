/* What a performance run found, as JSON, table and CSV. */
#include "core/cli/perfout.h"

#include <math.h>

/* "few": percentiles that stand on too few samples to be read. */
static json_t *metric_json(const struct dsr_candidate *c, const char *metric)
{
    static const char *const stats[] = {"avg", "median", "p90", "p99", "min", "max"};
    json_t *json = json_object(), *few = json_array();
    for (size_t i = 0; i < DSR_COUNT(stats); i++) {
        json_object_set_new(json, stats[i],
                            dsr_json_real(dsr_candidate_value(c, metric, stats[i])));
        if (stats[i][0] == 'p' && !dsr_candidate_is_firm(c, metric, stats[i]))
            json_array_append_new(few, json_string(stats[i]));
    }
    json_object_set_new(json, "few", few);
    json_object_set_new(json, "n", json_integer((json_int_t)dsr_candidate_value(c, metric, "n")));
    json_object_set_new(json, "ci95",
                        json_pack("[o, o]", dsr_json_real(dsr_candidate_value(c, metric, "lo95")),
                                  dsr_json_real(dsr_candidate_value(c, metric, "hi95"))));
    return json;
}

static json_t *provider_json(const struct dsr_candidate *c, double seconds)
{
    static const char *const metrics[] = {
        "ttft", "ttfa",  "itl",      "tpot",      "prefill", "decode",  "otps", "otpr",  "total",
        "cost", "queue", "ttft_due", "total_due", "dns",     "connect", "tls",  "cached"};
    json_t *figures = json_object();
    for (size_t i = 0; i < DSR_COUNT(metrics); i++)
        json_object_set_new(figures, metrics[i], metric_json(c, metrics[i]));
    const struct dsr_figures *f = &c->figures;
    double tokens = (double)f->output_tokens, n = (double)f->requests;
    return json_pack("{s:s, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:s?}", "provider", c->provider,
                     "requests", (json_int_t)f->requests, "succeeded", (json_int_t)f->succeeded,
                     "success", dsr_json_real(dsr_candidate_value(c, "success", "avg")), "metrics",
                     figures, "errors", f->errors ? json_incref(f->errors) : json_object(),
                     "output_tokens_per_s", dsr_json_real(tokens / seconds), "requests_per_s",
                     dsr_json_real(n / seconds), "token_source",
                     f->token_source[0] ? f->token_source : NULL);
}

/* Share of requests that met all objectives, and how many of them a second. */
static json_t *goodput_json(const struct dsr_perf_result *r, size_t i)
{
    double good = (double)r->good[i], n = (double)r->providers[i]->figures.requests;
    return json_pack("{s:I, s:o, s:o}", "requests", (json_int_t)r->good[i], "share",
                     dsr_json_real(good / n), "requests_per_s",
                     dsr_json_real(good / r->seconds[i]));
}

static void print_goodput(const struct dsr_perf_result *r)
{
    for (size_t i = 0; i < r->n; i++)
        printf("%s: goodput %zu of %lld requests, %.3f a second\n", r->providers[i]->provider,
               r->good[i], (long long)r->providers[i]->figures.requests,
               (double)r->good[i] / r->seconds[i]);
}

/* Whether the figures of the loop's own lateness leave the others credible. */
static json_t *loop_json(const struct dsr_lag_figures *lag)
{
    return json_pack("{s:o, s:o, s:o, s:b}", "busy", dsr_json_real(lag->busy), "wait_p99",
                     dsr_json_real(lag->p99_s), "turn_max", dsr_json_real(lag->longest_s),
                     "credible", !(lag->p99_s > DSR_LAG_DOUBTFUL_S));
}

static void print_doubts(const struct dsr_perf_result *r)
{
    if (r->lag.p99_s > DSR_LAG_DOUBTFUL_S)
        printf(
            "This machine was too slow: 1 in 100 tokens may have waited %.1f ms or more before "
            "it was stamped (%.0f%% of the time was work). Don't believe differences as small as "
            "that, or use fewer streams at once.\n",
            1e3 * r->lag.p99_s, 100 * r->lag.busy);
}

json_t *dsr_perf_json(const struct dsr_perf_result *r, bool slo, bool curves)
{
    json_t *providers = json_array();
    for (size_t i = 0; i < r->n; i++) {
        json_t *one = provider_json(r->providers[i], r->seconds[i]);
        json_object_set(one, "minutes", r->minutes[i]);
        json_object_set_new(one, "timeline", dsr_timeline_json(&r->timelines[i]));
        if (curves)
            json_object_set_new(one, "curves",
                                json_pack("{s:o, s:o}", "ttft",
                                          dsr_candidate_curve(r->providers[i], "ttft", 0, 100, 1),
                                          "itl",
                                          dsr_candidate_curve(r->providers[i], "itl", 0, 100, 1)));
        if (slo)
            json_object_set_new(one, "goodput", goodput_json(r, i));
        json_array_append_new(providers, one);
    }
    return json_pack("{s:i, s:s, s:s, s:s, s:o, s:o}", "schema", 1, "job", r->job, "model",
                     r->model, "currency", r->currency, "loop", loop_json(&r->lag), "providers",
                     providers);
}

/* "~" marks a percentile of too few samples. */
static const char *percentile_cell(char cell[32], const struct dsr_candidate *c, const char *metric,
                                   const char *stat, bool mark)
{
    double value = dsr_candidate_value(c, metric, stat);
    if (isnan(value))
        return NULL;
    snprintf(cell, 32, "%s%.3f", mark && !dsr_candidate_is_firm(c, metric, stat) ? "~" : "", value);
    return cell;
}

/* Counts by class: "http_429:3 cut:1". */
static void list_errors(struct dsr_buf *text, const json_t *errors)
{
    const char *name;
    json_t *count;
    json_object_foreach((json_t *)errors, name, count)
    {
        dsr_buf_addf(text, "%s%s:%lld", text->len ? " " : "", name,
                     (long long)json_integer_value(count));
    }
}

static void add_row(struct dsr_table *table, const struct dsr_candidate *c, const char *step,
                    bool mark)
{
    static const struct {
        const char *metric, *stat;
        int digits;
    } plain[] = {{"success", "avg", 3}, {"ttft", "median", 3},   {"ttfa", "median", 3},
                 {"itl", "median", 4},  {"decode", "median", 1}, {"otps", "median", 1},
                 {"otpr", "avg", 0},    {"cost", "avg", 5}};
    char b[DSR_COUNT(plain)][32], p90[32], p99[32], n[32];
    struct dsr_buf errors = {0};
    list_errors(&errors, c->figures.errors);
    for (size_t i = 0; i < DSR_COUNT(plain); i++) {
        double value = dsr_candidate_value(c, plain[i].metric, plain[i].stat);
        if (!dsr_cell(b[i], 32, value, plain[i].digits))
            b[i][0] = '\0';
    }
    const char *cells[] = {c->provider,
                           dsr_cell(n, 32, (double)c->figures.requests, 0),
                           b[0],
                           b[1],
                           percentile_cell(p90, c, "ttft", "p90", mark),
                           percentile_cell(p99, c, "ttft", "p99", mark),
                           b[2],
                           b[3],
                           b[4],
                           b[5],
                           b[6],
                           b[7],
                           errors.data,
                           step};
    dsr_table_row(table, cells);
    dsr_buf_clear(&errors);
}

void dsr_perf_print(const struct dsr_perf_result *steps, const int *loads, size_t n,
                    enum dsr_format format, bool slo)
{
    static const char *const columns[] = {
        "PROVIDER", "REQUESTS", "SUCCESS", "TTFT", "TTFT_P90", "TTFT_P99", "TTFA",
        "ITL",      "DECODE",   "OTPS",    "OTPR", "COST",     "ERRORS",   "CONCURRENCY"};
    struct dsr_table *table = dsr_table_new(columns, DSR_COUNT(columns) - (loads ? 0 : 1), format);
    bool soft = false, people = format == DSR_FORMAT_TABLE;
    for (size_t k = 0; table && k < n; k++) {
        char step[16];
        snprintf(step, sizeof step, "%d", loads ? loads[k] : 0);
        for (size_t i = 0; i < steps[k].n; i++) {
            add_row(table, steps[k].providers[i], step, people);
            soft |= !dsr_candidate_is_firm(steps[k].providers[i], "ttft", "p99");
        }
    }
    dsr_table_print(table);
    if (soft && people)
        puts("~ stands on too few samples: p90 needs 10, p99 needs 100.");
    for (size_t k = 0; people && k < n; k++) {
        print_doubts(&steps[k]);
        if (slo)
            print_goodput(&steps[k]);
    }
}
