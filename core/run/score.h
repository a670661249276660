/* Counting answers: one provider on one dataset, by question, group and tag. */
#ifndef DSR_SCORE_H
#define DSR_SCORE_H

#include "core/config/settings.h"
#include "core/metric/accuracy.h"

struct dsr_outcome; /* one question */

/* A group (subject) or a tag (category, subset) of questions. */
struct dsr_tally {
    char *name;
    int64_t asked, correct;
    double macro; /* of a tag: the mean of its groups' accuracies, 0..100; NaN without groups */
};

/* One provider on one dataset. asked = correct + wrong + truncated + refused + empty + errors once
 * the run is whole; answered is all of these but errors. */
struct dsr_score {
    char *provider, *dataset;
    int64_t asked, answered, correct, errors;
    int64_t wrong;     /* another answer was committed to, or none */
    int64_t truncated; /* cut by the output limit before a right answer */
    int64_t refused, empty;
    int64_t reused; /* of answered: taken from an earlier job, not paid for again */
    int repeats;    /* K: most answers to one question */
    struct dsr_tally *groups, *tags;
    size_t n_groups, n_tags;
    int64_t input_tokens, output_tokens; /* billed, where told */
    double cost;                         /* in currency; NaN when a price is unknown */
    char currency[8];
    bool over_budget; /* the provider was stopped; asked counts what was put to it */
    struct dsr_outcome *outcomes;
    /* filled by dsr_score_seal */
    size_t questions;
    struct dsr_share share;
    double macro;    /* mean of the groups' accuracies, 0..100; NaN without groups */
    double *pass_at; /* [k - 1], 0..100, k of 1..repeats */
    double maj_at;   /* share of questions whose most frequent answer is right, 0..100 */
};

int dsr_score_init(struct dsr_score *score, const char *provider, const char *dataset,
                   const struct dsr_prices *prices, const char *currency);
void dsr_score_clear(struct dsr_score *score);
/* A question is to be put to the provider, for the repeat-th time (0, 1, ...). group and tags (an
 * array of names) may be NULL. */
int dsr_score_expect(struct dsr_score *score, const char *item, int repeat, const char *group,
                     const json_t *tags);
/* body: an answer record, graded or failed. The question need not have been expected. An answer
 * replaces a failure of the same repeat, a later verdict an earlier one, a failure replaces
 * nothing; tokens and cost of one repeat count once. */
int dsr_score_put(struct dsr_score *score, const json_t *body, const struct dsr_prices *prices);
/* What a request cost: billed tokens, else those counted; 0 for a reused answer. */
double dsr_answer_cost(const json_t *body, const struct dsr_prices *prices);
/* Counts; may be called again after more was put. */
int dsr_score_seal(struct dsr_score *score);
/* 0..100, or NaN while nothing was answered. */
double dsr_score_accuracy(const struct dsr_score *score);
/* {"name": {"asked","correct","accuracy"}}; tags have "macro_accuracy" too. */
json_t *dsr_score_groups(const struct dsr_score *score);
json_t *dsr_score_tags(const struct dsr_score *score);
/* {"1": ..., "2": ..., "4": ..., "K": ...} */
json_t *dsr_score_pass_at(const struct dsr_score *score);
/* The record of kind BENCHMARK: the columns of the seed system and the counts behind them. */
json_t *dsr_score_record(const struct dsr_score *score, const char *model, const char *benchmark,
                         const char *grader, int64_t start_us);

/* Right answers per question, for dsr_pair: the first k that were answered. */
typedef void dsr_outcome_fn(void *arg, const char *item, int64_t answered, int64_t correct);
void dsr_score_each(const struct dsr_score *score, int k, dsr_outcome_fn *visit, void *arg);

#endif
