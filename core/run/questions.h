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

/* Opens the dataset, takes the questions that limit and shard leave, closes it again. */
int dsr_questions_open(struct dsr_questions *questions, struct dsr_ctx *ctx, const char *dataset,
                       const char *model, const struct dsr_eval_options *options,
                       struct dsr_error *err);
void dsr_questions_close(struct dsr_questions *questions);

#endif
