/* GPQA: gpqa_diamond.csv and its siblings, read by position (columns 7 to 11) or by header name.
 * The right answer stands first in the file; options are put in another order, so that every run
 * asks the same: by a fixed seed, or by OpenCompass's rotation when its rules grade ("order" of the
 * options overrides: "seed" or "opencompass"). */
#include <dsr/evaluator.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { QUESTION, CORRECT, WRONG1, WRONG2, WRONG3, SUBDOMAIN, RECORD, N_COLUMNS };
static const char *const names[N_COLUMNS] = {
    "Question",           "Correct Answer", "Incorrect Answer 1", "Incorrect Answer 2",
    "Incorrect Answer 3", "Subdomain",      "Record ID"};

struct row {
    char *text[N_COLUMNS];
};

struct dataset {
    struct row *rows;
    size_t n;
    int at[N_COLUMNS];
    bool begun, rotate;
};

static void close_dataset(void *state)
{
    struct dataset *d = state;
    for (size_t i = 0; i < d->n; i++)
        for (size_t c = 0; c < N_COLUMNS; c++)
            free(d->rows[i].text[c]);
    free(d->rows);
    free(d);
}

/* Places by header name; false when the row is no header. */
static bool take_header(struct dataset *d, char **fields, size_t n)
{
    static const int usual[N_COLUMNS] = {7, 8, 9, 10, 11, 14, 25};
    int at[N_COLUMNS];
    bool whole = true;
    for (size_t c = 0; c < N_COLUMNS; c++) {
        at[c] = -1;
        for (size_t f = 0; f < n && at[c] < 0; f++)
            if (!strcmp(fields[f], names[c]))
                at[c] = (int)f;
        whole &= at[c] >= 0 || c > WRONG3;
    }
    memcpy(d->at, whole ? at : usual, sizeof at);
    return whole;
}

static int take_row(void *arg, char **fields, size_t n, int line, struct dsr_error *err)
{
    struct dataset *d = arg;
    bool first = !d->begun;
    (void)line;
    d->begun = true;
    if (first && take_header(d, fields, n))
        return 0;
    struct row *rows = realloc(d->rows, (d->n + 1) * sizeof *rows);
    if (!rows)
        return dsr_error_set(err, DSR_ENOMEM, "out of memory");
    d->rows = rows;
    struct row *row = &rows[d->n++];
    memset(row, 0, sizeof *row);
    for (size_t c = 0; c < N_COLUMNS; c++) {
        bool there = d->at[c] >= 0 && (size_t)d->at[c] < n;
        if (c <= WRONG3 && (!there || !fields[d->at[c]][0]))
            return dsr_error_set(err, DSR_ECONFIG, "\"%s\" is missing in this row", names[c]);
        if (there && !(row->text[c] = strdup(fields[d->at[c]])))
            return dsr_error_set(err, DSR_ENOMEM, "out of memory");
    }
    return 0;
}

static void *open_dataset(const json_t *config, const char *path, const struct dsr_host *host,
                          struct dsr_error *err)
{
    (void)host;
    if (!path) {
        dsr_error_set(err, DSR_ECONFIG, "the entry names no file");
        return NULL;
    }
    struct dataset *d = calloc(1, sizeof *d);
    if (!d) {
        dsr_error_set(err, DSR_ENOMEM, "out of memory");
        return NULL;
    }
    const json_t *options = json_object_get(config, "options");
    const char *order = json_string_value(json_object_get(options, "order"));
    const char *grader = json_string_value(json_object_get(options, "grader"));
    const char *wanted = order ? order : grader;
    d->rotate = wanted && !strcmp(wanted, "opencompass");
    int rc = dsr_csv_read(path, take_row, d, err);
    if (!rc && !d->n)
        rc = dsr_error_set(err, DSR_ECONFIG, "%s holds no question", path);
    if (!rc)
        return d;
    close_dataset(d);
    return NULL;
}

static size_t count(void *state)
{
    return ((struct dataset *)state)->n;
}

/* order[k] is which answer (0: the right one) stands at letter k. */
static void option_order(const struct dataset *d, size_t i, int order[4])
{
    /* OpenCompass, GPQADataset: row i of 1, 2, ... takes pattern i mod 4 */
    static const char *const patterns[4] = {"ABCD", "BCDA", "CDAB", "DABC"};
    struct dsr_rng rng;
    dsr_rng_init(&rng, 0, i);
    for (int k = 0; k < 4; k++)
        order[k] = d->rotate ? patterns[(i + 1) % 4][k] - 'A' : k;
    for (int k = 3; k > 0 && !d->rotate; k--) {
        int j = (int)dsr_rng_below(&rng, (uint64_t)k + 1), kept = order[k];
        order[k] = order[j];
        order[j] = kept;
    }
}

static const char *trimmed(char *text)
{
    size_t n = strlen(text);
    while (n && strchr(" \t\r\n", text[n - 1]))
        text[--n] = '\0';
    return text + strspn(text, " \t\r\n");
}

static int item(void *state, size_t i, struct dsr_item *out, struct dsr_error *err)
{
    const struct dataset *d = state;
    const struct row *row = &d->rows[i];
    int order[4];
    char *prompt = NULL;
    memset(out, 0, sizeof *out);
    option_order(d, i, order);
    out->options = json_array();
    for (int k = 0; k < 4; k++) {
        json_array_append_new(out->options, json_string(trimmed(row->text[CORRECT + order[k]])));
        if (order[k] == 0 && asprintf(&out->gold, "%c", 'A' + k) < 0)
            out->gold = NULL;
    }
    int n = asprintf(
        &prompt,
        "Answer the following multiple choice question. The last line of your response should be "
        "of the following format: 'ANSWER: $LETTER' (without quotes) where LETTER is one of ABCD. "
        "Think step by step before answering.\n\n%s\n\nA) %s\nB) %s\nC) %s\nD) %s",
        trimmed(row->text[QUESTION]), json_string_value(json_array_get(out->options, 0)),
        json_string_value(json_array_get(out->options, 1)),
        json_string_value(json_array_get(out->options, 2)),
        json_string_value(json_array_get(out->options, 3)));
    const char *record = row->text[RECORD];
    if ((record && *record ? asprintf(&out->id, "%s", record) : asprintf(&out->id, "%zu", i + 1)) <
        0)
        out->id = NULL;
    if (row->text[SUBDOMAIN] && row->text[SUBDOMAIN][0])
        out->group = strdup(row->text[SUBDOMAIN]);
    if (n >= 0)
        out->messages = json_pack("[{s:s, s:s}]", "role", "user", "content", prompt);
    free(prompt);
    if (out->id && out->gold && out->messages)
        return 0;
    dsr_item_clear(out);
    return dsr_error_set(err, DSR_EINVAL, "question %zu can't be made (is the file UTF-8?)", i + 1);
}

static int grade(const struct dsr_answer *answer, struct dsr_grade *verdict, struct dsr_error *err)
{
    return dsr_grade_by_mode(answer, verdict, dsr_grade_choice, dsr_grade_first_answer, err);
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
    .name = "gpqa",
    .version = "1.0",
    .summary = "GPQA: graduate-level science, four options",
    .licence = "Apache-2.0",
    .ops = &ops,
};
