/* Figures from answers that are stored already: graded again, or joined from the stores of shards.
 * No provider is asked. */
#ifndef DSR_REJOIN_H
#define DSR_REJOIN_H

#include "core/run/result.h"

/* Grades the answers of a job again and stores verdicts and figures. grader: NULL for the one that
 * the job was graded by. */
int dsr_regrade(struct dsr_ctx *ctx, const char *job, const char *grader,
                struct dsr_eval_result *result, struct dsr_error *err);

/* Copies the records of a job from other stores (addresses or folders) into the store, and makes
 * the figures of the whole. A record that is there already is not doubled. complete tells whether
 * every shard was there and had ended. */
int dsr_merge(struct dsr_ctx *ctx, const char *job, char **sources, size_t n,
              struct dsr_eval_result *result, bool *complete, struct dsr_error *err);

#endif
