/* Output of dsr-run perf. */
#ifndef DSR_PERFOUT_H
#define DSR_PERFOUT_H

#include "core/cli/cli.h"
#include "core/run/perf.h"

/* slo: objectives were given, goodput is told. curves: "curves" of each provider holds the 0th to
 * the 100th percentile of TTFT and ITL. */
json_t *dsr_perf_json(const struct dsr_perf_result *result, bool slo, bool curves);
/* n results, each of a step of a sweep: loads[i] streams at once; loads NULL: no sweep. */
void dsr_perf_print(const struct dsr_perf_result *steps, const int *loads, size_t n,
                    enum dsr_format format, bool slo);

#endif
