/* dsr-run eval */
#include "core/cli/cli.h"
#include "core/metric/stats.h"
#include "core/run/eval.h"
#include "core/run/score.h"

struct args {
    struct dsr_globals *globals;
    struct dsr_eval_options o;
};

enum {
    OPT_DATASET = 256,
    OPT_LIMIT,
    OPT_REPEAT,
    OPT_SEED,
    OPT_OUTPUT,
    OPT_RESUME,
    OPT_SHARD,
    OPT_GRADER
};

static const struct argp_option options[] = {
    {"dataset", OPT_DATASET, "LIST", 0, "names in datasets.json, comma-separated, or all", 0},
    {"model", 'm', "MODEL", 0, "model code (default: the first of perf_models in cron.json)", 0},
    {"provider", 'p', "LIST", 0, "provider codes, comma-separated, or all (default)", 0},
    {"limit", OPT_LIMIT, "N", 0, "ask N questions of each dataset, chosen by the seed", 0},
    {"repeat", OPT_REPEAT, "K", 0, "ask each question K times (default 1)", 0},
    {"seed", OPT_SEED, "S", 0, "seed of the choice (default 0)", 0},
    {"output", OPT_OUTPUT, "WHERE", 0, "db (default), csv or both", 0},
    {"grader", OPT_GRADER, "MODE", 0, "dsr (default), or opencompass: its rules", 0},
    {"resume", OPT_RESUME, "JOB", 0, "go on with a job; asks nothing that was answered", 0},
    {"shard", OPT_SHARD, "I/N", 0, "take part I (1..N) of the questions", 0},
    {0},
};

