/* A provider with all that was measured of it: fed with records, sealed, then read-only. The same
 * figures serve `perf`, `route` and the page. */
#ifndef DSR_CANDIDATE_H
#define DSR_CANDIDATE_H

#include "core/metric/figures.h"

#include <dsr/router.h>

/* Accuracies of one benchmark, pooled. */
struct dsr_bench {
    char *metric;
    double correct, asked;     /* where records tell counts */
    struct dsr_samples values; /* 0..100, of records without counts */
};

struct dsr_candidate {
    char *provider;
    struct dsr_figures figures;
    struct dsr_bench *benches;
    size_t n_benches;
};

struct dsr_candidate *dsr_candidate_new(const char *provider, const struct dsr_prices *prices);
void dsr_candidate_free(struct dsr_candidate *candidate);
/* body of a benchmark record; metric as in the table of metrics. */
int dsr_candidate_add_bench(struct dsr_candidate *candidate, const json_t *body);
/* Sorts and computes the intervals. After it only dsr_candidate_value may be called. */
void dsr_candidate_seal(struct dsr_candidate *candidate);

/* Percentiles from one to another in steps, 0..100, as an array. */
json_t *dsr_candidate_curve(const struct dsr_candidate *candidate, const char *metric, int from,
                            int to, int step);

/* Whether a percentile has enough samples to be read: at least one is expected beyond it (100 for
 * p99, 10 for p90). True for what is no percentile. */
bool dsr_candidate_is_firm(const struct dsr_candidate *candidate, const char *metric,
                           const char *stat);

/* One line of the table of metrics. */
struct dsr_metric {
    const char *name;
    const char *unit;
    bool low_is_better;
    int sample; /* enum dsr_sample, or -1 */
};
const struct dsr_metric *dsr_metric_find(const char *name);
const struct dsr_metric *dsr_metric_at(size_t i); /* NULL past the end */

#endif
