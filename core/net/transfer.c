/* One HTTP transfer: set up, stamped, watched by deadlines, ended once. Transfers and their curl
 * handles are kept for the next request; connections are reused by the multi handle. */
#include "config.h"
#include "core/net/transfer.h"

#include <math.h>

#define MAX_BODY (1 << 20) /* of what is kept of an error body */
#define READ_SIZE                                                                                  \
    4096L /* of curl's buffer: many streams are open at once, each of small events                 \
           */
#define NS_PER_MS 1000000u

static size_t on_body(char *bytes, size_t size, size_t n, void *arg)
{
    uint64_t now = dsr_clock_ns();
    struct dsr_transfer *t = arg;
    struct dsr_http_response *r = &t->response;
    n *= size;
    if (!r->status) {
        long status = 0;
        curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
        r->status = (int)status;
    }
    if (r->status == 200) {
        t->handler->on_body(t->arg, r, bytes, n, now);
    } else if (r->body.len < MAX_BODY) {
        size_t room = MAX_BODY - r->body.len;
        dsr_buf_add(&r->body, bytes, n < room ? n : room);
    }
    return n;
}

/* Called when the connection stands and the request is about to be written. */
static int on_send(void *arg, char *peer, char *local, int peer_port, int local_port)
{
    struct dsr_transfer *t = arg;
    (void)peer, (void)local, (void)peer_port, (void)local_port;
    t->sent_ns = t->token_ns = dsr_clock_ns();
    return CURL_PREREQFUNC_OK;
}

/* The transfer goes back to the idle ones; its callbacks come no more. */
static void retire(struct dsr_transfer *t)
{
    uv_timer_stop(&t->timer);
    t->net->active--;
    curl_multi_remove_handle(t->net->multi, t->easy);
    curl_easy_reset(t->easy);
    for (struct curl_slist *h = t->headers; h; h = h->next)
        explicit_bzero(h->data, strlen(h->data));
    curl_slist_free_all(t->headers);
    t->headers = NULL;
    t->active = false;
    t->next_idle = t->net->idle;
    t->net->idle = t;
}

static double span(CURL *easy, CURLINFO from, CURLINFO to)
{
    curl_off_t a = 0, b = 0;
    if (from)
        curl_easy_getinfo(easy, from, &a);
    curl_easy_getinfo(easy, to, &b);
    return b > a ? (double)(b - a) / 1e6 : 0.0;
}

static void finish(struct dsr_transfer *t, const char *fault, const char *message)
{
    long status = 0;
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    t->response.status = (int)status;
    struct dsr_transfer_end end = {
        .fault = fault,
        .message = message,
        .response = &t->response,
        .dns_s = span(t->easy, 0, CURLINFO_NAMELOOKUP_TIME_T),
        .connect_s = fmax(0, span(t->easy, CURLINFO_NAMELOOKUP_TIME_T, CURLINFO_CONNECT_TIME_T) -
                                 (double)t->held_ns / 1e9),
        .tls_s = span(t->easy, CURLINFO_CONNECT_TIME_T, CURLINFO_APPCONNECT_TIME_T),
    };
    t->handler->on_done(t->arg, &end);
    retire(t);
}

static const char *fault_of(CURLcode code, const struct dsr_transfer *t)
{
    switch (code) {
    case CURLE_OK:
        return "";
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return "dns";
    case CURLE_OPERATION_TIMEDOUT:
        return "timeout_connect";
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
        return "tls";
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
        return "bad_url";
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING:
    case CURLE_WRITE_ERROR:
        return "malformed";
    default:
        return t->sent_ns ? "cut" : "connect";
    }
}

bool dsr_net_reap(struct dsr_net *net, uint64_t until_ns)
{
    CURLMsg *msg;
    int left;
    do {
        struct dsr_transfer *t;
        if (!(msg = curl_multi_info_read(net->multi, &left)))
            return true;
        CURLcode code = msg->data.result;
        curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &t);
        finish(t, fault_of(code, t), t->message[0] ? t->message : curl_easy_strerror(code));
    } while (dsr_clock_ns() < until_ns);
    return false;
}

/* The deadline that ends first, with its name. The connect deadline is curl's. */
static uint64_t next_deadline(const struct dsr_transfer *t, const char **name)
{
    const struct dsr_deadlines *d = &t->deadlines;
    uint64_t first = UINT64_MAX, at;
    *name = "";
    if (t->finish_ns)
        return t->finish_ns;
    if (d->total_ms) {
        first = t->start_ns + (uint64_t)d->total_ms * NS_PER_MS;
        *name = "timeout_total";
    }
    bool waiting = t->token_ns == t->sent_ns;
    int64_t ms = waiting ? d->first_token_ms : d->idle_ms;
    if (t->sent_ns && ms && (at = t->token_ns + (uint64_t)ms * NS_PER_MS) < first) {
        first = at;
        *name = waiting ? "timeout_first_token" : "timeout_idle";
    }
    return first;
}

