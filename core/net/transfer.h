/* Shared by loop.c and transfer.c only. */
#ifndef DSR_TRANSFER_H
#define DSR_TRANSFER_H

#include "core/net/net.h"

struct dsr_net {
    uv_loop_t *loop;
    const struct dsr_host *host;
    CURLM *multi;
    uv_timer_t timer;
    uv_idle_t slice;
    uv_timer_t pace; /* of releasing what was held */
    bool holding;
    struct dsr_watch *held; /* connections that wait, oldest first */
    size_t n_held;
    dsr_arrival_fn *arrived; /* NULL: nobody is told */
    void *arrived_arg;
    int active;                      /* transfers that were begun and not taken back */
    const char *ca_file, *ca_folder; /* from the environment */
    struct dsr_transfer *all;        /* every transfer ever made */
    struct dsr_transfer *idle;       /* those ready for the next request */
    int handles;                     /* open libuv handles; the last to close frees the net */
};

struct dsr_transfer {
    struct dsr_net *net;
    struct dsr_transfer *next_all, *next_idle;
    CURL *easy;
    uv_timer_t timer;
    struct dsr_http_response response;
    struct curl_slist *headers;
    struct dsr_deadlines deadlines;
    const struct dsr_transfer_handler *handler;
    void *arg;
    bool active;
    uint64_t start_ns, sent_ns, token_ns, finish_ns;
    uint64_t held_ns; /* how long its connection was held back */
    char message[CURL_ERROR_SIZE];
};

/* Ends transfers that curl has finished with, until the clock shows until_ns. True when none is
 * left. */
bool dsr_net_reap(struct dsr_net *net, uint64_t until_ns);

#endif
