/* One provider's lane: what waits for it, how much it may carry at once, when it may send next.
 *
 * The limit of requests at once adapts. A 429 tells that one more than are now in flight is too
 * many: the limit becomes what is in flight, and the refused number is a ceiling that is tried
 * again after "patience" successes, which doubles each time it is refused. A timeout halves the
 * limit (multiplicative decrease, once per flight's length); below the ceiling it grows by one per
 * window of successes (additive increase; Chiu and Jain 1989). So a provider with room for N is
 * kept at N, and few requests are spent on asking for N + 1. */
#ifndef DSR_LANE_H
#define DSR_LANE_H

#include "core/run/fleet.h"

#define DSR_LANE_RECENT 24

/* One request and its tries. Owned by the scheduler from add until on_final returns. */
struct dsr_task {
    size_t lane;
    struct dsr_chat *chat; /* owned */
    void *user;            /* the caller's, from malloc; freed with the task */
    int tries;             /* so far */
    uint64_t due_ns;       /* not before this; 0: now */
    int64_t tokens;        /* counted against the token budget when it was sent */
    struct dsr_task *next;
};

struct dsr_lane {
    const struct dsr_provider *provider;
    struct dsr_task *ready, **ready_tail;
    struct dsr_task *waiting; /* by rising due_ns */
    bool adaptive;
    double limit, max_limit;
    double ceiling;  /* a number in flight that was refused; INFINITY when none was */
    double patience; /* successes before the ceiling is tried again */
    double calm;     /* successes since the limit was last set */
    int in_flight;
    bool held;                       /* until one of those in flight ends */
    uint64_t pause_until_ns, cut_ns; /* cut_ns: when the limit was last halved */
    /* budgets per minute: even spacing; 0: none */
    int64_t requests_per_minute, tokens_per_minute;
    uint64_t paced_until_ns;
    double mean_tokens; /* of finished requests, input and output */
    /* for the progress display */
    size_t added, finished, failed;
    uint64_t tokens;               /* of finished tries */
    float recent[DSR_LANE_RECENT]; /* TTFT in seconds of the last answers, a ring */
    size_t n_recent;               /* how many there have been */
};

/* concurrency: fixed, or 0 for the service's own limit, adaptive. */
void dsr_lane_init(struct dsr_lane *lane, const struct dsr_provider *provider, int concurrency);
/* Frees what waits; returns how many tasks that were. */
size_t dsr_lane_drop(struct dsr_lane *lane);
void dsr_task_free(struct dsr_task *task);

void dsr_lane_make_ready(struct dsr_lane *lane, struct dsr_task *task);
void dsr_lane_make_wait(struct dsr_lane *lane, struct dsr_task *task);
/* The next task that may be sent now, or NULL. */
struct dsr_task *dsr_lane_take(struct dsr_lane *lane, uint64_t now);
/* When it could send again without an answer coming; UINT64_MAX when only an answer helps. */
uint64_t dsr_lane_wakes(const struct dsr_lane *lane);

/* A task is being sent: in_flight and the budgets per minute count it. */
void dsr_lane_sent(struct dsr_lane *lane, struct dsr_task *task, uint64_t now);
/* Its try ended: the limit adapts, the token budget is put right. in_flight counts it still. */
void dsr_lane_heard(struct dsr_lane *lane, const struct dsr_task *task,
                    const struct dsr_exchange *exchange);
/* Nothing is sent before this time. */
void dsr_lane_pause(struct dsr_lane *lane, uint64_t until_ns);

#endif
