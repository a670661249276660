/* The stage on which a run is played. */
#include "core/run/session.h"

#include <math.h>
#include <signal.h>

static const int signal_numbers[2] = {SIGINT, SIGTERM};

void dsr_session_stop(struct dsr_session *s)
{
    if (s->sched)
        dsr_sched_stop(s->sched);
}

/* The first signal stops cleanly; the default action is then restored, so that the next one ends
 * the process at once. */
static void on_signal(uv_signal_t *handle, int number)
{
    struct dsr_session *s = handle->data;
    s->interrupted = true;
    for (size_t i = 0; i < 2; i++)
        uv_signal_stop(&s->signals[i]);
    signal(number, SIG_DFL);
    dsr_host_log(s->ctx->host, DSR_LOG_WARN, "stopping; what came so far is kept");
    dsr_session_stop(s);
}

static void on_store_failure(void *arg)
{
    struct dsr_session *s = arg;
    s->store_failed = true;
    dsr_session_stop(s);
}

static int open_loop(struct dsr_session *s, struct dsr_error *err)
{
    if (uv_loop_init(&s->loop))
        return dsr_error_set(err, DSR_EIO, "no event loop: too many open files?");
    s->loop_open = true;
    for (size_t i = 0; i < 2; i++) {
        uv_signal_init(&s->loop, &s->signals[i]);
        s->signals[i].data = s;
    }
    s->net = dsr_net_new(&s->loop, s->ctx->host, err);
    return s->net ? 0 : DSR_ENOMEM;
}

/* Not before the store is there: waiting for it ends by the default action. */
static void watch_signals(struct dsr_session *s)
{
    for (size_t i = 0; i < 2; i++) {
        uv_signal_start(&s->signals[i], on_signal, signal_numbers[i]);
        uv_unref((uv_handle_t *)&s->signals[i]);
    }
}

/* Without its file tokens are counted as they are billed. */
static int open_tokenizer(struct dsr_session *s, struct dsr_error *err)
{
    int rc = dsr_yardstick_open(&s->tokenizer, &s->ctx->settings, s->model, NULL, err);
    if (rc != DSR_ENOTFOUND)
        return rc;
    dsr_host_log(s->ctx->host, DSR_LOG_DEBUG, "tokens are counted as billed: %s", err->message);
    return 0;
}

int dsr_session_open(struct dsr_session *s, struct dsr_ctx *ctx, const char *model,
                     const char *providers, const char *output, const char *job,
                     struct dsr_error *err)
{
    memset(s, 0, sizeof *s);
    s->ctx = ctx;
    s->start_us = dsr_clock_wall_us();
    if (job)
        snprintf(s->job, sizeof s->job, "%s", job);
    else
        dsr_uuid(s->job);
    s->model = dsr_settings_model(&ctx->settings, model, err);
    int rc = s->model ? open_loop(s, err) : err->code;
    if (!rc)
        rc = open_tokenizer(s, err);
    if (!rc)
        rc = dsr_fleet_open(&s->fleet, &ctx->settings, ctx->registry, s->model, providers, err);
    if (!rc)
        rc = dsr_journal_open(&s->journal, &s->loop, &ctx->settings, ctx->registry, output,
                              on_store_failure, s, err);
    if (!rc) {
        watch_signals(s);
        return 0;
    }
    struct dsr_error ignored;
    dsr_session_close(s, &ignored);
    return rc;
}

int dsr_session_plan(struct dsr_session *s, const struct dsr_sched_options *options,
                     const struct dsr_sched_handler *handler, void *arg, struct dsr_error *err)
{
    struct dsr_sched_options own = *options;
    long most = 0;
    for (size_t i = 0; i < s->fleet.n; i++)
        most += own.concurrency ? own.concurrency : s->fleet.services[i]->max_concurrency;
    if (!own.max_workers)
        own.max_workers = s->ctx->settings.max_workers;
    if (own.concurrency) /* asked for by name: the general limit gives way */
        own.max_workers = (int)(most < 1000000 ? most : 1000000);
    dsr_net_set_connections(s->net, (most < own.max_workers ? most : own.max_workers) + 32);
    s->sched = dsr_sched_new(&s->loop, s->net, &s->fleet, &own, handler, arg);
    return s->sched ? 0 : dsr_error_nomem(err);
}

