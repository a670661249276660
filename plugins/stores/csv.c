/* Results as files that people and spreadsheets read: perf_results.csv and benchmark_results.csv
 * with the columns of the seed system, and jobs, answers and events as JSON lines. */
#include "plugins/stores/csvstore.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PROBE_BYTES (1 << 20)
#define WAIT_US 100000

const struct csv_column perf_columns[PERF_COLUMNS] = {
    {"JOB_ID", "job", CSV_TEXT},
    {"PROVIDER", "provider", CSV_TEXT},
    {"MODEL", "model", CSV_TEXT},
    {"PROMPT_TYPE", "prompt_type", CSV_TEXT},
    {"SUCCESS", "success", CSV_BOOL},
    {"START_TIME", "start_time", CSV_TEXT},
    {"END_TIME", "end_time", CSV_TEXT},
    {"TIME_TO_FIRST_TOKEN", "ttft", CSV_NUMBER},
    {"TIME_TO_FIRST_RESULT_TOKEN", "ttfa", CSV_NUMBER},
    {"TOTAL_TIME", "total_time", CSV_NUMBER},
    {"INPUT_TOKENS_COUNT", "input_tokens", CSV_INTEGER},
    {"OUTPUT_TOKENS_COUNT", "output_tokens", CSV_INTEGER},
    {"REASONING_TOKENS_COUNT", "reasoning_tokens", CSV_INTEGER},
    {"CACHED_TOKENS_COUNT_BILLING", "cached_tokens_billed", CSV_INTEGER},
    {"INPUT_TOKENS_COUNT_BILLING", "input_tokens_billed", CSV_INTEGER},
    {"OUTPUT_TOKENS_COUNT_BILLING", "output_tokens_billed", CSV_INTEGER},
    {"ERROR", "error", CSV_TEXT},
};

const struct csv_column bench_columns[BENCH_COLUMNS] = {
    {"provider_name", "provider", CSV_TEXT},
    {"model_name", "model", CSV_TEXT},
    {"benchmark", "benchmark", CSV_TEXT},
    {"success", "success", CSV_BOOL},
    {"metric", "metric", CSV_TEXT},
    {"stat", "stat", CSV_TEXT},
    {"value", "value", CSV_NUMBER},
    {"start_time", "start_time", CSV_TEXT},
    {"results_json", "results_json", CSV_TEXT},
};

static const struct {
    const char *name;
    const struct csv_column *columns; /* NULL: JSON lines */
    size_t n;
} files[] = {
    [DSR_RECORD_JOB] = {"jobs.jsonl", NULL, 0},
    [DSR_RECORD_PERF] = {"perf_results.csv", perf_columns, PERF_COLUMNS},
    [DSR_RECORD_BENCHMARK] = {"benchmark_results.csv", bench_columns, BENCH_COLUMNS},
    [DSR_RECORD_ANSWER] = {"answers.jsonl", NULL, 0},
    [DSR_RECORD_EVENT] = {"events.jsonl", NULL, 0},
};
#define KINDS (sizeof files / sizeof files[0])

struct store {
    char *folder;
    const struct dsr_host *host;
    bool writer;
    int lock;
    FILE *out[KINDS];
    bool dirty[KINDS];
};

static char *path_of(const struct store *s, const char *name)
{
    char *path = NULL;
    return asprintf(&path, "%s/%s", s->folder, name) < 0 ? NULL : path;
}

static int fail(const struct store *s, const char *name, struct dsr_error *err)
{
    return dsr_error_set(err, DSR_ESTORE, "%s/%s can't be written: %s", s->folder, name,
                         strerror(errno));
}

static void store_free(struct store *s)
{
    for (size_t kind = 0; kind < KINDS; kind++)
        if (s->out[kind])
            fclose(s->out[kind]);
    if (s->lock >= 0)
        close(s->lock);
    free(s->folder);
    free(s);
}

/* Another run is waited for; which it is stands in the file. */
static int wait_for_lock(struct store *s, struct dsr_error *err)
{
    for (bool told = false; flock(s->lock, LOCK_EX | LOCK_NB); told = true) {
        char text[24] = "";
        if (errno != EWOULDBLOCK && errno != EINTR)
            return fail(s, ".lock", err);
        if (pread(s->lock, text, sizeof text - 1, 0) > 0 && atol(text) == (long)getpid())
            return dsr_error_set(err, DSR_ESTORE, "the CSV folder %s is in use by this process",
                                 s->folder);
        if (!told)
            dsr_host_log(s->host, DSR_LOG_WARN,
                         "the CSV folder %s is written by another run; waiting for it to end",
                         s->folder);
        usleep(WAIT_US);
    }
    return 0;
}

