/* Intelligence runs: every provider answers the same questions. */
#ifndef DSR_EVAL_H
#define DSR_EVAL_H

#include "core/run/result.h"

#include <dsr/evaluator.h>

struct dsr_eval_options {
    const char *model, *providers, *datasets, *output;
    int limit;  /* questions per dataset, chosen by seed; 0: all */
    int repeat; /* times each question is asked; at least 1 */
    int shots;  /* solved examples before a question; -1: as datasets.json says */
    uint64_t seed;
    const char *grader; /* "dsr" or "opencompass" */
    const char *job;    /* the run's id, gone on with when the store has it; NULL: a new one */
    bool resume;        /* the job must be there */
    int shard, shards;  /* this process takes the questions whose place modulo shards is shard */
    int64_t reuse_us;   /* answers to equal requests since then are taken; 0: none */
    double budget;      /* per provider, in CNY; NaN: none */
};

int dsr_eval_run(struct dsr_ctx *ctx, const struct dsr_eval_options *options,
                 struct dsr_eval_result *result, struct dsr_error *err);

#endif
