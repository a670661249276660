/* Results of an earlier version, and of a time that is over. */
#include "plugins/stores/leveldb/ldb.h"

#include <stdlib.h>
#include <string.h>

#define MOST 1000 /* changes in a batch */

struct changes {
    struct ldb *s;
    size_t in_batch;
    int64_t n;
    int64_t keep_us;
    const char *prefix; /* of the keys walked over */
    bool wanted;        /* the record last looked at */
};

/* Calls each for all keys with this prefix; what it puts into the batch is written as a whole. */
static int walk(struct changes *c, const char *prefix, ldb_each_fn *each, struct dsr_error *err)
{
    leveldb_iterator_t *it = leveldb_create_iterator(c->s->db, c->s->reading);
    int rc = 0;
    c->prefix = prefix;
    for (leveldb_iter_seek(it, prefix, strlen(prefix)); !rc && leveldb_iter_valid(it);) {
        size_t n;
        const char *key = leveldb_iter_key(it, &n);
        if (!ldb_begins(key, n, prefix))
            break;
        rc = each(c, it, err);
        if (!rc && c->in_batch >= MOST) {
            c->in_batch = 0;
            rc = ldb_write(c->s, c->s->batch, err);
        }
        if (leveldb_iter_valid(it))
            leveldb_iter_next(it);
    }
    rc = ldb_iter_end(c->s, it, rc, err);
    return rc ? rc : ldb_write(c->s, c->s->batch, err);
}

struct moving {
    struct changes *changes;
    leveldb_iterator_t *it;
};

static int move_record(void *arg, const struct dsr_record *record, struct dsr_error *err)
{
    struct moving *m = arg;
    struct ldb *s = m->changes->s;
    size_t n, len;
    const char *old = leveldb_iter_key(m->it, &n), *value = leveldb_iter_value(m->it, &len);
    char *key = record->kind == DSR_RECORD_UNKNOWN ? ldb_format("P//%.*s", (int)n, old)
                                                   : ldb_record_key(record);
    if (!key)
        return ldb_nomem(err);
    leveldb_writebatch_put(s->batch, key, strlen(key), value, len);
    leveldb_writebatch_delete(s->batch, old, n);
    free(key);
    if (record->kind == DSR_RECORD_PERF && ldb_mark(s, record))
        return ldb_nomem(err);
    m->changes->in_batch++;
    m->changes->n++;
    return 0;
}

static int move(void *arg, leveldb_iterator_t *it, struct dsr_error *err)
{
    struct changes *c = arg;
    static const struct dsr_query any = {.size = sizeof any};
    struct moving m = {c, it};
    size_t n;
    const char *value = leveldb_iter_value(it, &n);
    return ldb_visit_value(value, n, &any, move_record, &m, err);
}

int ldb_migrate(struct ldb *s, struct dsr_error *err)
{
    struct changes c = {.s = s};
    int rc = walk(&c, "p/", move, err);
    if (!rc)
        rc = walk(&c, "b/", move, err);
    if (!rc && c.n && s->writer)
        dsr_host_log(s->host, DSR_LOG_INFO, "%lld results of the store %s are in their new order",
                     (long long)c.n, s->path);
    return rc;
}

static int look(void *arg, const struct dsr_record *record, struct dsr_error *err)
{
    struct changes *c = arg;
    (void)err;
    c->wanted = record->kind == DSR_RECORD_UNKNOWN || record->time_us >= c->keep_us;
    return 0;
}

static int give_up(void *arg, leveldb_iterator_t *it, struct dsr_error *err)
{
    struct changes *c = arg;
    static const struct dsr_query any = {.size = sizeof any};
    size_t n, len;
    const char *key = leveldb_iter_key(it, &n), *value = leveldb_iter_value(it, &len);
    int rc = ldb_visit_value(value, len, &any, look, c, err);
    if (rc || c->wanted)
        return rc;
    leveldb_writebatch_delete(c->s->batch, key, n);
    c->in_batch++;
    c->n++;
    return 0;
}

