/* dsr-run grade */
#include "core/cli/cli.h"
#include "core/run/gradefile.h"

struct args {
    struct dsr_globals *globals;
    const char *evaluator, *input, *grader;
};

enum { OPT_INPUT = 256, OPT_GRADER };

static const struct argp_option options[] = {
    {"evaluator", 'e', "NAME", 0, "evaluator plugin: gpqa, aime, ceval, ...", 0},
    {"input", OPT_INPUT, "FILE", 0, "lines of {\"id\",\"response\",\"gold\",\"options\"?}", 0},
    {"grader", OPT_GRADER, "MODE", 0, "dsr (default), or opencompass: its rules", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct args *a = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = a->globals;
        return 0;
    case 'e':
        a->evaluator = arg;
        return 0;
    case OPT_INPUT:
        a->input = arg;
        return 0;
    case OPT_GRADER:
        a->grader = arg;
        return 0;
    case ARGP_KEY_END:
        if (!a->evaluator)
            argp_error(state, "--evaluator NAME is missing");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int work(struct dsr_ctx *ctx, void *args, int *status, struct dsr_error *err)
{
    const struct args *a = args;
    const struct dsr_evaluator_ops *ops =
        dsr_registry_ops(ctx->registry, DSR_KIND_EVALUATOR, a->evaluator, err);
    (void)status;
    return ops ? dsr_grade_file(ops, a->grader, a->input, stdout, err) : err->code;
}

int dsr_cmd_grade(struct dsr_globals *globals, int argc, char **argv)
{
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .doc = "Grades responses: JSON lines in (a file or standard input), one JSON line "
               "{\"id\",\"extracted\",\"correct\",\"score\",\"rule\"} each out, in order, whatever "
               "--format says.",
        .children = dsr_globals_child,
    };
    struct args a = {.globals = globals, .input = "/dev/stdin", .grader = "dsr"};
    return dsr_command_run(&argp, 0, argc, argv, globals, &a, work);
}
