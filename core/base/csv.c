/* RFC 4180 tables by libcsv: whole rows, with the line each begins on. */
#include "base.h"

#include <csv.h>
#include <errno.h>

#define FIELD_BEGUN 2 /* libcsv's state inside a field */

struct reader {
    struct dsr_buf text; /* the row's fields, each with its NUL */
    size_t *offsets;
    size_t n, cap;
    int line, row_line;
    dsr_csv_row_fn *row;
    void *arg;
    struct dsr_error *err;
    int rc;
};

static void on_field(void *data, size_t len, void *arg)
{
    struct reader *r = arg;
    if (r->rc)
        return;
    if (r->n == r->cap) {
        size_t cap = r->cap ? r->cap * 2 : 32;
        size_t *offsets = realloc(r->offsets, cap * sizeof *offsets);
        if (!offsets) {
            r->rc = dsr_error_nomem(r->err);
            return;
        }
        r->offsets = offsets;
        r->cap = cap;
    }
    r->offsets[r->n++] = r->text.len;
    if (dsr_buf_add(&r->text, data, len) || dsr_buf_add(&r->text, "", 1))
        r->rc = dsr_error_nomem(r->err);
}

static void on_row(int terminator, void *arg)
{
    struct reader *r = arg;
    (void)terminator;
    if (!r->rc && r->n) {
        char **fields = malloc(r->n * sizeof *fields);
        if (!fields) {
            r->rc = dsr_error_nomem(r->err);
            return;
        }
        for (size_t i = 0; i < r->n; i++)
            fields[i] = r->text.data + r->offsets[i];
        r->rc = r->row(r->arg, fields, r->n, r->row_line, r->err);
        free(fields);
    }
    dsr_buf_reset(&r->text);
    r->n = 0;
    r->row_line = 0;
}

/* Feeds up to one line at a time, so that a row knows where it began. */
static int feed(struct csv_parser *parser, struct reader *r, const char *path, const char *line,
                size_t n)
{
    r->line++;
    if (!r->row_line)
        r->row_line = r->line;
    if (csv_parse(parser, line, n, on_field, on_row, r) != n && !r->rc)
        return dsr_error_file(r->err, DSR_ECONFIG, path, r->line, "not a valid CSV row: %s",
                              csv_strerror(csv_error(parser)));
    return r->rc;
}

static int read_all(FILE *file, const char *path, struct csv_parser *parser, struct reader *r)
{
    DSR_AUTO(str) char *line = NULL;
    size_t cap = 0;
    ssize_t n;
    while ((n = getline(&line, &cap, file)) >= 0) {
        size_t bom = r->line == 0 && n >= 3 && !memcmp(line, "\xef\xbb\xbf", 3) ? 3 : 0;
        if (feed(parser, r, path, line + bom, (size_t)n - bom))
            return r->rc ? r->rc : DSR_ECONFIG;
    }
    if (ferror(file))
        return dsr_error_file(r->err, DSR_EIO, path, r->line, "can't be read: %s", strerror(errno));
    /* libcsv tells of an open quote only in its strict mode, which refuses quotes inside fields */
    if (parser->pstate == FIELD_BEGUN && parser->quoted)
        return dsr_error_file(r->err, DSR_ECONFIG, path, r->row_line,
                              "the file ends inside a quoted field");
    csv_fini(parser, on_field, on_row, r);
    return r->rc;
}

int dsr_csv_read(const char *path, dsr_csv_row_fn *row, void *arg, struct dsr_error *err)
{
    struct csv_parser parser;
    struct reader r = {.row = row, .arg = arg, .err = err};
    DSR_AUTO(file) FILE *file = fopen(path, "r");
    if (!file)
        return dsr_error_file(err, DSR_ECONFIG, path, 0, "can't be read: %s", strerror(errno));
    if (csv_init(&parser, 0))
        return dsr_error_nomem(err);
    int rc = read_all(file, path, &parser, &r);
    if (rc && err && !err->file[0]) {
        snprintf(err->file, sizeof err->file, "%s", path);
        err->line = r.row_line;
    }
    csv_free(&parser);
    dsr_buf_clear(&r.text);
    free(r.offsets);
    return rc;
}

const char *dsr_csv_guard(const char *text)
{
    char *end;
    if (!*text || !text[1] || !strchr("=+-@\t\r", *text))
        return "";
    strtod(text, &end);
    return end != text && !*end ? "" : "'";
}
