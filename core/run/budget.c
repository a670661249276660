/* Purses. */
#include "core/run/budget.h"

#include <math.h>

static double dearest(const struct dsr_purse *p)
{
    return p->prompt + p->output;
}

enum dsr_admission dsr_purse_admit(struct dsr_purse *p)
{
    if (isnan(p->amount))
        return DSR_ADMIT;
    bool fits = p->output > 0 ? p->spent + (p->in_flight + 1) * dearest(p) <= p->amount
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

void dsr_purse_pay(struct dsr_purse *p, double cost, double output)
{
    if (isnan(p->amount))
        return;
    p->in_flight--;
    p->spent += isnan(cost) ? dearest(p) : cost;
    p->prompt = fmax(p->prompt, cost - output);
    p->output = fmax(p->output, output);
}
