/* LiveCodeBench, code_generation_lite: JSON lines, each a problem with its tests. An answer is
 * right when its program passes all of them (pass@1). The file may hold gigabytes of tests: only
 * the places of its lines are kept, and an item's gold tells where its tests are. Options:
 * "timeout" (seconds of CPU time a test, 6), "since" and "until" (contest dates, "2024-08-01"). */
#include "lcb.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define TIMEOUT 6 /* LiveCodeBench's own */

struct place {
    size_t file;
    long offset;
    size_t length;
};

struct dataset {
    char **files;
    size_t n_files;
    struct place *list;
    size_t n;
    int timeout;
    char *since, *until;
};

static void close_dataset(void *state)
{
    struct dataset *d = state;
    for (size_t i = 0; i < d->n_files; i++)
        free(d->files[i]);
    free(d->files);
    free(d->list);
    free(d->since);
    free(d->until);
    free(d);
}

static int fail_file(struct dsr_error *err, int code, const char *file, int line, const char *text)
{
    dsr_error_set(err, code, "%s", text);
    snprintf(err->file, sizeof err->file, "%s", file);
    err->line = line;
    return code;
}

static json_t *read_row(const char *file, long offset, size_t length, struct dsr_error *err)
{
    FILE *in = fopen(file, "r");
    char *text = malloc(length + 1);
    json_t *row = NULL;
    if (in && text && !fseek(in, offset, SEEK_SET) && fread(text, 1, length, in) == length)
        row = json_loadb(text, length, 0, NULL);
    if (in)
        fclose(in);
    free(text);
    if (json_is_object(row))
        return row;
    json_decref(row);
    fail_file(err, DSR_ECONFIG, file, 0,
              "the problem is not there any more: was the file changed?");
    return NULL;
}

static bool is_wanted(const struct dataset *d, const json_t *row)
{
    const char *date = json_string_value(json_object_get(row, "contest_date"));
    return (!d->since || (date && strcmp(date, d->since) >= 0)) &&
           (!d->until || (date && strcmp(date, d->until) < 0));
}

/* Dates and the first row of a file are looked into; others are only counted. */
static int look_at(const struct dataset *d, const char *file, const char *line, size_t n,
                   int number, bool *wanted, struct dsr_error *err)
{
    *wanted = true;
    if (number > 1 && !d->since && !d->until)
        return 0;
    json_t *row = json_loadb(line, n, 0, NULL);
    bool sound = json_is_string(json_object_get(row, "question_content"));
    *wanted = sound && is_wanted(d, row);
    json_decref(row);
    return sound ? 0
                 : fail_file(err, DSR_ECONFIG, file, number,
                             "expected an object with \"question_content\" and tests");
}

static int index_file(struct dataset *d, size_t f, struct dsr_error *err)
{
    FILE *in = fopen(d->files[f], "r");
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;
    int number = 0, rc = 0;
    if (!in)
        return fail_file(err, DSR_ECONFIG, d->files[f], 0, strerror(errno));
    for (long offset = 0; !rc && (n = getline(&line, &cap, in)) >= 0; offset += n) {
        bool wanted;
        if (++number && line[strspn(line, " \t\r\n")] == '\0')
            continue;
        rc = look_at(d, d->files[f], line, (size_t)n, number, &wanted, err);
        if (rc || !wanted)
            continue;
        struct place *list = realloc(d->list, (d->n + 1) * sizeof *list);
        if (!list) {
            rc = dsr_error_set(err, DSR_ENOMEM, "out of memory");
            break;
        }
        d->list = list;
        list[d->n++] = (struct place){f, offset, (size_t)n};
    }
    free(line);
    fclose(in);
    return rc;
}

static int add_file(struct dataset *d, const char *path)
{
    char **files = realloc(d->files, (d->n_files + 1) * sizeof *files);
    if (!files)
        return DSR_ENOMEM;
    d->files = files;
    files[d->n_files] = realpath(path, NULL);
    return files[d->n_files] ? (d->n_files++, 0) : DSR_ENOMEM;
}

