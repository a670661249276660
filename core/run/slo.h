/* Service level objectives of a performance run: goodput is the share of requests that meet all. */
#ifndef DSR_SLO_H
#define DSR_SLO_H

#include "core/base/base.h"

/* Upper bounds in seconds; NaN: none. */
struct dsr_slo {
    double ttft, ttfa, itl, tpot, total; /* itl: the mean gap of a request */
    bool set;                            /* any of them */
};

/* "ttft:2s,itl:100ms,total:60s". */
int dsr_slo_parse(const char *text, struct dsr_slo *slo, struct dsr_error *err);
/* body: a performance record. A request that failed, or lacks a time that is bounded, misses. */
bool dsr_slo_is_met(const struct dsr_slo *slo, const json_t *body);

#endif
