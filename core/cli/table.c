/* Tables: aligned by libsmartcols for people, RFC 4180 for programs. */
#include "core/cli/cli.h"

#include <libsmartcols.h>

struct dsr_table {
    enum dsr_format format;
    size_t n;
    struct libscols_table *scols;
    bool *text; /* per column: a cell that is no number was seen */
};

static void csv_cell(const char *cell, bool last)
{
    const char *guard = cell ? dsr_csv_guard(cell) : "";
    if (cell && cell[strcspn(cell, "\",\r\n")]) {
        printf("\"%s", guard);
        for (; *cell; cell++) {
            if (*cell == '"')
                putchar('"');
            putchar(*cell);
        }
        putchar('"');
    } else if (cell) {
        printf("%s%s", guard, cell);
    }
    putchar(last ? '\n' : ',');
}

struct dsr_table *dsr_table_new(const char *const *columns, size_t n, enum dsr_format format)
{
    struct dsr_table *t = calloc(1, sizeof *t);
    if (!t || !(t->text = calloc(n, sizeof *t->text))) {
        free(t);
        return NULL;
    }
    t->format = format;
    t->n = n;
    if (format == DSR_FORMAT_CSV) {
        for (size_t i = 0; i < n; i++)
            csv_cell(columns[i], i + 1 == n);
        return t;
    }
    t->scols = scols_new_table();
    for (size_t i = 0; t->scols && i < n; i++)
        scols_table_new_column(t->scols, columns[i], 0, 0);
    return t;
}

static bool is_number(const char *cell)
{
    char *end;
    strtod(cell, &end);
    return end != cell && !*end;
}

int dsr_table_row(struct dsr_table *t, const char *const *cells)
{
    struct libscols_line *line = t->scols ? scols_table_new_line(t->scols, NULL) : NULL;
    for (size_t i = 0; i < t->n; i++) {
        if (t->format == DSR_FORMAT_CSV) {
            csv_cell(cells[i], i + 1 == t->n);
            continue;
        }
        if (!line || scols_line_set_data(line, i, cells[i] ? cells[i] : "-"))
            return DSR_ENOMEM;
        t->text[i] |= cells[i] && !is_number(cells[i]);
    }
    return 0;
}

void dsr_table_print(struct dsr_table *t)
{
    if (!t)
        return;
    for (size_t i = 0; t->scols && i < t->n; i++)
        if (!t->text[i])
            scols_column_set_flags(scols_table_get_column(t->scols, i), SCOLS_FL_RIGHT);
    if (t->scols) {
        scols_table_set_termforce(t->scols, SCOLS_TERMFORCE_NEVER);
        scols_print_table(t->scols);
        scols_unref_table(t->scols);
    }
    free(t->text);
    free(t);
}
