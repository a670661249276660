/* One try of one request: build, send, assemble, judge. Loop's thread only. */
#ifndef DSR_EXCHANGE_H
#define DSR_EXCHANGE_H

#include "core/chat/chat.h"
#include "core/chat/stream.h"
#include "core/config/settings.h"
#include "core/net/net.h"
#include "core/net/sse.h"

/* A provider opened for a service entry. */
struct dsr_provider {
    const struct dsr_service *service;
    const struct dsr_provider_ops *ops;
    void *state;
    struct dsr_deadlines deadlines;
};

struct dsr_exchange;
typedef void dsr_exchange_fn(void *arg, struct dsr_exchange *exchange);

/* The result is valid inside the callback: fault.name "" means a complete answer. Times are
 * stamps of dsr_clock_ns, 0 when it did not happen. */
struct dsr_exchange {
    struct dsr_fault fault;
    struct dsr_stream stream;
    int64_t start_wall_us, end_wall_us;
    uint64_t start_ns, sent_ns, first_byte_ns, end_ns;
    double dns_s, connect_s, tls_s;
    int64_t rate_wait_ms; /* until the provider takes the next request; -1: it doesn't say */
    uint64_t progress;    /* token events so far; readable while it runs */
    /* the rest belongs to exchange.c */
    struct dsr_net *net;
    const struct dsr_provider *provider;
    const struct dsr_chat *chat;
    struct dsr_http_request request;
    struct dsr_transfer *transfer;
    struct dsr_sse sse;
    struct dsr_buf whole; /* a plain JSON answer */
    enum { DSR_BODY_UNKNOWN, DSR_BODY_EVENTS, DSR_BODY_JSON } shape;
    bool malformed;
    int hops;
    uv_timer_t delay;
    bool busy;
    dsr_exchange_fn *on_done;
    void *arg;
    struct dsr_exchange *next;
};

/* Memory is kept between uses; the timer lives on the net's loop. */
struct dsr_exchange *dsr_exchange_new(uv_loop_t *loop, struct dsr_net *net);
/* Frees when the loop has run; a running exchange is cancelled without a callback. */
void dsr_exchange_close(struct dsr_exchange *exchange);
/* chat and provider stay the caller's and outlive the exchange. on_done comes exactly once, never
 * before this returns 0. */
int dsr_exchange_start(struct dsr_exchange *exchange, const struct dsr_provider *provider,
                       const struct dsr_chat *chat, dsr_exchange_fn *on_done, void *arg,
                       struct dsr_error *err);
void dsr_exchange_cancel(struct dsr_exchange *exchange);

/* How long a response asks all to wait, by x-ratelimit-remaining-* of 0 and x-ratelimit-reset-* (as
 * OpenAI names them; requests before tokens); -1 when it doesn't. */
int64_t dsr_rate_wait(const struct dsr_http_response *response);

#endif
