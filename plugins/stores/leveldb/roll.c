/* Figures by the hour, the day and 32 days. A result that is written marks its hour; what is marked
 * is made anew from the records, so that a result that is written again counts once. All figures
 * of 32 days of a provider, and the end of their marks, are one batch. */
#include "plugins/stores/leveldb/ldb.h"

#include <dsr/figures.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#define DAYS (LDB_BLOCK / LDB_DAY)
#define TELL 200000 /* results: a few seconds */

struct ldb_dirty {
    UT_hash_handle hh;
    char key[];
};

struct part { /* encoded figures; bytes NULL: none */
    char *bytes;
    size_t n;
    bool fresh;
};

struct roll {
    struct ldb *s;
    char *stem, *model, *provider;
    int64_t span; /* 32 days since 1970 */
    struct part hours[LDB_BLOCK], days[DAYS], all;
    int64_t results; /* read so far */
    leveldb_writebatch_t *batch;
};

int ldb_mark(struct ldb *s, const struct dsr_record *record)
{
    char *stem = ldb_stem(record->model, record->provider);
    char *key =
        stem ? ldb_index_key("D", stem, (int)strlen(stem), ldb_hour(record->time_us)) : NULL;
    struct ldb_dirty *known = NULL;
    free(stem);
    if (key)
        HASH_FIND_STR(s->dirty, key, known);
    size_t n = key ? strlen(key) : 0;
    struct ldb_dirty *mark = key && !known ? malloc(sizeof *mark + n + 1) : NULL;
    if (mark) {
        memcpy(mark->key, key, n + 1);
        HASH_ADD_STR(s->dirty, key, mark);
        leveldb_writebatch_put(s->batch, key, n, "", 0);
    }
    free(key);
    return known || mark ? 0 : DSR_ENOMEM;
}

void ldb_marks_forget(struct ldb *s)
{
    struct ldb_dirty *mark, *next;
    HASH_ITER(hh, s->dirty, mark, next)
    {
        HASH_DEL(s->dirty, mark);
        free(mark);
    }
}

static char *key_of(const struct roll *r, const char *kind, int64_t index)
{
    return ldb_index_key(kind, r->stem, (int)strlen(r->stem), index);
}

static int get(struct roll *r, const char *key, struct part *part, struct dsr_error *err)
{
    char *message = NULL;
    if (!key)
        return ldb_nomem(err);
    part->bytes = leveldb_get(r->s->db, r->s->reading, key, strlen(key), &part->n, &message);
    return message ? ldb_fail(r->s, "can't be read", message, err) : 0;
}

/* Puts figures into the batch, or takes them away when they are of nothing. */
static int put(struct roll *r, char *key, const struct part *part, struct dsr_error *err)
{
    if (!key)
        return ldb_nomem(err);
    if (part->bytes)
        leveldb_writebatch_put(r->batch, key, strlen(key), part->bytes, part->n);
    else
        leveldb_writebatch_delete(r->batch, key, strlen(key));
    free(key);
    return 0;
}

static int merge(const struct roll *r, struct dsr_figures *figures, const struct part *part,
                 struct dsr_error *err)
{
    int rc = part->bytes ? dsr_figures_merge(figures, part->bytes, part->n) : 0;
    if (rc == DSR_ENOMEM)
        return ldb_nomem(err);
    return rc ? dsr_error_set(err, DSR_ESTORE,
                              "sums in the store %s are damaged; `dsr-run db compact` makes them "
                              "anew",
                              r->s->path)
              : 0;
}

/* Figures that begin with those of results that were given up; NULL with err. */
static struct dsr_figures *begin_hour(struct roll *r, int64_t index, bool *any,
                                      struct dsr_error *err)
{
    struct dsr_figures *figures = dsr_figures_new(r->s->host, r->model, r->provider);
    struct part part = {0};
    char *key = key_of(r, "S", index);
    int rc = figures ? get(r, key, &part, err) : ldb_nomem(err);
    free(key);
    *any = !rc && part.bytes;
    if (*any && (rc = merge(r, figures, &part, err)) == DSR_ESTORE) { /* nothing else has them */
        dsr_host_log(r->s->host, DSR_LOG_WARN,
                     "the store %s: sums of results that were given up are damaged, and left out",
                     r->s->path);
        dsr_figures_free(figures);
        figures = dsr_figures_new(r->s->host, r->model, r->provider);
        *any = false;
        rc = figures ? 0 : ldb_nomem(err);
    }
    leveldb_free(part.bytes);
    if (!rc)
        return figures;
    dsr_figures_free(figures);
    return NULL;
}

struct hour {
    struct roll *roll;
    struct dsr_figures *figures;
    size_t n;
    leveldb_iterator_t *at; /* the record now visited */
};

static int add_record(void *arg, const struct dsr_record *record, struct dsr_error *err)
{
    struct hour *h = arg;
    size_t n;
    if (record->kind == DSR_RECORD_PERF) {
        h->n++;
        if (++h->roll->results % TELL == 0)
            dsr_host_log(h->roll->s->host, DSR_LOG_INFO, "%lld results were summed up",
                         (long long)h->roll->results);
        return dsr_figures_add(h->figures, record->body) ? ldb_nomem(err) : 0;
    }
    const char *own = leveldb_iter_key(h->at, &n);
    char *key = ldb_format("U/%.*s", (int)n, own);
    if (!key)
        return ldb_nomem(err);
    leveldb_writebatch_put(h->roll->batch, key, strlen(key), "", 0);
    free(key);
    return 0;
}

