/* Results in a LevelDB folder. */
#include "plugins/stores/leveldb/ldb.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PROBE_BYTES (1 << 20)
#define FILE_BYTES (16 << 20) /* of a table: readers make a link to each */
#define PICTURES 4            /* tries */
#define WAIT_US 100000

static void ldb_free(struct ldb *s)
{
    if (s->db)
        leveldb_close(s->db);
    if (s->options)
        leveldb_options_destroy(s->options);
    if (s->writing)
        leveldb_writeoptions_destroy(s->writing);
    if (s->reading)
        leveldb_readoptions_destroy(s->reading);
    if (s->batch)
        leveldb_writebatch_destroy(s->batch);
    ldb_marks_forget(s);
    if (s->picture)
        ldb_picture_remove(s->picture);
    free(s->picture);
    free(s->path);
    free(s);
}

int ldb_nomem(struct dsr_error *err)
{
    return dsr_error_set(err, DSR_ENOMEM, "out of memory");
}

int ldb_fail(const struct ldb *s, const char *what, char *message, struct dsr_error *err)
{
    int rc = dsr_error_set(err, DSR_ESTORE, "the store %s %s: %s", s->path, what, message);
    leveldb_free(message);
    return rc;
}

int ldb_write(struct ldb *s, leveldb_writebatch_t *batch, struct dsr_error *err)
{
    char *message = NULL;
    leveldb_write(s->db, s->writing, batch, &message);
    leveldb_writebatch_clear(batch);
    return message ? ldb_fail(s, "can't be written", message, err) : 0;
}

int ldb_iter_end(const struct ldb *s, leveldb_iterator_t *it, int rc, struct dsr_error *err)
{
    char *message = NULL;
    leveldb_iter_get_error(it, &message);
    leveldb_iter_destroy(it);
    if (message && !rc)
        return ldb_fail(s, "can't be read", message, err);
    leveldb_free(message);
    return rc;
}

/* A disk that is full is told now, not after money was spent. */
static int probe_room(const char *path, struct dsr_error *err)
{
    char *probe = NULL;
    if (asprintf(&probe, "%s/.room", path) < 0)
        return ldb_nomem(err);
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
static bool open_picture(struct ldb *s)
{
    for (int i = 0; i < PICTURES && !s->db; i++) {
        char *message = NULL;
        s->picture = ldb_picture(s->path);
        if (!s->picture)
            return false;
        s->db = leveldb_open(s->options, s->picture, &message);
        leveldb_free(message);
        if (s->db)
            break;
        ldb_picture_remove(s->picture);
        free(s->picture);
        s->picture = NULL;
    }
    return s->db != NULL;
}

/* Another writer is waited for: its run may take long, but this one has cost nothing yet. */
static char *open_waiting(struct ldb *s)
{
    for (bool told = false;; told = true) {
        char *message = NULL;
        s->db = leveldb_open(s->options, s->path, &message);
        if (!message || !s->writer || !strstr(message, "lock") || strstr(message, "already held"))
            return message;
        if (!told)
            dsr_host_log(s->host, DSR_LOG_WARN,
                         "the store %s is written by another run; waiting for it to end", s->path);
        leveldb_free(message);
        usleep(WAIT_US);
    }
}

static int open_db(struct ldb *s, struct dsr_error *err)
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
        return ldb_fail(s, "is in use by another process", message, err);
    if (!s->writer && strstr(message, "does not exist"))
        return ldb_fail(s, "does not exist yet; dsr-run eval and perf fill it", message, err);
    return ldb_fail(s, "can't be opened", message, err);
}

/* The marker that a clean close takes away; finding it tells of a crash. */
static int set_marker(struct ldb *s, struct dsr_error *err)
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
    leveldb_put(s->db, s->writing, "m/open", 6, stamp, strlen(stamp), &message);
    return message ? ldb_fail(s, "can't be written", message, err) : 0;
}

