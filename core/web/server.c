/* libmicrohttpd with threads of its own: answers come from immutable views, so they need no loop.
 */
#include "core/web/server.h"
#include "config.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <microhttpd.h>
#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <strings.h>
#include <sys/socket.h>

#define MAX_BODY (64u << 10)
#define MAX_HEADERS (16u << 10) /* memory of a connection */
#define MAX_CONNECTIONS 512u
#define IDLE_S 30u
#define REQUEST_NS 15000000000u /* from its first byte to the answer */

struct connection { /* one open socket; guarded by the server's lock */
    int fd;
    uint64_t since_ns; /* when it began, or its last answer ended */
    struct connection *prev, *next;
};

struct dsr_server {
    struct MHD_Daemon *daemon;
    struct dsr_data *data;
    char *token; /* NULL: none is asked for */
    int port;
    pthread_mutex_t lock;
    struct connection *connections;
};

static atomic_uint_fast64_t requests;

uint64_t dsr_server_requests(void)
{
    return requests;
}

/* Files of data/web that are served; nothing else is. */
static const struct {
    const char *path, *file, *type;
} files[] = {
    {"/", "web/index.html", "text/html; charset=utf-8"},
    {"/style.css", "web/style.css", "text/css; charset=utf-8"},
    {"/app.css", "web/app.css", "text/css; charset=utf-8"},
    {"/app.js", "web/app.js", "text/javascript; charset=utf-8"},
    {"/charts.js", "web/charts.js", "text/javascript; charset=utf-8"},
    {"/words.js", "web/words.js", "text/javascript; charset=utf-8"},
    {"/api/openapi.json", "web/openapi.json", "application/json"},
    {"/chart.js", NULL, "text/javascript; charset=utf-8"},
};

static void answer_health(const struct dsr_request *request, struct dsr_reply *reply)
{
    (void)request;
    reply->type = "text/plain; charset=utf-8";
    dsr_buf_adds(&reply->body, "ok\n");
}

/* Ready when the figures can be read. */
static void answer_ready(const struct dsr_request *request, struct dsr_reply *reply)
{
    struct dsr_error err;
    struct dsr_view *view = dsr_data_view(request->data, NULL, NULL, 0, &err);
    reply->type = "text/plain; charset=utf-8";
    reply->status = view ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE;
    dsr_buf_adds(&reply->body, view ? "ready\n" : "the results can't be read\n");
    if (view)
        dsr_view_release(request->data, view);
}

static const struct dsr_route routes[] = {
    {"GET", "/healthz", answer_health},
    {"GET", "/readyz", answer_ready},
    {"GET", "/metrics", dsr_api_metrics_text},
    {"GET", "/api/list_models", dsr_api_models},
    {"GET", "/api/list_providers", dsr_api_providers},
    {"GET", "/api/query_metric", dsr_api_metric},
    {"GET", "/api/figures", dsr_api_figures},
    {"POST", "/api/rank", dsr_api_rank},
    {"GET", "/api/jobs", dsr_api_jobs},
    {"GET", "/api/compare", dsr_api_compare},
};

const char *dsr_request_value(const struct dsr_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
}

void dsr_reply_error(struct dsr_reply *reply, int status, const char *message)
{
    reply->status = status;
    reply->json =
        json_pack("{s:b, s:o}", "status", 0, "error", dsr_json_text(message, strlen(message)));
}

void dsr_reply_fail(struct dsr_reply *reply, const struct dsr_error *err)
{
    bool theirs = err->code == DSR_EUSAGE || err->code == DSR_EINVAL || err->code == DSR_ECONFIG;
    dsr_reply_error(reply,
                    theirs                    ? MHD_HTTP_BAD_REQUEST
                    : err->code == DSR_ESTORE ? MHD_HTTP_SERVICE_UNAVAILABLE
                                              : MHD_HTTP_INTERNAL_SERVER_ERROR,
                    err->message);
}

