/* dsr-run merge */
#include "core/cli/cli.h"
#include "core/run/rejoin.h"

struct args {
    struct dsr_globals *globals;
    const char *job;
    char **sources;
    size_t n;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct args *a = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = a->globals;
        return 0;
    case ARGP_KEY_ARG:
        if (!a->job) {
            a->job = arg;
            return 0;
        }
        a->sources = state->argv + state->next - 1;
        a->n = (size_t)(state->argc - state->next + 1);
        state->next = state->argc;
        return 0;
    case ARGP_KEY_END:
        if (!a->n)
            argp_error(state, "which JOB, and the stores of its shards?");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int work(struct dsr_ctx *ctx, void *args, int *status, struct dsr_error *err)
{
    const struct args *a = args;
    struct dsr_eval_result result;
    bool complete = false;
    char job[37];
    dsr_job_name(a->job, job);
    int rc = dsr_merge(ctx, job, a->sources, a->n, &result, &complete, err);
    if (!rc)
        *status = dsr_result_print(&result, a->globals->format);
    if (!rc && !complete) {
        dsr_host_log(ctx->host, DSR_LOG_WARN, "not every shard of %s is here and whole", job);
        *status = 1;
    }
    dsr_eval_result_clear(&result);
    return rc;
}

int dsr_cmd_merge(struct dsr_globals *globals, int argc, char **argv)
{
    static const struct argp argp = {
        .parser = parse,
        .args_doc = "JOB STORE...",
        .doc = "Joins the shards of an eval run (eval --job JOB --shard I/N --store ...): copies "
               "their answers into the store and makes the figures of the whole. JOB is the name "
               "that --job was given, or the UUID that eval told; STORE an address such as "
               "leveldb:///folder, or a folder. Options stand before JOB. Exit status: 0 done, 1 "
               "a shard is missing or some questions have no answer, 2 usage or configuration, 3 "
               "storage.",
        .children = dsr_globals_child,
    };
    struct args a = {.globals = globals};
    return dsr_command_run(&argp, ARGP_IN_ORDER, argc, argv, globals, &a, work);
}
