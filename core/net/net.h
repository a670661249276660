/* HTTP transfers on one libuv loop, by libcurl's multi_socket interface. Loop's thread only. */
#ifndef DSR_NET_H
#define DSR_NET_H

#include "core/net/request.h"

#include <uv.h>

struct dsr_net;
struct dsr_transfer;

/* Work that can wait (answers that ended, requests to be begun) is done in slices of this length
 * between two polls, so that it delays the stamp of a token by little more. */
#define DSR_SLICE_NS 250000u

/* Told of each arrival of tokens, in the turn of the loop in which it came. */
typedef void dsr_arrival_fn(void *arg, uint64_t now_ns);

struct dsr_net *dsr_net_new(uv_loop_t *loop, const struct dsr_host *host, struct dsr_error *err);
/* Cancels what is in flight (no callbacks) and closes; its memory goes when the loop has run. */
void dsr_net_close(struct dsr_net *net);
/* Connections kept alive; call before the first transfer. Above the concurrency, since curl else
 * closes and reopens them. */
void dsr_net_set_connections(struct dsr_net *net, long n);

void dsr_net_watch(struct dsr_net *net, dsr_arrival_fn *arrived, void *arg);

/* From here on a connection that was made stops before anything is written to it (for https: before
 * the handshake), until all are released: so the work of connecting delays no request of a burst.
 */
void dsr_net_hold(struct dsr_net *net);
/* Connections that stand and wait. */
size_t dsr_net_held(const struct dsr_net *net);
/* Lets them go, some each millisecond, in the order in which they were made. */
void dsr_net_release(struct dsr_net *net);

/* Milliseconds; 0 means none. first_token and idle count events with tokens, not bytes, so that
 * keep-alive comments can't hide a stall. */
struct dsr_deadlines {
    int64_t connect_ms, first_token_ms, idle_ms, total_ms;
};

/* How a transfer ended. fault is "" when a whole response came, else the class of the error. */
struct dsr_transfer_end {
    const char *fault;
    const char *message;
    struct dsr_http_response *response; /* borrowed for the call */
    double dns_s, connect_s, tls_s;
};

struct dsr_transfer_handler {
    /* Bytes of a body with status 200; now_ns was read before anything else. */
    void (*on_body)(void *arg, struct dsr_http_response *response, const char *bytes, size_t n,
                    uint64_t now_ns);
    void (*on_done)(void *arg, const struct dsr_transfer_end *end);
};

/* Sends; the request is not needed afterwards. ca_file: a private CA, or NULL. NULL with err on
 * failure; otherwise on_done comes exactly once unless cancelled. */
struct dsr_transfer *dsr_net_send(struct dsr_net *net, const struct dsr_http_request *request,
                                  const char *ca_file, const struct dsr_deadlines *deadlines,
                                  const struct dsr_transfer_handler *handler, void *arg,
                                  struct dsr_error *err);
/* Not from inside on_body. */
void dsr_transfer_cancel(struct dsr_transfer *transfer);
/* A token arrived: the idle deadline starts anew. */
void dsr_transfer_token(struct dsr_transfer *transfer, uint64_t now_ns);
/* Everything came; what the server still does may take one second more. */
void dsr_transfer_finish(struct dsr_transfer *transfer, uint64_t now_ns);
/* When the request was written to the connection, or 0. */
uint64_t dsr_transfer_sent_ns(const struct dsr_transfer *transfer);

#endif
