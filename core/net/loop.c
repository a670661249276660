/* libcurl's sockets and timer on a libuv loop: uv_poll for each socket, one uv_timer. */
#include "core/net/transfer.h"

#include <utlist.h>

/* Each millisecond: 1,000 requests are sent within a quarter of a second. At once they would wait
 * for each other in the server's queue, and that would be told as its latency. */
#define RELEASED_AT_ONCE 4

struct dsr_watch {
    uv_poll_t poll; /* first member: libuv hands it back */
    struct dsr_net *net;
    curl_socket_t socket;
    struct dsr_transfer *transfer; /* the one that it was opened for */
    int events;                    /* that curl waits for */
    bool held;
    uint64_t since_ns;
    struct dsr_watch *prev, *next; /* among those held */
};

static void forget(struct dsr_net *net)
{
    if (--net->handles == 0)
        free(net);
}

static void watch_closed(uv_handle_t *handle)
{
    struct dsr_watch *watch = (struct dsr_watch *)handle;
    forget(watch->net);
    free(watch);
}

static void hold(struct dsr_watch *watch)
{
    struct dsr_net *net = watch->net;
    uv_poll_stop(&watch->poll);
    watch->held = true;
    watch->since_ns = dsr_clock_ns();
    DL_APPEND(net->held, watch);
    net->n_held++;
}

static void let_go(struct dsr_watch *watch)
{
    struct dsr_net *net = watch->net;
    DL_DELETE(net->held, watch);
    watch->held = false;
    watch->transfer->held_ns += dsr_clock_ns() - watch->since_ns;
    net->n_held--;
}

static void on_slice(uv_idle_t *idle)
{
    struct dsr_net *net = idle->data;
    if (dsr_net_reap(net, dsr_clock_ns() + DSR_SLICE_NS))
        uv_idle_stop(idle);
}

/* Lets curl work. What ended is taken care of between the polls, a slice at a time: were it done
 * here, the tokens that wait on other sockets would be stamped late. */
static void act(struct dsr_net *net, curl_socket_t socket, int flags)
{
    int running = net->active;
    curl_multi_socket_action(net->multi, socket, flags, &running);
    if (running < net->active)
        uv_idle_start(&net->slice, on_slice);
}

void dsr_net_hold(struct dsr_net *net)
{
    net->holding = true;
}

size_t dsr_net_held(const struct dsr_net *net)
{
    return net->n_held;
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    struct dsr_watch *watch = (struct dsr_watch *)poll;
    struct dsr_net *net = watch->net;
    int flags = 0;
    if (net->holding && !status && events & UV_WRITABLE) {
        hold(watch);
        return;
    }
    if (status < 0)
        flags = CURL_CSELECT_ERR;
    if (events & UV_READABLE)
        flags |= CURL_CSELECT_IN;
    if (events & UV_WRITABLE)
        flags |= CURL_CSELECT_OUT;
    act(net, watch->socket, flags);
}

static void on_pace(uv_timer_t *timer)
{
    struct dsr_net *net = timer->data;
    for (int i = 0; i < RELEASED_AT_ONCE && net->held; i++) {
        struct dsr_watch *watch = net->held;
        let_go(watch);
        uv_poll_start(&watch->poll, watch->events, on_ready);
        act(net, watch->socket, CURL_CSELECT_OUT);
    }
    if (!net->held)
        uv_timer_stop(timer);
}

void dsr_net_release(struct dsr_net *net)
{
    net->holding = false;
    uv_timer_start(&net->pace, on_pace, 0, 1);
}

static struct dsr_watch *watch_new(struct dsr_net *net, curl_socket_t socket, CURL *easy)
{
    struct dsr_watch *watch = calloc(1, sizeof *watch);
    if (!watch)
        return NULL;
    watch->net = net;
    watch->socket = socket;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &watch->transfer);
    if (uv_poll_init_socket(net->loop, &watch->poll, socket)) {
        free(watch);
        return NULL;
    }
    net->handles++;
    curl_multi_assign(net->multi, socket, watch);
    return watch;
}