static void parse_shard(struct argp_state *state, const char *arg, struct dsr_eval_options *o)
{
    int used = 0;
    if (sscanf(arg, "%d/%d%n", &o->shard, &o->shards, &used) != 2 || arg[used] || o->shards < 1 ||
        o->shard < 1 || o->shard > o->shards)
        argp_error(state, "--shard: \"%s\" is not I/N with I of 1..N", arg);
    o->shard--;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct args *a = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = a->globals;
        return 0;
    case OPT_DATASET:
        a->o.datasets = arg;
        return 0;
    case 'm':
        a->o.model = arg;
        return 0;
    case 'p':
        a->o.providers = arg;
        return 0;
    case OPT_LIMIT:
        a->o.limit = (int)dsr_arg_long(state, "limit", arg, 1, 1000000);
        return 0;
    case OPT_REPEAT:
        a->o.repeat = (int)dsr_arg_long(state, "repeat", arg, 1, 10000);
        return 0;
    case OPT_SEED:
        a->o.seed = (uint64_t)dsr_arg_long(state, "seed", arg, 0, INT64_MAX);
        return 0;
    case OPT_OUTPUT:
        a->o.output = arg;
        return 0;
    case OPT_GRADER:
        if (strcmp(arg, "dsr") && strcmp(arg, "opencompass"))
            argp_error(state, "--grader is dsr or opencompass, not \"%s\"", arg);
        a->o.grader = arg;
        return 0;
    case OPT_RESUME:
        a->o.resume = arg;
        return 0;
    case OPT_SHARD:
        parse_shard(state, arg, &a->o);
        return 0;
    case ARGP_KEY_END:
        if (!a->o.datasets && !a->o.resume)
            argp_error(state, "--dataset is missing (or --resume JOB)");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* Unknown while nothing was answered. */
static struct dsr_interval interval(const struct dsr_tally *t)
{
    return dsr_wilson((double)t->correct, (double)(t->answered ? t->asked : 0));
}

/* Prices of all providers are told in one currency. */
static json_t *score_json(const struct dsr_score *s, int repeats)
{
    const struct dsr_tally *t = &s->total;
    struct dsr_interval ci = interval(t);
    return json_pack(
        "{s:s, s:s, s:I, s:I, s:I, s:I, s:o, s:[o, o], s:o, s:o, s:i, s:I, s:I, s:o, s:s}",
        "provider", s->provider, "dataset", s->dataset, "asked", (json_int_t)t->asked, "answered",
        (json_int_t)t->answered, "correct", (json_int_t)t->correct, "errors", (json_int_t)t->errors,
        "accuracy", dsr_json_real(dsr_tally_accuracy(t)), "ci95", dsr_json_real(100 * ci.lo),
        dsr_json_real(100 * ci.hi), "macro_accuracy", dsr_json_real(dsr_score_macro(s)), "groups",
        dsr_score_groups(s), "repeats", repeats, "input_tokens", (json_int_t)s->input_tokens,
        "output_tokens", (json_int_t)s->output_tokens, "cost", dsr_json_real(s->cost), "currency",
        s->currency);
}

static void print_json(const struct dsr_eval_result *r)
{
    json_t *results = json_array();
    for (size_t i = 0; i < r->n; i++)
        json_array_append_new(results, score_json(&r->scores[i], r->repeats));
    json_t *root = json_pack("{s:i, s:s, s:s, s:s, s:o}", "schema", 1, "job", r->job, "model",
                             r->model, "grader", r->grader, "results", results);
    dsr_print_json(root);
    json_decref(root);
}

static void print_table(const struct dsr_eval_result *r, enum dsr_format format)
{
    static const char *const columns[] = {"PROVIDER", "DATASET",       "ASKED",    "ANSWERED",
                                          "CORRECT",  "ERRORS",        "ACCURACY", "LO95",
                                          "HI95",     "OUTPUT_TOKENS", "COST",     "CURRENCY"};
    struct dsr_table *table = dsr_table_new(columns, DSR_COUNT(columns), format);
    for (size_t i = 0; table && i < r->n; i++) {
        const struct dsr_score *s = &r->scores[i];
        const struct dsr_tally *t = &s->total;
        struct dsr_interval ci = interval(t);
        char b[9][32];
        const char *cells[] = {s->provider,
                               s->dataset,
                               dsr_cell(b[0], 32, (double)t->asked, 0),
                               dsr_cell(b[1], 32, (double)t->answered, 0),
                               dsr_cell(b[2], 32, (double)t->correct, 0),
                               dsr_cell(b[3], 32, (double)t->errors, 0),
                               dsr_cell(b[4], 32, dsr_tally_accuracy(t), 1),
                               dsr_cell(b[5], 32, 100 * ci.lo, 1),
                               dsr_cell(b[6], 32, 100 * ci.hi, 1),
                               dsr_cell(b[7], 32, (double)s->output_tokens, 0),
                               dsr_cell(b[8], 32, s->cost, 4),
                               s->currency};
        dsr_table_row(table, cells);
    }
    dsr_table_print(table);
}

/* The options that a job was started with. */
struct saved {
    char *model, *datasets, *providers, *grader;
    bool found;
    int limit, repeat;
    uint64_t seed;
};

static int take_job(void *arg, const struct dsr_record *record, struct dsr_error *err)
{
    struct saved *saved = arg;
    const json_t *b = record->body;
    (void)err;
    if (strcmp(dsr_json_string(b, "type", ""), "eval"))
        return 0;
    saved->found = true;
    saved->model = strdup(dsr_json_string(b, "model", ""));
    saved->datasets = strdup(dsr_json_string(b, "datasets", ""));
    saved->providers = strdup(dsr_json_string(b, "providers", "all"));
    saved->grader = strdup(dsr_json_string(b, "grader", "dsr"));
    saved->limit = (int)dsr_json_int(b, "limit", 0);
    saved->repeat = (int)dsr_json_int(b, "repeat", 1);
    saved->seed = (uint64_t)dsr_json_int(b, "seed", 0);
    return 1;
}

static int restore(struct dsr_ctx *ctx, struct args *a, struct saved *saved, struct dsr_error *err)
{
    struct dsr_store store;
    struct dsr_error closing;
    const char *folder = !strcmp(a->o.output, "csv") ? ctx->settings.log_dir : NULL;
    struct dsr_query query = {.size = sizeof query, .kind = DSR_RECORD_JOB, .job = a->o.resume};
    int rc = dsr_results_open(&store, ctx->registry, &ctx->settings, folder, DSR_STORE_READ, err);
    if (rc)
        return rc;
    rc = store.ops->scan(store.state, &query, take_job, saved, err);
    dsr_store_close(&store, &closing);
    if (rc < 0)
        return rc;
    if (!saved->found)
        return dsr_error_set(err, DSR_EUSAGE, "no eval job \"%s\" in %s", a->o.resume,
                             folder ? folder : ctx->settings.store_path);
    a->o.model = saved->model;
    a->o.datasets = saved->datasets;
    a->o.providers = saved->providers;
    a->o.grader = saved->grader;
    a->o.limit = saved->limit;
    a->o.repeat = saved->repeat;
    a->o.seed = saved->seed;
    return 0;
}

static int outcome(const struct dsr_eval_result *r)
{
    if (r->interrupted)
        return 130;
    for (size_t i = 0; i < r->n; i++)
        if (r->scores[i].total.answered < r->scores[i].total.asked)
            return 1;
    return 0;
}

int dsr_cmd_eval(struct dsr_globals *globals, int argc, char **argv)
{
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .doc = "Asks every provider the questions of benchmarks, grades the answers and stores "
               "them. Exit status: 0 done, 1 some questions were not answered, 2 usage or "
               "configuration, 3 storage, 130 interrupted.",
        .children = dsr_globals_child,
    };
    struct args a = {.globals = globals, .o = {.repeat = 1, .output = "db", .grader = "dsr"}};
    struct saved saved = {0};
    struct dsr_ctx ctx;
    struct dsr_error err = {0};
    struct dsr_eval_result result;
    argp_parse(&argp, argc, argv, 0, NULL, &a);
    if (dsr_ctx_open(&ctx, globals, &err))
        return dsr_fail(globals, &err);
    dsr_host_log_to(ctx.host, ctx.settings.log_dir);
    int rc = a.o.resume ? restore(&ctx, &a, &saved, &err) : 0;
    memset(&result, 0, sizeof result);
    if (!rc)
        rc = dsr_eval_run(&ctx, &a.o, &result, &err);
    int status = 0;
    if (rc)
        status = dsr_fail(globals, &err);
    else if (globals->format == DSR_FORMAT_JSON)
        print_json(&result);
    else
        print_table(&result, globals->format);
    if (!rc)
        status = outcome(&result);
    dsr_eval_result_clear(&result);
    free(saved.model);
    free(saved.datasets);
    free(saved.providers);
    free(saved.grader);
    dsr_ctx_close(&ctx);
    return status;
}
