/* Figures: kept, then summed up. Latencies take successful requests only. */
#include "core/metric/figures.h"

#include <math.h>

#define Z95 1.959963984540054

/* Histograms hold whole steps of this part of a unit. A cost is held as a number of tokens of the
 * dearest kind, which prices turn into money when it is asked for. */
static const double steps[DSR_M_SAMPLES] = {
    [DSR_M_TTFT] = 1e7,   [DSR_M_TTFA] = 1e7,    [DSR_M_TPOT] = 1e8,     [DSR_M_PREFILL] = 1e4,
    [DSR_M_DECODE] = 1e5, [DSR_M_OTPS] = 1e5,    [DSR_M_OTPR] = 1,       [DSR_M_TOTAL] = 1e7,
    [DSR_M_COST] = 1e3,   [DSR_M_QUEUE] = 1e7,   [DSR_M_TTFT_DUE] = 1e7, [DSR_M_TOTAL_DUE] = 1e7,
    [DSR_M_DNS] = 1e7,    [DSR_M_CONNECT] = 1e7, [DSR_M_TLS] = 1e7,      [DSR_M_CACHED] = 1e7,
};

/* Without prices, tokens weigh as those of DeepSeek's own list for R1 do. */
static struct dsr_prices weights_of(const struct dsr_prices *p)
{
    double dearest = fmax(fmax(p->input, p->output), p->cached);
    if (!(dearest > 0))
        return (struct dsr_prices){.input = 4. / 16, .output = 1, .cached = 1. / 16};
    return (struct dsr_prices){
        .input = p->input / dearest, .output = p->output / dearest, .cached = p->cached / dearest};
}

void dsr_figures_init(struct dsr_figures *f, const struct dsr_prices *prices)
{
    memset(f, 0, sizeof *f);
    f->prices = *prices;
    f->weights = weights_of(prices);
    f->exact_most = DSR_EXACT_MOST;
    f->want = DSR_WANT_ALL;
}

struct dsr_figures *dsr_figures_new(const struct dsr_host *host, const char *model,
                                    const char *provider)
{
    struct dsr_figures *f = malloc(sizeof *f);
    struct dsr_prices prices = {NAN, NAN, NAN};
    double costs[3];
    if (dsr_host_prices(host, model, provider, costs))
        prices = (struct dsr_prices){costs[0], costs[1], costs[2]};
    if (f)
        dsr_figures_init(f, &prices);
    return f;
}

static void drop_samples(struct dsr_figures *f)
{
    for (size_t i = 0; i < DSR_M_SAMPLES; i++)
        dsr_samples_clear(&f->samples[i]);
    dsr_samples_clear(&f->gap_sums);
    dsr_samples_clear(&f->gap_counts);
}

void dsr_figures_clear(struct dsr_figures *f)
{
    drop_samples(f);
    for (size_t i = 0; f->hists && i < DSR_M_SAMPLES; i++)
        dsr_hist_clear(&f->hists[i]);
    free(f->hists);
    dsr_hist_clear(&f->itl);
    json_decref(f->errors);
    memset(f, 0, sizeof *f);
}

