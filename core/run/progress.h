/* Progress on standard error: live lines on a terminal, plain ones elsewhere, none with -q. */
#ifndef DSR_PROGRESS_H
#define DSR_PROGRESS_H

#include "core/run/sched.h"

struct dsr_progress;
struct dsr_progress *dsr_progress_new(uv_loop_t *loop, struct dsr_host *host,
                                      const struct dsr_sched *sched, const struct dsr_fleet *fleet);
/* Draws the last state and frees when the loop has run; NULL is allowed. */
void dsr_progress_close(struct dsr_progress *progress);

#endif