static void *open_store(const char *path, enum dsr_store_mode mode, const struct dsr_host *host,
                        struct dsr_error *err)
{
    struct ldb *s = calloc(1, sizeof *s);
    if (!s || !(s->path = strdup(path))) {
        free(s);
        ldb_nomem(err);
        return NULL;
    }
    s->host = host;
    s->writer = mode == DSR_STORE_WRITE;
    s->options = leveldb_options_create();
    s->writing = leveldb_writeoptions_create();
    s->reading = leveldb_readoptions_create();
    s->batch = leveldb_writebatch_create();
    leveldb_options_set_create_if_missing(s->options, s->writer);
    leveldb_options_set_compression(s->options, leveldb_snappy_compression);
    leveldb_options_set_max_file_size(s->options, FILE_BYTES);
    int rc = s->writer ? dsr_folder_make(path, err) : 0;
    if (!rc && s->writer)
        rc = probe_room(path, err);
    struct stat st;
    if (!rc && !s->writer && stat(path, &st))
        rc = dsr_error_set(err, DSR_ESTORE,
                           "the store %s does not exist yet; dsr-run eval and perf fill it", path);
    if (!rc)
        rc = open_db(s, err);
    leveldb_writeoptions_set_sync(s->writing, !s->picture);
    if (!rc && s->writer)
        rc = set_marker(s, err);
    if (!rc)
        rc = ldb_migrate(s, err);
    if (!rc)
        return s;
    ldb_free(s);
    return NULL;
}

static int put(void *state, const struct dsr_record *r, struct dsr_error *err)
{
    struct ldb *s = state;
    char *key = ldb_record_key(r);
    json_t *value =
        json_pack("{s:i, s:i, s:s, s:s, s:s, s:s, s:I, s:O}", "v", LDB_VERSION, "kind",
                  (int)r->kind, "job", r->job, "model", r->model, "provider", r->provider, "key",
                  r->key, "time_us", (json_int_t)r->time_us, "body", r->body);
    char *text = value ? json_dumps(value, JSON_COMPACT) : NULL;
    if (key && text)
        leveldb_writebatch_put(s->batch, key, strlen(key), text, strlen(text));
    int rc = key && text ? 0 : dsr_error_set(err, DSR_ENOMEM, "a record can't be written as JSON");
    if (!rc && r->kind == DSR_RECORD_PERF && ldb_mark(s, r))
        rc = ldb_nomem(err);
    free(key);
    free(text);
    json_decref(value);
    return rc;
}

static int commit(void *state, struct dsr_error *err)
{
    struct ldb *s = state;
    return ldb_write(s, s->batch, err);
}

static int scan(void *state, const struct dsr_query *q, dsr_visit_fn *visit, void *arg,
                struct dsr_error *err)
{
    struct ldb *s = state;
    int rc = s->writer ? commit(s, err) : 0;
    for (int kind = DSR_RECORD_JOB; kind <= DSR_RECORD_EVENT && !rc; kind++)
        if (!q->kind || (int)q->kind == kind)
            rc = ldb_scan_kind(s, (enum dsr_record_kind)kind, q, visit, arg, err);
    return rc;
}

/* Results are safe before figures are made of them: what fails there is only told. */
static void make_figures(struct ldb *s)
{
    struct dsr_error err;
    if (ldb_roll(s, &err))
        dsr_host_log(s->host, DSR_LOG_WARN, "all results are kept, but not summed up: %s",
                     err.message);
}

static int close_store(void *state, struct dsr_error *err)
{
    struct ldb *s = state;
    char *message = NULL;
    int rc = 0;
    if (s->writer) {
        rc = commit(s, err);
        if (!rc)
            make_figures(s);
        leveldb_delete(s->db, s->writing, "m/open", 6, &message);
        if (message && !rc)
            rc = ldb_fail(s, "can't be written", message, err);
        else
            leveldb_free(message);
        /* no key is there: only the log becomes a table, which readers need not do then */
        leveldb_compact_range(s->db, "~", 1, "~", 1);
    }
    ldb_free(s);
    return rc;
}

static const struct dsr_store_ops ops = {
    .size = sizeof ops,
    .open = open_store,
    .put = put,
    .commit = commit,
    .scan = scan,
    .close = close_store,
    .sums = ldb_sums,
    .compact = ldb_compact,
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
