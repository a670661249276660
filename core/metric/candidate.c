/* Figures of one provider, from its records. Latencies take successful requests only. */
#include "core/metric/candidate.h"

#include <math.h>

struct dsr_candidate *dsr_candidate_new(const char *provider, const struct dsr_prices *prices)
{
    struct dsr_candidate *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->provider = strdup(provider);
    c->prices = *prices;
    c->errors = json_object();
    if (!c->provider || !c->errors) {
        dsr_candidate_free(c);
        return NULL;
    }
    return c;
}

void dsr_candidate_free(struct dsr_candidate *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < DSR_M_SAMPLES; i++)
        dsr_samples_clear(&c->samples[i]);
    for (size_t i = 0; i < c->n_benches; i++) {
        free(c->benches[i].metric);
        dsr_samples_clear(&c->benches[i].values);
    }
    free(c->benches);
    dsr_hist_clear(&c->itl);
    dsr_samples_clear(&c->itl_sums);
    dsr_samples_clear(&c->itl_counts);
    json_decref(c->errors);
    free(c->provider);
    free(c);
}

double dsr_cost(const struct dsr_prices *p, int64_t input, int64_t output, int64_t cached)
{
    if (input < 0 || output < 0)
        return NAN;
    if (cached < 0 || isnan(p->cached))
        cached = 0;
    if (cached > input) /* a server that counts nonsense */
        cached = input;
    double cost = (double)(input - cached) * p->input + (double)output * p->output;
    if (cached)
        cost += (double)cached * p->cached;
    return cost / 1e6;
}

static int add_gaps(struct dsr_candidate *c, const json_t *json)
{
    struct dsr_hist gaps = {0};
    int rc = dsr_hist_from_json(&gaps, json);
    if (!rc && gaps.n) {
        rc = dsr_hist_merge(&c->itl, &gaps);
        if (!rc)
            rc = dsr_samples_add(&c->itl_sums, gaps.sum);
        if (!rc)
            rc = dsr_samples_add(&c->itl_counts, (double)gaps.n);
    }
    dsr_hist_clear(&gaps);
    return rc == DSR_ENOMEM ? rc : 0;
}

static int add_error(struct dsr_candidate *c, const json_t *body)
{
    const char *name = dsr_json_string(body, "error", "");
    json_int_t count = json_integer_value(json_object_get(c->errors, *name ? name : "unknown"));
    return json_object_set_new(c->errors, *name ? name : "unknown", json_integer(count + 1))
               ? DSR_ENOMEM
               : 0;
}

static void note_source(struct dsr_candidate *c, const json_t *body)
{
    const char *source = dsr_json_string(body, "token_source", "");
    if (*source && c->token_source[0] && strcmp(c->token_source, source))
        source = "mixed";
    if (*source)
        snprintf(c->token_source, sizeof c->token_source, "%s", source);
}

/* Time that is not the provider's own, and what its cache knew. */
static void add_waits(const json_t *body, double values[DSR_M_SAMPLES])
{
    double billed = dsr_json_number(body, "input_tokens_billed");
    double cached = dsr_json_number(body, "cached_tokens_billed");
    values[DSR_M_QUEUE] = dsr_json_number(body, "queue_s");
    values[DSR_M_TTFT_DUE] = dsr_json_number(body, "ttft_due");
    values[DSR_M_TOTAL_DUE] = dsr_json_number(body, "total_due");
    if (dsr_json_number(body, "connect_s") > 0) { /* a connection that stood took no time */
        values[DSR_M_DNS] = dsr_json_number(body, "dns_s");
        values[DSR_M_CONNECT] = dsr_json_number(body, "connect_s");
        values[DSR_M_TLS] = dsr_json_number(body, "tls_s");
    } else {
        values[DSR_M_DNS] = values[DSR_M_CONNECT] = values[DSR_M_TLS] = NAN;
    }
    values[DSR_M_CACHED] = billed > 0 && cached >= 0 ? fmin(1, cached / billed) : NAN;
}