static int take_lock(struct store *s, struct dsr_error *err)
{
    char *path = path_of(s, ".lock");
    s->lock = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
    free(path);
    if (s->lock < 0)
        return fail(s, ".lock", err);
    int rc = wait_for_lock(s, err);
    if (rc)
        return rc;
    int bad = posix_fallocate(s->lock, 0, PROBE_BYTES);
    if (!bad)
        bad = ftruncate(s->lock, 0) || dprintf(s->lock, "%ld\n", (long)getpid()) < 0 ? errno : 0;
    return bad ? dsr_error_set(err, DSR_ESTORE, "%s can't be written: %s", s->folder, strerror(bad))
               : 0;
}

/* Moves what follows the last line break, a record that a crash cut short, to NAME.recovered. */
static int recover_tail(struct store *s, FILE *file, const char *name, struct dsr_error *err)
{
    long end = fseek(file, 0, SEEK_END) ? -1 : ftell(file), start = end;
    int c = '\n';
    while (start > 0 && !fseek(file, start - 1, SEEK_SET) && (c = fgetc(file)) != '\n')
        start--;
    if (start == end)
        return 0;
    char *tail = calloc(1, (size_t)(end - start) + 1), *other = NULL, *path = NULL;
    FILE *kept = NULL;
    if (tail && asprintf(&other, "%s.recovered", name) >= 0 && (path = path_of(s, other)))
        kept = fopen(path, "ae");
    bool ok = kept && !fseek(file, start, SEEK_SET) &&
              fread(tail, 1, (size_t)(end - start), file) == (size_t)(end - start) &&
              fprintf(kept, "%s\n", tail) > 0 && !fflush(kept) && !ftruncate(fileno(file), start);
    if (kept)
        fclose(kept);
    if (ok)
        dsr_host_log(s->host, DSR_LOG_WARN,
                     "%s/%s ended in a half-written record; it was moved to %s", s->folder, name,
                     path);
    int rc = ok ? 0 : fail(s, name, err);
    free(tail);
    free(other);
    free(path);
    return rc;
}

static int open_file(struct store *s, size_t kind, struct dsr_error *err)
{
    char *path = path_of(s, files[kind].name);
    s->out[kind] = path ? fopen(path, "a+e") : NULL;
    free(path);
    if (!s->out[kind])
        return fail(s, files[kind].name, err);
    int rc = recover_tail(s, s->out[kind], files[kind].name, err);
    if (rc)
        return rc;
    fseek(s->out[kind], 0, SEEK_END);
    if (ftell(s->out[kind]) == 0 && files[kind].columns) {
        for (size_t i = 0; i < files[kind].n; i++)
            fprintf(s->out[kind], "%s%s", i ? "," : "", files[kind].columns[i].name);
        fputc('\n', s->out[kind]);
    }
    return fflush(s->out[kind]) ? fail(s, files[kind].name, err) : 0;
}

static void *open_store(const char *path, enum dsr_store_mode mode, const struct dsr_host *host,
                        struct dsr_error *err)
{
    struct store *s = calloc(1, sizeof *s);
    struct stat st;
    if (!s || !(s->folder = strdup(path))) {
        free(s);
        dsr_error_set(err, DSR_ENOMEM, "out of memory");
        return NULL;
    }
    s->host = host;
    s->lock = -1;
    s->writer = mode == DSR_STORE_WRITE;
    int rc = s->writer ? dsr_folder_make(path, err) : 0;
    if (!rc && (stat(path, &st) || !S_ISDIR(st.st_mode)))
        rc = dsr_error_set(err, DSR_ESTORE, "%s is not a folder with CSV files", path);
    if (!rc && s->writer)
        rc = take_lock(s, err);
    for (size_t kind = DSR_RECORD_JOB; kind < KINDS && s->writer && !rc; kind++)
        rc = open_file(s, kind, err);
    if (!rc)
        return s;
    store_free(s);
    return NULL;
}

static void write_text(FILE *out, const char *text)
{
    if (!text[strcspn(text, "\",\r\n")]) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', out);
        fputc(*text == '\n' || *text == '\r' ? ' ' : *text, out); /* one record, one line */
    }
    fputc('"', out);
}

/* As few digits as give the same number when they are read. */
static void write_real(FILE *out, double value)
{
    char text[40];
    int digits = 9;
    do
        snprintf(text, sizeof text, "%.*g", digits, value);
    while (strtod(text, NULL) != value && ++digits <= 17);
    fputs(text, out);
}

static void write_value(FILE *out, const json_t *value)
{
    if (json_is_string(value))
        write_text(out, json_string_value(value));
    else if (json_is_boolean(value))
        fputs(json_is_true(value) ? "True" : "False", out);
    else if (json_is_integer(value))
        fprintf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_real(value))
        write_real(out, json_real_value(value));
}

