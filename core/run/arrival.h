/* When the requests of an open loop are meant to be sent. */
#ifndef DSR_ARRIVAL_H
#define DSR_ARRIVAL_H

#include "core/base/base.h"

/* Seconds to the next arrival, of mean 1: gamma distributed; shape 1: Poisson arrivals, INFINITY:
 * constant. */
double dsr_arrival_gap(struct dsr_rng *rng, double shape);

/* A recorded arrival. */
struct dsr_trace_entry {
    double at_s;           /* since the start */
    int64_t input, output; /* tokens; 0: not told */
    json_t *messages;      /* NULL: a prompt of that length is made */
};
struct dsr_trace {
    struct dsr_trace_entry *list; /* by rising time, the first at 0 */
    size_t n;
};
/* Reads JSON lines {"timestamp": milliseconds, or "at": seconds, "input_length" or "input_tokens"?,
 * "output_length" or "output_tokens"?, "messages"?}: the form of Mooncake's public traces
 * (github.com/kvcache-ai/Mooncake) with our additions. */
int dsr_trace_load(struct dsr_trace *trace, const char *path, struct dsr_error *err);
void dsr_trace_clear(struct dsr_trace *trace);

#endif