static int on_socket(CURL *easy, curl_socket_t socket, int what, void *arg, void *socket_arg)
{
    struct dsr_net *net = arg;
    struct dsr_watch *watch = socket_arg;
    if (what == CURL_POLL_REMOVE) {
        if (watch) {
            if (watch->held)
                let_go(watch);
            curl_multi_assign(net->multi, socket, NULL);
            uv_poll_stop(&watch->poll);
            uv_close((uv_handle_t *)&watch->poll, watch_closed);
        }
        return 0;
    }
    if (!watch && !(watch = watch_new(net, socket, easy)))
        return -1;
    watch->events =
        (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
    if (watch->held && what & CURL_POLL_OUT)
        return 0;
    if (watch->held) /* curl has looked for itself, and has written */
        let_go(watch);
    return uv_poll_start(&watch->poll, watch->events, on_ready) ? -1 : 0;
}

static void on_timeout(uv_timer_t *timer)
{
    act(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

static int on_timer(CURLM *multi, long timeout_ms, void *arg)
{
    struct dsr_net *net = arg;
    (void)multi;
    if (timeout_ms < 0)
        uv_timer_stop(&net->timer);
    else
        uv_timer_start(&net->timer, on_timeout, (uint64_t)timeout_ms, 0);
    return 0;
}

static const char *environment(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

struct dsr_net *dsr_net_new(uv_loop_t *loop, const struct dsr_host *host, struct dsr_error *err)
{
    struct dsr_net *net = calloc(1, sizeof *net);
    if (!net || !(net->multi = curl_multi_init())) {
        free(net);
        dsr_error_nomem(err);
        return NULL;
    }
    net->loop = loop;
    net->host = host;
    net->ca_file = environment("CURL_CA_BUNDLE");
    if (!net->ca_file)
        net->ca_file = environment("SSL_CERT_FILE");
    net->ca_folder = environment("SSL_CERT_DIR");
    uv_timer_init(loop, &net->timer);
    net->timer.data = net;
    uv_idle_init(loop, &net->slice);
    net->slice.data = net;
    uv_timer_init(loop, &net->pace);
    net->pace.data = net;
    net->handles = 3;
    curl_multi_setopt(net->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(net->multi, CURLMOPT_SOCKETDATA, net);
    curl_multi_setopt(net->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(net->multi, CURLMOPT_TIMERDATA, net);
    return net;
}

void dsr_net_set_connections(struct dsr_net *net, long n)
{
    curl_multi_setopt(net->multi, CURLMOPT_MAXCONNECTS, n);
}

static void handle_closed(uv_handle_t *handle)
{
    forget(handle->data);
}

static void transfer_closed(uv_handle_t *handle)
{
    struct dsr_transfer *t = handle->data;
    struct dsr_net *net = t->net;
    dsr_buf_clear(&t->response.body);
    free(t);
    forget(net);
}

void dsr_net_watch(struct dsr_net *net, dsr_arrival_fn *arrived, void *arg)
{
    net->arrived = arrived;
    net->arrived_arg = arg;
}

void dsr_net_close(struct dsr_net *net)
{
    if (!net)
        return;
    for (struct dsr_transfer *t = net->all, *next; t; t = next) {
        next = t->next_all;
        if (t->active)
            dsr_transfer_cancel(t);
        curl_easy_cleanup(t->easy);
        t->easy = NULL;
        uv_close((uv_handle_t *)&t->timer, transfer_closed);
    }
    curl_multi_cleanup(net->multi);
    uv_close((uv_handle_t *)&net->timer, handle_closed);
    uv_close((uv_handle_t *)&net->slice, handle_closed);
    uv_close((uv_handle_t *)&net->pace, handle_closed);
}
