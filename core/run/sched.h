/* The request scheduler: one lane per provider, side by side under one limit of workers. A lane
 * sends at most its limit at once, keeps its budgets per minute, and pauses when the provider asks
 * to wait. Loop's thread. */
#ifndef DSR_SCHED_H
#define DSR_SCHED_H

#include "core/run/lane.h"

struct dsr_sched_options {
    int max_workers; /* all lanes together */
    int concurrency; /* per lane, fixed; 0: the service's own limit, adaptive */
    int max_tries;
    bool together; /* the first requests wait until all their connections stand */
    uint64_t seed; /* of the jitter */
};

struct dsr_sched;
enum dsr_admission {
    DSR_ADMIT, /* may be sent */
    DSR_HOLD,  /* ask again when a request of the lane has ended */
    DSR_REFUSE /* the lane sends no more: what waits in it is dropped */
};
struct dsr_sched_handler {
    /* Before a try is sent. NULL: all may be. */
    enum dsr_admission (*admit)(void *arg, const struct dsr_task *task);
    /* A try failed and will be repeated. May be NULL. */
    void (*on_retry)(void *arg, const struct dsr_task *task, const struct dsr_exchange *exchange);
    /* The last try of a task ended, well or not. May add tasks. */
    void (*on_final)(void *arg, const struct dsr_task *task, const struct dsr_exchange *exchange);
};

struct dsr_sched *dsr_sched_new(uv_loop_t *loop, struct dsr_net *net, const struct dsr_fleet *fleet,
                                const struct dsr_sched_options *options,
                                const struct dsr_sched_handler *handler, void *arg);
/* Cancels all and frees when the loop has run. */
void dsr_sched_close(struct dsr_sched *sched);
/* chat and user are taken over, also on failure. */
int dsr_sched_add(struct dsr_sched *sched, size_t lane, struct dsr_chat *chat, void *user,
                  uint64_t due_ns);
/* Begins sending; call after the first tasks were added. */
void dsr_sched_start(struct dsr_sched *sched);
/* Nothing waits and nothing runs. */
bool dsr_sched_is_idle(const struct dsr_sched *sched);
/* Drops what waits and cancels what runs. */
void dsr_sched_stop(struct dsr_sched *sched);
const struct dsr_lane *dsr_sched_lane(const struct dsr_sched *sched, size_t i);
/* Tokens (events) of a lane so far, those in flight included. */
uint64_t dsr_sched_tokens(const struct dsr_sched *sched, size_t lane);

#endif
