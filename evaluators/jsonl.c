/* Questions of the user's own, one JSON object a line: {"id","question","options"?,"answer"}.
 * With options the answer is a letter (or the text of the right one, or its place from 0) and the
 * last committed letter counts; without, the answer must be met exactly, as an integer when it is
 * one. Options of the entry: "prompt" (put before each question), "group" (the member that names a
 * question's group; "group" unless told). */
#include <dsr/evaluator.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_OPTIONS 10

struct dataset {
    json_t *rows;
    char *prompt, *group;
};

static void close_dataset(void *state)
{
    struct dataset *d = state;
    json_decref(d->rows);
    free(d->prompt);
    free(d->group);
    free(d);
}

/* A text or an integer as text; malloc'd. */
static char *text_of(const json_t *value)
{
    char *text = NULL;
    if (json_is_string(value))
        return strdup(json_string_value(value));
    if (json_is_integer(value) &&
        asprintf(&text, "%" JSON_INTEGER_FORMAT, json_integer_value(value)) >= 0)
        return text;
    return NULL;
}

/* The letter that the answer means among the options, or 0. */
static char letter_of(const json_t *options, const json_t *answer)
{
    size_t n = json_array_size(options), i;
    json_t *option;
    const char *text = json_string_value(answer);
    if (json_is_integer(answer) && json_integer_value(answer) >= 0 &&
        (size_t)json_integer_value(answer) < n)
        return (char)('A' + json_integer_value(answer));
    if (!text)
        return 0;
    if (text[0] >= 'A' && (size_t)(text[0] - 'A') < n && !text[1])
        return text[0];
    json_array_foreach(options, i, option)
    {
        if (json_is_string(option) && !strcmp(json_string_value(option), text))
            return (char)('A' + i);
    }
    return 0;
}

static const char *flaw(const json_t *row)
{
    const json_t *options = json_object_get(row, "options"),
                 *answer = json_object_get(row, "answer");
    size_t i;
    json_t *option;
    if (!json_is_string(json_object_get(row, "question")))
        return "\"question\" must be a text";
    if (!json_is_string(answer) && !json_is_integer(answer))
        return "\"answer\" must be a text or an integer";
    if (!options || json_is_null(options))
        return NULL;
    if (!json_is_array(options) || json_array_size(options) < 2 ||
        json_array_size(options) > MOST_OPTIONS)
        return "\"options\" must be an array of 2 to 10 texts";
    json_array_foreach(options, i, option)
    {
        if (!json_is_string(option))
            return "\"options\" must be an array of 2 to 10 texts";
    }
    return letter_of(options, answer) ? NULL
                                      : "\"answer\" is no letter, text or place of an option";
}

static int take_row(void *arg, json_t *row, int line, struct dsr_error *err)
{
    struct dataset *d = arg;
    const char *wrong = flaw(row);
    (void)line;
    if (!wrong && !json_array_append(d->rows, row))
        return 0;
    return dsr_error_set(err, wrong ? DSR_ECONFIG : DSR_ENOMEM, "%s",
                         wrong ? wrong : "out of memory");
}

static void *open_dataset(const json_t *config, const char *path, const struct dsr_host *host,
                          struct dsr_error *err)
{
    const json_t *options = json_object_get(config, "options");
    const char *prompt = json_string_value(json_object_get(options, "prompt"));
    const char *group = json_string_value(json_object_get(options, "group"));
    (void)host;
    struct dataset *d = path ? calloc(1, sizeof *d) : NULL;
    if (!d) {
        dsr_error_set(err, path ? DSR_ENOMEM : DSR_ECONFIG, "the entry names no file");
        return NULL;
    }
    d->rows = json_array();
    d->prompt = prompt ? strdup(prompt) : NULL;
    d->group = strdup(group ? group : "group");
    int rc = d->rows && d->group ? dsr_jsonl_read(path, take_row, d, err)
                                 : dsr_error_set(err, DSR_ENOMEM, "out of memory");
    if (!rc && !json_array_size(d->rows))
        rc = dsr_error_set(err, DSR_ECONFIG, "%s holds no question", path);
    if (!rc)
        return d;
    close_dataset(d);
    return NULL;
}

static size_t count(void *state)
{
    return json_array_size(((struct dataset *)state)->rows);
}

static char *prompt_of(const struct dataset *d, const json_t *row)
{
    static const char letters[] = "ABCDEFGHIJ";
    const json_t *options = json_object_get(row, "options");
    size_t n = json_array_size(options), size = 0, i;
    char *text = NULL;
    json_t *option;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return NULL;
    if (d->prompt)
        fprintf(out, "%s\n\n", d->prompt);
    else if (n)
        fprintf(out,
                "Answer the following multiple choice question. The last line of your response "
                "should be of the following format: 'ANSWER: $LETTER' (without quotes) where "
                "LETTER is one of %.*s. Think step by step before answering.\n\n",
                (int)n, letters);
    fputs(json_string_value(json_object_get(row, "question")), out);
    if (n)
        fputc('\n', out);
    json_array_foreach(options, i, option)
        fprintf(out, "\n%c) %s", letters[i], json_string_value(option));
    if (!n && !d->prompt)
        fputs("\nPlease reason step by step, and put your final answer within \\boxed{}.", out);
    if (fclose(out)) {
        free(text);
        return NULL;
    }
    return text;
}

static int item(void *state, size_t i, struct dsr_item *out, struct dsr_error *err)
{
    const struct dataset *d = state;
    const json_t *row = json_array_get(d->rows, i);
    const json_t *options = json_object_get(row, "options");
    const json_t *answer = json_object_get(row, "answer");
    memset(out, 0, sizeof *out);
    out->id = text_of(json_object_get(row, "id"));
    if (!out->id && asprintf(&out->id, "%zu", i + 1) < 0)
        out->id = NULL;
    out->group = text_of(json_object_get(row, d->group));
    if (json_is_array(options)) {
        char letter[2] = {letter_of(options, answer), 0};
        out->options = json_deep_copy(options);
        out->gold = strdup(letter);
    } else {
        out->gold = text_of(answer);
    }
    char *prompt = prompt_of(d, row);
    if (prompt)
        out->messages = json_pack("[{s:s, s:s}]", "role", "user", "content", prompt);
    free(prompt);
    if (out->id && out->gold && out->messages)
        return 0;
    dsr_item_clear(out);
    return dsr_error_set(err, DSR_ENOMEM, "out of memory");
}

static int grade(const struct dsr_answer *answer, struct dsr_grade *verdict, struct dsr_error *err)
{
    bool letters = json_is_array(answer->options);
    return dsr_grade_by_mode(answer, verdict, dsr_grade_exact,
                             letters ? dsr_grade_first_answer : dsr_grade_latex_integer, err);
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
    .name = "jsonl",
    .version = "1.0",
    .summary = "questions of your own: multiple choice or exact answers, JSON lines",
    .licence = "Apache-2.0",
    .ops = &ops,
};
