/* dsr-run compare */
#include "core/cli/cli.h"
#include "core/run/compare.h"

struct args {
    struct dsr_globals *globals;
    const char *dataset, *providers, *model, *job;
    uint64_t seed;
};

enum { OPT_DATASET = 256, OPT_JOB, OPT_SEED };

static const struct argp_option options[] = {
    {"dataset", OPT_DATASET, "NAME", 0, "the dataset both were asked", 0},
    {"provider", 'p', "A,B", 0, "the two providers", 0},
    {"model", 'm', "MODEL", 0, "model code (default: the first of perf_models in cron.json)", 0},
    {"job", OPT_JOB, "JOB", 0, "the run to compare in (default: the newest whole one of each)", 0},
    {"seed", OPT_SEED, "S", 0, "seed of the bootstrap (default 0)", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct args *a = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = a->globals;
        return 0;
    case OPT_DATASET:
        a->dataset = arg;
        return 0;
    case 'p':
        a->providers = arg;
        return 0;
    case 'm':
        a->model = arg;
        return 0;
    case OPT_JOB:
        a->job = arg;
        return 0;
    case OPT_SEED:
        a->seed = (uint64_t)dsr_arg_long(state, "seed", arg, 0, INT64_MAX);
        return 0;
    case ARGP_KEY_END:
        if (!a->dataset)
            argp_error(state, "--dataset NAME is missing");
        if (!a->providers || !strchr(a->providers, ',') ||
            strchr(a->providers, ',') != strrchr(a->providers, ','))
            argp_error(state, "--provider takes two providers: A,B");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int scan(void *arg, const struct dsr_query *query, dsr_visit_fn *visit, void *visit_arg,
                struct dsr_error *err)
{
    const struct dsr_store *store = arg;
    return store->ops->scan(store->state, query, visit, visit_arg, err);
}

static int compare(struct dsr_ctx *ctx, void *args, int *status, struct dsr_error *err)
{
    const struct args *a = args;
    struct dsr_store store;
    struct dsr_error closing;
    char job[37];
    (void)status;
    DSR_AUTO(json) json_t *found = NULL;
    struct dsr_comparing comparing = {.scan = scan,
                                      .store = &store,
                                      .dataset = a->dataset,
                                      .providers = a->providers,
                                      .model = dsr_settings_model(&ctx->settings, a->model, err),
                                      .job = a->job ? job : NULL,
                                      .seed = a->seed};
    if (a->job)
        dsr_job_name(a->job, job);
    if (!comparing.model)
        return err->code;
    int rc = dsr_results_open(&store, ctx->registry, &ctx->settings, NULL, DSR_STORE_READ, err);
    if (rc)
        return rc;
    rc = dsr_compare(&comparing, &found, err);
    dsr_store_close(&store, &closing);
    if (!rc && a->globals->format == DSR_FORMAT_JSON) {
        dsr_print_json(found);
    } else if (!rc) {
        long long left_out = (long long)dsr_json_int(found, "left_out", 0);
        puts(dsr_json_string(found, "sentence", ""));
        if (left_out)
            printf("%lld questions were left out: not both answered them %lld times.\n", left_out,
                   (long long)dsr_json_int(found, "repeats", 0));
    }
    return rc;
}

int dsr_cmd_compare(struct dsr_globals *globals, int argc, char **argv)
{
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .doc = "Compares two providers on the questions that both answered: exact test (McNemar's "
               "for one answer a question), bootstrap interval of the difference, and a plain "
               "sentence. Exit status: 0 done, 2 usage or configuration, 3 storage.",
        .children = dsr_globals_child,
    };
    struct args a = {.globals = globals};
    return dsr_command_run(&argp, 0, argc, argv, globals, &a, compare);
}