static int add_value(void *arg, leveldb_iterator_t *it, struct dsr_error *err)
{
    static const struct dsr_query any = {.size = sizeof any};
    struct hour *h = arg;
    size_t n;
    const char *value = leveldb_iter_value(it, &n);
    h->at = it;
    return ldb_visit_value(value, n, &any, add_record, h, err);
}

static int make_hour(struct roll *r, int64_t index, struct dsr_error *err)
{
    struct part *part = &r->hours[index % LDB_BLOCK];
    bool given_up;
    struct hour h = {.roll = r, .figures = begin_hour(r, index, &given_up, err)};
    if (!h.figures)
        return err->code;
    int rc = ldb_each_of_hour(r->s, r->stem, (int)strlen(r->stem), index, add_value, &h, err);
    part->fresh = true;
    if (!rc && (h.n || given_up) && dsr_figures_encode(h.figures, &part->bytes, &part->n))
        rc = ldb_nomem(err);
    dsr_figures_free(h.figures);
    return rc ? rc : put(r, key_of(r, "R/h", index), part, err);
}

/* Sums n parts of a level, the first with this index, up to one of the next, where one is fresh. */
static int make_sum(struct roll *r, const char *level, struct part *parts, size_t n, int64_t index,
                    struct part *sum, struct dsr_error *err)
{
    bool fresh = false;
    int rc = 0;
    for (size_t i = 0; i < n; i++)
        fresh |= parts[i].fresh;
    if (!fresh)
        return 0;
    struct dsr_figures *figures = dsr_figures_new(r->s->host, r->model, r->provider);
    bool any = false;
    for (size_t i = 0; i < n && !rc && figures; i++) {
        if (!parts[i].fresh) {
            char *key = key_of(r, level, index + (int64_t)i);
            rc = get(r, key, &parts[i], err);
            free(key);
        }
        any |= parts[i].bytes != NULL;
        if (!rc)
            rc = merge(r, figures, &parts[i], err);
    }
    sum->fresh = true;
    if (!figures || (!rc && any && dsr_figures_encode(figures, &sum->bytes, &sum->n)))
        rc = ldb_nomem(err);
    dsr_figures_free(figures);
    return rc;
}

static int make_sums(struct roll *r, struct dsr_error *err)
{
    int64_t first = r->span * DAYS;
    int rc = 0;
    for (int64_t d = 0; d < DAYS && !rc; d++) {
        rc = make_sum(r, "R/h", r->hours + d * LDB_DAY, LDB_DAY, (first + d) * LDB_DAY, &r->days[d],
                      err);
        if (!rc && r->days[d].fresh)
            rc = put(r, key_of(r, "R/d", first + d), &r->days[d], err);
    }
    if (!rc)
        rc = make_sum(r, "R/d", r->days, DAYS, first, &r->all, err);
    return rc ? rc : put(r, key_of(r, "R/m", r->span), &r->all, err);
}

static void clear_parts(struct part *parts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(parts[i].bytes);
    memset(parts, 0, n * sizeof *parts);
}

static void forget(struct roll *r)
{
    clear_parts(r->hours, LDB_BLOCK);
    clear_parts(r->days, DAYS);
    clear_parts(&r->all, 1);
    leveldb_writebatch_clear(r->batch);
    free(r->stem);
    free(r->model);
    free(r->provider);
    r->stem = r->model = r->provider = NULL;
}

/* What was gathered of a provider's 32 days. */
static int finish(struct roll *r, struct dsr_error *err)
{
    int rc = r->stem ? make_sums(r, err) : 0;
    if (!rc && r->stem)
        rc = ldb_write(r->s, r->batch, err);
    forget(r);
    return rc;
}

static int start(struct roll *r, const char *stem, size_t n, int64_t span, struct dsr_error *err)
{
    r->stem = strndup(stem, n);
    r->model = r->stem ? ldb_part(r->stem, 0) : NULL;
    r->provider = r->stem ? ldb_part(r->stem, 1) : NULL;
    r->span = span;
    return r->model && r->provider ? 0 : ldb_nomem(err);
}

static int take_mark(struct roll *r, const char *key, size_t n, struct dsr_error *err)
{
    int64_t hour = ldb_index(key, n);
    const char *stem = key + 2, *end = memrchr(key, '/', n);
    size_t len = end > stem ? (size_t)(end - stem) : 0;
    bool same = r->stem && strlen(r->stem) == len && !memcmp(r->stem, stem, len) &&
                r->span == hour / LDB_BLOCK;
    int rc = same ? 0 : finish(r, err);
    if (!rc && !same)
        rc = start(r, stem, len, hour / LDB_BLOCK, err);
    if (!rc)
        rc = make_hour(r, hour, err);
    if (!rc)
        leveldb_writebatch_delete(r->batch, key, n);
    return rc;
}

int ldb_roll(struct ldb *s, struct dsr_error *err)
{
    struct roll *r = calloc(1, sizeof *r);
    if (!r)
        return ldb_nomem(err);
    r->s = s;
    r->batch = leveldb_writebatch_create();
    leveldb_iterator_t *it = leveldb_create_iterator(s->db, s->reading);
    int rc = 0;
    for (leveldb_iter_seek(it, "D/", 2); !rc && leveldb_iter_valid(it); leveldb_iter_next(it)) {
        size_t n;
        const char *key = leveldb_iter_key(it, &n);
        if (!ldb_begins(key, n, "D/"))
            break;
        rc = take_mark(r, key, n, err);
    }
    rc = ldb_iter_end(s, it, rc, err);
    if (!rc)
        rc = finish(r, err);
    forget(r);
    leveldb_writebatch_destroy(r->batch);
    free(r);
    ldb_marks_forget(s);
    return rc;
}
