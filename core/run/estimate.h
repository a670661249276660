/* What an eval run is going to cost, before anything is asked. */
#ifndef DSR_ESTIMATE_H
#define DSR_ESTIMATE_H

#include "core/run/eval.h"

/* One provider on one dataset.
 *   basis  where the output tokens come from: "measured" (earlier answers of this provider, or of
 *          all of them, in the store), "assumed" (datasets.json, "output_tokens"), or "limit" (the
 *          most that is asked for) */
struct dsr_estimate {
    char *provider, *dataset;
    int64_t requests;
    double input_tokens, output_tokens; /* of all requests */
    double cost;                        /* CNY; NaN without a price */
    const char *basis;
};

/* The list is the caller's, also on failure: free with dsr_estimates_free. */
int dsr_eval_estimate(struct dsr_ctx *ctx, const struct dsr_eval_options *options,
                      struct dsr_estimate **list, size_t *n, struct dsr_error *err);
void dsr_estimates_free(struct dsr_estimate *list, size_t n);

#endif
