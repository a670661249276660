/* Folders of subjects, read once; items are made from them. */
#include "core/base/base.h"

#include <dirent.h>
#include <dsr/evaluator.h>

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

struct dsr_subjects {
    const struct dsr_subject_form *form;
    struct subject *list;
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

void dsr_subjects_close(void *state)
{
    struct dsr_subjects *s = state;
    for (size_t i = 0; i < s->n; i++) {
        rows_free(s->list[i].rows, s->list[i].n);
        rows_free(s->list[i].shots, s->list[i].n_shots);
        free(s->list[i].code);
        free(s->list[i].name);
    }
    free(s->list);
    json_decref(s->mapping);
    free(s);
}

struct reading {
    struct row **rows;
    size_t *n, limit;
    int at[N_COLUMNS];
    bool header;
};

static int take_header(struct reading *r, char **fields, size_t n, struct dsr_error *err)
{
    for (size_t c = 0; c < N_COLUMNS; c++) {
        r->at[c] = -1;
        for (size_t f = 0; f < n; f++)
            if (!strcmp(fields[f], names[c]))
                r->at[c] = (int)f;
        if (r->at[c] < 0 && c != ID)
            return dsr_error_set(err, DSR_ECONFIG, "the header has no column \"%s\"%s", names[c],
                                 c == ANSWER ? " (a test split without answers can't be graded)"
                                             : "");
    }
    return 0;
}

static int take_row(void *arg, char **fields, size_t n, int line, struct dsr_error *err)
{
    struct reading *r = arg;
    (void)line;
    if (r->header) {
        r->header = false;
        return take_header(r, fields, n, err);
    }
    if (*r->n >= r->limit)
        return 0;
    struct row *rows = realloc(*r->rows, (*r->n + 1) * sizeof *rows);
    if (!rows)
        return dsr_error_set(err, DSR_ENOMEM, "out of memory");
    *r->rows = rows;
    struct row *row = &rows[*r->n];
    memset(row, 0, sizeof *row);
    if (r->at[ID] < 0)
        row->text[ID] = dsr_format("%zu", *r->n);
    ++*r->n;
    for (size_t c = 0; c < N_COLUMNS; c++) {
        if (r->at[c] < 0)
            continue;
        if ((size_t)r->at[c] >= n)
            return dsr_error_set(err, DSR_ECONFIG, "the row has no \"%s\"", names[c]);
        row->text[c] = strdup(fields[r->at[c]]);
    }
    for (size_t c = 0; c < N_COLUMNS; c++)
        if (!row->text[c])
            return dsr_error_set(err, DSR_ENOMEM, "out of memory");
    const char *letter = row->text[ANSWER];
    if (letter[0] >= 'A' && letter[0] <= 'D' && !letter[1])
        return 0;
    return dsr_error_set(err, DSR_ECONFIG, "the answer \"%s\" is none of A, B, C, D", letter);
}

static int read_rows(const struct dsr_subjects *s, const char *folder, const char *split,
                     const char *code, size_t limit, struct row **rows, size_t *n,
                     struct dsr_error *err)
{
    struct reading r = {.rows = rows, .n = n, .limit = limit, .header = s->form->header};
    for (int c = 0; c < N_COLUMNS; c++)
        r.at[c] = c - 1;
    DSR_AUTO(str) char *path = dsr_format("%s/%s/%s_%s.csv", folder, split, code, split);
    return path ? dsr_csv_read(path, take_row, &r, err) : dsr_error_nomem(err);
}

static int add_subject(struct dsr_subjects *s, const char *folder, const char *split,
                       const char *code, size_t shots, struct dsr_error *err)
{
    struct subject *list = realloc(s->list, (s->n + 1) * sizeof *list);
    if (!list)
        return dsr_error_nomem(err);
    s->list = list;
    struct subject *subject = &list[s->n++];
    memset(subject, 0, sizeof *subject);
    subject->code = strdup(code);
    subject->name = s->form->name(code, s->mapping);
    if (!subject->code || !subject->name)
        return dsr_error_nomem(err);
    int rc = read_rows(s, folder, split, code, SIZE_MAX, &subject->rows, &subject->n, err);
    if (!rc && shots)
        rc = read_rows(s, folder, "dev", code, shots, &subject->shots, &subject->n_shots, err);
    s->items += subject->n;
    return rc;
}

static int add_subjects(struct dsr_subjects *s, const char *folder, const char *split, size_t shots,
                        struct dsr_error *err)
{
    struct dirent **list = NULL;
    DSR_AUTO(str) char *path = dsr_path_join(folder, split);
    DSR_AUTO(str) char *suffix = dsr_format("_%s.csv", split);
    if (!path || !suffix)
        return dsr_error_nomem(err);
    int n = scandir(path, &list, NULL, alphasort), rc = 0;
    for (int i = 0; i < n; i++) {
        size_t whole = strlen(list[i]->d_name), tail = strlen(suffix);
        if (whole > tail && !strcmp(list[i]->d_name + whole - tail, suffix) && !rc) {
            list[i]->d_name[whole - tail] = '\0';
            rc = add_subject(s, folder, split, list[i]->d_name, shots, err);
        }
        free(list[i]);
    }
    free(list);
    if (!rc && !s->items)
        rc = dsr_error_set(err, DSR_ECONFIG, "%s holds no SUBJECT%s with questions", path, suffix);
    return rc;
}

struct dsr_subjects *dsr_subjects_open(const json_t *config, const char *path,
                                       const struct dsr_subject_form *form, struct dsr_error *err)
{
    const json_t *options = json_object_get(config, "options");
    const char *split = dsr_json_string(options, "split", form->split);
    int64_t shots = dsr_json_int(options, "shots", form->shots);
    DSR_AUTO(str) char *mapping = path ? dsr_path_join(path, "subject_mapping.json") : NULL;
    struct dsr_subjects *s = mapping ? calloc(1, sizeof *s) : NULL;
    if (!s) {
        dsr_error_set(err, path ? DSR_ENOMEM : DSR_ECONFIG, "the entry names no folder");
        return NULL;
    }
    s->form = form;
    s->mapping = json_load_file(mapping, 0, NULL);
    int rc = shots < 0 || shots > 5 ? dsr_error_set(err, DSR_ECONFIG, "\"shots\" is 0 to 5")
                                    : add_subjects(s, path, split, (size_t)shots, err);
    if (!rc)
        return s;
    dsr_subjects_close(s);
    return NULL;
}

size_t dsr_subjects_count(void *state)
{
    return ((struct dsr_subjects *)state)->items;
}

static json_t *question_turn(const struct dsr_subjects *s, const struct subject *subject,
                             const struct row *row)
{
    char *const *t = row->text;
    struct dsr_subject_question q = {t[ID], t[QUESTION], {t[A], t[B], t[C], t[D]}, t[ANSWER]};
    DSR_AUTO(str) char *text = s->form->ask(subject->name, &q);
    return text ? json_pack("{s:s, s:s}", "role", "user", "content", text) : NULL;
}

static json_t *solved_turn(const struct dsr_subjects *s, const struct row *row)
{
    return json_pack("{s:s, s:s+}", "role", "assistant", "content", s->form->solved,
                     row->text[ANSWER]);
}

int dsr_subjects_item(void *state, size_t i, struct dsr_item *out, struct dsr_error *err)
{
    const struct dsr_subjects *s = state;
    const struct subject *subject = s->list;
    memset(out, 0, sizeof *out);
    while (i >= subject->n)
        i -= subject++->n;
    const struct row *row = &subject->rows[i];
    bool ok = (out->messages = json_array()) && (out->options = json_array());
    for (size_t k = 0; k < subject->n_shots && ok; k++)
        ok = !json_array_append_new(out->messages, question_turn(s, subject, &subject->shots[k])) &&
             !json_array_append_new(out->messages, solved_turn(s, &subject->shots[k]));
    ok = ok && !json_array_append_new(out->messages, question_turn(s, subject, row));
    for (int c = A; c <= D && ok; c++)
        ok = !json_array_append_new(out->options, json_string(row->text[c]));
    out->id = dsr_format("%s/%s", subject->code, row->text[ID]);
    out->group = strdup(subject->code);
    out->gold = strdup(row->text[ANSWER]);
    out->tags = s->form->tags(subject->code, s->mapping);
    if (ok && out->id && out->group && out->gold)
        return 0;
    dsr_item_clear(out);
    return dsr_error_set(err, DSR_EINVAL, "a question of %s can't be made (is it UTF-8?)",
                         subject->code);
}
