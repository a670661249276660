/* Results summed up: figures of 32 days, days and hours where a time holds whole ones, records at
 * its ends. */
#include "plugins/stores/leveldb/ldb.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEVELS 3
static const struct level {
    const char *kind;
    int64_t hours;
} levels[LEVELS] = {{"R/m", LDB_BLOCK}, {"R/d", LDB_DAY}, {"R/h", 1}};

struct sums {
    struct ldb *s;
    const struct dsr_query *query;
    dsr_visit_fn *visit;
    dsr_sum_fn *add;
    void *arg;
    const char *stem, *provider; /* now visited */
    leveldb_iterator_t *at[LEVELS];
};

/* The iterator at the first key from here on; it is often there already. */
static void seek(leveldb_iterator_t *it, const char *key)
{
    size_t n, m = strlen(key);
    const char *now = leveldb_iter_valid(it) ? leveldb_iter_key(it, &n) : NULL;
    if (!now || n != m || memcmp(now, key, m) != 0)
        leveldb_iter_seek(it, key, m);
}

/* Figures of a level, of [from, to) of its indices. */
static int add_run(struct sums *q, size_t level, int64_t from, int64_t to, struct dsr_error *err)
{
    leveldb_iterator_t *it = q->at[level];
    char *key = ldb_index_key(levels[level].kind, q->stem, (int)strlen(q->stem), from);
    int rc = key ? 0 : ldb_nomem(err);
    size_t prefix = key ? strlen(key) - LDB_INDEX + 1 : 0;
    if (!rc)
        seek(it, key);
    for (; !rc && leveldb_iter_valid(it); leveldb_iter_next(it)) {
        size_t n, len;
        const char *now = leveldb_iter_key(it, &n);
        bool same = n > prefix && !memcmp(now, key, prefix);
        int64_t index = same ? ldb_index(now, n) : to;
        if (index >= to)
            break;
        const char *bytes = leveldb_iter_value(it, &len);
        rc =
            q->add(q->arg, q->provider, index * levels[level].hours * LDB_HOUR_US, bytes, len, err);
    }
    free(key);
    return rc;
}

/* Hours [from, to): the widest figures that fit, from both ends. */
static int add_hours(struct sums *q, size_t level, int64_t from, int64_t to, struct dsr_error *err)
{
    int64_t size = levels[level].hours, first = (from + size - 1) / size, last = to / size;
    if (level == LEVELS - 1)
        return add_run(q, level, from, to, err);
    if (first >= last)
        return add_hours(q, level + 1, from, to, err);
    int rc = from < first * size ? add_hours(q, level + 1, from, first * size, err) : 0;
    if (!rc)
        rc = add_run(q, level, first, last, err);
    if (!rc && last * size < to)
        rc = add_hours(q, level + 1, last * size, to, err);
    return rc;
}

static int visit_records(struct sums *q, int64_t from_us, int64_t to_us, struct dsr_error *err)
{
    struct dsr_query part = *q->query;
    part.kind = DSR_RECORD_PERF;
    part.job = NULL;
    part.provider = q->provider;
    part.since_us = from_us;
    part.until_us = to_us;
    return from_us < to_us ? ldb_scan_kind(q->s, DSR_RECORD_PERF, &part, q->visit, q->arg, err) : 0;
}

static int add_interval(struct sums *q, int64_t from_us, int64_t to_us, struct dsr_error *err)
{
    int64_t first = (from_us + LDB_HOUR_US - 1) / LDB_HOUR_US, last = to_us / LDB_HOUR_US;
    if (first >= last)
        return visit_records(q, from_us, to_us, err);
    int rc = visit_records(q, from_us, first * LDB_HOUR_US, err);
    if (!rc)
        rc = add_hours(q, 0, first, last, err);
    return rc ? rc : visit_records(q, last * LDB_HOUR_US, to_us, err);
}

