/* dsr-run eval */
#include "core/cli/cli.h"

#include <ctype.h>
#include <math.h>

struct args {
    struct dsr_globals *globals;
    struct dsr_eval_options o;
    const char *resume, *job, *budget;
    bool estimate;
    char name[37];
};

enum {
    OPT_DATASET = 256,
    OPT_LIMIT,
    OPT_REPEAT,
    OPT_SHOTS,
    OPT_SEED,
    OPT_OUTPUT,
    OPT_RESUME,
    OPT_JOB,
    OPT_SHARD,
    OPT_REUSE,
    OPT_ESTIMATE,
    OPT_BUDGET,
    OPT_GRADER
};

static const struct argp_option options[] = {
    {"dataset", OPT_DATASET, "LIST", 0, "names in datasets.json, comma-separated, or all", 0},
    {"model", 'm', "MODEL", 0, "model code (default: the first of perf_models in cron.json)", 0},
    {"provider", 'p', "LIST", 0, "provider codes, comma-separated, or all (default)", 0},
    {"limit", OPT_LIMIT, "N", 0, "ask N questions of each dataset, chosen by the seed", 0},
    {"repeat", OPT_REPEAT, "K", 0, "ask each question K times (default 1)", 0},
    {"shots", OPT_SHOTS, "N", 0, "solved examples before each question (C-Eval, MMLU: 0..5)", 0},
    {"seed", OPT_SEED, "S", 0, "seed of the choice (default 0)", 0},
    {"output", OPT_OUTPUT, "WHERE", 0, "db (default), csv or both", 0},
    {"grader", OPT_GRADER, "MODE", 0, "dsr (default), or opencompass: its rules", 0},
    {"resume", OPT_RESUME, "JOB", 0, "go on with a job; asks nothing that was answered", 0},
    {"job", OPT_JOB, "NAME", 0, "name of the run, shared by its shards; gone on with if known", 0},
    {"shard", OPT_SHARD, "I/N", 0, "take part I (1..N) of the questions", 0},
    {"reuse", OPT_REUSE, "AGE", 0, "take answers to equal requests that are not older: 24h, 7d", 0},
    {"estimate", OPT_ESTIMATE, NULL, 0, "print the expected tokens and cost; ask nothing", 0},
    {"budget", OPT_BUDGET, "COST", 0, "stop a provider at this cost: 20CNY, 3USD", 0},
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

static void check(struct argp_state *state, struct args *a)
{
    if (!a->o.datasets && !a->resume)
        argp_error(state, "--dataset is missing (or --resume JOB)");
    if (a->resume && a->job)
        argp_error(state, "--resume and --job name the same thing; give one");
    if (a->o.shards > 1 && !a->job && !a->resume)
        argp_error(state, "--shard needs --job NAME, by which merge knows the parts of a run");
    if (strcmp(a->o.output, "db") && strcmp(a->o.output, "csv") && strcmp(a->o.output, "both"))
        argp_error(state, "--output is db, csv or both, not \"%s\"", a->o.output);
    if (!a->resume && !a->job)
        return;
    dsr_job_name(a->resume ? a->resume : a->job, a->name);
    a->o.job = a->name;
    a->o.resume = a->resume != NULL;
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
    case OPT_SHOTS:
        a->o.shots = (int)dsr_arg_long(state, "shots", arg, 0, 5);
        return 0;
    case OPT_SEED:
        a->o.seed = (uint64_t)dsr_arg_long(state, "seed", arg, 0, INT64_MAX);
        return 0;
    case OPT_OUTPUT:
        a->o.output = arg;
        return 0;
    case OPT_GRADER:
        a->o.grader = dsr_arg_grader(state, arg);
        return 0;
    case OPT_RESUME:
        a->resume = arg;
        return 0;
    case OPT_JOB:
        a->job = arg;
        return 0;
    case OPT_SHARD:
        parse_shard(state, arg, &a->o);
        return 0;
    case OPT_REUSE:
        a->o.reuse_us = dsr_arg_time(state, "reuse", arg);
        return 0;
    case OPT_ESTIMATE:
        a->estimate = true;
        return 0;
    case OPT_BUDGET:
        a->budget = arg;
        return 0;
    case ARGP_KEY_END:
        check(state, a);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* "20CNY", "3 usd", "0.5" (CNY) as an amount of CNY. */
static int read_budget(const struct dsr_settings *settings, const char *text, double *amount,
                       struct dsr_error *err)
{
    char *end, currency[8] = "CNY";
    double value = strtod(text, &end);
    end += strspn(end, " ");
    if (*end && strlen(end) < sizeof currency)
        for (size_t i = 0; i <= strlen(end); i++)
            currency[i] = (char)toupper((unsigned char)end[i]);
    if (end == text || !(value > 0) || !isfinite(value) || strlen(end) >= sizeof currency)
        return dsr_error_set(err, DSR_EUSAGE, "--budget: \"%s\" is no cost such as 20CNY or 3USD",
                             text);
    *amount = dsr_settings_convert(settings, value, currency, "CNY");
    if (isnan(*amount))
        return dsr_error_set(err, DSR_EUSAGE, "--budget: %s has no rate for \"%s\"",
                             settings->currency.path ? settings->currency.path
                                                     : "currency_conversion.json",
                             currency);
    return 0;
}

/* The options that the job was started with; job keeps the strings. */
static int restore(struct dsr_ctx *ctx, struct args *a, struct dsr_eval_job *job,
                   struct dsr_error *err)
{
    struct dsr_store store;
    struct dsr_error closing;
    const char *folder = !strcmp(a->o.output, "csv") ? ctx->settings.log_dir : NULL;
    int rc = dsr_results_open(&store, ctx->registry, &ctx->settings, folder, DSR_STORE_READ, err);
    if (rc)
        return rc;
    rc = dsr_eval_job_read(job, &store, a->name, err);
    dsr_store_close(&store, &closing);
    if (rc)
        return dsr_error_wrap(err, "--resume %s", a->resume);
    a->o.model = job->model;
    a->o.datasets = job->datasets;
    a->o.providers = job->providers;
    a->o.grader = job->grader;
    a->o.limit = job->limit;
    a->o.repeat = job->repeat;
    a->o.shots = job->shots;
    a->o.shard = job->shard;
    a->o.shards = job->shards;
    a->o.seed = job->seed;
    return 0;
}

static int run(struct dsr_ctx *ctx, void *args, int *status, struct dsr_error *err)
{
    struct args *a = args;
    struct dsr_eval_job job = {0};
    struct dsr_eval_result result = {0};
    dsr_host_log_to(ctx->host, ctx->settings.log_dir);
    int rc = a->o.resume ? restore(ctx, a, &job, err) : 0;
    if (!rc && a->budget)
        rc = read_budget(&ctx->settings, a->budget, &a->o.budget, err);
    if (!rc && a->estimate)
        rc = dsr_estimate_print(ctx, &a->o, a->globals->format, err);
    else if (!rc)
        rc = dsr_eval_run(ctx, &a->o, &result, err);
    if (!rc && !a->estimate)
        *status = dsr_result_print(&result, a->globals->format);
    dsr_eval_result_clear(&result);
    dsr_eval_job_clear(&job);
    return rc;
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
    struct args a = {
        .globals = globals,
        .o = {.repeat = 1, .shots = -1, .output = "db", .grader = "dsr", .budget = NAN}};
    return dsr_command_run(&argp, 0, argc, argv, globals, &a, run);
}
