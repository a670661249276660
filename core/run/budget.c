/* Purses. */
#include "core/run/budget.h"

#include <math.h>

enum dsr_admission dsr_purse_admit(struct dsr_purse *p)
{
    if (isnan(p->amount))
        return DSR_ADMIT;
    bool fits = p->dearest > 0 ? p->spent + (p->in_flight + 1) * p->dearest <= p->amount
                               : !p->in_flight && p->spent < p->amount;
    if (fits && !p->closed) {
        p->in_flight++;
        return DSR_ADMIT;
    }
    if (p->in_flight)
        return DSR_HOLD;
    p->closed = true;
    return DSR_REFUSE;
}

void dsr_purse_pay(struct dsr_purse *p, double cost)
{
    if (isnan(p->amount))
        return;
    p->in_flight--;
    p->spent += isnan(cost) ? p->dearest : cost;
    if (cost > p->dearest)
        p->dearest = cost;
}