/* A file, or every .jsonl of a folder in the order of their names. */
static int add_files(struct dataset *d, const char *path, struct dsr_error *err)
{
    struct dirent **list = NULL;
    struct stat st;
    if (stat(path, &st))
        return fail_file(err, DSR_ECONFIG, path, 0, strerror(errno));
    int n = S_ISDIR(st.st_mode) ? scandir(path, &list, NULL, alphasort) : 0, rc = 0;
    if (!S_ISDIR(st.st_mode))
        rc = add_file(d, path);
    for (int i = 0; i < n; i++) {
        const char *end = strrchr(list[i]->d_name, '.');
        char *whole = NULL;
        if (end && !strcmp(end, ".jsonl") && !rc &&
            asprintf(&whole, "%s/%s", path, list[i]->d_name) >= 0)
            rc = add_file(d, whole);
        free(whole);
        free(list[i]);
    }
    free(list);
    return rc ? dsr_error_set(err, DSR_ENOMEM, "out of memory") : 0;
}

static void *open_dataset(const json_t *config, const char *path, const struct dsr_host *host,
                          struct dsr_error *err)
{
    const json_t *options = json_object_get(config, "options");
    const json_t *timeout = json_object_get(options, "timeout");
    const char *since = json_string_value(json_object_get(options, "since"));
    const char *until = json_string_value(json_object_get(options, "until"));
    (void)host;
    struct dataset *d = path ? calloc(1, sizeof *d) : NULL;
    if (!d) {
        dsr_error_set(err, path ? DSR_ENOMEM : DSR_ECONFIG, "the entry names no file");
        return NULL;
    }
    d->timeout = timeout ? (int)json_integer_value(timeout) : TIMEOUT;
    d->since = since ? strdup(since) : NULL;
    d->until = until ? strdup(until) : NULL;
    int rc = d->timeout < 1 || d->timeout > 600
                 ? dsr_error_set(err, DSR_ECONFIG, "\"timeout\" is 1 to 600 seconds")
                 : lcb_sandbox_check(err);
    if (!rc)
        rc = add_files(d, path, err);
    for (size_t f = 0; f < d->n_files && !rc; f++)
        rc = index_file(d, f, err);
    if (!rc && !d->n)
        rc = dsr_error_set(err, DSR_ECONFIG, "%s holds no problem of that time", path);
    if (!rc)
        return d;
    close_dataset(d);
    return NULL;
}

static size_t count(void *state)
{
    return ((struct dataset *)state)->n;
}

/* LiveCodeBench's generic prompt, by the kind of problem, as one user turn. */
static char *prompt_of(const json_t *row)
{
    const char *question = json_string_value(json_object_get(row, "question_content"));
    const char *starter = json_string_value(json_object_get(row, "starter_code"));
    bool method = starter && *starter;
    char *text = NULL;
    int n = asprintf(
        &text,
        "### Question:\n%s\n\n### Format: %s\n```python\n%s\n```\n\n### Answer: (use the provided "
        "format with backticks)\n\n",
        question ? question : "",
        method ? "You will use the following starter code to write the solution to the problem and "
                 "enclose your code within delimiters."
               : "Read the inputs from stdin solve the problem and write the answer to stdout (do "
                 "not directly test on the sample inputs). Enclose your code within delimiters as "
                 "follows.",
        method ? starter : "# YOUR CODE HERE");
    return n < 0 ? NULL : text;
}

static char *text_member(const json_t *row, const char *key)
{
    const char *text = json_string_value(json_object_get(row, key));
    return text && *text ? strdup(text) : NULL;
}

static int item(void *state, size_t i, struct dsr_item *out, struct dsr_error *err)
{
    const struct dataset *d = state;
    const struct place *place = &d->list[i];
    memset(out, 0, sizeof *out);
    json_t *row = read_row(d->files[place->file], place->offset, place->length, err);
    if (!row)
        return err->code;
    char *prompt = prompt_of(row);
    json_t *gold = json_pack("{s:s, s:I, s:I, s:i}", "file", d->files[place->file], "offset",
                             (json_int_t)place->offset, "length", (json_int_t)place->length,
                             "timeout", d->timeout);
    out->id = text_member(row, "question_id");
    if (!out->id && asprintf(&out->id, "%zu", i + 1) < 0)
        out->id = NULL;
    out->group = text_member(row, "difficulty");
    const json_t *platform = json_object_get(row, "platform");
    out->tags = json_is_string(platform) ? json_pack("[O]", platform) : NULL;
    out->gold = gold ? json_dumps(gold, JSON_COMPACT) : NULL;
    if (prompt)
        out->messages = json_pack("[{s:s, s:s}]", "role", "user", "content", prompt);
    free(prompt);
    json_decref(gold);
    json_decref(row);
    if (out->id && out->gold && out->messages)
        return 0;
    dsr_item_clear(out);
    return dsr_error_set(err, DSR_ENOMEM, "out of memory");
}

