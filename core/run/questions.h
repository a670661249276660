/* The questions of an eval run: datasets opened by their evaluators, items chosen by seed. */
#ifndef DSR_QUESTIONS_H
#define DSR_QUESTIONS_H

#include "core/run/eval.h"

struct dsr_question {
    struct dsr_item item;
    struct dsr_chat *chat;
};

struct dsr_questions {
    char *dataset; /* name in datasets.json */
    char *metric;
    const struct dsr_evaluator_ops *ops;
    struct dsr_question *list;
    size_t n;
};

/* Opens the datasets that options select, takes the questions that limit and shard leave, closes
 * them again. The n sets are the caller's, also when this fails: close each, free the array. */
int dsr_questions_select(struct dsr_questions **sets, size_t *n, struct dsr_ctx *ctx,
                         const char *model, const struct dsr_eval_options *options,
                         struct dsr_error *err);
/* Input tokens of all questions, by the model's tokenizer or (NULL) an estimate; *longest is
 * raised to the most that one has. */
double dsr_questions_input(const struct dsr_questions *questions,
                           const struct dsr_tokenizer *tokenizer, double *longest);
void dsr_questions_close(struct dsr_questions *questions);

#endif
