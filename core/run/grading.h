/* Grading off the loop's thread: answers are graded on the thread pool, those that run programs at
 * most one a processor. */
#ifndef DSR_GRADING_H
#define DSR_GRADING_H

#include "core/base/base.h"

#include <dsr/evaluator.h>
#include <uv.h>

/* Grades an answer record in place: reads "answer", "reasoning", "gold" and "options", sets
 * "correct", "score", "extracted", "rule" and "grader". Thread-safe for different records. */
int dsr_grade_body(const struct dsr_evaluator_ops *ops, const char *grader, json_t *body,
                   struct dsr_error *err);

/* body is the callback's to keep or free; rc as dsr_grade_body returned it. Loop's thread. */
typedef void dsr_graded_fn(void *arg, void *user, json_t *body, int rc,
                           const struct dsr_error *err);

struct dsr_grading;
struct dsr_grading *dsr_grading_new(uv_loop_t *loop, const char *grader, dsr_graded_fn *graded,
                                    void *arg);
/* Takes body over; user comes back with it. */
int dsr_grading_submit(struct dsr_grading *grading, const struct dsr_evaluator_ops *ops,
                       json_t *body, void *user);
/* Runs the loop until all is graded. */
void dsr_grading_wait(struct dsr_grading *grading);
/* Forgets what was not begun, without a callback; drop gets its user. */
void dsr_grading_drop(struct dsr_grading *grading, void (*drop)(void *user));
/* After dsr_grading_wait. */
void dsr_grading_free(struct dsr_grading *grading);

#endif
