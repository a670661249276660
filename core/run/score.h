/* Counting answers: totals and groups. */
#ifndef DSR_SCORE_H
#define DSR_SCORE_H

#include "core/run/eval.h"

int dsr_score_init(struct dsr_score *score, const char *provider, const char *dataset,
                   const struct dsr_prices *prices, const char *currency);
void dsr_score_clear(struct dsr_score *score);
/* A question was put to the provider; group may be NULL. */
int dsr_score_ask(struct dsr_score *score, const char *group);
/* It was answered; body is the answer's record (correct, tokens). */
int dsr_score_answer(struct dsr_score *score, const char *group, const json_t *body,
                     const struct dsr_prices *prices);
/* No answer came. */
int dsr_score_error(struct dsr_score *score, const char *group);
/* {"group": {"asked","correct","accuracy"}} */
json_t *dsr_score_groups(const struct dsr_score *score);
/* The record of kind BENCHMARK: the columns of the seed system and the counts behind them. */
json_t *dsr_score_record(const struct dsr_score *score, const char *model, const char *benchmark,
                         const char *grader, int64_t start_us);

#endif
