/* Tokens and requests of a provider over the time of a run, all its streams together. */
#ifndef DSR_TIMELINE_H
#define DSR_TIMELINE_H

#include "core/base/base.h"

#define DSR_TIMELINE_STEPS 240

/* Steps begin at a second and double in length when the run outlasts them. */
struct dsr_timeline {
    uint64_t start_ns, step_ns;
    size_t n;                          /* steps in use */
    double tokens[DSR_TIMELINE_STEPS]; /* output tokens that came */
    double busy[DSR_TIMELINE_STEPS];   /* seconds of requests under way */
};

void dsr_timeline_init(struct dsr_timeline *timeline, uint64_t start_ns);
/* Tokens came from the first to the last of these times, evenly. */
void dsr_timeline_tokens(struct dsr_timeline *timeline, uint64_t from_ns, uint64_t to_ns,
                         double tokens);
/* A request was under way. */
void dsr_timeline_request(struct dsr_timeline *timeline, uint64_t from_ns, uint64_t to_ns);
/* {"step_s", "tokens_per_s": [...], "in_flight": [...]}, from the start of the run; the last step
 * may not be a whole one. */
json_t *dsr_timeline_json(const struct dsr_timeline *timeline);

#endif
