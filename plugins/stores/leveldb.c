/* Results in a LevelDB folder. Keys are ordered so that a question of the router is one range:
 *
 *     p/MODEL/TIME/JOB/PROVIDER/KEY   performance      b/...  benchmark
 *     a/JOB/PROVIDER/KEY              answers          e/...  events
 *     j/JOB                           jobs             m/open while a writer has it open
 *
 * A value is {"v": 1, "kind", "job", "model", "provider", "key", "time_us", "body"}. */
#include "plugins/stores/leveldbcopy.h"

#include <dsr/store.h>
#include <errno.h>
#include <fcntl.h>
#include <leveldb/c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define VERSION 1
#define PROBE_BYTES (1 << 20)
#define PICTURES 4 /* tries */
#define WAITS 30
#define WAIT_US 100000

struct store {
    leveldb_t *db;
    leveldb_options_t *options;
    leveldb_writeoptions_t *durable;
    leveldb_readoptions_t *reading;
    leveldb_writebatch_t *batch;
    const struct dsr_host *host;
    char *path;
    char *picture; /* what a reader has open; NULL: the store itself */
    bool writer;
};

static const char letters[] = {[DSR_RECORD_JOB] = 'j',
                               [DSR_RECORD_PERF] = 'p',
                               [DSR_RECORD_BENCHMARK] = 'b',
                               [DSR_RECORD_ANSWER] = 'a',
                               [DSR_RECORD_EVENT] = 'e'};

static void store_free(struct store *s)
{
    if (s->db)
        leveldb_close(s->db);
    if (s->options)
        leveldb_options_destroy(s->options);
    if (s->durable)
        leveldb_writeoptions_destroy(s->durable);
    if (s->reading)
        leveldb_readoptions_destroy(s->reading);
    if (s->batch)
        leveldb_writebatch_destroy(s->batch);
    if (s->picture)
        leveldb_picture_remove(s->picture);
    free(s->picture);
    free(s->path);
    free(s);
}

/* Turns LevelDB's message into ours, and frees it. */
static int fail(const struct store *s, const char *what, char *message, struct dsr_error *err)
{
    int rc = dsr_error_set(err, DSR_ESTORE, "the store %s %s: %s", s->path, what, message);
    leveldb_free(message);
    return rc;
}

/* A disk that is full is told now, not after money was spent. */
static int probe_room(const char *path, struct dsr_error *err)
{
    char *probe = NULL;
    if (asprintf(&probe, "%s/.room", path) < 0)
        return dsr_error_set(err, DSR_ENOMEM, "out of memory");
    int fd = open(probe, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), bad = errno;
    if (fd >= 0)
        bad = posix_fallocate(fd, 0, PROBE_BYTES);
    if (fd >= 0)
        close(fd);
    unlink(probe);
    free(probe);
    if (fd >= 0 && !bad)
        return 0;
    return dsr_error_set(err, DSR_ESTORE, "the store %s can't be written: %s", path, strerror(bad));
}

/* A reader sees the store as it is at this moment: nothing of it is changed, and no writer kept
 * out.
 */
static bool open_picture(struct store *s)
{
    for (int i = 0; i < PICTURES && !s->db; i++) {
        char *message = NULL;
        s->picture = leveldb_picture(s->path);
        if (!s->picture)
            return false;
        s->db = leveldb_open(s->options, s->picture, &message);
        leveldb_free(message);
        if (s->db)
            break;
        leveldb_picture_remove(s->picture);
        free(s->picture);
        s->picture = NULL;
    }
    return s->db != NULL;
}

/* Another writer may be about to end. */
static char *open_waiting(struct store *s)
{
    char *message = NULL;
    for (int i = 0; i < WAITS; i++) {
        s->db = leveldb_open(s->options, s->path, &message);
        if (!message || !strstr(message, "lock") || !s->writer)
            break;
        if (i + 1 < WAITS) {
            leveldb_free(message);
            message = NULL;
            usleep(WAIT_US);
        }
    }
    return message;
}

static int open_db(struct store *s, struct dsr_error *err)
{
    if (!s->writer && open_picture(s))
        return 0;
    char *message = open_waiting(s);
    if (!message)
        return 0;
    if (strstr(message, "orruption")) {
        char *again = NULL;
        dsr_host_log(s->host, DSR_LOG_WARN, "the store %s is damaged (%s); repairing it", s->path,
                     message);
        leveldb_free(message);
        message = NULL;
        leveldb_repair_db(s->options, s->path, &again);
        leveldb_free(again);
        s->db = leveldb_open(s->options, s->path, &message);
        if (!message)
            return 0;
    }
    if (strstr(message, "lock"))
        return fail(s, "is in use by another process", message, err);
    if (!s->writer && strstr(message, "does not exist"))
        return fail(s, "does not exist yet; dsr-run eval and perf fill it", message, err);
    return fail(s, "can't be opened", message, err);
}

