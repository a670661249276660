/* How long a loop makes what arrives wait. A turn of the loop that works for b seconds without
 * looking at its sockets delays what comes in that time by up to b; a token that comes at a random
 * moment falls into such a turn with the share of time that turns of that length take. */
#ifndef DSR_LAG_H
#define DSR_LAG_H

#include "core/metric/histogram.h"

#include <uv.h>

struct dsr_lag;

/* Watches from here on; the loop must not have run yet. NULL when out of memory. */
struct dsr_lag *dsr_lag_new(uv_loop_t *loop);
/* Its memory goes when the loop has run. NULL is allowed. */
void dsr_lag_close(struct dsr_lag *lag);

struct dsr_lag_figures {
    double busy;      /* share of the time that was worked, 0..1 */
    double p99_s;     /* 99% of what came waited no longer */
    double longest_s; /* turn */
};
/* NaN when nothing was watched. */
struct dsr_lag_figures dsr_lag_figures(const struct dsr_lag *lag);

#endif
