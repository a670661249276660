/* Statistics of samples. Percentiles: linear interpolation between closest ranks (NumPy's default,
 * type 7 of Hyndman and Fan 1996). */
#ifndef DSR_STATS_H
#define DSR_STATS_H

#include "core/base/base.h"

struct dsr_samples {
    double *values;
    size_t n, cap;
};
int dsr_samples_add(struct dsr_samples *samples, double value);
void dsr_samples_sort(struct dsr_samples *samples);
/* By value, then by what stands beside it in the second list, which is as long. */
void dsr_samples_sort_pairs(struct dsr_samples *values, struct dsr_samples *beside);
void dsr_samples_clear(struct dsr_samples *samples);

/* p in 0..100 of sorted values; NaN when n is 0. */
double dsr_percentile(const double *sorted, size_t n, double p);
double dsr_mean(const double *values, size_t n);

struct dsr_interval {
    double lo, hi;
};
/* Wilson's score interval for a share, z = 1.959964 (Wilson 1927). NaN when n is 0. */
struct dsr_interval dsr_wilson(double successes, double n);
/* 95% interval of sum(values) / sum(weights) by bootstrap over the pairs (percentile method, 1000
 * seeded resamples; Efron 1979), or by the normal approximation above 1000 pairs. weights NULL: 1
 * each. NaN when n < 2. */
struct dsr_interval dsr_bootstrap(const double *values, const double *weights, size_t n,
                                  uint64_t seed);

#endif