/* Wakes at the earliest deadline known when it was armed; tokens that came since move it on. */
static void on_deadline(uv_timer_t *timer)
{
    struct dsr_transfer *t = timer->data;
    const char *name;
    dsr_net_reap(t->net, UINT64_MAX); /* it may have ended already */
    if (!t->active)
        return;
    uint64_t now = dsr_clock_ns(), at = next_deadline(t, &name);
    if (at <= now) {
        char message[96];
        snprintf(message, sizeof message, "no answer in time (%s) after %.1f s", name,
                 (double)(now - t->start_ns) / 1e9);
        finish(t, name, message);
        return;
    }
    const struct dsr_deadlines *d = &t->deadlines;
    uint64_t ms = (at - now) / NS_PER_MS + 1;
    if (at == UINT64_MAX || (!t->sent_ns && d->first_token_ms && ms > (uint64_t)d->first_token_ms))
        ms = d->first_token_ms ? (uint64_t)d->first_token_ms : 1000;
    uv_timer_start(timer, on_deadline, ms, 0);
}

static struct dsr_transfer *transfer_get(struct dsr_net *net)
{
    struct dsr_transfer *t = net->idle;
    if (t) {
        net->idle = t->next_idle;
        return t;
    }
    t = calloc(1, sizeof *t);
    if (!t || !(t->easy = curl_easy_init())) {
        free(t);
        return NULL;
    }
    t->net = net;
    uv_timer_init(net->loop, &t->timer);
    t->timer.data = t;
    net->handles++;
    t->next_all = net->all;
    net->all = t;
    return t;
}

static void set_tls(CURL *easy, const struct dsr_net *net, const char *ca_file)
{
    if (ca_file || net->ca_file)
        curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file ? ca_file : net->ca_file);
    if (net->ca_folder)
        curl_easy_setopt(easy, CURLOPT_CAPATH, net->ca_folder);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
}

static int set_body(struct dsr_transfer *t, const struct dsr_http_request *request)
{
    if (request->get) {
        curl_easy_setopt(t->easy, CURLOPT_HTTPGET, 1L);
        return 0;
    }
    char *body = json_dumps(request->json, JSON_COMPACT);
    if (!body)
        return DSR_ENOMEM;
    curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(body));
    CURLcode code = curl_easy_setopt(t->easy, CURLOPT_COPYPOSTFIELDS, body);
    free(body);
    return code ? DSR_ENOMEM : 0;
}

static int set_headers(struct dsr_transfer *t, const struct dsr_http_request *request)
{
    /* identity first: a compressed stream arrives late, in blocks of the compressor's */
    static const char *const fixed[] = {"Accept-Encoding: identity, gzip;q=0.5", "Expect:"};
    for (const struct curl_slist *h = request->headers; h; h = h->next) {
        struct curl_slist *list = curl_slist_append(t->headers, h->data);
        if (!list)
            return DSR_ENOMEM;
        t->headers = list;
    }
    for (size_t i = 0; i < DSR_COUNT(fixed); i++) {
        struct curl_slist *list = curl_slist_append(t->headers, fixed[i]);
        if (!list)
            return DSR_ENOMEM;
        t->headers = list;
    }
    curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers);
    return 0;
}

static void set_options(struct dsr_transfer *t, const struct dsr_http_request *request)
{
    CURL *easy = t->easy;
    curl_easy_setopt(easy, CURLOPT_URL, request->url);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "dsr-run/" PACKAGE_VERSION);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, READ_SIZE);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                     (long)(t->deadlines.connect_ms ? t->deadlines.connect_ms : 300000));
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_send);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, t);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->message);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, t);
}

struct dsr_transfer *dsr_net_send(struct dsr_net *net, const struct dsr_http_request *request,
                                  const char *ca_file, const struct dsr_deadlines *deadlines,
                                  const struct dsr_transfer_handler *handler, void *arg,
                                  struct dsr_error *err)
{
    struct dsr_transfer *t = transfer_get(net);
    if (!t) {
        dsr_error_nomem(err);
        return NULL;
    }
    t->active = true;
    net->active++;
    t->handler = handler;
    t->arg = arg;
    t->deadlines = *deadlines;
    t->sent_ns = t->token_ns = t->finish_ns = t->held_ns = 0;
    t->start_ns = dsr_clock_ns();
    t->message[0] = '\0';
    t->response.easy = t->easy;
    t->response.status = t->response.hops = 0;
    dsr_buf_reset(&t->response.body);
    set_options(t, request);
    if (net->holding) /* curl would else look by itself whether the connection stands */
        curl_easy_setopt(t->easy, CURLOPT_HAPPY_EYEBALLS_TIMEOUT_MS, 2000L);
    set_tls(t->easy, net, ca_file);
    if (set_body(t, request) || set_headers(t, request) ||
        curl_multi_add_handle(net->multi, t->easy)) {
        retire(t);
        dsr_error_nomem(err);
        return NULL;
    }
    on_deadline(&t->timer);
    return t;
}

void dsr_transfer_cancel(struct dsr_transfer *transfer)
{
    retire(transfer);
}

void dsr_transfer_token(struct dsr_transfer *transfer, uint64_t now_ns)
{
    const struct dsr_net *net = transfer->net;
    transfer->token_ns = now_ns > transfer->sent_ns ? now_ns : transfer->sent_ns + 1;
    if (net->arrived)
        net->arrived(net->arrived_arg, now_ns);
}

void dsr_transfer_finish(struct dsr_transfer *transfer, uint64_t now_ns)
{
    if (transfer->finish_ns)
        return;
    transfer->finish_ns = now_ns + 1000u * NS_PER_MS;
    uv_timer_start(&transfer->timer, on_deadline, 1001, 0);
}

uint64_t dsr_transfer_sent_ns(const struct dsr_transfer *transfer)
{
    return transfer->sent_ns;
}
