/* C-Eval: a folder with dev/, val/ and test/, one CSV file a subject, and subject_mapping.json with
 * the Chinese names. Each question is put with up to five solved ones of its subject before it, as
 * turns of the chat (OpenCompass, ceval_gen_5f30c7). Options: "split" (val), "shots" (5). */
#include <dirent.h>
#include <dsr/evaluator.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ID, QUESTION, A, B, C, D, ANSWER, N_COLUMNS };
static const char *const names[N_COLUMNS] = {"id", "question", "A", "B", "C", "D", "answer"};

struct row {
    char *text[N_COLUMNS];
};

struct subject {
    char *code, *name;
    struct row *rows, *shots;
    size_t n, n_shots;
};

struct dataset {
    struct subject *subjects;
    size_t n, items;
    json_t *mapping;
};

static void rows_free(struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < N_COLUMNS; c++)
            free(rows[i].text[c]);
    free(rows);
}

static void close_dataset(void *state)
{
    struct dataset *d = state;
    for (size_t i = 0; i < d->n; i++) {
        rows_free(d->subjects[i].rows, d->subjects[i].n);
        rows_free(d->subjects[i].shots, d->subjects[i].n_shots);
        free(d->subjects[i].code);
        free(d->subjects[i].name);
    }
    free(d->subjects);
    json_decref(d->mapping);
    free(d);
}

struct reading {
    struct row **rows;
    size_t *n, limit;
    int at[N_COLUMNS];
    bool begun;
};

static int take_row(void *arg, char **fields, size_t n, int line, struct dsr_error *err)
{
    struct reading *r = arg;
    (void)line;
    if (!r->begun) {
        r->begun = true;
        for (size_t c = 0; c < N_COLUMNS; c++) {
            r->at[c] = -1;
            for (size_t f = 0; f < n; f++)
                if (!strcmp(fields[f], names[c]))
                    r->at[c] = (int)f;
            if (r->at[c] < 0)
                return dsr_error_set(
                    err, DSR_ECONFIG, "the header has no column \"%s\"%s", names[c],
                    c == ANSWER ? " (answers of the test split are not public)" : "");
        }
        return 0;
    }
    if (*r->n >= r->limit)
        return 0;
    struct row *rows = realloc(*r->rows, (*r->n + 1) * sizeof *rows);
    if (!rows)
        return dsr_error_set(err, DSR_ENOMEM, "out of memory");
    *r->rows = rows;
    struct row *row = &rows[(*r->n)++];
    memset(row, 0, sizeof *row);
    for (size_t c = 0; c < N_COLUMNS; c++) {
        if ((size_t)r->at[c] >= n)
            return dsr_error_set(err, DSR_ECONFIG, "the row has no \"%s\"", names[c]);
        if (!(row->text[c] = strdup(fields[r->at[c]])))
            return dsr_error_set(err, DSR_ENOMEM, "out of memory");
    }
    return 0;
}

static int read_rows(const char *folder, const char *split, const char *code, size_t limit,
                     struct row **rows, size_t *n, struct dsr_error *err)
{
    struct reading r = {.rows = rows, .n = n, .limit = limit};
    char *path = NULL;
    if (asprintf(&path, "%s/%s/%s_%s.csv", folder, split, code, split) < 0)
        return dsr_error_set(err, DSR_ENOMEM, "out of memory");
    int rc = dsr_csv_read(path, take_row, &r, err);
    free(path);
    return rc;
}

/* "computer_network" -> "计算机网络", or "computer network" when the mapping does not know it. */
static char *subject_name(const struct dataset *d, const char *code)
{
    const char *chinese = json_string_value(json_array_get(json_object_get(d->mapping, code), 1));
    char *name = strdup(chinese ? chinese : code);
    for (char *p = name; p && *p && !chinese; p++)
        if (*p == '_')
            *p = ' ';
    return name;
}

static int add_subject(struct dataset *d, const char *folder, const char *split, const char *code,
                       size_t shots, struct dsr_error *err)
{
    struct subject *subjects = realloc(d->subjects, (d->n + 1) * sizeof *subjects);
    if (!subjects)
        return dsr_error_set(err, DSR_ENOMEM, "out of memory");
    d->subjects = subjects;
    struct subject *s = &subjects[d->n++];
    memset(s, 0, sizeof *s);
    s->code = strdup(code);
    s->name = subject_name(d, code);
    if (!s->code || !s->name)
        return dsr_error_set(err, DSR_ENOMEM, "out of memory");
    int rc = read_rows(folder, split, code, SIZE_MAX, &s->rows, &s->n, err);
    if (!rc && shots)
        rc = read_rows(folder, "dev", code, shots, &s->shots, &s->n_shots, err);
    d->items += s->n;
    return rc;
}