static int add_provider(struct sums *q, int64_t interval_us, struct dsr_error *err)
{
    int64_t since = q->query->since_us > 0 ? q->query->since_us : 0;
    int64_t until = q->query->until_us > 0
                        ? q->query->until_us
                        : INT64_MAX / LDB_HOUR_US / LDB_BLOCK * LDB_BLOCK * LDB_HOUR_US;
    int rc = 0;
    for (int64_t from = since; from < until && !rc;) {
        int64_t to = interval_us > 0 && until - from > interval_us ? from + interval_us : until;
        rc = add_interval(q, from, to, err);
        from = to;
    }
    return rc;
}

/* Each provider has figures of 32 days; only their first keys are looked at. */
static int add_all(struct sums *q, int64_t interval_us, struct dsr_error *err)
{
    char *prefix = ldb_model_prefix("R/m", q->query->model);
    leveldb_iterator_t *it = leveldb_create_iterator(q->s->db, q->s->reading);
    int rc = prefix ? 0 : ldb_nomem(err);
    if (!rc)
        leveldb_iter_seek(it, prefix, strlen(prefix));
    while (!rc && leveldb_iter_valid(it)) {
        size_t n;
        const char *key = leveldb_iter_key(it, &n);
        const char *end = ldb_begins(key, n, prefix) ? memrchr(key, '/', n) : NULL;
        if (!end || end < key + strlen(prefix))
            break;
        char *stem = strndup(key + 4, (size_t)(end - key) - 4);
        char *provider = stem ? ldb_part(stem, 1) : NULL;
        char *next = stem ? ldb_format("R/m/%s%c", stem, '/' + 1) : NULL;
        q->stem = stem;
        q->provider = provider;
        rc = provider && next ? add_provider(q, interval_us, err) : ldb_nomem(err);
        if (!rc)
            leveldb_iter_seek(it, next, strlen(next));
        free(stem);
        free(provider);
        free(next);
    }
    free(prefix);
    return ldb_iter_end(q->s, it, rc, err);
}

/* Results of a newer version are in no figures, but are told of. */
static int visit_unknown(struct sums *q, struct dsr_error *err)
{
    static const struct dsr_query none = {.size = sizeof none, .job = ""};
    char *prefix = ldb_model_prefix("U/P", q->query->model);
    leveldb_iterator_t *it = leveldb_create_iterator(q->s->db, q->s->reading);
    int rc = prefix ? 0 : ldb_nomem(err);
    if (!rc)
        leveldb_iter_seek(it, prefix, strlen(prefix));
    for (; !rc && leveldb_iter_valid(it); leveldb_iter_next(it)) {
        size_t n, len = 0;
        char *message = NULL;
        const char *key = leveldb_iter_key(it, &n);
        if (!ldb_begins(key, n, prefix))
            break;
        char *value = leveldb_get(q->s->db, q->s->reading, key + 2, n - 2, &len, &message);
        leveldb_free(message);
        if (value) /* one that was replaced meanwhile has a job, so that it is not visited */
            rc = ldb_visit_value(value, len, &none, q->visit, q->arg, err);
        leveldb_free(value);
    }
    free(prefix);
    return ldb_iter_end(q->s, it, rc, err);
}

int ldb_sums(void *state, const struct dsr_query *query, int64_t interval_us, dsr_visit_fn *visit,
             dsr_sum_fn *add, void *arg, struct dsr_error *err)
{
    struct sums q = {.s = state, .query = query, .visit = visit, .add = add, .arg = arg};
    char *stem = NULL;
    int rc = ldb_write(q.s, q.s->batch, err);
    if (!rc)
        rc = ldb_roll(q.s, err);
    for (size_t i = 0; i < LEVELS; i++)
        q.at[i] = leveldb_create_iterator(q.s->db, q.s->reading);
    if (!rc && query->provider) {
        q.stem = stem = ldb_stem(query->model, query->provider);
        q.provider = query->provider;
        rc = stem ? add_provider(&q, interval_us, err) : ldb_nomem(err);
    } else if (!rc) {
        rc = add_all(&q, interval_us, err);
    }
    if (!rc)
        rc = visit_unknown(&q, err);
    for (size_t i = 0; i < LEVELS; i++)
        rc = ldb_iter_end(q.s, q.at[i], rc, err);
    free(stem);
    return rc;
}
