/* AIME: problems whose answer is an integer of 0..999, as JSON lines or one JSON array, in the
 * field names of OpenCompass, Hugging Face's and Maxwell-Jia's copies. */
#include <dsr/evaluator.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct problem {
    char *id, *question, *gold;
};

struct dataset {
    struct problem *list;
    size_t n;
};

static void close_dataset(void *state)
{
    struct dataset *d = state;
    for (size_t i = 0; i < d->n; i++) {
        free(d->list[i].id);
        free(d->list[i].question);
        free(d->list[i].gold);
    }
    free(d->list);
    free(d);
}

/* The first member of these that is there, as text; malloc'd. */
static char *text_of(const json_t *object, const char *const *keys)
{
    for (; *keys; keys++) {
        const json_t *value = json_object_get(object, *keys);
        char *text = NULL;
        if (json_is_string(value) && json_string_length(value))
            return strdup(json_string_value(value));
        if (json_is_integer(value) &&
            asprintf(&text, "%" JSON_INTEGER_FORMAT, json_integer_value(value)) >= 0)
            return text;
    }
    return NULL;
}

static int take_object(void *arg, json_t *object, int line, struct dsr_error *err)
{
    static const char *const questions[] = {"origin_prompt", "problem", "Problem", "question",
                                            NULL};
    static const char *const answers[] = {"gold_answer", "answer", "Answer", NULL};
    static const char *const ids[] = {"id", "ID", NULL};
    struct dataset *d = arg;
    (void)line;
    struct problem *list = realloc(d->list, (d->n + 1) * sizeof *list);
    if (!list)
        return dsr_error_set(err, DSR_ENOMEM, "out of memory");
    d->list = list;
    struct problem *p = &list[d->n++];
    p->id = text_of(object, ids);
    p->question = text_of(object, questions);
    p->gold = text_of(object, answers);
    if (!p->id && asprintf(&p->id, "%zu", d->n) < 0)
        p->id = NULL;
    if (p->id && p->question && p->gold)
        return 0;
    return dsr_error_set(err, DSR_ECONFIG, "problem %zu has no %s", d->n,
                         p->question ? "answer" : "question");
}

static void *open_dataset(const json_t *config, const char *path, const struct dsr_host *host,
                          struct dsr_error *err)
{
    (void)config;
    (void)host;
    struct dataset *d = path ? calloc(1, sizeof *d) : NULL;
    if (!d) {
        dsr_error_set(err, path ? DSR_ENOMEM : DSR_ECONFIG, "the entry names no file");
        return NULL;
    }
    int rc = dsr_jsonl_read(path, take_object, d, err);
    if (!rc && !d->n)
        rc = dsr_error_set(err, DSR_ECONFIG, "%s holds no problem", path);
    if (!rc)
        return d;
    close_dataset(d);
    return NULL;
}

static size_t count(void *state)
{
    return ((struct dataset *)state)->n;
}

static int item(void *state, size_t i, struct dsr_item *out, struct dsr_error *err)
{
    const struct problem *p = &((struct dataset *)state)->list[i];
    char *prompt = NULL;
    memset(out, 0, sizeof *out);
    out->id = strdup(p->id);
    out->gold = strdup(p->gold);
    if (asprintf(&prompt,
                 "%s\nPlease reason step by step, and put your final answer within \\boxed{}.",
                 p->question) >= 0)
        out->messages = json_pack("[{s:s, s:s}]", "role", "user", "content", prompt);
    free(prompt);
    if (out->id && out->gold && out->messages)
        return 0;
    dsr_item_clear(out);
    return dsr_error_set(err, DSR_ENOMEM, "out of memory");
}

static int grade(const struct dsr_answer *answer, struct dsr_grade *verdict, struct dsr_error *err)
{
    return dsr_grade_by_mode(answer, verdict, dsr_grade_integer, dsr_grade_latex_integer, err);
}

static const struct dsr_evaluator_ops ops = {
    .size = sizeof ops,
    .open = open_dataset,
    .count = count,
    .item = item,
    .grade = grade,
    .close = close_dataset,
};

const struct dsr_plugin dsr_plugin = {
    .abi = DSR_ABI,
    .size = sizeof dsr_plugin,
    .kind = DSR_KIND_EVALUATOR,
    .name = "aime",
    .version = "1.0",
    .summary = "AIME: competition problems with integer answers",
    .licence = "Apache-2.0",
    .ops = &ops,
};
