/* The request scheduler: one lane per provider, side by side under one limit of workers. A lane
 * sends at most its limit at once, which adapts (AIMD: halved by a 429 or a timeout, then growing
 * by one per window of successes), and pauses when the provider asks to wait. Loop's thread. */
#ifndef DSR_SCHED_H
#define DSR_SCHED_H

#include "core/run/fleet.h"

/* One request and its tries. Owned by the scheduler from add until on_final returns. */
struct dsr_task {
    size_t lane;
    struct dsr_chat *chat; /* owned */
    void *user;            /* the caller's, from malloc; freed with the task */
    int tries;             /* so far */
    uint64_t due_ns;       /* not before this; 0: now */
    struct dsr_task *next;
};

struct dsr_sched_options {
    int max_workers; /* all lanes together */
    int concurrency; /* per lane, fixed; 0: the service's own limit, adaptive */
    int max_tries;
    uint64_t seed; /* of the jitter */
};

struct dsr_lane {
    const struct dsr_provider *provider;
    struct dsr_task *ready, **ready_tail;
    struct dsr_task *waiting; /* by rising due_ns */
    double limit, max_limit;
    int in_flight;
    uint64_t pause_until_ns, cut_ns; /* cut_ns: when the limit was last halved */
    /* for the progress display */
    size_t added, finished, failed;
    uint64_t tokens; /* of finished tries */
};

struct dsr_sched;
struct dsr_sched_handler {
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
