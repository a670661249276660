/* Which of two providers is cleverer, by the questions that both answered. */
#ifndef DSR_COMPARE_H
#define DSR_COMPARE_H

#include "core/base/base.h"

#include <dsr/store.h>

/* store: what scan is given, which visits as dsr/store.h says. */
struct dsr_comparing {
    int (*scan)(void *store, const struct dsr_query *query, dsr_visit_fn *visit, void *arg,
                struct dsr_error *err);
    void *store;
    const char *dataset, *model;
    const char *providers; /* "A,B" */
    const char *job;       /* NULL: the newest whole one of each */
    uint64_t seed;         /* of the bootstrap */
};

/* found: sides, difference, interval, p, a plain "sentence"; the caller's. DSR_EUSAGE when there is
 * nothing to compare. */
int dsr_compare(const struct dsr_comparing *comparing, json_t **found, struct dsr_error *err);

#endif