/* The marker that a clean close takes away; finding it tells of a crash. */
static int set_marker(struct store *s, struct dsr_error *err)
{
    char *message = NULL, stamp[DSR_TIME_SIZE];
    size_t n;
    char *old = leveldb_get(s->db, s->reading, "m/open", 6, &n, &message);
    leveldb_free(message);
    message = NULL;
    if (old)
        dsr_host_log(s->host, DSR_LOG_WARN,
                     "the store %s was not closed cleanly by the run of %.*s; it was recovered, "
                     "at most the record then being written is lost",
                     s->path, (int)n, old);
    leveldb_free(old);
    dsr_time_format(dsr_clock_wall_us(), stamp);
    leveldb_put(s->db, s->durable, "m/open", 6, stamp, strlen(stamp), &message);
    return message ? fail(s, "can't be written", message, err) : 0;
}

static void *open_store(const char *path, enum dsr_store_mode mode, const struct dsr_host *host,
                        struct dsr_error *err)
{
    struct store *s = calloc(1, sizeof *s);
    if (!s || !(s->path = strdup(path))) {
        free(s);
        dsr_error_set(err, DSR_ENOMEM, "out of memory");
        return NULL;
    }
    s->host = host;
    s->writer = mode == DSR_STORE_WRITE;
    s->options = leveldb_options_create();
    s->durable = leveldb_writeoptions_create();
    s->reading = leveldb_readoptions_create();
    s->batch = leveldb_writebatch_create();
    leveldb_options_set_create_if_missing(s->options, s->writer);
    leveldb_options_set_compression(s->options, leveldb_snappy_compression);
    leveldb_writeoptions_set_sync(s->durable, 1);
    int rc = s->writer ? dsr_folder_make(path, err) : 0;
    if (!rc && s->writer)
        rc = probe_room(path, err);
    struct stat st;
    if (!rc && !s->writer && stat(path, &st))
        rc = dsr_error_set(err, DSR_ESTORE,
                           "the store %s does not exist yet; dsr-run eval and perf fill it", path);
    if (!rc)
        rc = open_db(s, err);
    if (!rc && s->writer)
        rc = set_marker(s, err);
    if (!rc)
        return s;
    store_free(s);
    return NULL;
}

/* The record's key; NULL when out of memory. */
static char *make_key(const struct dsr_record *r)
{
    char *key = NULL, letter = letters[r->kind];
    int n;
    if (r->kind == DSR_RECORD_JOB)
        n = asprintf(&key, "j/%s", r->job);
    else if (r->kind == DSR_RECORD_ANSWER || r->kind == DSR_RECORD_EVENT)
        n = asprintf(&key, "%c/%s/%s/%s", letter, r->job, r->provider, r->key);
    else
        n = asprintf(&key, "%c/%s/%020lld/%s/%s/%s", letter, r->model, (long long)r->time_us,
                     r->job, r->provider, r->key);
    return n < 0 ? NULL : key;
}

static int put(void *state, const struct dsr_record *r, struct dsr_error *err)
{
    struct store *s = state;
    char *key = make_key(r);
    json_t *value =
        json_pack("{s:i, s:i, s:s, s:s, s:s, s:s, s:I, s:O}", "v", VERSION, "kind", (int)r->kind,
                  "job", r->job, "model", r->model, "provider", r->provider, "key", r->key,
                  "time_us", (json_int_t)r->time_us, "body", r->body);
    char *text = value ? json_dumps(value, JSON_COMPACT) : NULL;
    if (key && text)
        leveldb_writebatch_put(s->batch, key, strlen(key), text, strlen(text));
    int rc = key && text ? 0 : dsr_error_set(err, DSR_ENOMEM, "a record can't be written as JSON");
    free(key);
    free(text);
    json_decref(value);
    return rc;
}

static int commit(void *state, struct dsr_error *err)
{
    struct store *s = state;
    char *message = NULL;
    leveldb_write(s->db, s->durable, s->batch, &message);
    leveldb_writebatch_clear(s->batch);
    return message ? fail(s, "can't be written", message, err) : 0;
}

