/* A provider with all that was measured of it: fed with records, sealed, then read-only. The same
 * figures serve `perf`, `route` and the page. */
#ifndef DSR_CANDIDATE_H
#define DSR_CANDIDATE_H

#include "core/config/settings.h"
#include "core/metric/histogram.h"
#include "core/metric/stats.h"

#include <dsr/router.h>

/* Metrics that have one sample per successful request. */
enum dsr_sample {
    DSR_M_TTFT,
    DSR_M_TTFA,
    DSR_M_TPOT,
    DSR_M_PREFILL,
    DSR_M_DECODE,
    DSR_M_OTPS,
    DSR_M_OTPR,
    DSR_M_TOTAL,
    DSR_M_COST,
    DSR_M_QUEUE,    /* from the moment a request was due to the moment it was begun */
    DSR_M_TTFT_DUE, /* ttft and total, counted from the moment a request was due (open loop) */
    DSR_M_TOTAL_DUE,
    DSR_M_DNS, /* of requests that opened a connection */
    DSR_M_CONNECT,
    DSR_M_TLS,
    DSR_M_CACHED, /* share of the input tokens that the provider's cache held, as billed */
    DSR_M_SAMPLES
};

/* Accuracies of one benchmark, pooled. */
struct dsr_bench {
    char *metric;
    double correct, asked;     /* where records tell counts */
    struct dsr_samples values; /* 0..100, of records without counts */
};

struct dsr_candidate {
    char *provider;
    struct dsr_prices prices;
    size_t requests, succeeded;
    int64_t output_tokens;
    struct dsr_samples samples[DSR_M_SAMPLES];
    struct dsr_interval ci[DSR_M_SAMPLES];
    struct dsr_hist itl;                     /* all gaps, microseconds */
    struct dsr_samples itl_sums, itl_counts; /* per request, for the interval */
    struct dsr_interval itl_ci;
    struct dsr_bench *benches;
    size_t n_benches;
    json_t *errors;        /* class -> count */
    char token_source[16]; /* the one of all its records, "mixed", or "" */
};

struct dsr_candidate *dsr_candidate_new(const char *provider, const struct dsr_prices *prices);
void dsr_candidate_free(struct dsr_candidate *candidate);
/* body of a performance record. */
int dsr_candidate_add_perf(struct dsr_candidate *candidate, const json_t *body);
/* body of a benchmark record; metric as in the table of metrics. */
int dsr_candidate_add_bench(struct dsr_candidate *candidate, const json_t *body);
/* Sorts and computes the intervals. After it only dsr_candidate_value may be called. */
void dsr_candidate_seal(struct dsr_candidate *candidate);
/* Cost of one request in the currency of prices; tokens < 0 are unknown. NaN when unknown. */
double dsr_cost(const struct dsr_prices *prices, int64_t input, int64_t output, int64_t cached);

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
