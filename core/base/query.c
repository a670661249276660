/* What a scan is to visit. */
#include "base.h"

#include <dsr/store.h>

bool dsr_query_fits(const struct dsr_query *q, const struct dsr_record *r)
{
    return (!q->job || !strcmp(q->job, r->job)) && (!q->model || !strcmp(q->model, r->model)) &&
           (!q->provider || !strcmp(q->provider, r->provider)) &&
           (!q->since_us || r->time_us >= q->since_us) &&
           (!q->until_us || r->time_us < q->until_us);
}