/* The figures of an hour that is over become all that is left of it. */
static int seal(void *arg, leveldb_iterator_t *it, struct dsr_error *err)
{
    struct changes *c = arg;
    size_t n, len;
    const char *key = leveldb_iter_key(it, &n), *value = leveldb_iter_value(it, &len);
    int64_t hour = ldb_index(key, n), before = c->n;
    if ((hour + 1) * LDB_HOUR_US > c->keep_us)
        return 0;
    char *sealed = ldb_format("S/%.*s", (int)n - 4, key + 4);
    int rc = sealed ? ldb_each_of_hour(c->s, key + 4, (int)n - 4 - LDB_INDEX, hour, give_up, c, err)
                    : ldb_nomem(err);
    if (!rc && c->n > before)
        leveldb_writebatch_put(c->s->batch, sealed, strlen(sealed), value, len);
    free(sealed);
    return rc;
}

static int put_mark(struct changes *c, const char *stem, int n, int64_t hour, struct dsr_error *err)
{
    char *mark = ldb_index_key("D", stem, n, hour);
    if (!mark)
        return ldb_nomem(err);
    leveldb_writebatch_put(c->s->batch, mark, strlen(mark), "", 0);
    free(mark);
    c->in_batch++;
    return 0;
}

/* The hour of these figures. */
static int mark_figures(void *arg, leveldb_iterator_t *it, struct dsr_error *err)
{
    struct changes *c = arg;
    size_t n, at = strlen(c->prefix);
    const char *key = leveldb_iter_key(it, &n);
    return put_mark(c, key + at, (int)(n - at) - LDB_INDEX, ldb_index(key, n), err);
}

/* The hour of this result; moves on to its last one. */
static int mark_result(void *arg, leveldb_iterator_t *it, struct dsr_error *err)
{
    struct changes *c = arg;
    size_t n, at = 2, slashes = 0;
    const char *key = leveldb_iter_key(it, &n);
    while (at < n && (key[at] != '/' || ++slashes < 2))
        at++;
    if (n - at < 21) /* no time */
        return 0;
    int64_t hour = ldb_hour(ldb_index(key, at + 21));
    char *next = ldb_format("%.*s/%020lld", (int)at, key, (long long)((hour + 1) * LDB_HOUR_US));
    int rc = next ? put_mark(c, key + 2, (int)at - 2, hour, err) : ldb_nomem(err);
    if (!rc) {
        leveldb_iter_seek(it, next, strlen(next));
        if (leveldb_iter_valid(it))
            leveldb_iter_prev(it);
        else
            leveldb_iter_seek_to_last(it);
    }
    free(next);
    return rc;
}

/* All figures are made anew. */
static int make_anew(struct changes *c, struct dsr_error *err)
{
    int rc = walk(c, "R/h/", mark_figures, err);
    if (!rc)
        rc = walk(c, "S/", mark_figures, err);
    if (!rc)
        rc = walk(c, "P/", mark_result, err);
    return rc ? rc : ldb_roll(c->s, err);
}

int ldb_compact(void *state, int64_t keep_us, int64_t *removed, struct dsr_error *err)
{
    struct ldb *s = state;
    struct changes c = {.s = s, .keep_us = keep_us > 0 ? keep_us - keep_us % LDB_HOUR_US : 0};
    int rc = ldb_write(s, s->batch, err);
    if (!rc)
        rc = make_anew(&c, err);
    if (!rc && c.keep_us)
        rc = walk(&c, "R/h/", seal, err);
    if (!rc && c.keep_us)
        rc = walk(&c, "a/", give_up, err);
    if (!rc && c.keep_us)
        rc = walk(&c, "e/", give_up, err);
    *removed = c.n;
    if (!rc)
        leveldb_compact_range(s->db, NULL, 0, NULL, 0);
    return rc;
}