static void answer_file(const struct dsr_request *request, size_t i, struct dsr_reply *reply)
{
    const struct dsr_layout *layout = &dsr_data_ctx(request->data)->settings.layout;
    DSR_AUTO(str)
    char *path = files[i].file ? dsr_layout_data_file(layout, files[i].file) : strdup(DSR_CHARTJS);
    struct dsr_mapping map = {0};
    reply->type = files[i].type;
    if (path && !dsr_file_map(path, &map)) {
        dsr_buf_add(&reply->body, map.data, map.size);
        dsr_file_unmap(&map);
        return;
    }
    dsr_reply_error(reply, MHD_HTTP_NOT_FOUND, "the file is not installed");
}

static void find_answer(const struct dsr_request *request, const char *method,
                        struct dsr_reply *reply)
{
    bool get = !strcmp(method, "GET") || !strcmp(method, "HEAD"), known = false;
    for (size_t i = 0; i < DSR_COUNT(routes); i++) {
        if (strcmp(routes[i].path, request->path))
            continue;
        known = true;
        if (!strcmp(routes[i].method, get ? "GET" : method)) {
            routes[i].answer(request, reply);
            return;
        }
    }
    for (size_t i = 0; i < DSR_COUNT(files); i++) {
        if (strcmp(files[i].path, request->path))
            continue;
        known = true;
        if (get) {
            answer_file(request, i, reply);
            return;
        }
    }
    dsr_reply_error(reply, known ? MHD_HTTP_METHOD_NOT_ALLOWED : MHD_HTTP_NOT_FOUND,
                    known ? "this path takes another method" : "there is no such page");
}

static enum MHD_Result send_reply(struct MHD_Connection *connection, struct dsr_reply *reply)
{
    static const char *const headers[][2] = {
        {"Content-Security-Policy",
         "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
         "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
        {"X-Content-Type-Options", "nosniff"},
        {"Referrer-Policy", "no-referrer"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
        {"Cache-Control", "no-cache"},
    };
    if (reply->json) {
        char *text = json_dumps(reply->json, JSON_COMPACT | JSON_REAL_PRECISION(12));
        dsr_buf_reset(&reply->body);
        dsr_buf_adds(&reply->body, text ? text : "{}");
        reply->type = "application/json";
        free(text);
        json_decref(reply->json);
    }
    struct MHD_Response *response =
        MHD_create_response_from_buffer(reply->body.len, reply->body.data, MHD_RESPMEM_MUST_FREE);
    if (!response) {
        dsr_buf_clear(&reply->body);
        return MHD_NO;
    }
    MHD_add_response_header(response, "Content-Type", reply->type);
    for (size_t i = 0; i < DSR_COUNT(headers); i++)
        MHD_add_response_header(response, headers[i][0], headers[i][1]);
    if (reply->status == MHD_HTTP_UNAUTHORIZED)
        MHD_add_response_header(response, "WWW-Authenticate", "Bearer");
    enum MHD_Result rc = MHD_queue_response(connection, (unsigned)reply->status, response);
    MHD_destroy_response(response);
    return rc;
}

/* A page of another site must not reach us by a name that it makes lead here (DNS rebinding). */
static bool host_is_ours(struct MHD_Connection *connection)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};
    const char *host = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Host");
    for (size_t i = 0; host && i < DSR_COUNT(names); i++) {
        size_t n = strlen(names[i]);
        if (!strncasecmp(host, names[i], n) && (!host[n] || host[n] == ':'))
            return true;
    }
    return false;
}

/* Takes as long whatever the text is. */
static bool same_secret(const char *a, const char *b)
{
    unsigned char differ = strlen(a) != strlen(b);
    for (size_t i = 0; i < strlen(a); i++)
        differ |= (unsigned char)(a[i] ^ b[i % (strlen(b) + 1)]);
    return !differ;
}