/* What is behind an accuracy: counts and groups. */
static void write_results(FILE *out, const json_t *body)
{
    static const char *const keys[] = {"dataset", "asked",  "answered",
                                       "correct", "errors", "groups"};
    json_t *results = json_object();
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (json_object_get(body, keys[i]))
            json_object_set(results, keys[i], json_object_get(body, keys[i]));
    char *text = json_dumps(results, JSON_COMPACT);
    write_text(out, text ? text : "");
    free(text);
    json_decref(results);
}

static void write_row(FILE *out, size_t kind, const struct dsr_record *r)
{
    for (size_t i = 0; i < files[kind].n; i++) {
        const char *key = files[kind].columns[i].key;
        if (i)
            fputc(',', out);
        if (!strcmp(key, "job"))
            write_text(out, r->job);
        else if (!strcmp(key, "results_json"))
            write_results(out, r->body);
        else
            write_value(out, json_object_get(r->body, key));
    }
    fputc('\n', out);
}

static int put(void *state, const struct dsr_record *r, struct dsr_error *err)
{
    struct store *s = state;
    FILE *out = (size_t)r->kind < KINDS ? s->out[r->kind] : NULL;
    if (!out)
        return dsr_error_set(err, DSR_EINVAL, "the CSV store has no file for such a record");
    s->dirty[r->kind] = true;
    if (files[r->kind].columns) {
        write_row(out, r->kind, r);
    } else {
        json_t *line = json_pack("{s:s, s:s, s:s, s:s, s:I, s:O}", "job", r->job, "model", r->model,
                                 "provider", r->provider, "key", r->key, "time_us",
                                 (json_int_t)r->time_us, "body", r->body);
        json_dumpf(line, out, JSON_COMPACT);
        fputc('\n', out);
        json_decref(line);
    }
    return ferror(out) ? fail(s, files[r->kind].name, err) : 0;
}

static int commit(void *state, struct dsr_error *err)
{
    struct store *s = state;
    for (size_t kind = 0; kind < KINDS; kind++) {
        if (!s->dirty[kind])
            continue;
        if (fflush(s->out[kind]) || fdatasync(fileno(s->out[kind])))
            return fail(s, files[kind].name, err);
        s->dirty[kind] = false;
    }
    return 0;
}

struct line_scan {
    enum dsr_record_kind kind;
    const struct dsr_query *query;
    dsr_visit_fn *visit;
    void *arg;
};

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static int visit_line(void *arg, json_t *object, int line, struct dsr_error *err)
{
    const struct line_scan *scan = arg;
    (void)line;
    json_t *body = json_object_get(object, "body");
    struct dsr_record r = {
        .kind = json_is_object(body) ? scan->kind : DSR_RECORD_UNKNOWN,
        .job = text_of(object, "job"),
        .model = text_of(object, "model"),
        .provider = text_of(object, "provider"),
        .key = text_of(object, "key"),
        .time_us = json_integer_value(json_object_get(object, "time_us")),
        .body = json_is_object(body) ? body : object,
    };
    return dsr_query_fits(scan->query, &r) ? scan->visit(scan->arg, &r, err) : 0;
}

static int scan_lines(struct store *s, enum dsr_record_kind kind, const struct dsr_query *q,
                      dsr_visit_fn *visit, void *arg, struct dsr_error *err)
{
    struct line_scan scan = {kind, q, visit, arg};
    char *path = path_of(s, files[kind].name);
    int rc = 0;
    if (!path)
        return dsr_error_set(err, DSR_ENOMEM, "out of memory");
    if (!access(path, F_OK))
        rc = dsr_jsonl_read(path, visit_line, &scan, err);
    free(path);
    return rc;
}

static int scan(void *state, const struct dsr_query *q, dsr_visit_fn *visit, void *arg,
                struct dsr_error *err)
{
    struct store *s = state;
    int rc = commit(s, err);
    for (int kind = DSR_RECORD_JOB; kind <= DSR_RECORD_EVENT && !rc; kind++) {
        if (q->kind && (int)q->kind != kind)
            continue;
        if (kind == DSR_RECORD_PERF)
            rc = csv_scan_perf(s->folder, q, visit, arg, err);
        else if (kind == DSR_RECORD_BENCHMARK)
            rc = csv_scan_bench(s->folder, q, visit, arg, err);
        else
            rc = scan_lines(s, (enum dsr_record_kind)kind, q, visit, arg, err);
    }
    return rc;
}

static int close_store(void *state, struct dsr_error *err)
{
    int rc = commit(state, err);
    store_free(state);
    return rc;
}

static const struct dsr_store_ops ops = {
    .size = sizeof ops,
    .open = open_store,
    .put = put,
    .commit = commit,
    .scan = scan,
    .close = close_store,
};

const struct dsr_plugin dsr_plugin = {
    .abi = DSR_ABI,
    .size = sizeof dsr_plugin,
    .kind = DSR_KIND_STORE,
    .name = "csv",
    .version = "1.0",
    .summary = "results in CSV files and JSON lines",
    .licence = "Apache-2.0",
    .ops = &ops,
};