void dsr_session_run(struct dsr_session *s)
{
    struct dsr_progress *progress = NULL;
    if (!s->ctx->quiet)
        progress = dsr_progress_new(&s->loop, s->ctx->host, s->sched, &s->fleet);
    dsr_sched_start(s->sched);
    while (!dsr_sched_is_idle(s->sched))
        uv_run(&s->loop, UV_RUN_ONCE);
    dsr_progress_close(progress);
}

int dsr_session_record(struct dsr_session *s, enum dsr_record_kind kind, const char *provider,
                       const char *key, int64_t time_us, json_t *body)
{
    struct dsr_record record = {.kind = kind,
                                .job = s->job,
                                .model = s->model,
                                .provider = provider,
                                .key = key,
                                .time_us = time_us,
                                .body = body};
    return dsr_journal_put(s->journal, &record);
}

int dsr_session_close(struct dsr_session *s, struct dsr_error *err)
{
    if (!s->loop_open)
        return 0;
    dsr_sched_close(s->sched);
    int rc = dsr_journal_close(s->journal, err);
    dsr_net_close(s->net);
    for (size_t i = 0; i < 2; i++)
        uv_close((uv_handle_t *)&s->signals[i], NULL);
    uv_run(&s->loop, UV_RUN_DEFAULT);
    uv_loop_close(&s->loop);
    dsr_fleet_close(&s->fleet);
    dsr_tokenizer_close(s->tokenizer);
    s->loop_open = false;
    return rc;
}

static json_t *tokens_or_null(int64_t n)
{
    return n >= 0 ? json_integer(n) : json_null();
}

json_t *dsr_json_span(uint64_t from, uint64_t to)
{
    return from && to >= from ? json_real((double)(to - from) / 1e9) : json_null();
}

const char *dsr_token_source(const struct dsr_exchange *x)
{
    return x->stream.usage.output >= 0 ? "billed" : "events";
}

int64_t dsr_output_tokens(const struct dsr_exchange *x)
{
    return x->stream.usage.output >= 0 ? x->stream.usage.output : x->stream.token_events;
}

/* The share of the output that was reasoning: as billed, else by events. */
static int64_t reasoning_tokens(const struct dsr_exchange *x)
{
    const struct dsr_stream *s = &x->stream;
    if (s->usage.reasoning >= 0)
        return s->usage.reasoning;
    if (s->usage.output < 0 || !s->token_events)
        return s->reasoning_events;
    return llround((double)s->usage.output * (double)s->reasoning_events / (double)s->token_events);
}

void dsr_result_fields(json_t *body, const struct dsr_exchange *x, int tries)
{
    const struct dsr_stream *s = &x->stream;
    char start[DSR_TIME_SIZE], end[DSR_TIME_SIZE];
    dsr_time_format(x->start_wall_us, start);
    dsr_time_format(x->end_wall_us, end);
    bool ok = !x->fault.name[0];
    json_t *more = json_pack(
        "{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:i, s:o, s:f, s:f, s:f}",
        "start_time", start, "end_time", end, "ttft", dsr_json_span(x->sent_ns, s->first_token_ns),
        "ttfa", dsr_json_span(x->sent_ns, s->first_answer_ns), "total_time",
        ok ? dsr_json_span(x->sent_ns, s->last_token_ns) : dsr_json_span(x->start_ns, x->end_ns),
        "input_tokens", tokens_or_null(s->usage.input), "output_tokens",
        json_integer(dsr_output_tokens(x)), "reasoning_tokens", json_integer(reasoning_tokens(x)),
        "cached_tokens_billed", tokens_or_null(s->usage.cached), "input_tokens_billed",
        tokens_or_null(s->usage.input), "output_tokens_billed", tokens_or_null(s->usage.output),
        "token_source", dsr_token_source(x), "tries", tries, "finish_reason",
        dsr_json_text(s->finish_reason, strlen(s->finish_reason)), "dns_s", x->dns_s, "connect_s",
        x->connect_s, "tls_s", x->tls_s);
    json_object_update(body, more);
    json_decref(more);
    json_object_set_new(body, "error", ok ? json_null() : json_string(x->fault.name));
    if (!ok)
        json_object_set_new(body, "message",
                            dsr_json_text(x->fault.message, strlen(x->fault.message)));
    if (x->fault.http_status)
        json_object_set_new(body, "http_status", json_integer(x->fault.http_status));
}
