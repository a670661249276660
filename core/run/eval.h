/* Intelligence runs: every provider answers the same questions. */
#ifndef DSR_EVAL_H
#define DSR_EVAL_H

#include "core/run/session.h"

#include <dsr/evaluator.h>

struct dsr_eval_options {
    const char *model, *providers, *datasets, *output;
    int limit;  /* questions per dataset, chosen by seed; 0: all */
    int repeat; /* times each question is asked; at least 1 */
    uint64_t seed;
    const char *grader; /* "dsr" or "opencompass" */
    const char *resume; /* job to go on with, or NULL */
    int shard, shards;  /* this process takes the questions whose place modulo shards is shard */
};

/* A group of questions, or all of them. */
struct dsr_tally {
    char *name; /* NULL: the whole dataset */
    int64_t asked, answered, correct, errors;
};

/* One provider on one dataset. */
struct dsr_score {
    char *provider, *dataset;
    struct dsr_tally total;
    struct dsr_tally *groups;
    size_t n_groups;
    int64_t input_tokens, output_tokens; /* billed, where told */
    double cost;                         /* in currency; NaN when a price is unknown */
    char currency[8];
};

struct dsr_eval_result {
    char job[37], model[128], grader[16];
    int repeats;
    size_t n;
    struct dsr_score *scores;
    bool interrupted;
};

int dsr_eval_run(struct dsr_ctx *ctx, const struct dsr_eval_options *options,
                 struct dsr_eval_result *result, struct dsr_error *err);
void dsr_eval_result_clear(struct dsr_eval_result *result);

/* The mean of the groups' accuracies, as OpenCompass averages C-Eval; NaN without groups. */
double dsr_score_macro(const struct dsr_score *score);
/* 0..100, or NaN when nothing was answered. */
double dsr_tally_accuracy(const struct dsr_tally *tally);

#endif
