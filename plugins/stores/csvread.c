/* Reading the CSV files, those of the seed system too: it appends performance rows without a
 * header, and its benchmark rows carry one column more than their header names. */
#include "plugins/stores/csvstore.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <unistd.h>

struct reading {
    const struct csv_column *columns;
    size_t n;
    int at[PERF_COLUMNS]; /* where each column stands; -1: nowhere */
    bool begun, has_header, bench;
    int shift; /* benchmark rows: surplus columns in front */
    const struct dsr_query *query;
    dsr_visit_fn *visit;
    void *arg;
};

/* True when the row is a header; then the columns are where it says. */
static bool take_header(struct reading *r, char **fields, size_t n)
{
    bool header = false;
    for (size_t c = 0; c < r->n; c++)
        for (size_t f = 0; f < n; f++)
            header |= !strcasecmp(fields[f], r->columns[c].name);
    for (size_t c = 0; c < r->n; c++) {
        r->at[c] = header ? -1 : (int)c;
        for (size_t f = 0; f < n && header; f++)
            if (!strcasecmp(fields[f], r->columns[c].name))
                r->at[c] = (int)f;
    }
    return header;
}

static json_t *read_value(const char *text, enum csv_type type)
{
    char *end;
    if (type == CSV_TEXT)
        return *text && strcmp(text, "None") ? json_string(text) : json_null();
    if (type == CSV_BOOL)
        return json_boolean(!strcasecmp(text, "true") || !strcmp(text, "1"));
    double number = strtod(text, &end);
    if (end == text || *end)
        return json_null();
    return type == CSV_INTEGER ? json_integer((json_int_t)number) : json_real(number);
}

/* Counts behind an accuracy that this program wrote into results_json. */
static void take_results(json_t *body, const char *text)
{
    json_t *results = json_loads(text, 0, NULL);
    if (json_is_object(results))
        json_object_update_missing(body, results);
    json_decref(results);
}

static void read_fields(const struct reading *r, char **fields, size_t n, json_t *body)
{
    for (size_t c = 0; c < r->n; c++) {
        int at = r->at[c] + r->shift;
        if (r->at[c] < 0 || (size_t)at >= n)
            continue;
        json_object_set_new(body, r->columns[c].key, read_value(fields[at], r->columns[c].type));
        if (!strcmp(r->columns[c].key, "results_json"))
            take_results(body, fields[at]);
    }
}

static const char *text_of(const json_t *body, const char *key)
{
    const char *text = json_string_value(json_object_get(body, key));
    return text ? text : "";
}

/* Seed rows: benchmark, provider, model, benchmark, success, start_time, metric, ... where the
 * header has no first benchmark. Without a header that order is taken too. */
static void find_shift(struct reading *r, char **fields, size_t n)
{
    static const int seed_order[BENCH_COLUMNS] = {1, 2, 3, 4, 6, 7, 8, 5, 9};
    r->shift = 0;
    if (!r->bench || n < 9 || strcmp(fields[0], fields[3]))
        return;
    if (r->has_header)
        r->shift = 1;
    else
        for (size_t c = 0; c < BENCH_COLUMNS; c++)
            r->at[c] = seed_order[c];
}

static int take_row(void *arg, char **fields, size_t n, int line, struct dsr_error *err)
{
    struct reading *r = arg;
    char key[32];
    if (!r->begun) {
        r->begun = true;
        r->has_header = take_header(r, fields, n);
        if (r->has_header)
            return 0;
    }
    find_shift(r, fields, n);
    json_t *body = json_object();
    if (!body)
        return dsr_error_set(err, DSR_ENOMEM, "out of memory");
    read_fields(r, fields, n, body);
    snprintf(key, sizeof key, "line-%08d", line);
    struct dsr_record record = {
        .kind = r->bench ? DSR_RECORD_BENCHMARK : DSR_RECORD_PERF,
        .job = text_of(body, "job"),
        .model = text_of(body, "model"),
        .provider = text_of(body, "provider"),
        .key = key,
        .body = body,
    };
    bool readable = record.provider[0] && record.model[0] &&
                    !dsr_time_parse(text_of(body, "start_time"), 0, &record.time_us);
    if (!readable)
        record.kind = DSR_RECORD_UNKNOWN;
    int rc = !readable || dsr_query_fits(r->query, &record) ? r->visit(r->arg, &record, err) : 0;
    json_decref(body);
    return rc;
}

/* The seed system writes its last column as bare JSON, commas, quotes and all. Such a tail is put
 * between quotes here, so that the row is RFC 4180. */
static void quote_tail(const char *line, FILE *out)
{
    bool quoted = false;
    const char *p = line;
    for (; *p && (quoted || strncmp(p, ",{", 2)); p++)
        quoted ^= *p == '"';
    fwrite(line, 1, (size_t)(p - line), out);
    if (!*p)
        return;
    fputs(",\"", out);
    for (p++; *p && *p != '\n' && *p != '\r'; p++) {
        if (*p == '"')
            fputc('"', out);
        fputc(*p, out);
    }
    fputs("\"\n", out);
}

/* A copy of the file with quoted tails, in memory; NULL on failure. */
static FILE *quoted_copy(const char *path)
{
    FILE *in = fopen(path, "re");
    int fd = in ? memfd_create("benchmark_results", MFD_CLOEXEC) : -1;
    FILE *out = fd >= 0 ? fdopen(fd, "w+") : NULL;
    char *line = NULL;
    size_t cap = 0;
    while (out && getline(&line, &cap, in) >= 0)
        quote_tail(line, out);
    free(line);
    if (in)
        fclose(in);
    if (out && fflush(out)) {
        fclose(out);
        return NULL;
    }
    return out;
}

static int scan_quoted(const char *path, struct reading *r, struct dsr_error *err)
{
    char copy_path[64];
    FILE *copy = quoted_copy(path);
    if (!copy)
        return dsr_error_set(err, DSR_ESTORE, "%s can't be read", path);
    snprintf(copy_path, sizeof copy_path, "/proc/self/fd/%d", fileno(copy));
    int rc = dsr_csv_read(copy_path, take_row, r, err);
    if (rc < 0)
        snprintf(err->file, sizeof err->file, "%s", path);
    fclose(copy);
    return rc;
}

static int scan_file(const char *folder, const char *name, struct reading *r, struct dsr_error *err)
{
    char *path = NULL;
    if (asprintf(&path, "%s/%s", folder, name) < 0)
        return dsr_error_set(err, DSR_ENOMEM, "out of memory");
    int rc = 0;
    if (!access(path, F_OK))
        rc = r->bench ? scan_quoted(path, r, err) : dsr_csv_read(path, take_row, r, err);
    free(path);
    return rc;
}

int csv_scan_perf(const char *folder, const struct dsr_query *query, dsr_visit_fn *visit, void *arg,
                  struct dsr_error *err)
{
    struct reading r = {
        .columns = perf_columns, .n = PERF_COLUMNS, .query = query, .visit = visit, .arg = arg};
    return scan_file(folder, "perf_results.csv", &r, err);
}

int csv_scan_bench(const char *folder, const struct dsr_query *query, dsr_visit_fn *visit,
                   void *arg, struct dsr_error *err)
{
    struct reading r = {.columns = bench_columns,
                        .n = BENCH_COLUMNS,
                        .bench = true,
                        .query = query,
                        .visit = visit,
                        .arg = arg};
    return scan_file(folder, "benchmark_results.csv", &r, err);
}
