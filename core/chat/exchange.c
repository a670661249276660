/* The life of one try: the bytes go to the SSE decoder or are kept as plain JSON, events go to the
 * provider plugin, texts from there to the stream assembler; at the end somebody has to say whether
 * that was an answer. */
#include "core/chat/exchange.h"

#include <strings.h>

#define MAX_WHOLE (32 << 20)
#define MAX_HOPS 600 /* follow-up requests, such as polls of a queue */

static void send_request(struct dsr_exchange *x);

static void exchange_free(uv_handle_t *handle)
{
    struct dsr_exchange *x = handle->data;
    dsr_stream_clear(&x->stream);
    dsr_sse_clear(&x->sse);
    dsr_buf_clear(&x->whole);
    dsr_http_request_clear(&x->request);
    free(x);
}

struct dsr_exchange *dsr_exchange_new(uv_loop_t *loop, struct dsr_net *net)
{
    struct dsr_exchange *x = calloc(1, sizeof *x);
    if (!x)
        return NULL;
    x->net = net;
    uv_timer_init(loop, &x->delay);
    x->delay.data = x;
    return x;
}

void dsr_exchange_cancel(struct dsr_exchange *x)
{
    if (x->transfer)
        dsr_transfer_cancel(x->transfer);
    x->transfer = NULL;
    uv_timer_stop(&x->delay);
    x->busy = false;
}

void dsr_exchange_close(struct dsr_exchange *x)
{
    if (!x)
        return;
    dsr_exchange_cancel(x);
    uv_close((uv_handle_t *)&x->delay, exchange_free);
}

static int take_event(void *arg, const char *type, char *data, size_t len)
{
    struct dsr_exchange *x = arg;
    dsr_stream_event_begin(&x->stream, x->stream.now_ns);
    int rc = x->provider->ops->on_event(x->provider->state, type, data, len, &x->stream);
    if (dsr_stream_event_end(&x->stream)) {
        x->progress++;
        if (x->transfer)
            dsr_transfer_token(x->transfer, x->stream.now_ns);
    }
    return rc;
}

/* A stream was asked for; some servers answer with plain JSON all the same. */
static void guess_shape(struct dsr_exchange *x, struct dsr_http_response *response,
                        const char *bytes, size_t n)
{
    const char *type = dsr_http_response_header(response, "content-type");
    if (type && !strncasecmp(type, "text/event-stream", 17)) {
        x->shape = DSR_BODY_EVENTS;
        return;
    }
    for (size_t i = 0; i < n; i++) {
        if (strchr(" \t\r\n", bytes[i]) && bytes[i])
            continue;
        x->shape = bytes[i] == '{' ? DSR_BODY_JSON : DSR_BODY_EVENTS;
        return;
    }
}

static void on_body(void *arg, struct dsr_http_response *response, const char *bytes, size_t n,
                    uint64_t now_ns)
{
    struct dsr_exchange *x = arg;
    if (!x->first_byte_ns)
        x->first_byte_ns = now_ns;
    if (x->malformed)
        return;
    if (x->shape == DSR_BODY_UNKNOWN)
        guess_shape(x, response, bytes, n);
    x->stream.now_ns = now_ns;
    if (x->shape == DSR_BODY_EVENTS)
        x->malformed = dsr_sse_feed(&x->sse, bytes, n, take_event, x) != 0;
    else if (x->shape == DSR_BODY_JSON)
        x->malformed = x->whole.len + n > MAX_WHOLE || dsr_buf_add(&x->whole, bytes, n);
    if (x->stream.done || x->malformed || x->stream.has_error)
        dsr_transfer_finish(x->transfer, now_ns);
}

static void set_fault(struct dsr_exchange *x, const char *name, bool retry, const char *message)
{
    snprintf(x->fault.name, sizeof x->fault.name, "%s", name);
    snprintf(x->fault.message, sizeof x->fault.message, "%s", message);
    x->fault.retry = retry;
}

/* A response with status 200 came to its end, or broke off: was it an answer? */
static void judge_answer(struct dsr_exchange *x, const char *transport_fault, const char *message)
{
    struct dsr_stream *s = &x->stream;
    bool complete = s->done || s->finish_reason[0];
    /* retrying is safe until tokens have come that the caller pays for */
    bool fresh = !s->token_events;
    if (s->has_error) {
        char name[32] = "stream_error";
        if (s->error_code == 429 || s->error_code >= 500)
            snprintf(name, sizeof name, "http_%d", s->error_code);
        set_fault(x, name,
                  fresh && (!s->error_code || s->error_code == 429 || s->error_code >= 500),
                  s->error);
    } else if (x->malformed) {
        set_fault(x, "malformed", fresh, "the answer is not what this API sends");
    } else if (complete && s->token_events) {
        set_fault(x, "", false, "");
    } else if (transport_fault[0]) {
        set_fault(x, transport_fault, fresh, message);
    } else if (complete) {
        set_fault(x, "empty", true, "the answer holds no token");
    } else {
        set_fault(x, "cut", fresh, "the stream ended without [DONE] and without finish_reason");
    }
}

