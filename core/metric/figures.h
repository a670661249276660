/* Figures of many requests. Few are kept as they are; of more than that only sums and histograms
 * are kept, which can be added up: the same whether they came one by one or already summed. */
#ifndef DSR_METRIC_FIGURES_H
#define DSR_METRIC_FIGURES_H

#include "core/config/settings.h"
#include "core/metric/histogram.h"
#include "core/metric/stats.h"

#include <dsr/figures.h>
#include <dsr/store.h>

/* Requests whose values are kept, where results are read from a store. */
#define DSR_EXACT_MOST 1000

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
#define DSR_WANT_ITL (1u << DSR_M_SAMPLES) /* beside 1 << enum dsr_sample */
#define DSR_WANT_ALL (2 * DSR_WANT_ITL - 1)

/* Sums over requests that have token gaps, of x, the sum of its gaps in milliseconds, and n, their
 * number. Whole, so that the order of adding does not matter. */
struct dsr_gap_sums {
    uint64_t requests, xx, nn, xn;
};

struct dsr_figures {
    struct dsr_prices prices, weights; /* of tokens, the dearest kind is 1 */
    size_t exact_most;
    uint32_t want; /* what is kept of them; DSR_WANT_ALL */
    int64_t requests, succeeded, output_tokens;
    json_t *errors;                                /* class -> count */
    char token_source[16];                         /* the one of all, "mixed", or "" */
    struct dsr_hist itl;                           /* all gaps, microseconds */
    struct dsr_interval ci[DSR_M_SAMPLES], itl_ci; /* when sealed */
    /* until there are too many */
    struct dsr_samples samples[DSR_M_SAMPLES];
    struct dsr_samples gap_sums, gap_counts; /* per request */
    /* then; NULL before */
    struct dsr_hist *hists; /* of enum dsr_sample, in steps of dsr_figures_step */
    struct dsr_gap_sums gaps;
    int64_t priced, input, cached, output; /* requests with billed tokens; their tokens */
};

void dsr_figures_init(struct dsr_figures *figures, const struct dsr_prices *prices);
void dsr_figures_clear(struct dsr_figures *figures);
/* Goes over to sums and histograms. DSR_ENOMEM on failure. */
int dsr_figures_sum_up(struct dsr_figures *figures);
/* Sorts and computes the intervals. After it only dsr_figures_value may be called. */
void dsr_figures_seal(struct dsr_figures *figures);
/* A statistic of a metric, as dsr_candidate_value; low: lower values are better. */
double dsr_figures_value(const struct dsr_figures *figures, enum dsr_sample sample,
                         const char *stat, bool low);
double dsr_figures_itl(const struct dsr_figures *figures, const char *stat);
/* dsr_figures_merge of what a store handed over; damage is told. */
int dsr_figures_take(struct dsr_figures *figures, const char *bytes, size_t n,
                     struct dsr_error *err);
/* A dsr_visit_fn that adds a performance record to figures and passes over others. */
int dsr_figures_visit(void *figures, const struct dsr_record *record, struct dsr_error *err);
/* Whether a store has figures. */
bool dsr_store_sums(const struct dsr_store_ops *ops);
/* Adds to the count of an error class. DSR_ENOMEM on failure. */
int dsr_figures_error(struct dsr_figures *figures, const char *name, int64_t count);
void dsr_figures_source(struct dsr_figures *figures, const char *source);

/* Cost of one request in the currency of prices; tokens < 0 are unknown. NaN when unknown. */
double dsr_cost(const struct dsr_prices *prices, int64_t input, int64_t output, int64_t cached);
/* 50 of "median", 90 of "p90"; NaN when stat is no percentile. */
double dsr_percentile_of(const char *stat);

#endif