int dsr_candidate_add_perf(struct dsr_candidate *c, const json_t *body)
{
    int rc = 0;
    c->requests++;
    if (!json_is_true(json_object_get(body, "success")))
        return add_error(c, body);
    c->succeeded++;
    double ttft = dsr_json_number(body, "ttft"), total = dsr_json_number(body, "total_time");
    double input = dsr_json_number(body, "input_tokens");
    double output = dsr_json_number(body, "output_tokens");
    double values[DSR_M_SAMPLES] = {
        [DSR_M_TTFT] = ttft,
        [DSR_M_TTFA] = dsr_json_number(body, "ttfa"),
        [DSR_M_TPOT] = output > 1 ? (total - ttft) / (output - 1) : NAN,
        [DSR_M_PREFILL] = ttft > 0 ? input / ttft : NAN,
        [DSR_M_DECODE] = total > ttft ? output / (total - ttft) : NAN,
        [DSR_M_OTPS] = total > 0 ? output / total : NAN,
        [DSR_M_OTPR] = output,
        [DSR_M_TOTAL] = total,
        [DSR_M_COST] = dsr_cost(&c->prices, dsr_json_int(body, "input_tokens_billed", -1),
                                dsr_json_int(body, "output_tokens_billed", -1),
                                dsr_json_int(body, "cached_tokens_billed", -1)),
    };
    add_waits(body, values);
    for (size_t i = 0; i < DSR_M_SAMPLES && !rc; i++)
        rc = dsr_samples_add(&c->samples[i], values[i]);
    c->output_tokens += isfinite(output) ? (int64_t)output : 0;
    note_source(c, body);
    return rc ? rc : add_gaps(c, json_object_get(body, "itl_hist"));
}

static struct dsr_bench *bench_of(const struct dsr_candidate *c, const char *metric)
{
    for (size_t i = 0; i < c->n_benches; i++)
        if (!strcmp(c->benches[i].metric, metric))
            return &c->benches[i];
    return NULL;
}

static struct dsr_bench *bench_new(struct dsr_candidate *c, const char *metric)
{
    struct dsr_bench *benches = realloc(c->benches, (c->n_benches + 1) * sizeof *benches);
    if (!benches)
        return NULL;
    c->benches = benches;
    benches[c->n_benches] = (struct dsr_bench){.metric = strdup(metric)};
    return benches[c->n_benches].metric ? &benches[c->n_benches++] : NULL;
}

int dsr_candidate_add_bench(struct dsr_candidate *c, const json_t *body)
{
    const char *metric = dsr_json_string(body, "benchmark", "");
    struct dsr_bench *bench = bench_of(c, metric);
    if (!json_is_true(json_object_get(body, "success")))
        return 0;
    if (!bench && !(bench = bench_new(c, metric)))
        return DSR_ENOMEM;
    double asked = dsr_json_number(body, "asked"), correct = dsr_json_number(body, "correct");
    if (!(asked > 0) || !(correct >= 0))
        return dsr_samples_add(&bench->values, dsr_json_number(body, "value"));
    /* answers to one question belong together: they weigh as much as they tell */
    double effective = dsr_json_number(body, "effective");
    double weight = effective > 0 && effective < asked ? effective / asked : 1;
    bench->asked += asked * weight;
    bench->correct += correct * weight;
    return 0;
}

void dsr_candidate_seal(struct dsr_candidate *c)
{
    for (size_t i = 0; i < DSR_M_SAMPLES; i++) {
        dsr_samples_sort(&c->samples[i]);
        c->ci[i] = dsr_bootstrap(c->samples[i].values, NULL, c->samples[i].n, i);
    }
    c->itl_ci = dsr_bootstrap(c->itl_sums.values, c->itl_counts.values, c->itl_sums.n, 100);
}

/* 'p' of "p90", 50 of "median"; NaN when stat is no percentile. */
static double percentile_of(const char *stat)
{
    if (!strcmp(stat, "median"))
        return 50;
    return stat[0] == 'p' ? atof(stat + 1) : NAN;
}