void dsr_figures_free(struct dsr_figures *f)
{
    if (f)
        dsr_figures_clear(f);
    free(f);
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

static uint64_t in_steps(size_t sample, double value)
{
    return value > 0 ? (uint64_t)llround(fmin(value * steps[sample], 9e15)) : 0;
}

static int keep(struct dsr_figures *f, size_t sample, double value)
{
    if (!isfinite(value) || !(f->want >> sample & 1))
        return 0;
    return f->hists ? dsr_hist_add(&f->hists[sample], in_steps(sample, value))
                    : dsr_samples_add(&f->samples[sample], value);
}

static int keep_gaps(struct dsr_figures *f, double sum, double count)
{
    if (!f->hists)
        return dsr_samples_add(&f->gap_sums, sum) || dsr_samples_add(&f->gap_counts, count)
                   ? DSR_ENOMEM
                   : 0;
    uint64_t x = (uint64_t)llround(sum / 1e3), n = (uint64_t)count;
    f->gaps.requests++;
    f->gaps.xx += x * x;
    f->gaps.nn += n * n;
    f->gaps.xn += x * n;
    return 0;
}

int dsr_figures_sum_up(struct dsr_figures *f)
{
    int rc = 0;
    if (f->hists)
        return 0;
    f->hists = calloc(DSR_M_SAMPLES, sizeof *f->hists);
    if (!f->hists)
        return DSR_ENOMEM;
    for (size_t i = 0; i < DSR_M_SAMPLES; i++)
        for (size_t k = 0; k < f->samples[i].n && !rc; k++)
            rc = keep(f, i, f->samples[i].values[k]);
    for (size_t k = 0; k < f->gap_sums.n && !rc; k++)
        rc = keep_gaps(f, f->gap_sums.values[k], f->gap_counts.values[k]);
    drop_samples(f);
    return rc;
}

static int add_gaps(struct dsr_figures *f, const json_t *json)
{
    struct dsr_hist gaps = {0};
    int rc = f->want & DSR_WANT_ITL ? dsr_hist_from_json(&gaps, json) : 0;
    if (!rc && gaps.n) {
        rc = dsr_hist_merge(&f->itl, &gaps);
        if (!rc)
            rc = keep_gaps(f, gaps.sum, (double)gaps.n);
    }
    dsr_hist_clear(&gaps);
    return rc == DSR_ENOMEM ? rc : 0;
}

int dsr_figures_error(struct dsr_figures *f, const char *name, int64_t count)
{
    json_int_t before = json_integer_value(json_object_get(f->errors, name));
    if (!f->errors)
        f->errors = json_object();
    return json_object_set_new(f->errors, name, json_integer(before + count)) ? DSR_ENOMEM : 0;
}

void dsr_figures_source(struct dsr_figures *f, const char *source)
{
    if (*source && f->token_source[0] && strcmp(f->token_source, source))
        source = "mixed";
    if (*source)
        snprintf(f->token_source, sizeof f->token_source, "%s", source);
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

static double add_billed(struct dsr_figures *f, const json_t *body)
{
    int64_t input = dsr_json_int(body, "input_tokens_billed", -1);
    int64_t output = dsr_json_int(body, "output_tokens_billed", -1);
    int64_t cached = dsr_json_int(body, "cached_tokens_billed", -1);
    if (input >= 0 && output >= 0) {
        f->priced++;
        f->input += input;
        f->output += output;
        f->cached += cached < 0 ? 0 : cached < input ? cached : input;
    }
    return dsr_cost(&f->weights, input, output, cached) * 1e6;
}

int dsr_figures_add(struct dsr_figures *f, const json_t *body)
{
    int rc = (size_t)f->requests < f->exact_most ? 0 : dsr_figures_sum_up(f);
    f->requests++;
    if (!json_is_true(json_object_get(body, "success"))) {
        const char *name = dsr_json_string(body, "error", "");
        return rc ? rc : dsr_figures_error(f, *name ? name : "unknown", 1);
    }
    f->succeeded++;
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
        [DSR_M_COST] = add_billed(f, body),
    };
    add_waits(body, values);
    for (size_t i = 0; i < DSR_M_SAMPLES && !rc; i++)
        rc = keep(f, i, values[i]);
    f->output_tokens += isfinite(output) ? (int64_t)output : 0;
    dsr_figures_source(f, dsr_json_string(body, "token_source", ""));
    return rc ? rc : add_gaps(f, json_object_get(body, "itl_hist"));
}

/* What one of a metric's values is worth in its unit. The mean of costs is known exactly, from the
 * tokens: a price that changed since they were summed up moves them all. */
static double unit_of(const struct dsr_figures *f, size_t sample)
{
    const struct dsr_samples *s = &f->samples[sample];
    if (sample != DSR_M_COST || !f->priced)
        return 1;
    double mean = dsr_cost(&f->prices, f->input, f->output, f->cached) / (double)f->priced;
    double tokens =
        f->hists ? dsr_hist_mean(&f->hists[sample]) / steps[sample] : dsr_mean(s->values, s->n);
    return tokens > 0 ? mean / tokens : 0 * mean;
}

static struct dsr_interval around(double mean, double half)
{
    return (struct dsr_interval){mean - half, mean + half};
}

/* The intervals of dsr_bootstrap above its bound, from sums. */
static struct dsr_interval interval_of(const struct dsr_figures *f, size_t sample)
{
    const struct dsr_hist *h = &f->hists[sample];
    if (h->n < 2)
        return (struct dsr_interval){NAN, NAN};
    return around(dsr_hist_mean(h), Z95 * sqrt(dsr_hist_variance(h) / (double)h->n));
}

static struct dsr_interval gap_interval(const struct dsr_figures *f)
{
    const struct dsr_gap_sums *g = &f->gaps;
    double mean = dsr_hist_mean(&f->itl), n = (double)g->requests;
    if (g->requests < 2)
        return (struct dsr_interval){NAN, NAN};
    double r = mean / 1e3; /* milliseconds */
    double squares = (double)g->xx - 2 * r * (double)g->xn + r * r * (double)g->nn;
    return around(mean, 1e3 * Z95 * sqrt(fmax(0, squares) * n / (n - 1)) / (double)f->itl.n);
}

void dsr_figures_seal(struct dsr_figures *f)
{
    for (size_t i = 0; i < DSR_M_SAMPLES; i++) {
        dsr_samples_sort(&f->samples[i]);
        f->ci[i] = f->hists ? interval_of(f, i)
                            : dsr_bootstrap(f->samples[i].values, NULL, f->samples[i].n, i);
    }
    dsr_samples_sort_pairs(&f->gap_sums, &f->gap_counts);
    f->itl_ci = f->hists ? gap_interval(f)
                         : dsr_bootstrap(f->gap_sums.values, f->gap_counts.values, f->gap_sums.n,
                                         DSR_M_SAMPLES);
}

double dsr_percentile_of(const char *stat)
{
    if (!strcmp(stat, "median"))
        return 50;
    return stat[0] == 'p' ? atof(stat + 1) : NAN;
}

static double hist_value(const struct dsr_hist *h, const struct dsr_interval *ci, const char *stat,
                         bool low)
{
    double p = dsr_percentile_of(stat);
    if (!isnan(p)) /* p90 is what 90% of requests reach or beat */
        return dsr_hist_percentile(h, low ? p : 100 - p);
    if (!strcmp(stat, "avg"))
        return dsr_hist_mean(h);
    if (!strcmp(stat, "min"))
        return (double)h->min;
    if (!strcmp(stat, "max"))
        return (double)h->max;
    return strcmp(stat, "lo95") ? ci->hi : ci->lo;
}

static double exact_value(const struct dsr_samples *s, const struct dsr_interval *ci,
                          const char *stat, bool low)
{
    double p = dsr_percentile_of(stat);
    if (!isnan(p))
        return dsr_percentile(s->values, s->n, low ? p : 100 - p);
    if (!strcmp(stat, "avg"))
        return dsr_mean(s->values, s->n);
    if (!strcmp(stat, "min"))
        return s->values[0];
    if (!strcmp(stat, "max"))
        return s->values[s->n - 1];
    return strcmp(stat, "lo95") ? ci->hi : ci->lo;
}

double dsr_figures_value(const struct dsr_figures *f, enum dsr_sample m, const char *stat, bool low)
{
    double unit = unit_of(f, m);
    double n = isnan(unit) ? 0 : f->hists ? (double)f->hists[m].n : (double)f->samples[m].n;
    if (!strcmp(stat, "n"))
        return n;
    if (!(n > 0))
        return NAN;
    if (f->hists)
        return unit / steps[m] * hist_value(&f->hists[m], &f->ci[m], stat, low);
    return unit * exact_value(&f->samples[m], &f->ci[m], stat, low);
}

double dsr_figures_itl(const struct dsr_figures *f, const char *stat)
{
    if (!strcmp(stat, "n"))
        return (double)f->itl.n;
    return f->itl.n ? hist_value(&f->itl, &f->itl_ci, stat, true) / 1e6 : NAN;
}
