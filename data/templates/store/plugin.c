/* @NAME@: records as JSON lines in one file of a folder; the last one of a key counts. A start: a
 * scan reads the whole file. See dsr/store.h. */
#include <dsr/store.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

struct store {
    char *path;
    FILE *out; /* NULL when it was opened for reading */
};

static int fail(struct dsr_error *err, const char *path, const char *what)
{
    return dsr_error_set(err, DSR_ESTORE, "%s: %s: %s", path, what, strerror(errno));
}

static int open_output(struct store *s, const char *folder, struct dsr_error *err)
{
    int rc = dsr_folder_make(folder, err);
    if (rc)
        return rc;
    s->out = fopen(s->path, "ae");
    if (!s->out)
        return fail(err, s->path, "can't be written");
    if (flock(fileno(s->out), LOCK_EX | LOCK_NB))
        return fail(err, s->path, "another process writes to it");
    /* a line that a crash cut off ends here */
    return fputc('\n', s->out) == EOF || fflush(s->out) ? fail(err, s->path, "can't be written") : 0;
}

static int close_store(void *state, struct dsr_error *err)
{
    struct store *s = (struct store *)state;
    int rc = s->out && fclose(s->out) ? fail(err, s->path, "can't be written") : 0;
    free(s->path);
    free(s);
    return rc;
}

static void *open_store(const char *path, enum dsr_store_mode mode, const struct dsr_host *host,
                        struct dsr_error *err)
{
    struct store *s = (struct store *)calloc(1, sizeof *s);
    struct dsr_error ignored;
    int rc = 0;
    (void)host;
    if (!s || asprintf(&s->path, "%s/records.jsonl", path) < 0) {
        free(s);
        dsr_error_set(err, DSR_ENOMEM, "out of memory");
        return NULL;
    }
    if (mode == DSR_STORE_WRITE)
        rc = open_output(s, path, err);
    else if (access(s->path, R_OK))
        rc = fail(err, s->path, "can't be read");
    if (!rc)
        return s;
    close_store(s, &ignored);
    return NULL;
}

static int put(void *state, const struct dsr_record *r, struct dsr_error *err)
{
    struct store *s = (struct store *)state;
    json_t *line = json_pack("{s:i, s:s, s:s, s:s, s:s, s:I, s:O}", "kind", (int)r->kind, "job",
                             r->job, "model", r->model, "provider", r->provider, "key", r->key,
                             "time_us", (json_int_t)r->time_us, "body", r->body);
    if (!line)
        return dsr_error_set(err, DSR_ENOMEM, "out of memory");
    bool bad = json_dumpf(line, s->out, JSON_COMPACT) || fputc('\n', s->out) == EOF;
    json_decref(line);
    return bad ? fail(err, s->path, "can't be written") : 0;
}

static int commit(void *state, struct dsr_error *err)
{
    struct store *s = (struct store *)state;
    return fflush(s->out) || fdatasync(fileno(s->out)) ? fail(err, s->path, "can't be written") : 0;
}

static const char *text_of(const json_t *line, const char *member)
{
    const char *text = json_string_value(json_object_get(line, member));
    return text ? text : "";
}

/* Lines by key, in the order in which the keys first came; the last of a key wins. */
static json_t *load(const struct store *s, struct dsr_error *err)
{
    FILE *in = fopen(s->path, "re");
    json_t *lines = json_object();
    char *text = NULL, *key = NULL;
    size_t cap = 0;
    if (!in || !lines) {
        fail(err, s->path, "can't be read");
        json_decref(lines);
        return NULL;
    }
    while (getline(&text, &cap, in) >= 0) {
        json_t *line = json_loads(text, 0, NULL);
        if (line && asprintf(&key, "%d %s %s %s",
                             (int)json_integer_value(json_object_get(line, "kind")),
                             text_of(line, "job"), text_of(line, "provider"),
                             text_of(line, "key")) >= 0) {
            json_object_set(lines, key, line);
            free(key);
        }
        json_decref(line);
    }
    free(text);
    fclose(in);
    return lines;
}

static int by_time(const void *a, const void *b)
{
    const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
    json_int_t s = json_integer_value(json_object_get(x, "time_us"));
    json_int_t t = json_integer_value(json_object_get(y, "time_us"));
    return (s > t) - (s < t);
}

/* What a newer version wrote is handed over as such, not dropped. */
static enum dsr_record_kind kind_of(const json_t *line)
{
    json_int_t kind = json_integer_value(json_object_get(line, "kind"));
    return kind >= DSR_RECORD_JOB && kind <= DSR_RECORD_EVENT ? (enum dsr_record_kind)kind
                                                              : DSR_RECORD_UNKNOWN;
}

static int scan(void *state, const struct dsr_query *q, dsr_visit_fn *visit, void *arg,
                struct dsr_error *err)
{
    const struct store *s = (const struct store *)state;
    json_t *lines = load(s, err), *line;
    size_t n = 0;
    const char *key;
    int rc = 0;
    if (!lines)
        return err->code;
    json_t **list = (json_t **)calloc(json_object_size(lines) + 1, sizeof *list);
    json_object_foreach(lines, key, line)
        if (list)
            list[n++] = line;
    if (n)
        qsort(list, n, sizeof *list, by_time);
    for (size_t i = 0; i < n && !rc; i++) {
        const struct dsr_record r = {
            kind_of(list[i]),
            text_of(list[i], "job"), text_of(list[i], "model"), text_of(list[i], "provider"),
            text_of(list[i], "key"), json_integer_value(json_object_get(list[i], "time_us")),
            json_object_get(list[i], "body")};
        if (dsr_query_fits(q, &r))
            rc = visit(arg, &r, err);
    }
    free(list);
    json_decref(lines);
    return rc;
}

static const struct dsr_store_ops ops = {
    sizeof ops, open_store, put, commit, scan, close_store,
    NULL, /* no other schemes */
    NULL, /* no figures: all is told by scan */
    NULL, /* nothing to make smaller */
};

const struct dsr_plugin dsr_plugin = {
    DSR_ABI, sizeof dsr_plugin, DSR_KIND_STORE, "@NAME@", "0.1", "JSON lines in a folder",
    "Apache-2.0", &ops,
};
