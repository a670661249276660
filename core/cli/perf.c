/* dsr-run perf */
#include "core/cli/cli.h"
#include "core/run/perf.h"

#include <math.h>

struct args {
    struct dsr_globals *globals;
    struct dsr_perf_options o;
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
    OPT_OUTPUT_TOKENS
};

static const struct argp_option options[] = {
    {"prompts", OPT_PROMPTS, "LIST", 0, "prompt sets of datasets.json, or all (default)", 0},
    {"requests", 'n', "N", 0, "requests per provider (default: one of each prompt set)", 0},
    {"concurrency", 'c', "N", 0, "requests at once per provider (default 1)", 0},
    {"rate", 'r', "R", 0, "start R requests a second per provider", 0},
    {"arrival", OPT_ARRIVAL, "KIND", 0, "of --rate: poisson (default), constant, gamma:SHAPE", 0},
    {"slo", OPT_SLO, "BOUNDS", 0, "tell goodput: ttft:2s,itl:100ms (ttft, ttfa, itl, tpot, total)",
     0},
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
    case ARGP_KEY_END:
        if (a->o.rate > 0 && a->o.concurrency)
            argp_error(state, "--rate and --concurrency exclude each other");
        return 0;
    default:
        return parse_load(key, arg, state, &a->o);
    }
}

static json_t *metric_json(const struct dsr_candidate *c, const char *metric)
{
    static const char *const stats[] = {"avg", "median", "p90", "p99", "min", "max"};
    json_t *json = json_object();
    for (size_t i = 0; i < DSR_COUNT(stats); i++)
        json_object_set_new(json, stats[i],
                            dsr_json_real(dsr_candidate_value(c, metric, stats[i])));
    json_object_set_new(json, "n", json_integer((json_int_t)dsr_candidate_value(c, metric, "n")));
    json_object_set_new(json, "ci95",
                        json_pack("[o, o]", dsr_json_real(dsr_candidate_value(c, metric, "lo95")),
                                  dsr_json_real(dsr_candidate_value(c, metric, "hi95"))));
    return json;
}

static json_t *provider_json(const struct dsr_candidate *c, double seconds)
{
    static const char *const metrics[] = {"ttft",   "ttfa", "itl",  "tpot",  "prefill",
                                          "decode", "otps", "otpr", "total", "cost"};
    json_t *figures = json_object();
    for (size_t i = 0; i < DSR_COUNT(metrics); i++)
        json_object_set_new(figures, metrics[i], metric_json(c, metrics[i]));
    double tokens = (double)c->output_tokens, n = (double)c->requests;
    return json_pack("{s:s, s:I, s:I, s:o, s:o, s:O, s:o, s:o, s:s?}", "provider", c->provider,
                     "requests", (json_int_t)c->requests, "succeeded", (json_int_t)c->succeeded,
                     "success", dsr_json_real(dsr_candidate_value(c, "success", "avg")), "metrics",
                     figures, "errors", c->errors, "output_tokens_per_s",
                     dsr_json_real(tokens / seconds), "requests_per_s", dsr_json_real(n / seconds),
                     "token_source", c->token_source[0] ? c->token_source : NULL);
}

/* Share of requests that met all objectives, and how many of them a second. */
static json_t *goodput_json(const struct dsr_perf_result *r, size_t i)
{
    double good = (double)r->good[i], n = (double)r->providers[i]->requests;
    return json_pack("{s:I, s:o, s:o}", "requests", (json_int_t)r->good[i], "share",
                     dsr_json_real(good / n), "requests_per_s",
                     dsr_json_real(good / r->seconds[i]));
}

static void print_goodput(const struct dsr_perf_result *r)
{
    for (size_t i = 0; i < r->n; i++)
        printf("%s: goodput %zu of %zu requests, %.3f a second\n", r->providers[i]->provider,
               r->good[i], r->providers[i]->requests, (double)r->good[i] / r->seconds[i]);
}

static void print_json(const struct dsr_perf_result *r, bool slo)
{
    json_t *providers = json_array();
    for (size_t i = 0; i < r->n; i++) {
        json_t *one = provider_json(r->providers[i], r->seconds[i]);
        if (slo)
            json_object_set_new(one, "goodput", goodput_json(r, i));
        json_array_append_new(providers, one);
    }
    json_t *root = json_pack("{s:i, s:s, s:s, s:s, s:o}", "schema", 1, "job", r->job, "model",
                             r->model, "currency", r->currency, "providers", providers);
    dsr_print_json(root);
    json_decref(root);
}

static void print_table(const struct dsr_perf_result *r, enum dsr_format format)
{
    static const char *const columns[] = {"PROVIDER", "REQUESTS", "SUCCESS", "TTFT",
                                          "TTFT_P90", "TTFA",     "ITL",     "DECODE",
                                          "OTPS",     "OTPR",     "COST",    "ERRORS"};
    struct dsr_table *table = dsr_table_new(columns, DSR_COUNT(columns), format);
    for (size_t i = 0; table && i < r->n; i++) {
        const struct dsr_candidate *c = r->providers[i];
        char b[10][32];
        struct dsr_buf errors = {0};
        const char *name;
        json_t *count;
        json_object_foreach(c->errors, name, count)
            dsr_buf_addf(&errors, "%s%s:%lld", errors.len ? " " : "", name,
                         (long long)json_integer_value(count));
        const char *cells[] = {c->provider,
                               dsr_cell(b[0], 32, (double)c->requests, 0),
                               dsr_cell(b[1], 32, dsr_candidate_value(c, "success", "avg"), 3),
                               dsr_cell(b[2], 32, dsr_candidate_value(c, "ttft", "median"), 3),
                               dsr_cell(b[3], 32, dsr_candidate_value(c, "ttft", "p90"), 3),
                               dsr_cell(b[4], 32, dsr_candidate_value(c, "ttfa", "median"), 3),
                               dsr_cell(b[5], 32, dsr_candidate_value(c, "itl", "median"), 4),
                               dsr_cell(b[6], 32, dsr_candidate_value(c, "decode", "median"), 1),
                               dsr_cell(b[7], 32, dsr_candidate_value(c, "otps", "median"), 1),
                               dsr_cell(b[8], 32, dsr_candidate_value(c, "otpr", "avg"), 0),
                               dsr_cell(b[9], 32, dsr_candidate_value(c, "cost", "avg"), 5),
                               errors.data};
        dsr_table_row(table, cells);
        dsr_buf_clear(&errors);
    }
    dsr_table_print(table);
}

static int outcome(const struct dsr_perf_result *r)
{
    if (r->interrupted)
        return 130;
    for (size_t i = 0; i < r->n; i++)
        if (r->providers[i]->succeeded < r->providers[i]->requests)
            return 1;
    return 0;
}

static int work(struct dsr_ctx *ctx, void *args, int *status, struct dsr_error *err)
{
    const struct args *a = args;
    struct dsr_perf_result result;
    enum dsr_format format = a->globals->format;
    dsr_host_log_to(ctx->host, ctx->settings.log_dir);
    int rc = dsr_perf_run(ctx, &a->o, &result, err);
    if (!rc)
        *status = outcome(&result);
    if (!rc && format == DSR_FORMAT_JSON)
        print_json(&result, a->o.slo.set);
    else if (!rc)
        print_table(&result, format);
    if (!rc && a->o.slo.set && format == DSR_FORMAT_TABLE)
        print_goodput(&result);
    dsr_perf_result_clear(&result);
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
    struct args a = {.globals = globals, .o = {.prompts = "all", .output = "db", .shape = 1}};
    return dsr_command_run(&argp, 0, argc, argv, globals, &a, work);
}