static bool is_allowed(const struct dsr_server *s, struct MHD_Connection *connection,
                       struct dsr_reply *reply)
{
    const char *given = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Authorization");
    if (!s->token) {
        if (!host_is_ours(connection))
            dsr_reply_error(reply, MHD_HTTP_MISDIRECTED_REQUEST,
                            "this server answers to localhost");
        return !reply->json;
    }
    if (given && !strncasecmp(given, "Bearer ", 7) && same_secret(s->token, given + 7))
        return true;
    dsr_reply_error(reply, MHD_HTTP_UNAUTHORIZED, "the token of --token-file is missing or wrong");
    return false;
}

struct upload {
    struct dsr_buf body;
    bool too_long;
};

static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *bytes,
                                  size_t *n, void **state)
{
    struct dsr_server *s = arg;
    struct upload *upload = *state;
    (void)version;
    if (!upload) {
        *state = calloc(1, sizeof *upload);
        return *state ? MHD_YES : MHD_NO;
    }
    if (*n) {
        upload->too_long |= upload->body.len + *n > MAX_BODY;
        if (!upload->too_long && dsr_buf_add(&upload->body, bytes, *n))
            return MHD_NO;
        *n = 0;
        return MHD_YES;
    }
    struct dsr_request request = {s->data, connection, url, upload->body.data, upload->body.len};
    struct dsr_reply reply = {.status = MHD_HTTP_OK, .type = "text/plain"};
    requests++;
    if (upload->too_long)
        dsr_reply_error(&reply, MHD_HTTP_CONTENT_TOO_LARGE, "the body is longer than 64 KiB");
    else if (!strcmp(url, "/healthz") || is_allowed(s, connection, &reply))
        find_answer(&request, method, &reply);
    return send_reply(connection, &reply);
}

static void on_end(void *arg, struct MHD_Connection *connection, void **state,
                   enum MHD_RequestTerminationCode code)
{
    struct dsr_server *s = arg;
    struct upload *upload = *state;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    (void)code;
    if (upload)
        dsr_buf_clear(&upload->body);
    free(upload);
    *state = NULL;
    pthread_mutex_lock(&s->lock);
    struct connection *c = info ? info->socket_context : NULL;
    if (c)
        c->since_ns = dsr_clock_ns();
    pthread_mutex_unlock(&s->lock);
}

static void on_connection(void *arg, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct dsr_server *s = arg;
    struct connection *c = *context;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        c = calloc(1, sizeof *c);
        *context = c;
        if (!c)
            return;
        c->fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
        c->since_ns = dsr_clock_ns();
        pthread_mutex_lock(&s->lock);
        c->next = s->connections;
        if (c->next)
            c->next->prev = c;
        s->connections = c;
        pthread_mutex_unlock(&s->lock);
        return;
    }
    if (!c)
        return;
    pthread_mutex_lock(&s->lock);
    if (c->prev)
        c->prev->next = c->next;
    else
        s->connections = c->next;
    if (c->next)
        c->next->prev = c->prev;
    pthread_mutex_unlock(&s->lock);
    free(c);
}

/* A request that trickles in (or an answer that trickles out) does not hold its connection for
 * ever: the idle timeout of the library does not see it. */
void dsr_server_tick(struct dsr_server *s)
{
    uint64_t now = dsr_clock_ns();
    pthread_mutex_lock(&s->lock);
    for (struct connection *c = s->connections; c; c = c->next)
        if (now - c->since_ns > REQUEST_NS)
            shutdown(c->fd, SHUT_RDWR);
    pthread_mutex_unlock(&s->lock);
}

