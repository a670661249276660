/* Visiting records. */
#include "plugins/stores/leveldb/ldb.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *text_of(const json_t *value, const char *key)
{
    const char *text = json_string_value(json_object_get(value, key));
    return text ? text : "";
}

int ldb_visit_value(const char *bytes, size_t n, const struct dsr_query *q, dsr_visit_fn *visit,
                    void *arg, struct dsr_error *err)
{
    json_t *value = json_loadb(bytes, n, 0, NULL), *raw = NULL;
    json_t *body = json_object_get(value, "body");
    json_int_t kind = json_integer_value(json_object_get(value, "kind"));
    bool known = json_integer_value(json_object_get(value, "v")) == LDB_VERSION &&
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

/* What all matching keys of a kind begin with; NULL when out of memory. */
static char *prefix_of(enum dsr_record_kind kind, const struct dsr_query *q)
{
    static const char *const letters[] = {[DSR_RECORD_JOB] = "j",
                                          [DSR_RECORD_PERF] = "P",
                                          [DSR_RECORD_BENCHMARK] = "B",
                                          [DSR_RECORD_ANSWER] = "a",
                                          [DSR_RECORD_EVENT] = "e"};
    const char *letter = letters[kind];
    bool result = kind == DSR_RECORD_PERF || kind == DSR_RECORD_BENCHMARK;
    if (!(result ? q->model : q->job))
        return ldb_format("%s/", letter);
    if (!result)
        return ldb_format("%s/%s%s", letter, q->job, kind == DSR_RECORD_JOB ? "" : "/");
    if (!q->provider)
        return ldb_model_prefix(letter, q->model);
    char *stem = ldb_stem(q->model, q->provider);
    char *prefix = stem ? ldb_format("%s/%s/", letter, stem) : NULL;
    free(stem);
    return prefix;
}

/* Where in a key of a result its time begins; 0: nowhere. */
static size_t time_at(const char *key, size_t n)
{
    size_t slashes = 0;
    for (size_t i = 0; i < n; i++)
        if (key[i] == '/' && ++slashes == 3)
            return n - i > 20 ? i + 1 : 0;
    return 0;
}

struct times { /* as they stand in keys */
    char since[24], until[24];
    bool open; /* there is no end */
};

static struct times times_of(const struct dsr_query *q)
{
    struct times t = {.open = !q->until_us};
    snprintf(t.since, sizeof t.since, "%020lld", (long long)q->since_us);
    snprintf(t.until, sizeof t.until, "%020lld", (long long)q->until_us);
    return t;
}

/* Moves on over results of other times; true when it moved. */
static bool skip(leveldb_iterator_t *it, const char *key, size_t n, const struct times *t)
{
    size_t at = time_at(key, n);
    bool early = at && memcmp(key + at, t->since, 20) < 0;
    bool late = at && !t->open && memcmp(key + at, t->until, 20) >= 0;
    if (!early && !late)
        return false;
    /* to the first of its time, or to the next provider */
    char *to = early ? ldb_format("%.*s%s", (int)at, key, t->since)
                     : ldb_format("%.*s%c", (int)at - 1, key, '/' + 1);
    if (to)
        leveldb_iter_seek(it, to, strlen(to));
    free(to);
    return to != NULL;
}

int ldb_scan_kind(struct ldb *s, enum dsr_record_kind kind, const struct dsr_query *q,
                  dsr_visit_fn *visit, void *arg, struct dsr_error *err)
{
    char *prefix = prefix_of(kind, q);
    bool timed =
        (kind == DSR_RECORD_PERF || kind == DSR_RECORD_BENCHMARK) && (q->since_us || q->until_us);
    struct times times = times_of(q);
    int rc = prefix ? 0 : ldb_nomem(err);
    leveldb_iterator_t *it = leveldb_create_iterator(s->db, s->reading);
    if (!rc)
        leveldb_iter_seek(it, prefix, strlen(prefix));
    while (!rc && leveldb_iter_valid(it)) {
        size_t key_len, len;
        const char *key = leveldb_iter_key(it, &key_len);
        if (!ldb_begins(key, key_len, prefix))
            break;
        if (timed && skip(it, key, key_len, &times))
            continue;
        const char *value = leveldb_iter_value(it, &len);
        rc = ldb_visit_value(value, len, q, visit, arg, err);
        leveldb_iter_next(it);
    }
    free(prefix);
    return ldb_iter_end(s, it, rc, err);
}

int ldb_each_of_hour(struct ldb *s, const char *stem, int n, int64_t hour, ldb_each_fn *each,
                     void *arg, struct dsr_error *err)
{
    char *from = ldb_format("P/%.*s/%020lld", n, stem, (long long)(hour * LDB_HOUR_US));
    char *to = ldb_format("P/%.*s/%020lld", n, stem, (long long)((hour + 1) * LDB_HOUR_US));
    int rc = from && to ? 0 : ldb_nomem(err);
    leveldb_iterator_t *it = leveldb_create_iterator(s->db, s->reading);
    if (!rc)
        leveldb_iter_seek(it, from, strlen(from));
    for (; !rc && leveldb_iter_valid(it); leveldb_iter_next(it)) {
        size_t len;
        const char *key = leveldb_iter_key(it, &len);
        if (len < strlen(to) || memcmp(key, to, strlen(to)) >= 0)
            break;
        rc = each(arg, it, err);
    }
    free(from);
    free(to);
    return ldb_iter_end(s, it, rc, err);
}
