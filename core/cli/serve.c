/* dsr-run serve */
#include "core/cli/cli.h"
#include "core/web/server.h"

#include <signal.h>

struct args {
    struct dsr_globals *globals;
    struct dsr_server_options o;
    int refresh_s;
};

enum { OPT_LISTEN = 256, OPT_TOKEN, OPT_REFRESH, OPT_THREADS };

static const struct argp_option options[] = {
    {"listen", OPT_LISTEN, "ADDR:PORT", 0, "where (default 127.0.0.1:5000; port 0: a free one)", 0},
    {"token-file", OPT_TOKEN, "FILE", 0, "ask for this token; needed for other addresses", 0},
    {"refresh", OPT_REFRESH, "S", 0, "look for new results every S seconds (default 30)", 0},
    {"threads", OPT_THREADS, "N", 0, "threads that answer (default: one for each core, at most 4)",
     0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct args *a = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = a->globals;
        return 0;
    case OPT_LISTEN:
        a->o.listen = arg;
        return 0;
    case OPT_TOKEN:
        a->o.token_file = arg;
        return 0;
    case OPT_REFRESH:
        a->refresh_s = (int)dsr_arg_long(state, "refresh", arg, 1, 86400);
        return 0;
    case OPT_THREADS:
        a->o.threads = (int)dsr_arg_long(state, "threads", arg, 1, 256);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

struct serving {
    uv_loop_t loop;
    uv_signal_t signals[2];
    uv_timer_t tick, refresh;
    uv_work_t work;
    bool refreshing;
    struct dsr_data *data;
    struct dsr_server *server;
};

static void on_signal(uv_signal_t *handle, int number)
{
    (void)number;
    uv_stop(handle->loop);
}

static void on_tick(uv_timer_t *timer)
{
    struct serving *s = timer->data;
    dsr_server_tick(s->server);
}

static void refresh(uv_work_t *work)
{
    struct serving *s = work->data;
    dsr_data_refresh(s->data);
}

static void after_refresh(uv_work_t *work, int status)
{
    struct serving *s = work->data;
    (void)status;
    s->refreshing = false;
}

static void on_refresh(uv_timer_t *timer)
{
    struct serving *s = timer->data;
    if (!s->refreshing && !uv_queue_work(timer->loop, &s->work, refresh, after_refresh))
        s->refreshing = true;
}

static void run_loop(struct serving *s, int refresh_s)
{
    static const int numbers[2] = {SIGINT, SIGTERM};
    uv_loop_init(&s->loop);
    for (size_t i = 0; i < 2; i++) {
        uv_signal_init(&s->loop, &s->signals[i]);
        uv_signal_start(&s->signals[i], on_signal, numbers[i]);
    }
    uv_timer_init(&s->loop, &s->tick);
    uv_timer_init(&s->loop, &s->refresh);
    s->tick.data = s->refresh.data = s->work.data = s;
    uv_timer_start(&s->tick, on_tick, 1000, 1000);
    uv_timer_start(&s->refresh, on_refresh, (uint64_t)refresh_s * 1000, (uint64_t)refresh_s * 1000);
    uv_run(&s->loop, UV_RUN_DEFAULT);
    for (size_t i = 0; i < 2; i++)
        uv_close((uv_handle_t *)&s->signals[i], NULL);
    uv_close((uv_handle_t *)&s->tick, NULL);
    uv_close((uv_handle_t *)&s->refresh, NULL);
    uv_run(&s->loop, UV_RUN_DEFAULT);
    uv_loop_close(&s->loop);
}

static int work(struct dsr_ctx *ctx, void *args, int *status, struct dsr_error *err)
{
    const struct args *a = args;
    struct serving s = {0};
    struct dsr_error first;
    (void)status;
    s.data = dsr_data_new(ctx, err);
    if (!s.data)
        return err->code;
    /* the usual view is there before anybody asks; a store without results is no hindrance */
    struct dsr_view *view = dsr_data_view(s.data, NULL, NULL, 0, &first);
    if (view)
        dsr_view_release(s.data, view);
    else
        dsr_host_log(ctx->host, DSR_LOG_WARN, "%s", first.message);
    int rc = dsr_server_start(&s.server, s.data, &a->o, err);
    if (!rc) {
        const char *colon = strrchr(a->o.listen, ':');
        printf("listening on http://%.*s:%d\n", (int)(colon - a->o.listen), a->o.listen,
               dsr_server_port(s.server));
        fflush(stdout);
        run_loop(&s, a->refresh_s);
        dsr_server_stop(s.server);
    }
    dsr_data_free(s.data);
    return rc;
}

int dsr_cmd_serve(struct dsr_globals *globals, int argc, char **argv)
{
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .doc = "Shows the results on a web page, and as JSON and Prometheus metrics. Answers only "
               "to this machine unless a token is set. Runs until it is told to end. Exit status: "
               "0 ended by a signal, 1 the address can't be used, 2 usage or configuration.",
        .children = dsr_globals_child,
    };
    unsigned cores = uv_available_parallelism();
    struct args a = {.globals = globals,
                     .o = {.listen = "127.0.0.1:5000", .threads = cores < 4 ? (int)cores : 4},
                     .refresh_s = 30};
    return dsr_command_run(&argp, 0, argc, argv, globals, &a, work);
}
