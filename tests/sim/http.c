/* libmicrohttpd on the libuv loop: its epoll descriptor is watched, and it runs once per loop turn
 * before and after waiting, as often as it asks for more without delay. */
#include "tests/sim/sim.h"

#include <arpa/inet.h>

#define MAX_BODY (16 << 20)

struct upload {
    struct dsr_buf body;
};

static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *size, void **state)
{
    struct upload *upload = *state;
    (void)version;
    if (!upload) {
        *state = calloc(1, sizeof *upload);
        return *state ? MHD_YES : MHD_NO;
    }
    if (*size) {
        if (upload->body.len + *size > MAX_BODY || dsr_buf_add(&upload->body, data, *size))
            return MHD_NO;
        *size = 0;
        return MHD_YES;
    }
    return sim_handle(arg, connection, url, method, upload->body.data, upload->body.len);
}

static void on_end(void *arg, struct MHD_Connection *connection, void **state,
                   enum MHD_RequestTerminationCode code)
{
    struct upload *upload = *state;
    (void)arg, (void)connection, (void)code;
    if (upload)
        dsr_buf_clear(&upload->body);
    free(upload);
    *state = NULL;
}

static void on_timer(uv_timer_t *timer)
{
    (void)timer; /* the loop turn that it makes runs the daemon */
}

void sim_http_run(struct sim *sim)
{
    MHD_UNSIGNED_LONG_LONG timeout = 0;
    for (int i = 0; i < 100; i++) {
        MHD_run(sim->daemon);
        if (MHD_get_timeout(sim->daemon, &timeout) != MHD_YES) {
            uv_timer_stop(&sim->timer);
            return;
        }
        if (timeout)
            break;
    }
    uv_timer_start(&sim->timer, on_timer, timeout, 0);
}

static void on_prepare(uv_prepare_t *handle)
{
    sim_http_run(handle->data);
}

static void on_check(uv_check_t *handle)
{
    sim_http_run(handle->data);
}

static void on_ready(uv_poll_t *handle, int status, int events)
{
    (void)handle, (void)status, (void)events; /* on_check follows */
}

static int parse_listen(const char *text, struct sockaddr_in *address)
{
    char host[64];
    const char *colon = strrchr(text, ':');
    if (!colon || (size_t)(colon - text) >= sizeof host)
        return DSR_EUSAGE;
    snprintf(host, sizeof host, "%.*s", (int)(colon - text), text);
    char *end;
    long port = strtol(colon + 1, &end, 10);
    memset(address, 0, sizeof *address);
    address->sin_family = AF_INET;
    address->sin_port = htons((uint16_t)port);
    bool good = end != colon + 1 && !*end && port >= 0 && port < 65536 &&
                inet_pton(AF_INET, host, &address->sin_addr) == 1;
    return good ? 0 : DSR_EUSAGE;
}

int sim_http_start(struct sim *sim, const char *listen, struct dsr_error *err)
{
    struct sockaddr_in address;
    if (parse_listen(listen, &address))
        return dsr_error_set(err, DSR_EUSAGE, "--listen: \"%s\" is no ADDRESS:PORT", listen);
    sim->daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, ntohs(address.sin_port), NULL,
        NULL, on_request, sim, MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_NOTIFY_COMPLETED, on_end,
        NULL, MHD_OPTION_CONNECTION_LIMIT, 10000u, MHD_OPTION_END);
    if (!sim->daemon)
        return dsr_error_set(err, DSR_EIO, "%s can't be listened on (in use?)", listen);
    const union MHD_DaemonInfo *fd = MHD_get_daemon_info(sim->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    const union MHD_DaemonInfo *port = MHD_get_daemon_info(sim->daemon, MHD_DAEMON_INFO_BIND_PORT);
    sim->port = port->port;
    uv_poll_init(&sim->loop, &sim->poll, fd->epoll_fd);
    uv_poll_start(&sim->poll, UV_READABLE, on_ready);
    uv_prepare_init(&sim->loop, &sim->prepare);
    uv_check_init(&sim->loop, &sim->check);
    uv_timer_init(&sim->loop, &sim->timer);
    sim->prepare.data = sim->check.data = sim;
    uv_prepare_start(&sim->prepare, on_prepare);
    uv_check_start(&sim->check, on_check);
    return 0;
}

void sim_http_stop(struct sim *sim)
{
    if (!sim->daemon)
        return;
    sim_plays_stop(sim);
    MHD_stop_daemon(sim->daemon);
    uv_close((uv_handle_t *)&sim->poll, NULL);
    uv_close((uv_handle_t *)&sim->prepare, NULL);
    uv_close((uv_handle_t *)&sim->check, NULL);
    uv_close((uv_handle_t *)&sim->timer, NULL);
}
