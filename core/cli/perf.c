/* dsr-run perf */
#include "core/cli/perfout.h"
#include "core/web/report.h"

#include <math.h>

#define MAX_STEPS 64

struct args {
    struct dsr_globals *globals;
    struct dsr_perf_options o;
    const char *trace, *report;
    int ramp[MAX_STEPS]; /* streams at once of each step */
    size_t n_ramp;
};

enum {
    OPT_PROMPTS = 256,
    OPT_DURATION,
    OPT_WARMUP,
    OPT_SEED,
    OPT_OUTPUT,
    OPT_ARRIVAL,
    OPT_SLO,
    OPT_INPUT,
    OPT_OUTPUT_TOKENS,
    OPT_RAMP,
    OPT_TRACE,
    OPT_EXPORT,
    OPT_REPORT,
};

static const struct argp_option options[] = {
    {"prompts", OPT_PROMPTS, "LIST", 0, "prompt sets of datasets.json, or all (default)", 0},
    {"requests", 'n', "N", 0, "requests per provider (default: one of each prompt set)", 0},
    {"concurrency", 'c', "N", 0, "requests at once per provider (default 1)", 0},
    {"rate", 'r', "R", 0, "start R requests a second per provider", 0},
    {"arrival", OPT_ARRIVAL, "KIND", 0, "of --rate: poisson (default), constant, gamma:SHAPE", 0},
    {"slo", OPT_SLO, "BOUNDS", 0, "tell goodput: ttft:2s,itl:100ms (ttft, ttfa, itl, tpot, total)",
     0},
    {"ramp", OPT_RAMP, "LIST", 0, "a run for each number of requests at once, such as 1,2,4,8", 0},
    {"trace", OPT_TRACE, "FILE", 0, "send at recorded times, prompts of recorded lengths", 0},
    {"export", OPT_EXPORT, "FILE", 0, "write each request's record to a .jsonl or .csv file", 0},
    {"report", OPT_REPORT, "FILE.html", 0, "write one page with tables and charts", 0},
    {"duration", OPT_DURATION, "S", 0, "go on for S seconds instead of a number of requests", 0},
    {"warmup", OPT_WARMUP, "N", 0, "requests per provider that are sent first, not counted", 0},
    {"seed", OPT_SEED, "S", 0, "seed of prompts and arrivals (default 0)", 0},
    {"input-tokens", OPT_INPUT, "A:B", 0, "take prompts of A to B tokens (or of exactly N)", 0},
    {"output-tokens", OPT_OUTPUT_TOKENS, "N", 0, "bound answers to N tokens", 0},
    {"model", 'm', "MODEL", 0, "model code (default: the first of perf_models in cron.json)", 0},
    {"provider", 'p', "LIST", 0, "provider codes, comma-separated, or all (default)", 0},
    {"output", OPT_OUTPUT, "WHERE", 0, "db (default), csv or both", 0},
    {0},
};

static void parse_arrival(struct argp_state *state, const char *arg, struct dsr_perf_options *o)
{
    if (!strcmp(arg, "poisson"))
        o->shape = 1;
    else if (!strcmp(arg, "constant"))
        o->shape = INFINITY;
    else if (!strncmp(arg, "gamma:", 6))
        o->shape = dsr_arg_double(state, "arrival gamma", arg + 6, 0.01, 10000);
    else
        argp_error(state, "--arrival is poisson, constant or gamma:SHAPE, not \"%s\"", arg);
}

static void parse_ramp(struct argp_state *state, const char *arg, struct args *a)
{
    DSR_AUTO(str) char *list = strdup(arg);
    char *save = NULL;
    for (char *word = list ? strtok_r(list, ",", &save) : NULL; word;
         word = strtok_r(NULL, ",", &save)) {
        if (a->n_ramp == MAX_STEPS)
            argp_error(state, "--ramp takes at most %d steps", MAX_STEPS);
        a->ramp[a->n_ramp++] = (int)dsr_arg_long(state, "ramp", word, 1, 10000);
    }
}

static error_t parse_load(int key, char *arg, struct argp_state *state, struct dsr_perf_options *o)
{
    switch (key) {
    case 'n':
        o->requests = (int)dsr_arg_long(state, "requests", arg, 1, 10000000);
        return 0;
    case 'c':
        o->concurrency = (int)dsr_arg_long(state, "concurrency", arg, 1, 10000);
        return 0;
    case 'r':
        o->rate = dsr_arg_double(state, "rate", arg, 0.001, 10000);
        return 0;
    case OPT_DURATION:
        o->duration = dsr_arg_double(state, "duration", arg, 0.001, 86400 * 7);
        return 0;
    case OPT_WARMUP:
        o->warmup = (int)dsr_arg_long(state, "warmup", arg, 0, 100000);
        return 0;
    case OPT_ARRIVAL:
        parse_arrival(state, arg, o);
        return 0;
    case OPT_SEED:
        o->seed = (uint64_t)dsr_arg_long(state, "seed", arg, 0, INT64_MAX);
        return 0;
    case OPT_INPUT:
        if (dsr_prompt_bounds_parse(arg, &o->bounds))
            argp_error(state, "--input-tokens: \"%s\" is no range such as 100:2000", arg);
        return 0;
    case OPT_OUTPUT_TOKENS:
        o->bounds.output = dsr_arg_long(state, "output-tokens", arg, 1, 10000000);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct args *a = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = a->globals;
        return 0;
    case OPT_PROMPTS:
        a->o.prompts = arg;
        return 0;
    case 'm':
        a->o.model = arg;
        return 0;
    case 'p':
        a->o.providers = arg;
        return 0;
    case OPT_OUTPUT:
        a->o.output = arg;
        return 0;
    case OPT_SLO: {
        struct dsr_error err = {0};
        if (dsr_slo_parse(arg, &a->o.slo, &err))
            argp_error(state, "%s", err.message);
        return 0;
    }
    case OPT_RAMP:
        parse_ramp(state, arg, a);
        return 0;
    case OPT_TRACE:
        a->trace = arg;
        return 0;
    case OPT_EXPORT:
        a->o.export = arg;
        return 0;
    case OPT_REPORT:
        a->report = arg;
        return 0;
    case ARGP_KEY_END:
        if ((a->o.rate > 0) + (a->o.concurrency > 0) + (a->n_ramp > 0) + (a->trace != NULL) > 1)
            argp_error(state, "--rate, --concurrency, --ramp and --trace exclude each other");
        if (!a->o.prompts && !a->trace)
            a->o.prompts = "all";
        return 0;
    default:
        return parse_load(key, arg, state, &a->o);
    }
}