static int parse_listen(const char *text, struct sockaddr_storage *address, bool *loopback,
                        struct dsr_error *err)
{
    const char *colon = strrchr(text, ':');
    DSR_AUTO(str) char *host = colon ? strndup(text, (size_t)(colon - text)) : NULL;
    struct addrinfo wanted = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
                              .ai_socktype = SOCK_STREAM},
                    *found = NULL;
    char *name = host && host[0] == '[' && strchr(host, ']') ? host + 1 : host;
    if (name != host)
        *strchr(name, ']') = '\0';
    if (!name || !*name || !isdigit((unsigned char)colon[1]) ||
        getaddrinfo(name, colon + 1, &wanted, &found))
        return dsr_error_set(err, DSR_EUSAGE,
                             "--listen: \"%s\" is no ADDRESS:PORT such as 127.0.0.1:5000 or "
                             "[::1]:5000",
                             text);
    memcpy(address, found->ai_addr, found->ai_addrlen);
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
    *loopback = found->ai_family == AF_INET ? ntohl(v4->sin_addr.s_addr) >> 24 == 127
                                            : IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
    freeaddrinfo(found);
    return 0;
}

/* The first line of the file. */
static int read_token(const char *path, char **token, struct dsr_error *err)
{
    struct dsr_mapping map;
    if (dsr_file_map(path, &map))
        return dsr_error_file(err, DSR_EUSAGE, path, 0, "can't be read: %s", strerror(errno));
    const char *text = map.data;
    size_t n = 0;
    while (n < map.size && isgraph((unsigned char)text[n]))
        n++;
    *token = strndup(text, n);
    dsr_file_unmap(&map);
    if (*token && n < 16)
        return dsr_error_file(err, DSR_EUSAGE, path, 1, "a token needs 16 characters or more");
    return *token ? 0 : dsr_error_nomem(err);
}

static int start(struct dsr_server *s, const struct dsr_server_options *o, struct dsr_error *err)
{
    struct sockaddr_storage address = {0};
    bool loopback = false;
    int rc = parse_listen(o->listen, &address, &loopback, err);
    if (!rc && o->token_file)
        rc = read_token(o->token_file, &s->token, err);
    if (rc)
        return rc;
    if (!loopback && !s->token)
        return dsr_error_set(err, DSR_EUSAGE,
                             "%s can be reached by others: name a file with a token by "
                             "--token-file (and put TLS before it), or listen on 127.0.0.1",
                             o->listen);
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ERROR_LOG |
                     (address.ss_family == AF_INET6 ? MHD_USE_IPv6 : 0);
    const struct MHD_OptionItem pool[] = {
        {o->threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END, o->threads, NULL},
        {MHD_OPTION_END, 0, NULL}};
    s->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, s, MHD_OPTION_SOCK_ADDR, &address,
        MHD_OPTION_NOTIFY_COMPLETED, on_end, s, MHD_OPTION_NOTIFY_CONNECTION, on_connection, s,
        MHD_OPTION_CONNECTION_LIMIT, MAX_CONNECTIONS, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)MAX_HEADERS, MHD_OPTION_CONNECTION_TIMEOUT, IDLE_S, MHD_OPTION_ARRAY, pool,
        MHD_OPTION_END);
    if (!s->daemon)
        return dsr_error_set(err, DSR_EIO, "%s can't be listened on: %s", o->listen,
                             strerror(errno));
    s->port = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
    return 0;
}

int dsr_server_start(struct dsr_server **server, struct dsr_data *data,
                     const struct dsr_server_options *options, struct dsr_error *err)
{
    struct dsr_server *s = calloc(1, sizeof *s);
    *server = s;
    if (!s)
        return dsr_error_nomem(err);
    s->data = data;
    pthread_mutex_init(&s->lock, NULL);
    int rc = start(s, options, err);
    if (rc) {
        dsr_server_stop(s);
        *server = NULL;
    }
    return rc;
}

int dsr_server_port(const struct dsr_server *server)
{
    return server->port;
}

void dsr_server_stop(struct dsr_server *s)
{
    if (!s)
        return;
    if (s->daemon)
        MHD_stop_daemon(s->daemon);
    if (s->token)
        explicit_bzero(s->token, strlen(s->token));
    free(s->token);
    pthread_mutex_destroy(&s->lock);
    free(s);
}
