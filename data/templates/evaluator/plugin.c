/* @NAME@: questions of a JSON lines file {"id", "question", "answer"}, graded by the answer's text.
 * See dsr/evaluator.h. */
#include <dsr/evaluator.h>
#include <stdlib.h>
#include <string.h>

struct set {
    json_t *questions; /* array of the file's objects */
};

static void close_set(void *state)
{
    struct set *set = (struct set *)state;
    json_decref(set->questions);
    free(set);
}

static int take_line(void *arg, json_t *object, int line, struct dsr_error *err)
{
    static const char *const members[] = {"id", "question", "answer"};
    struct set *set = (struct set *)arg;
    (void)line;
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        if (!json_is_string(json_object_get(object, members[i])))
            return dsr_error_set(err, DSR_ECONFIG, "\"%s\" is missing or no text", members[i]);
    return json_array_append(set->questions, object)
               ? dsr_error_set(err, DSR_ENOMEM, "out of memory")
               : 0;
}

static void *open_set(const json_t *config, const char *path, const struct dsr_host *host,
                      struct dsr_error *err)
{
    (void)config;
    (void)host;
    if (!path) {
        dsr_error_set(err, DSR_ECONFIG, "the entry names no file");
        return NULL;
    }
    struct set *set = (struct set *)calloc(1, sizeof *set);
    if (!set) {
        dsr_error_set(err, DSR_ENOMEM, "out of memory");
        return NULL;
    }
    set->questions = json_array();
    int rc = dsr_jsonl_read(path, take_line, set, err);
    if (!rc && !json_array_size(set->questions))
        rc = dsr_error_set(err, DSR_ECONFIG, "%s holds no question", path);
    if (!rc)
        return set;
    close_set(set);
    return NULL;
}

static size_t count(void *state)
{
    return json_array_size(((struct set *)state)->questions);
}

static const char *text_of(const json_t *question, const char *member)
{
    return json_string_value(json_object_get(question, member));
}

static int get_item(void *state, size_t i, struct dsr_item *item, struct dsr_error *err)
{
    const json_t *question = json_array_get(((struct set *)state)->questions, i);
    item->id = strdup(text_of(question, "id"));
    item->gold = strdup(text_of(question, "answer"));
    item->messages = json_pack("[{s:s, s:s+}]", "role", "user", "content",
                               text_of(question, "question"),
                               "\nEnd with a line \"ANSWER: \" and the answer in a word.");
    return item->id && item->gold && item->messages
               ? 0
               : dsr_error_set(err, DSR_ENOMEM, "out of memory");
}

static int grade(const struct dsr_answer *answer, struct dsr_grade *result, struct dsr_error *err)
{
    bool own;
    int rc = dsr_grade_mode(answer, &own, err);
    if (!rc)
        dsr_grade_exact(answer, result);
    return rc;
}

static const struct dsr_evaluator_ops ops = {
    sizeof ops, open_set, count, get_item, grade, close_set, false,
};

const struct dsr_plugin dsr_plugin = {
    DSR_ABI, sizeof dsr_plugin, DSR_KIND_EVALUATOR, "@NAME@", "0.1", "questions of @NAME@",
    "Apache-2.0", &ops,
};
