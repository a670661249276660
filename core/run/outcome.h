/* What became of one question: a state per repeat. */
#ifndef DSR_OUTCOME_H
#define DSR_OUTCOME_H

#include "core/base/base.h"

#include <uthash.h>

enum dsr_fate {
    DSR_FATE_NONE,     /* not asked */
    DSR_FATE_EXPECTED, /* asked, nothing came yet */
    DSR_FATE_ERROR,
    DSR_FATE_CORRECT, /* this and what follows: an answer came */
    DSR_FATE_WRONG,
    DSR_FATE_TRUNCATED,
    DSR_FATE_REFUSED,
    DSR_FATE_EMPTY
};

struct dsr_try { /* one repeat */
    enum dsr_fate fate;
    char *extracted;
};

struct dsr_outcome {
    char *item, *group;
    json_t *tags;
    struct dsr_try *tries;
    int n; /* repeats known */
    UT_hash_handle hh;
};

/* The question, made when it is new; NULL when out of memory. */
struct dsr_outcome *dsr_outcome_get(struct dsr_outcome **outcomes, const char *item,
                                    const char *group, const json_t *tags);
/* The repeat, made when it is new. 0 <= repeat < 100,000. */
struct dsr_try *dsr_outcome_try(struct dsr_outcome *outcome, int repeat);
void dsr_outcomes_free(struct dsr_outcome **outcomes);

/* The fate that an answer record tells; DSR_FATE_EXPECTED for one that waits for its grade. */
enum dsr_fate dsr_fate_of(const json_t *body);
/* The most frequent of the extracted answers is right; of equals, the one that came first. */
bool dsr_outcome_majority(const struct dsr_outcome *outcome);

#endif