static int outcome(const struct dsr_perf_result *r)
{
    if (r->interrupted)
        return 130;
    for (size_t i = 0; i < r->n; i++)
        if (r->providers[i]->figures.succeeded < r->providers[i]->figures.requests)
            return 1;
    return 0;
}

/* The last step's figures, and beside them all steps of a sweep. */
static json_t *make_json(const struct args *a, const struct dsr_perf_result *steps, size_t n,
                         bool curves)
{
    json_t *list = a->n_ramp ? json_array() : NULL;
    for (size_t k = 0; list && k < n; k++) {
        json_t *one = dsr_perf_json(&steps[k], a->o.slo.set, curves);
        json_object_set_new(one, "concurrency", json_integer(a->ramp[k]));
        json_array_append_new(list, one);
    }
    json_t *root = dsr_perf_json(&steps[n - 1], a->o.slo.set, curves);
    if (list)
        json_object_set_new(root, "steps", list);
    return root;
}

static void print(const struct args *a, const struct dsr_perf_result *steps, size_t n)
{
    if (a->globals->format != DSR_FORMAT_JSON) {
        dsr_perf_print(steps, a->n_ramp ? a->ramp : NULL, n, a->globals->format, a->o.slo.set);
        return;
    }
    DSR_AUTO(json) json_t *root = make_json(a, steps, n, false);
    dsr_print_json(root);
}

static int write_report(const struct dsr_ctx *ctx, const struct args *a,
                        const struct dsr_perf_result *steps, size_t n, struct dsr_error *err)
{
    DSR_AUTO(json) json_t *root = make_json(a, steps, n, true);
    return dsr_report_write(&ctx->settings.layout, a->report, root, err);
}

/* Each step is a job of its own. Four rounds of a step, unless the user says how many. */
static int sweep(struct dsr_ctx *ctx, const struct args *a, int *status, struct dsr_error *err)
{
    struct dsr_perf_result steps[MAX_STEPS];
    size_t n = a->n_ramp ? a->n_ramp : 1, done = 0;
    int rc = 0;
    for (size_t k = 0; k < n && !rc && *status != 130; k++) {
        struct dsr_perf_options o = a->o;
        if (a->n_ramp) {
            o.concurrency = a->ramp[k];
            o.requests = o.requests || o.duration > 0 ? o.requests : 4 * a->ramp[k];
            o.export_more = k > 0;
            if (!ctx->quiet)
                dsr_host_log(ctx->host, DSR_LOG_INFO, "%d requests at once", a->ramp[k]);
        }
        rc = dsr_perf_run(ctx, &o, &steps[k], err);
        int worse = rc ? 0 : outcome(&steps[k]);
        *status = worse > *status ? worse : *status;
        if (rc)
            dsr_perf_result_clear(&steps[k]);
        else
            done++;
    }
    /* of a sweep that failed the steps before are told all the same */
    if (done && !(rc && a->globals->format == DSR_FORMAT_JSON))
        print(a, steps, done);
    struct dsr_error second;
    if (done && a->report) {
        int bad = write_report(ctx, a, steps, done, rc ? &second : err);
        rc = rc ? rc : bad;
    }
    for (size_t k = 0; k < done; k++)
        dsr_perf_result_clear(&steps[k]);
    return rc;
}

static int work(struct dsr_ctx *ctx, void *args, int *status, struct dsr_error *err)
{
    struct args *a = args;
    struct dsr_trace trace = {0};
    dsr_host_log_to(ctx->host, ctx->settings.log_dir);
    int rc = a->trace ? dsr_trace_load(&trace, a->trace, err) : 0;
    if (!rc && a->report)
        rc = dsr_report_check(&ctx->settings.layout, a->report, err);
    if (!rc) {
        a->o.trace = a->trace ? &trace : NULL;
        rc = sweep(ctx, a, status, err);
    }
    dsr_trace_clear(&trace);
    return rc;
}

int dsr_cmd_perf(struct dsr_globals *globals, int argc, char **argv)
{
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .doc = "Sends every provider the same prompts and measures how it serves them. In the "
               "table, times are medians in seconds, rates tokens per second, cost CNY. Exit "
               "status: 0 done, 1 some requests failed, 2 usage or configuration, 3 storage, 130 "
               "interrupted.",
        .children = dsr_globals_child,
    };
    struct args a = {.globals = globals, .o = {.output = "db", .shape = 1}};
    return dsr_command_run(&argp, 0, argc, argv, globals, &a, work);
}