static int add_subjects(struct dataset *d, const char *folder, const char *split, size_t shots,
                        struct dsr_error *err)
{
    struct dirent **list = NULL;
    char *path = NULL, suffix[32];
    if (asprintf(&path, "%s/%s", folder, split) < 0)
        return dsr_error_set(err, DSR_ENOMEM, "out of memory");
    int n = scandir(path, &list, NULL, alphasort), rc = 0;
    snprintf(suffix, sizeof suffix, "_%s.csv", split);
    for (int i = 0; i < n; i++) {
        char *end = strstr(list[i]->d_name, suffix);
        if (end && !end[strlen(suffix)] && !rc) {
            *end = '\0';
            rc = add_subject(d, folder, split, list[i]->d_name, shots, err);
        }
        free(list[i]);
    }
    free(list);
    if (!rc && !d->items)
        rc = dsr_error_set(err, DSR_ECONFIG, "%s holds no SUBJECT%s with questions", path, suffix);
    free(path);
    return rc;
}

static void *open_dataset(const json_t *config, const char *path, const struct dsr_host *host,
                          struct dsr_error *err)
{
    const json_t *options = json_object_get(config, "options");
    const char *split = json_string_value(json_object_get(options, "split"));
    const json_t *shots = json_object_get(options, "shots");
    char *mapping = NULL;
    (void)host;
    struct dataset *d = path ? calloc(1, sizeof *d) : NULL;
    if (!d || asprintf(&mapping, "%s/subject_mapping.json", path) < 0) {
        dsr_error_set(err, path ? DSR_ENOMEM : DSR_ECONFIG, "the entry names no folder");
        free(d);
        return NULL;
    }
    d->mapping = json_load_file(mapping, 0, NULL);
    free(mapping);
    json_int_t n = shots ? json_integer_value(shots) : 5;
    int rc = n < 0 || n > 5 ? dsr_error_set(err, DSR_ECONFIG, "\"shots\" is 0 to 5")
                            : add_subjects(d, path, split ? split : "val", (size_t)n, err);
    if (!rc)
        return d;
    close_dataset(d);
    return NULL;
}

static size_t count(void *state)
{
    return ((struct dataset *)state)->items;
}

static json_t *question_turn(const struct subject *s, const struct row *row)
{
    char *text = NULL;
    if (asprintf(&text,
                 "以下是中国关于%s考试的单项选择题，请选出其中的正确答案。\n%s\nA. %s\nB. %s\nC. "
                 "%s\nD. %s\n答案: ",
                 s->name, row->text[QUESTION], row->text[A], row->text[B], row->text[C],
                 row->text[D]) < 0)
        return NULL;
    json_t *turn = json_pack("{s:s, s:s}", "role", "user", "content", text);
    free(text);
    return turn;
}

static int item(void *state, size_t i, struct dsr_item *out, struct dsr_error *err)
{
    const struct dataset *d = state;
    const struct subject *s = d->subjects;
    memset(out, 0, sizeof *out);
    while (i >= s->n)
        i -= s++->n;
    const struct row *row = &s->rows[i];
    bool ok = (out->messages = json_array()) && (out->options = json_array());
    for (size_t k = 0; k < s->n_shots && ok; k++)
        ok = !json_array_append_new(out->messages, question_turn(s, &s->shots[k])) &&
             !json_array_append_new(out->messages, json_pack("{s:s, s:s}", "role", "assistant",
                                                             "content", s->shots[k].text[ANSWER]));
    ok = ok && !json_array_append_new(out->messages, question_turn(s, row));
    for (int c = A; c <= D && ok; c++)
        ok = !json_array_append_new(out->options, json_string(row->text[c]));
    if (ok && asprintf(&out->id, "%s/%s", s->code, row->text[ID]) < 0)
        out->id = NULL;
    out->group = strdup(s->code);
    out->gold = strdup(row->text[ANSWER]);
    if (ok && out->id && out->group && out->gold)
        return 0;
    dsr_item_clear(out);
    return dsr_error_set(err, DSR_EINVAL, "a question of %s can't be made (is it UTF-8?)", s->code);
}

static int grade(const struct dsr_answer *answer, struct dsr_grade *verdict, struct dsr_error *err)
{
    return dsr_grade_by_mode(answer, verdict, dsr_grade_choice, dsr_grade_first_capital, err);
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
    .name = "ceval",
    .version = "1.0",
    .summary = "C-Eval: Chinese examination questions, four options",
    .licence = "Apache-2.0",
    .ops = &ops,
};
