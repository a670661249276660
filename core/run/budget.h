/* A budget per provider: what was spent, and whether one more request still fits. */
#ifndef DSR_BUDGET_H
#define DSR_BUDGET_H

#include "core/run/sched.h"

/* One provider's purse. A request is let through while what was spent, and all in flight at the
 * price of the dearest answer so far, stay within the amount; while no price is known, one request
 * at a time. So the amount is passed only by an answer dearer than every one before it. */
struct dsr_purse {
    double amount; /* NaN: no limit */
    double spent;
    double dearest; /* answer so far; 0: none */
    int in_flight;
    bool closed;
};

enum dsr_admission dsr_purse_admit(struct dsr_purse *purse);
/* A try ended; its cost may be NaN (unknown: counted as the dearest so far). */
void dsr_purse_pay(struct dsr_purse *purse, double cost);

#endif