static double sample_value(const struct dsr_samples *s, const struct dsr_interval *ci,
                           const char *stat, bool low_is_better)
{
    double p = percentile_of(stat);
    if (!s->n)
        return strcmp(stat, "n") ? NAN : 0;
    if (!isnan(p)) /* p90 is what 90% of requests reach or beat */
        return dsr_percentile(s->values, s->n, low_is_better ? p : 100 - p);
    if (!strcmp(stat, "avg"))
        return dsr_mean(s->values, s->n);
    if (!strcmp(stat, "min"))
        return s->values[0];
    if (!strcmp(stat, "max"))
        return s->values[s->n - 1];
    if (!strcmp(stat, "n"))
        return (double)s->n;
    return strcmp(stat, "lo95") ? ci->hi : ci->lo;
}

static double itl_value(const struct dsr_candidate *c, const char *stat)
{
    double p = percentile_of(stat);
    const struct dsr_hist *h = &c->itl;
    if (!strcmp(stat, "n"))
        return (double)h->n;
    if (!h->n)
        return NAN;
    if (!isnan(p))
        return dsr_hist_percentile(h, p) / 1e6;
    if (!strcmp(stat, "avg"))
        return dsr_hist_mean(h) / 1e6;
    if (!strcmp(stat, "min"))
        return (double)h->min / 1e6;
    if (!strcmp(stat, "max"))
        return (double)h->max / 1e6;
    return (strcmp(stat, "lo95") ? c->itl_ci.hi : c->itl_ci.lo) / 1e6;
}

/* A share with its Wilson interval, times scale. */
static double share_value(double good, double all, double scale, const char *stat)
{
    struct dsr_interval ci = dsr_wilson(good, all);
    if (!strcmp(stat, "n"))
        return all;
    if (!strcmp(stat, "lo95"))
        return scale * ci.lo;
    if (!strcmp(stat, "hi95"))
        return scale * ci.hi;
    return all > 0 ? scale * good / all : NAN;
}

static double bench_value(const struct dsr_bench *bench, const char *stat)
{
    static const struct dsr_interval unknown = {NAN, NAN};
    if (!bench)
        return NAN;
    if (bench->asked > 0)
        return share_value(bench->correct, bench->asked, 100, stat);
    return sample_value(&bench->values, &unknown, "avg", false);
}

double dsr_candidate_value(const struct dsr_candidate *c, const char *metric, const char *stat)
{
    const struct dsr_metric *m = dsr_metric_find(metric);
    if (!stat)
        stat = "avg";
    if (m && m->sample >= 0)
        return sample_value(&c->samples[m->sample], &c->ci[m->sample], stat, m->low_is_better);
    if (!strcmp(metric, "itl"))
        return itl_value(c, stat);
    if (!strcmp(metric, "success"))
        return share_value((double)c->succeeded, (double)c->requests, 1, stat);
    if (!strcmp(metric, "input_price"))
        return c->prices.input;
    if (!strcmp(metric, "output_price"))
        return c->prices.output;
    if (!strcmp(metric, "cached_input_price"))
        return c->prices.cached;
    return bench_value(bench_of(c, metric), stat);
}

json_t *dsr_candidate_curve(const struct dsr_candidate *c, const char *metric, int from, int to,
                            int step)
{
    json_t *list = json_array();
    for (int p = from; p <= to; p += step) {
        char stat[8];
        snprintf(stat, sizeof stat, "p%d", p);
        json_array_append_new(list, dsr_json_real(dsr_candidate_value(c, metric, stat)));
    }
    return list;
}

bool dsr_candidate_is_firm(const struct dsr_candidate *c, const char *metric, const char *stat)
{
    double p = percentile_of(stat);
    return isnan(p) || dsr_candidate_value(c, metric, "n") * fmin(p, 100 - p) >= 100;
}

const char *dsr_candidate_provider(const struct dsr_candidate *c)
{
    return c->provider;
}
