/* Router plugins: which providers, and in which order. Used by `dsr-run route`. */
#ifndef DSR_ROUTER_H
#define DSR_ROUTER_H

#include <dsr/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One provider with all that was measured; immutable, shared between threads. */
struct dsr_candidate;
DSR_API const char *dsr_candidate_provider(const struct dsr_candidate *candidate);
/* The value of a metric and statistic (design: ttft, gpqa, ..., with avg, median, p90, pNN, lo95,
 * hi95, min, max, n), or NaN when it is unknown. stat NULL means avg. Thread-safe. */
DSR_API double dsr_candidate_value(const struct dsr_candidate *candidate, const char *metric,
                                   const char *stat);
/* Whether such a metric and such a statistic (NULL: none named) exist; err tells what is known. */
DSR_API int dsr_metric_check(const struct dsr_host *host, const char *metric, const char *stat,
                             struct dsr_error *err);
/* Whether a lower value is better. */
DSR_API bool dsr_metric_low_is_better(const char *metric);

/* The result in the making. Strings are copied. */
struct dsr_ranking;
/* Candidate i matches; call in the order of preference. Returns 0 or DSR_ENOMEM. */
DSR_API int dsr_ranking_match(struct dsr_ranking *ranking, size_t i);
/* Tells that candidate i was judged by this value (NaN: unknown). */
DSR_API int dsr_ranking_used(struct dsr_ranking *ranking, size_t i, const char *metric,
                             const char *stat, double value);
/* Candidate i failed a filter; bound "min" or "max", limit its value. */
DSR_API int dsr_ranking_failed(struct dsr_ranking *ranking, size_t i, const char *metric,
                               const char *stat, double value, const char *bound, double limit);
/* A sentence that says why candidate i stands where it stands. */
DSR_API int dsr_ranking_why(struct dsr_ranking *ranking, size_t i, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* One live outcome, for routers that learn. */
struct dsr_outcome_note {
    size_t size;
    const char *provider;
    bool success;
    double ttft_s;
    double total_s;
};

struct dsr_router_ops {
    size_t size; /* sizeof(struct dsr_router_ops) */
    /* policy: borrowed for the call. Returns the state or NULL with err filled (pointer set to
     * the place inside the policy). Mandatory. */
    void *(*open)(const json_t *policy, const struct dsr_host *host, struct dsr_error *err);
    /* Ranks n candidates. request: the request to route, or NULL. Thread-safe. Mandatory. */
    int (*rank)(void *state, const struct dsr_candidate *const *candidates, size_t n,
                const json_t *request, struct dsr_ranking *ranking, struct dsr_error *err);
    /* Optional. */
    void (*observe)(void *state, const struct dsr_outcome_note *note);
    /* Frees the state. Mandatory. */
    void (*close)(void *state);
};

#ifdef __cplusplus
}
#endif
#endif
