/* dsr-run grade */
#include "core/cli/cli.h"

#include <dsr/evaluator.h>

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

struct grading {
    const struct args *args;
    const struct dsr_evaluator_ops *ops;
};

/* One response in, one verdict out. */
static int grade_one(void *arg, json_t *object, int line, struct dsr_error *err)
{
    const struct grading *g = arg;
    const char *file = g->args->input;
    const json_t *id = json_object_get(object, "id");
    const json_t *response = json_object_get(object, "response");
    const json_t *gold = json_object_get(object, "gold");
    if (!id || !json_is_string(response) || !json_is_string(gold))
        return dsr_error_file(err, DSR_ECONFIG, file, line,
                              "expected \"id\", and \"response\" and \"gold\" as strings");
    struct dsr_grade grade = {0};
    struct dsr_answer answer = {.gold = json_string_value(gold),
                                .options = json_object_get(object, "options"),
                                .answer = json_string_value(response),
                                .answer_len = json_string_length(response),
                                .mode = g->args->grader};
    int rc = g->ops->grade(&answer, &grade, err);
    if (rc) {
        snprintf(err->file, sizeof err->file, "%s", file);
        err->line = line;
        return rc;
    }
    json_t *out = json_pack(
        "{s:O, s:o, s:b, s:f, s:s}", "id", id, "extracted",
        grade.extracted[0] ? dsr_json_text(grade.extracted, strlen(grade.extracted)) : json_null(),
        "correct", grade.correct, "score", grade.score, "rule", grade.rule);
    json_dumpf(out, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(out);
    return 0;
}

int dsr_cmd_grade(struct dsr_globals *globals, int argc, char **argv)
{
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .doc = "Grades responses: JSON lines in (a file or standard input), one line "
               "{\"id\",\"extracted\",\"correct\",\"score\",\"rule\"} each out, in order.",
        .children = dsr_globals_child,
    };
    struct args a = {.globals = globals, .input = "/dev/stdin", .grader = "dsr"};
    struct dsr_ctx ctx;
    struct dsr_error err = {0};
    argp_parse(&argp, argc, argv, 0, NULL, &a);
    if (dsr_ctx_open(&ctx, globals, &err))
        return dsr_fail(globals, &err);
    struct grading g = {
        .args = &a, .ops = dsr_registry_ops(ctx.registry, DSR_KIND_EVALUATOR, a.evaluator, &err)};
    int rc = g.ops ? dsr_jsonl_read(a.input, grade_one, &g, &err) : err.code;
    int status = rc ? dsr_fail(globals, &err) : 0;
    dsr_ctx_close(&ctx);
    return status;
}
