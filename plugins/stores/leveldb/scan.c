/* Visiting records. */
#include "plugins/stores/leveldb/ldb.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERSION 1

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

/* What all matching keys of a kind begin with; NULL when out of memory. */
static char *prefix_of(enum dsr_record_kind kind, const struct dsr_query *q)
{
    static const char letters[] = {[DSR_RECORD_JOB] = 'j',
                                   [DSR_RECORD_PERF] = 'P',
                                   [DSR_RECORD_BENCHMARK] = 'B',
                                   [DSR_RECORD_ANSWER] = 'a',
                                   [DSR_RECORD_EVENT] = 'e'};
    char letter = letters[kind];
    if (letter != 'P' && letter != 'B')
        return q->job ? ldb_format("%c/%s%s", letter, q->job, letter == 'j' ? "" : "/")
                      : ldb_format("%c/", letter);
    if (!q->model)
        return ldb_format("%c/", letter);
    char *stem = ldb_stem(q->model, q->provider ? q->provider : "");
    char *prefix = stem ? ldb_format("%c/%s%s", letter, stem, q->provider ? "/" : "") : NULL;
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

/* Moves on over results of other times; true when it moved. */
static bool skip(leveldb_iterator_t *it, const char *key, size_t n, const struct dsr_query *q)
{
    size_t at = time_at(key, n);
    if (!at || !(q->since_us || q->until_us))
        return false;
    char bound[24], *to = malloc(n + 24);
    snprintf(bound, sizeof bound, "%020lld", (long long)q->since_us);
    bool early = memcmp(key + at, bound, 20) < 0;
    snprintf(bound, sizeof bound, "%020lld", (long long)q->until_us);
    bool late = q->until_us && memcmp(key + at, bound, 20) >= 0;
    if (to && (early || late)) {
        memcpy(to, key, at);
        if (early)
            at += (size_t)sprintf(to + at, "%020lld", (long long)q->since_us);
        else
            to[at - 1] = '/' + 1; /* the next provider */
        leveldb_iter_seek(it, to, at);
    }
    free(to);
    return to && (early || late);
}

int ldb_scan_kind(struct ldb *s, enum dsr_record_kind kind, const struct dsr_query *q,
                  dsr_visit_fn *visit, void *arg, struct dsr_error *err)
{
    char *prefix = prefix_of(kind, q), *message = NULL;
    bool timed = kind == DSR_RECORD_PERF || kind == DSR_RECORD_BENCHMARK;
    int rc = prefix ? 0 : ldb_nomem(err);
    leveldb_iterator_t *it = leveldb_create_iterator(s->db, s->reading);
    if (!rc)
        leveldb_iter_seek(it, prefix, strlen(prefix));
    while (!rc && leveldb_iter_valid(it)) {
        size_t key_len, len;
        const char *key = leveldb_iter_key(it, &key_len);
        if (!ldb_begins(key, key_len, prefix))
            break;
        if (timed && skip(it, key, key_len, q))
            continue;
        const char *value = leveldb_iter_value(it, &len);
        rc = ldb_visit_value(value, len, q, visit, arg, err);
        leveldb_iter_next(it);
    }
    leveldb_iter_get_error(it, &message);
    leveldb_iter_destroy(it);
    free(prefix);
    if (message && !rc)
        return ldb_fail(s, "can't be read", message, err);
    leveldb_free(message);
    return rc;
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
    leveldb_iter_destroy(it);
    free(from);
    free(to);
    return rc;
}
