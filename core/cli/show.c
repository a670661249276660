/* dsr-run show */
#include "core/cli/cli.h"

struct args {
    struct dsr_globals *globals;
    const char *name, *item, *provider, *dataset;
    char job[37];
    bool wrong, reasoning;
};

enum { OPT_ITEM = 256, OPT_WRONG, OPT_DATASET, OPT_REASONING };

static const struct argp_option options[] = {
    {"item", OPT_ITEM, "ID", 0, "only this question", 0},
    {"dataset", OPT_DATASET, "NAME", 0, "only this dataset", 0},
    {"provider", 'p', "CODE", 0, "only this provider", 0},
    {"wrong", OPT_WRONG, NULL, 0, "only answers that are not correct", 0},
    {"reasoning", OPT_REASONING, NULL, 0, "the whole reasoning, not only its length", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct args *a = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = a->globals;
        return 0;
    case OPT_ITEM:
        a->item = arg;
        return 0;
    case OPT_DATASET:
        a->dataset = arg;
        return 0;
    case 'p':
        a->provider = arg;
        return 0;
    case OPT_WRONG:
        a->wrong = true;
        return 0;
    case OPT_REASONING:
        a->reasoning = true;
        return 0;
    case ARGP_KEY_ARG:
        if (a->name)
            return ARGP_ERR_UNKNOWN;
        a->name = arg;
        dsr_job_name(arg, a->job);
        return 0;
    case ARGP_KEY_END:
        if (!a->name)
            argp_error(state, "which JOB? eval tells it");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

struct showing {
    const struct args *args;
    json_t *answers; /* for JSON */
    size_t n;
};

static bool wanted(const struct args *a, const json_t *body)
{
    bool graded = json_is_boolean(json_object_get(body, "correct"));
    return (!a->item || !strcmp(a->item, dsr_json_string(body, "item", ""))) &&
           (!a->dataset || !strcmp(a->dataset, dsr_json_string(body, "dataset", ""))) &&
           (!a->wrong || (graded && json_is_false(json_object_get(body, "correct"))));
}

/* An answer as a person would read it: verdict first, then the texts. */
static void print_answer(const struct args *a, const json_t *body)
{
    const char *error = dsr_json_string(body, "error", NULL);
    const json_t *reasoning = json_object_get(body, "reasoning");
    printf("== %s, %s, question %s", dsr_json_string(body, "provider", ""),
           dsr_json_string(body, "dataset", ""), dsr_json_string(body, "item", ""));
    if (dsr_json_int(body, "repeat", 0))
        printf(", repeat %d", (int)dsr_json_int(body, "repeat", 0) + 1);
    if (error)
        printf(": no answer (%s: %s)\n", error, dsr_json_string(body, "message", ""));
    else
        printf(": %s; read \"%s\" by rule %s, right is \"%s\"\n",
               json_is_true(json_object_get(body, "correct")) ? "correct" : "WRONG",
               dsr_json_string(body, "extracted", ""), dsr_json_string(body, "rule", ""),
               dsr_json_string(body, "gold", ""));
    printf("[question]\n%s\n", dsr_json_string(body, "question", ""));
    if (a->reasoning && json_string_length(reasoning))
        printf("[reasoning]\n%s\n", json_string_value(reasoning));
    else if (json_string_length(reasoning))
        printf("[%zu bytes of reasoning; --reasoning shows them]\n", json_string_length(reasoning));
    printf("[answer]\n%s\n\n", dsr_json_string(body, "answer", ""));
}

static int visit(void *arg, const struct dsr_record *record, struct dsr_error *err)
{
    struct showing *s = arg;
    if (record->kind != DSR_RECORD_ANSWER || !wanted(s->args, record->body))
        return 0;
    s->n++;
    if (!s->answers)
        print_answer(s->args, record->body);
    else if (json_array_append(s->answers, record->body))
        return dsr_error_nomem(err);
    return 0;
}

static int scan(struct dsr_ctx *ctx, struct showing *s, struct dsr_error *err)
{
    struct dsr_store store;
    struct dsr_error closing;
    struct dsr_query query = {.size = sizeof query,
                              .kind = DSR_RECORD_ANSWER,
                              .job = s->args->job,
                              .provider = s->args->provider};
    int rc = dsr_results_open(&store, ctx->registry, &ctx->settings, NULL, DSR_STORE_READ, err);
    if (rc)
        return rc;
    rc = store.ops->scan(store.state, &query, visit, s, err);
    dsr_store_close(&store, &closing);
    return rc;
}

static int show(struct dsr_ctx *ctx, void *args, int *status, struct dsr_error *err)
{
    const struct args *a = args;
    struct showing s = {.args = a};
    if (a->globals->format == DSR_FORMAT_JSON)
        s.answers = json_array();
    int rc = scan(ctx, &s, err);
    *status = s.n == 0;
    if (!rc && s.answers) {
        json_t *root =
            json_pack("{s:i, s:s, s:O}", "schema", 1, "job", a->job, "answers", s.answers);
        dsr_print_json(root);
        json_decref(root);
    }
    if (!rc && !s.n)
        dsr_host_log(ctx->host, DSR_LOG_WARN, "job %s has no such answer", a->name);
    json_decref(s.answers);
    return rc;
}

int dsr_cmd_show(struct dsr_globals *globals, int argc, char **argv)
{
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .args_doc = "JOB",
        .doc =
            "Shows the answers of an eval job: verdict, rule, right answer, question and text. Exit "
            "status: 0 done, 1 there is no such answer, 2 usage or configuration, 3 storage.",
        .children = dsr_globals_child,
    };
    struct args a = {.globals = globals};
    return dsr_command_run(&argp, 0, argc, argv, globals, &a, show);
}