static void judge_transport(struct dsr_exchange *x, const struct dsr_transfer_end *end)
{
    bool retry = strcmp(end->fault, "bad_url") && strcmp(end->fault, "tls");
    set_fault(x, end->fault, retry, end->message);
}

/* True when the exchange goes on with another request. */
static bool judge(struct dsr_exchange *x, const struct dsr_transfer_end *end)
{
    struct dsr_http_request next;
    x->rate_wait_ms = dsr_rate_wait(end->response);
    if (!end->response->status) {
        judge_transport(x, end);
        return false;
    }
    if (end->response->status == 200) {
        judge_answer(x, end->fault, end->message);
        return false;
    }
    dsr_http_request_init(&next);
    end->response->hops = x->hops;
    enum dsr_verdict verdict =
        x->provider->ops->classify(x->provider->state, end->response, &x->fault, &next);
    if (verdict == DSR_VERDICT_FOLLOW && next.url && x->hops < MAX_HOPS) {
        dsr_http_request_clear(&x->request);
        x->request = next;
        x->hops++;
        return true;
    }
    dsr_http_request_clear(&next);
    if (verdict != DSR_VERDICT_FAULT)
        set_fault(x, "malformed", false, "the provider's answer makes no sense to its plugin");
    return false;
}

static void finish(struct dsr_exchange *x)
{
    /* some servers repeat the key in their error messages */
    dsr_text_hide(x->fault.message, x->provider->service->key);
    x->end_ns = dsr_clock_ns();
    x->end_wall_us = dsr_clock_wall_us();
    x->busy = false;
    dsr_stream_end(&x->stream);
    dsr_http_request_clear(&x->request);
    x->on_done(x->arg, x);
}

static void after_delay(uv_timer_t *timer)
{
    send_request(timer->data);
}

static void on_transfer(void *arg, const struct dsr_transfer_end *end)
{
    struct dsr_exchange *x = arg;
    if (!x->sent_ns)
        x->sent_ns = dsr_transfer_sent_ns(x->transfer);
    x->dns_s += end->dns_s;
    x->connect_s += end->connect_s;
    x->tls_s += end->tls_s;
    x->transfer = NULL;
    if (x->shape == DSR_BODY_EVENTS && !x->malformed)
        x->malformed = dsr_sse_end(&x->sse, take_event, x) != 0;
    /* a server may reset the stream after a whole answer (RFC 9113, section 8.1): what matters is
     * whether the answer is whole */
    else if (x->shape == DSR_BODY_JSON && !x->malformed)
        x->malformed = take_event(x, "json", x->whole.data, x->whole.len) && !end->fault[0];
    dsr_stream_end(&x->stream);
    if (judge(x, end))
        uv_timer_start(&x->delay, after_delay, (uint64_t)x->request.delay_ms, 0);
    else
        finish(x);
}

static const struct dsr_transfer_handler handler = {on_body, on_transfer};

static void send_request(struct dsr_exchange *x)
{
    struct dsr_error err;
    struct dsr_deadlines deadlines = x->provider->deadlines;
    if (x->hops && deadlines.total_ms) { /* the total counts from the first request */
        int64_t spent = (int64_t)((dsr_clock_ns() - x->start_ns) / 1000000);
        deadlines.total_ms = deadlines.total_ms > spent ? deadlines.total_ms - spent : 1;
    }
    x->transfer = dsr_net_send(x->net, &x->request, x->provider->service->ca_file, &deadlines,
                               &handler, x, &err);
    if (x->transfer)
        return;
    set_fault(x, "internal", false, err.message);
    finish(x);
}

static void reset(struct dsr_exchange *x)
{
    const struct dsr_service *service = x->provider->service;
    dsr_stream_reset(&x->stream, service->think_open, service->think_close);
    dsr_sse_reset(&x->sse);
    dsr_buf_reset(&x->whole);
    dsr_http_request_clear(&x->request);
    dsr_http_request_init(&x->request);
    memset(&x->fault, 0, sizeof x->fault);
    x->fault.retry_after_ms = -1;
    x->shape = DSR_BODY_UNKNOWN;
    x->malformed = false;
    x->hops = 0;
    x->progress = 0;
    x->sent_ns = x->first_byte_ns = x->end_ns = 0;
    x->dns_s = x->connect_s = x->tls_s = 0;
}

int dsr_exchange_start(struct dsr_exchange *x, const struct dsr_provider *provider,
                       const struct dsr_chat *chat, dsr_exchange_fn *on_done, void *arg,
                       struct dsr_error *err)
{
    x->provider = provider;
    x->chat = chat;
    x->on_done = on_done;
    x->arg = arg;
    reset(x);
    int rc = provider->ops->build(provider->state, chat, &x->request, err);
    if (rc)
        return rc;
    x->busy = true;
    x->start_ns = dsr_clock_ns();
    x->start_wall_us = dsr_clock_wall_us();
    uv_timer_start(&x->delay, after_delay, (uint64_t)x->request.delay_ms, 0);
    return 0;
}