static const char *text_of(const json_t *value, const char *key)
{
    const char *text = json_string_value(json_object_get(value, key));
    return text ? text : "";
}

static int visit_value(const char *bytes, size_t n, const struct dsr_query *q, dsr_visit_fn *visit,
                       void *arg, struct dsr_error *err)
{
    json_t *value = json_loadb(bytes, n, 0, NULL), *raw = NULL;
    json_t *body = json_object_get(value, "body");
    json_int_t kind = json_integer_value(json_object_get(value, "kind"));
    bool known = json_integer_value(json_object_get(value, "v")) == VERSION &&
                 json_is_object(body) && kind >= DSR_RECORD_JOB && kind <= DSR_RECORD_EVENT;
    struct dsr_record r = {
        .kind = known ? (enum dsr_record_kind)kind : DSR_RECORD_UNKNOWN,
        .job = text_of(value, "job"),
        .model = text_of(value, "model"),
        .provider = text_of(value, "provider"),
        .key = text_of(value, "key"),
        .time_us = json_integer_value(json_object_get(value, "time_us")),
        .body = body,
    };
    if (!known)
        r.body = raw = value ? json_incref(value) : json_pack("{s:I}", "bytes", (json_int_t)n);
    int rc = !known || dsr_query_fits(q, &r) ? visit(arg, &r, err) : 0;
    json_decref(raw);
    json_decref(value);
    return rc;
}

/* The smallest prefix that all matching keys of a kind share, and where in it to begin. */
static int range_of(const struct dsr_query *q, char letter, char **prefix, char **start)
{
    bool by_job = letter == 'j' || letter == 'a' || letter == 'e';
    const char *part = by_job ? q->job : q->model;
    int n = part ? asprintf(prefix, "%c/%s%s", letter, part, letter == 'j' ? "" : "/")
                 : asprintf(prefix, "%c/", letter);
    if (n < 0)
        return DSR_ENOMEM;
    n = !by_job && part && q->since_us > 0
            ? asprintf(start, "%s%020lld", *prefix, (long long)q->since_us)
            : asprintf(start, "%s", *prefix);
    return n < 0 ? DSR_ENOMEM : 0;
}

static int scan_kind(struct store *s, char letter, const struct dsr_query *q, dsr_visit_fn *visit,
                     void *arg, struct dsr_error *err)
{
    char *prefix = NULL, *start = NULL, *message = NULL;
    int rc = range_of(q, letter, &prefix, &start);
    leveldb_iterator_t *it = leveldb_create_iterator(s->db, s->reading);
    if (rc)
        dsr_error_set(err, rc, "out of memory");
    if (!rc)
        leveldb_iter_seek(it, start, strlen(start));
    for (; !rc && leveldb_iter_valid(it); leveldb_iter_next(it)) {
        size_t key_len, len;
        const char *key = leveldb_iter_key(it, &key_len);
        if (key_len < strlen(prefix) || memcmp(key, prefix, strlen(prefix)))
            break;
        const char *value = leveldb_iter_value(it, &len);
        rc = visit_value(value, len, q, visit, arg, err);
    }
    leveldb_iter_get_error(it, &message);
    leveldb_iter_destroy(it);
    free(prefix);
    free(start);
    if (message && !rc)
        return fail(s, "can't be read", message, err);
    leveldb_free(message);
    return rc;
}

static int scan(void *state, const struct dsr_query *q, dsr_visit_fn *visit, void *arg,
                struct dsr_error *err)
{
    struct store *s = state;
    int rc = s->writer ? commit(s, err) : 0;
    for (int kind = DSR_RECORD_JOB; kind <= DSR_RECORD_EVENT && !rc; kind++)
        if (!q->kind || (int)q->kind == kind)
            rc = scan_kind(s, letters[kind], q, visit, arg, err);
    return rc;
}

static int close_store(void *state, struct dsr_error *err)
{
    struct store *s = state;
    char *message = NULL;
    int rc = 0;
    if (s->writer) {
        rc = commit(s, err);
        leveldb_delete(s->db, s->durable, "m/open", 6, &message);
        if (message && !rc)
            rc = fail(s, "can't be written", message, err);
        else
            leveldb_free(message);
    }
    store_free(s);
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
    .name = "leveldb",
    .version = "1.0",
    .summary = "results in a LevelDB folder",
    .licence = "Apache-2.0",
    .ops = &ops,
};
