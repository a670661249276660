/* dsr-sim: options, start, stop. */
#include "config.h"
#include "tests/sim/sim.h"

#include <argp.h>
#include <signal.h>

struct args {
    const char *listen, *scenario, *truth, *data, *model, *setup;
    uint64_t seed;
};

enum { OPT_SEED = 256, OPT_TRUTH, OPT_MODEL, OPT_SETUP };

static const struct argp_option options[] = {
    {"listen", 'l', "ADDR:PORT", 0, "where to listen (default 127.0.0.1:0: a free port)", 0},
    {"scenario", 's', "FILE", 0, "how the providers behave (JSON)", 0},
    {"seed", OPT_SEED, "N", 0, "seed of all chance (default 0)", 0},
    {"truth", OPT_TRUTH, "FILE", 0, "write what was sent when, one JSON object a request", 0},
    {"data", 'D', "DIR", 0, "folder with services.json and datasets.json", 0},
    {"model", OPT_MODEL, "MODEL", 0, "model code whose services are played", 0},
    {"write-config", OPT_SETUP, "DIR", 0,
     "write DIR/config and DIR/data that lead dsr-run here; its key is in DSR_SIM_KEY", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct args *a = state->input;
    char *end;
    switch (key) {
    case 'l':
        a->listen = arg;
        return 0;
    case 's':
        a->scenario = arg;
        return 0;
    case OPT_SEED:
        a->seed = strtoull(arg, &end, 10);
        if (*end || end == arg)
            argp_error(state, "--seed: \"%s\" is not a whole number", arg);
        return 0;
    case OPT_TRUTH:
        a->truth = arg;
        return 0;
    case 'D':
        a->data = arg;
        return 0;
    case OPT_MODEL:
        a->model = arg;
        return 0;
    case OPT_SETUP:
        a->setup = arg;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "what is \"%s\"?", arg);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* "/api/v3" of "https://host/api/v3". */
static char *path_of(const char *url)
{
    const char *host = strstr(url, "://");
    const char *path = host ? strchr(host + 3, '/') : NULL;
    return strdup(path ? path : "");
}

static int open_providers(struct sim *sim, const struct args *a, struct dsr_error *err)
{
    const char *model = dsr_settings_model(&sim->settings, a->model, err);
    if (!model)
        return err->code;
    int rc = dsr_services_load(&sim->settings, model, NULL, &sim->services, &sim->n, err);
    sim->providers = rc ? NULL : calloc(sim->n + 1, sizeof *sim->providers);
    for (size_t i = 0; sim->providers && i < sim->n; i++) {
        sim->providers[i].service = sim->services[i];
        sim->providers[i].dialect = sim_dialect_find(sim->services[i]->plugin);
        sim->providers[i].path = path_of(sim->services[i]->base_url);
    }
    return rc;
}

static int start(struct sim *sim, const struct args *a, struct dsr_error *err)
{
    int rc = dsr_settings_load(&sim->settings, NULL, a->data, sim->host, err);
    if (rc)
        return rc;
    sim->registry = dsr_registry_new(&sim->settings.layout, NULL, 0, sim->host);
    sim->truth = a->truth ? fopen(a->truth, "we") : NULL;
    if (!sim->registry || (a->truth && !sim->truth))
        return dsr_error_set(err, DSR_EIO, "%s can't be written", a->truth ? a->truth : "");
    rc = open_providers(sim, a, err);
    if (!rc)
        rc = sim_scenario_apply(sim, a->scenario, err);
    if (!rc)
        rc = sim_book_open(sim, err);
    if (!rc)
        rc = sim_http_start(sim, a->listen, err);
    if (!rc && a->setup)
        rc = sim_write_setup(sim, a->setup, err);
    return rc;
}

static void stop(struct sim *sim)
{
    sim_http_stop(sim);
    for (size_t i = 0; i < 2; i++)
        uv_close((uv_handle_t *)&sim->signals[i], NULL);
    uv_run(&sim->loop, UV_RUN_DEFAULT);
    uv_loop_close(&sim->loop);
    sim_book_close(sim);
    sim_requests_clear(sim);
    for (size_t i = 0; sim->providers && i < sim->n; i++)
        free(sim->providers[i].path);
    free(sim->providers);
    dsr_services_free(sim->services, sim->n);
    dsr_registry_free(sim->registry);
    dsr_doc_clear(&sim->scenario);
    dsr_settings_clear(&sim->settings);
    dsr_host_free(sim->host);
    if (sim->truth)
        fclose(sim->truth);
}

static void on_signal(uv_signal_t *handle, int number)
{
    (void)number;
    uv_stop(handle->loop);
}

int main(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .doc = "Plays the API providers of services.json on loopback, each under /CODE. Prints "
               "\"listening on http://127.0.0.1:PORT\" when it is ready.",
    };
    static const int numbers[] = {SIGINT, SIGTERM};
    struct args a = {.listen = "127.0.0.1:0"};
    struct sim sim = {0};
    struct dsr_error err = {0};
    argp_err_exit_status = 2;
    argp_program_version = "dsr-sim " PACKAGE_VERSION;
    argp_parse(&argp, argc, argv, 0, NULL, &a);
    signal(SIGPIPE, SIG_IGN);
    sim.seed = a.seed;
    sim.host = dsr_host_new(DSR_LOG_WARN, "dsr-sim");
    uv_loop_init(&sim.loop);
    for (size_t i = 0; i < 2; i++) {
        uv_signal_init(&sim.loop, &sim.signals[i]);
        uv_signal_start(&sim.signals[i], on_signal, numbers[i]);
    }
    int rc = start(&sim, &a, &err);
    if (rc) {
        char text[2048];
        dsr_error_text(&err, text, sizeof text);
        fprintf(stderr, "dsr-sim: error: %s\n", text);
    } else {
        printf("listening on http://127.0.0.1:%d\n", sim.port);
        fflush(stdout);
        uv_run(&sim.loop, UV_RUN_DEFAULT);
    }
    stop(&sim);
    return rc ? 2 : 0;
}
