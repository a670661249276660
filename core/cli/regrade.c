/* dsr-run regrade */
#include "core/cli/cli.h"
#include "core/run/rejoin.h"

struct args {
    struct dsr_globals *globals;
    const char *job, *grader;
};

enum { OPT_JOB = 256, OPT_GRADER };

static const struct argp_option options[] = {
    {"job", OPT_JOB, "JOB", 0, "the eval job whose answers are graded again", 0},
    {"grader", OPT_GRADER, "MODE", 0, "dsr or opencompass (default: the job's own)", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct args *a = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = a->globals;
        return 0;
    case OPT_JOB:
        a->job = arg;
        return 0;
    case OPT_GRADER:
        a->grader = dsr_arg_grader(state, arg);
        return 0;
    case ARGP_KEY_END:
        if (!a->job)
            argp_error(state, "--job JOB is missing");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int work(struct dsr_ctx *ctx, void *args, int *status, struct dsr_error *err)
{
    const struct args *a = args;
    struct dsr_eval_result result;
    char job[37];
    dsr_job_name(a->job, job);
    int rc = dsr_regrade(ctx, job, a->grader, &result, err);
    if (rc)
        dsr_error_wrap(err, "job %s", a->job);
    else
        *status = dsr_result_print(&result, a->globals->format);
    dsr_eval_result_clear(&result);
    return rc;
}

int dsr_cmd_regrade(struct dsr_globals *globals, int argc, char **argv)
{
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .doc = "Grades the stored answers of a job again, asks no provider, and stores verdicts "
               "and figures in place of the old ones. Exit status: 0 done, 1 some questions have "
               "no answer, 2 usage or configuration, 3 storage.",
        .children = dsr_globals_child,
    };
    struct args a = {.globals = globals};
    return dsr_command_run(&argp, 0, argc, argv, globals, &a, work);
}
