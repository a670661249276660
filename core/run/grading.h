/* What is done with an answer off the loop's thread: its tokens are counted and it is graded, on
 * the thread pool, as many at once as there are processors. */
#ifndef DSR_GRADING_H
#define DSR_GRADING_H

#include "core/chat/tokenizer.h"

#include <dsr/evaluator.h>
#include <uv.h>

/* Grades an answer record in place: reads "answer", "reasoning", "gold" and "options", sets
 * "correct", "score", "extracted", "rule" and "grader". Thread-safe for different records. */
int dsr_grade_body(const struct dsr_evaluator_ops *ops, const char *grader, json_t *body,
                   struct dsr_error *err);

/* Counts "answer" and "reasoning": sets "output_tokens", "reasoning_tokens" and "token_source".
 * Thread-safe for different records. */
int dsr_count_body(const struct dsr_tokenizer *tokenizer, json_t *body);

/* body is the callback's to keep or free; rc as dsr_grade_body returned it. Loop's thread. */
typedef void dsr_graded_fn(void *arg, void *user, json_t *body, int rc,
                           const struct dsr_error *err);

struct dsr_grading;
/* tokenizer: NULL when tokens are not counted. */
struct dsr_grading *dsr_grading_new(uv_loop_t *loop, const struct dsr_tokenizer *tokenizer,
                                    const char *grader, dsr_graded_fn *graded, void *arg);
/* Takes body over; user comes back with it. ops: NULL when there is nothing to grade. */
int dsr_grading_submit(struct dsr_grading *grading, const struct dsr_evaluator_ops *ops,
                       json_t *body, void *user);
/* Runs the loop until all is graded. */
void dsr_grading_wait(struct dsr_grading *grading);
/* Forgets the programs that were not begun, without a callback; drop gets the user. Their answers
 * must be safe elsewhere. */
void dsr_grading_drop(struct dsr_grading *grading, void (*drop)(void *user));
/* After dsr_grading_wait. */
void dsr_grading_free(struct dsr_grading *grading);

#endif
