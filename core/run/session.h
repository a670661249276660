/* What eval and perf share: loop, connections, providers, journal, signals, progress. */
#ifndef DSR_SESSION_H
#define DSR_SESSION_H

#include "core/run/journal.h"
#include "core/run/progress.h"
#include "core/run/sched.h"
#include "core/run/yardstick.h"

/* Made in main, passed down. */
struct dsr_ctx {
    struct dsr_host *host;
    struct dsr_settings settings;
    struct dsr_registry *registry;
    bool quiet;
};

struct dsr_session {
    struct dsr_ctx *ctx;
    uv_loop_t loop;
    uv_signal_t signals[2];
    struct dsr_net *net;
    struct dsr_fleet fleet;
    struct dsr_journal *journal;
    struct dsr_sched *sched;
    struct dsr_tokenizer *tokenizer; /* NULL: tokens are as billed, or events */
    const char *model;
    char job[37];
    int64_t start_us;
    bool loop_open, interrupted, store_failed;
};

/* Opens the providers and the stores: whatever can't work is told here, before a request is sent.
 * job: of a run to go on with, or NULL for a new one. */
int dsr_session_open(struct dsr_session *session, struct dsr_ctx *ctx, const char *model,
                     const char *providers, const char *output, const char *job,
                     struct dsr_error *err);
/* Makes the scheduler; tasks may then be added. */
int dsr_session_plan(struct dsr_session *session, const struct dsr_sched_options *options,
                     const struct dsr_sched_handler *handler, void *arg, struct dsr_error *err);
/* Runs until the scheduler is idle. */
void dsr_session_run(struct dsr_session *session);
/* Stops sending; what is in flight is dropped. */
void dsr_session_stop(struct dsr_session *session);
int dsr_session_record(struct dsr_session *session, enum dsr_record_kind kind, const char *provider,
                       const char *key, int64_t time_us, json_t *body);
/* Waits for the stores and frees all. Returns the first failure of a store. */
int dsr_session_close(struct dsr_session *session, struct dsr_error *err);

/* Fields that answers and performance records share: times, tokens, fault. */
void dsr_result_fields(json_t *body, const struct dsr_exchange *exchange, int tries);
/* Seconds between two stamps in nanoseconds; null when one is 0 or they are the wrong way round. */
json_t *dsr_json_span(uint64_t from_ns, uint64_t to_ns);
/* "billed" or "events": where token counts come from until a tokenizer has counted. */
const char *dsr_token_source(const struct dsr_exchange *exchange);
int64_t dsr_output_tokens(const struct dsr_exchange *exchange);

#endif
