/* How long a loop makes what arrives wait before it is stamped: at most since the loop woke up, or
 * since it last looked when it did not sleep in between. */
#ifndef DSR_LAG_H
#define DSR_LAG_H

#include "core/metric/histogram.h"
#include "core/net/net.h"

struct dsr_lag;

/* Watches from here on; the loop must not have run yet. NULL when out of memory. */
struct dsr_lag *dsr_lag_new(uv_loop_t *loop, struct dsr_net *net);
/* Its memory goes when the loop has run. NULL is allowed. */
void dsr_lag_close(struct dsr_lag *lag, struct dsr_net *net);

struct dsr_lag_figures {
    double busy;      /* share of the time that was worked, 0..1 */
    double p99_s;     /* 99% of what came waited no longer */
    double longest_s; /* turn */
};
/* NaN when nothing was watched. */
struct dsr_lag_figures dsr_lag_figures(const struct dsr_lag *lag);

#endif
