/* Means, percentiles and intervals. */
#include "core/metric/stats.h"

#include <math.h>

#define RESAMPLES 1000
#define Z95 1.959963984540054

int dsr_samples_add(struct dsr_samples *s, double value)
{
    if (!isfinite(value))
        return 0;
    if (s->n == s->cap) {
        size_t cap = s->cap ? s->cap * 2 : 16;
        double *values = realloc(s->values, cap * sizeof *values);
        if (!values)
            return DSR_ENOMEM;
        s->values = values;
        s->cap = cap;
    }
    s->values[s->n++] = value;
    return 0;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void dsr_samples_sort(struct dsr_samples *s)
{
    if (s->n)
        qsort(s->values, s->n, sizeof *s->values, by_value);
}

static int by_pair(const void *a, const void *b)
{
    int first = by_value(a, b);
    return first ? first : by_value((const double *)a + 1, (const double *)b + 1);
}

void dsr_samples_sort_pairs(struct dsr_samples *values, struct dsr_samples *beside)
{
    double(*pairs)[2] = malloc((values->n + 1) * sizeof *pairs);
    for (size_t i = 0; pairs && i < values->n; i++) {
        pairs[i][0] = values->values[i];
        pairs[i][1] = beside->values[i];
    }
    if (pairs)
        qsort(pairs, values->n, sizeof *pairs, by_pair);
    for (size_t i = 0; pairs && i < values->n; i++) {
        values->values[i] = pairs[i][0];
        beside->values[i] = pairs[i][1];
    }
    free(pairs);
}

void dsr_samples_clear(struct dsr_samples *s)
{
    free(s->values);
    memset(s, 0, sizeof *s);
}

double dsr_percentile(const double *sorted, size_t n, double p)
{
    if (!n)
        return NAN;
    double h = (double)(n - 1) * p / 100.0;
    size_t low = (size_t)h;
    if (low + 1 >= n)
        return sorted[n - 1];
    return sorted[low] + (h - (double)low) * (sorted[low + 1] - sorted[low]);
}

double dsr_mean(const double *values, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += values[i];
    return n ? sum / (double)n : NAN;
}

struct dsr_interval dsr_wilson(double successes, double n)
{
    if (!(n > 0))
        return (struct dsr_interval){NAN, NAN};
    double p = successes / n, z2 = Z95 * Z95;
    double middle = (p + z2 / (2 * n)) / (1 + z2 / n);
    double half = Z95 / (1 + z2 / n) * sqrt(p * (1 - p) / n + z2 / (4 * n * n));
    /* the formula gives 0 and 1 exactly here; floating point does not */
    return (struct dsr_interval){successes > 0 ? fmax(0, middle - half) : 0,
                                 successes < n ? fmin(1, middle + half) : 1};
}

static double ratio(const double *values, const double *weights, size_t n)
{
    double sum = 0, weight = 0;
    for (size_t i = 0; i < n; i++) {
        sum += values[i];
        weight += weights ? weights[i] : 1;
    }
    return weight > 0 ? sum / weight : NAN;
}

/* Delta method for a ratio of sums. */
static struct dsr_interval normal(const double *values, const double *weights, size_t n)
{
    double r = ratio(values, weights, n), weight = 0, squares = 0;
    for (size_t i = 0; i < n; i++) {
        double w = weights ? weights[i] : 1, residue = values[i] - r * w;
        weight += w;
        squares += residue * residue;
    }
    double half = Z95 * sqrt(squares * (double)n / (double)(n - 1)) / weight;
    return (struct dsr_interval){r - half, r + half};
}

struct dsr_interval dsr_bootstrap(const double *values, const double *weights, size_t n,
                                  uint64_t seed)
{
    struct dsr_interval interval = {NAN, NAN};
    struct dsr_samples means = {0};
    struct dsr_rng rng;
    if (n < 2)
        return interval;
    if (n > RESAMPLES)
        return normal(values, weights, n);
    dsr_rng_init(&rng, seed, n);
    for (int k = 0; k < RESAMPLES; k++) {
        double sum = 0, weight = 0;
        for (size_t i = 0; i < n; i++) {
            size_t j = (size_t)dsr_rng_below(&rng, n);
            sum += values[j];
            weight += weights ? weights[j] : 1;
        }
        if (weight > 0 && dsr_samples_add(&means, sum / weight))
            break;
    }
    dsr_samples_sort(&means);
    interval.lo = dsr_percentile(means.values, means.n, 2.5);
    interval.hi = dsr_percentile(means.values, means.n, 97.5);
    dsr_samples_clear(&means);
    return interval;
}
