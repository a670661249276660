/* One provider: its figures and its accuracies. */
#include "core/metric/candidate.h"

#include <math.h>

struct dsr_candidate *dsr_candidate_new(const char *provider, const struct dsr_prices *prices)
{
    struct dsr_candidate *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->provider = strdup(provider);
    dsr_figures_init(&c->figures, prices);
    if (!c->provider) {
        dsr_candidate_free(c);
        return NULL;
    }
    return c;
}

void dsr_candidate_free(struct dsr_candidate *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->n_benches; i++) {
        free(c->benches[i].metric);
        dsr_samples_clear(&c->benches[i].values);
    }
    free(c->benches);
    dsr_figures_clear(&c->figures);
    free(c->provider);
    free(c);
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
    dsr_figures_seal(&c->figures);
    for (size_t i = 0; i < c->n_benches; i++)
        dsr_samples_sort(&c->benches[i].values);
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
    if (!bench)
        return NAN;
    if (bench->asked > 0)
        return share_value(bench->correct, bench->asked, 100, stat);
    return dsr_mean(bench->values.values, bench->values.n);
}

double dsr_candidate_value(const struct dsr_candidate *c, const char *metric, const char *stat)
{
    const struct dsr_metric *m = dsr_metric_find(metric);
    const struct dsr_figures *f = &c->figures;
    if (!stat)
        stat = "avg";
    if (m && m->sample >= 0)
        return dsr_figures_value(f, (enum dsr_sample)m->sample, stat, m->low_is_better);
    if (!strcmp(metric, "itl"))
        return dsr_figures_itl(f, stat);
    if (!strcmp(metric, "success"))
        return share_value((double)f->succeeded, (double)f->requests, 1, stat);
    if (!strcmp(metric, "input_price"))
        return f->prices.input;
    if (!strcmp(metric, "output_price"))
        return f->prices.output;
    if (!strcmp(metric, "cached_input_price"))
        return f->prices.cached;
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
    double p = dsr_percentile_of(stat);
    return isnan(p) || dsr_candidate_value(c, metric, "n") * fmin(p, 100 - p) >= 100;
}

const char *dsr_candidate_provider(const struct dsr_candidate *c)
{
    return c->provider;
}
