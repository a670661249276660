/* A budget per provider: what was spent, and whether one more request still fits. */
#ifndef DSR_BUDGET_H
#define DSR_BUDGET_H

#include "core/run/sched.h"

/* One provider's purse. A request is let through while what was spent, and all in flight at the
 * dearest prompt of the run and the dearest output so far, stay within the amount; while no output
 * has a price, one request at a time. So the amount is passed only by an answer longer than every
 * one before it. */
struct dsr_purse {
    double amount; /* NaN: no limit */
    double spent;
    double prompt; /* the dearest of the run */
    double output; /* the dearest so far; 0: none */
    int in_flight;
    bool closed;
};

enum dsr_admission dsr_purse_admit(struct dsr_purse *purse);
/* A try ended that cost this in all (NaN: unknown, counted as the dearest), output of it. */
void dsr_purse_pay(struct dsr_purse *purse, double cost, double output);

#endif