/* gold: the place of the row, the row itself, or {"tests", "fn_name"?}. */
static int read_tests(const char *gold, struct lcb_tests *tests, int *timeout,
                      struct dsr_error *err)
{
    json_t *parsed = json_loads(gold, 0, NULL), *row = parsed;
    const json_t *file = json_object_get(parsed, "file");
    int rc = 0;
    *timeout = (int)json_integer_value(json_object_get(parsed, "timeout"));
    if (*timeout < 1 || *timeout > 600)
        *timeout = TIMEOUT;
    if (json_is_string(file))
        row = read_row(json_string_value(file),
                       (long)json_integer_value(json_object_get(parsed, "offset")),
                       (size_t)json_integer_value(json_object_get(parsed, "length")), err);
    if (!row)
        rc = parsed ? err->code
                    : dsr_error_set(err, DSR_EINVAL, "\"gold\" is no JSON object with tests");
    if (!rc)
        rc = lcb_tests_read(row, tests, err);
    if (row != parsed)
        json_decref(row);
    json_decref(parsed);
    return rc;
}

/* One test: the rule that it broke, or NULL. */
static const char *run_test(const char *code, size_t n, const struct lcb_tests *tests,
                            const json_t *test, int timeout, int *rc, struct dsr_error *err)
{
    static const char *const names[] = {"", "runtime_error", "time_limit", "output_limit"};
    const json_t *input = json_object_get(test, "input");
    const char *expected = json_string_value(json_object_get(test, "output"));
    struct lcb_run run;
    *rc = lcb_sandbox_run(code, n, tests->function, json_string_value(input),
                          json_string_length(input), timeout, &run, err);
    if (*rc)
        return NULL;
    const char *output = run.output ? run.output : "";
    bool right =
        tests->function ? lcb_value_equal(output, expected) : lcb_output_equal(output, expected);
    const char *broken = run.end != LCB_EXITED ? names[run.end] : right ? NULL : "wrong_answer";
    free(run.output);
    return broken;
}

static int grade(const struct dsr_answer *answer, struct dsr_grade *verdict, struct dsr_error *err)
{
    struct lcb_tests tests = {0};
    const char *code, *broken = NULL, *text = answer->answer;
    size_t n, len = answer->answer_len, i;
    bool own;
    int timeout, rc = 0;
    json_t *test;
    memset(verdict, 0, sizeof *verdict);
    rc = dsr_grade_mode(answer, &own, err);
    if (rc)
        return rc;
    if (own)
        text = dsr_answer_after_think(text, len, &len);
    snprintf(verdict->rule, sizeof verdict->rule, "no_code");
    rc = read_tests(answer->gold, &tests, &timeout, err);
    if (rc || !lcb_code_find(text, len, !own, &code, &n)) {
        lcb_tests_clear(&tests);
        return rc;
    }
    json_array_foreach(tests.cases, i, test)
    {
        broken = run_test(code, n, &tests, test, timeout, &rc, err);
        if (broken || rc)
            break;
    }
    verdict->correct = !broken && !rc;
    verdict->score = verdict->correct;
    snprintf(verdict->rule, sizeof verdict->rule, "%s", broken ? broken : "all_tests");
    snprintf(verdict->extracted, sizeof verdict->extracted, "passed %zu of %zu tests", i,
             json_array_size(tests.cases));
    lcb_tests_clear(&tests);
    return rc;
}

static const struct dsr_evaluator_ops ops = {
    .size = sizeof ops,
    .open = open_dataset,
    .count = count,
    .item = item,
    .grade = grade,
    .close = close_dataset,
    .runs_programs = true,
};

const struct dsr_plugin dsr_plugin = {
    .abi = DSR_ABI,
    .size = sizeof dsr_plugin,
    .kind = DSR_KIND_EVALUATOR,
    .name = "livecodebench",
    .version = "1.0",
    .summary = "LiveCodeBench: programs that must pass their tests, run in a sandbox",
    .licence = "Apache-2.0",
    .ops = &ops,
};
