/* Performance runs: prompts, load, figures. */
#ifndef DSR_PERF_H
#define DSR_PERF_H

#include "core/metric/candidate.h"
#include "core/run/lag.h"
#include "core/run/arrival.h"
#include "core/run/prompts.h"
#include "core/run/slo.h"
#include "core/run/timeline.h"

struct dsr_perf_options {
    const char *model, *providers, *prompts, *output;
    int requests;    /* per provider; 0: one of each prompt set */
    int concurrency; /* per provider; 0: 1 */
    double rate;     /* requests per second and provider; 0: closed loop */
    double shape;    /* of the gaps between arrivals, gamma distributed with mean 1/rate; 1: Poisson
                        arrivals; INFINITY: constant */
    struct dsr_slo slo;
    double duration;    /* seconds; 0: as many as requests says */
    const char *export; /* a file for the record of each request, .jsonl or .csv; NULL: none */
    bool export_more;   /* it is the same run's: add to it */
    const struct dsr_trace *trace; /* of recorded arrivals; NULL: none */
    struct dsr_prompt_bounds bounds;
    int warmup; /* per provider, sent first and not counted */
    uint64_t seed;
};

struct dsr_perf_result {
    char job[37], model[128];
    size_t n;
    struct dsr_candidate **providers; /* sealed */
    double *seconds;                  /* beside: first request sent to last answer */
    size_t *good;                     /* beside: requests that met all objectives */
    json_t **minutes; /* beside: [{"minute","requests","errors":{},"output_tokens"}] */
    struct dsr_timeline *timelines; /* beside */
    struct dsr_lag_figures lag;     /* of the loop that measured */
    char currency[8];
    bool interrupted;
};

/* Fills result also when interrupted or when a store failed late (the error then says so). */
/* Waits that make figures doubtful: a token was stamped so much later than it came. */
#define DSR_LAG_DOUBTFUL_S 0.001

int dsr_perf_run(struct dsr_ctx *ctx, const struct dsr_perf_options *options,
                 struct dsr_perf_result *result, struct dsr_error *err);
void dsr_perf_result_clear(struct dsr_perf_result *result);

#endif
