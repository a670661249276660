/* Copying. A record is known by what every store keeps of it, so a store that gives no keys of its
 * own (CSV) can be copied to, and again. */
#include "core/run/copy.h"

#include <uthash.h>

#define BATCH 1000
#define TELL_NS 5000000000u

struct known { /* records of one identity in the store that is copied to */
    unsigned char id[16];
    size_t n;
    UT_hash_handle hh;
};

struct copying {
    const struct dsr_store *to;
    const struct dsr_host *host;
    FILE *file;
    struct known *known;
    struct dsr_copy *copy;
    size_t waiting; /* put and not committed */
    uint64_t told_ns;
};

const char *dsr_record_name(enum dsr_record_kind kind)
{
    static const char *const names[DSR_RECORD_KINDS] = {"unknown",   "job",    "performance",
                                                        "benchmark", "answer", "event"};
    return (size_t)kind < DSR_COUNT(names) ? names[kind] : names[0];
}

int dsr_store_open_at(struct dsr_store *store, struct dsr_registry *registry,
                      const struct dsr_settings *settings, const char *place,
                      enum dsr_store_mode mode, struct dsr_error *err)
{
    DSR_AUTO(str) char *name = NULL;
    DSR_AUTO(str) char *path = NULL;
    if (!strcmp(place, "db"))
        return dsr_results_open(store, registry, settings, NULL, mode, err);
    if (strstr(place, "://")) {
        int rc = dsr_store_address(place, NULL, &name, &path, err);
        if (rc)
            return rc;
    } else {
        DSR_AUTO(str) char *current = dsr_path_join(place, "CURRENT");
        name = strdup(current && dsr_path_exists(current) ? "leveldb" : "csv");
        path = strdup(place);
    }
    if (!name || !path)
        return dsr_error_nomem(err);
    return dsr_store_open(store, registry, name, path, mode, settings->host, err);
}

/* Keys of performance and benchmark results, and the jobs of the latter, are left out: CSV files
 * hold none. */
static int identity_of(const struct dsr_record *r, unsigned char id[16])
{
    unsigned char hash[32];
    bool keyed = r->kind == DSR_RECORD_ANSWER || r->kind == DSR_RECORD_EVENT;
    bool timed = r->kind != DSR_RECORD_JOB;
    DSR_AUTO(str)
    char *text = dsr_format("%d\n%s\n%s\n%s\n%s\n%lld", (int)r->kind,
                            r->kind == DSR_RECORD_BENCHMARK ? "" : r->job, r->model, r->provider,
                            keyed ? r->key : "", timed ? (long long)r->time_us : 0LL);
    if (!text || dsr_sha256(text, strlen(text), hash))
        return DSR_ENOMEM;
    memcpy(id, hash, 16);
    return 0;
}

static int note_known(void *arg, const struct dsr_record *record, struct dsr_error *err)
{
    struct copying *c = arg;
    struct known *k;
    unsigned char id[16];
    if (record->kind == DSR_RECORD_UNKNOWN)
        return 0;
    if (identity_of(record, id))
        return dsr_error_nomem(err);
    HASH_FIND(hh, c->known, id, sizeof id, k);
    if (!k) {
        k = calloc(1, sizeof *k);
        if (!k)
            return dsr_error_nomem(err);
        memcpy(k->id, id, sizeof id);
        HASH_ADD(hh, c->known, id, sizeof k->id, k);
    }
    k->n++;
    return 0;
}

/* Whether the other store holds it; each of its records stands for one. */
static bool is_known(struct copying *c, const struct dsr_record *record)
{
    struct known *k = NULL;
    unsigned char id[16];
    if (!c->known || identity_of(record, id))
        return false;
    HASH_FIND(hh, c->known, id, sizeof id, k);
    if (!k || !k->n)
        return false;
    k->n--;
    return true;
}

static int commit(struct copying *c, struct dsr_error *err)
{
    c->waiting = 0;
    return c->to->ops->commit(c->to->state, err);
}

static void tell(struct copying *c)
{
    uint64_t now = dsr_clock_ns();
    size_t n = 0;
    if (now - c->told_ns < TELL_NS)
        return;
    c->told_ns = now;
    for (size_t i = 0; i < DSR_RECORD_KINDS; i++)
        n += c->copy->found[i];
    dsr_host_log(c->host, DSR_LOG_INFO, "%zu records so far", n);
}

static int take(void *arg, const struct dsr_record *record, struct dsr_error *err)
{
    struct copying *c = arg;
    if (record->kind < DSR_RECORD_JOB || record->kind > DSR_RECORD_EVENT) {
        c->copy->unknown++;
        return 0;
    }
    c->copy->found[record->kind]++;
    tell(c);
    if (is_known(c, record))
        return 0;
    c->copy->copied[record->kind]++;
    int rc = c->to->ops->put(c->to->state, record, err);
    return !rc && ++c->waiting == BATCH ? commit(c, err) : rc;
}

static void forget(struct copying *c)
{
    struct known *k, *next;
    HASH_ITER(hh, c->known, k, next)
    {
        HASH_DEL(c->known, k);
        free(k);
    }
}

static int scan_all(const struct dsr_store *store, dsr_visit_fn *visit, void *arg,
                    struct dsr_error *err)
{
    struct dsr_query all = {.size = sizeof all};
    return store->ops->scan(store->state, &all, visit, arg, err);
}

/* What is there now must be what was there and what was copied. */
static int compare(const struct dsr_store *to, const struct dsr_copy *before,
                   const struct dsr_copy *copy, struct dsr_error *err)
{
    struct dsr_copy after;
    int rc = dsr_copy_count(to, &after, err);
    for (int kind = DSR_RECORD_JOB; kind <= DSR_RECORD_EVENT && !rc; kind++) {
        size_t wanted = before->found[kind] + copy->copied[kind];
        if (kind != DSR_RECORD_JOB && after.found[kind] != wanted)
            rc = dsr_error_set(err, DSR_ESTORE, "it holds %zu %s records instead of %zu",
                               after.found[kind], dsr_record_name((enum dsr_record_kind)kind),
                               wanted);
    }
    return rc;
}

int dsr_copy_store(const struct dsr_store *from, const struct dsr_store *to,
                   const struct dsr_host *host, struct dsr_copy *copy, struct dsr_error *err)
{
    struct copying c = {.to = to, .host = host, .copy = copy, .told_ns = dsr_clock_ns()};
    struct dsr_copy before;
    memset(copy, 0, sizeof *copy);
    int rc = scan_all(to, note_known, &c, err);
    if (!rc)
        rc = dsr_copy_count(to, &before, err);
    if (!rc)
        rc = scan_all(from, take, &c, err);
    if (!rc)
        rc = commit(&c, err);
    if (!rc)
        rc = compare(to, &before, copy, err);
    forget(&c);
    return rc;
}

static int write_line(void *arg, const struct dsr_record *r, struct dsr_error *err)
{
    struct copying *c = arg;
    if (r->kind < DSR_RECORD_JOB || r->kind > DSR_RECORD_EVENT) {
        c->copy->unknown++;
        return 0;
    }
    DSR_AUTO(json)
    json_t *line =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:O}", "kind", dsr_record_name(r->kind), "job",
                  r->job, "model", r->model, "provider", r->provider, "key", r->key, "time_us",
                  (json_int_t)r->time_us, "body", r->body);
    if (!line)
        return dsr_error_nomem(err);
    c->copy->found[r->kind]++;
    c->copy->copied[r->kind]++;
    bool ok = !json_dumpf(line, c->file, JSON_COMPACT) && fputc('\n', c->file) != EOF;
    return ok ? 0 : dsr_error_set(err, DSR_EIO, "can't be written: %s", strerror(errno));
}

int dsr_copy_to_file(const struct dsr_store *from, FILE *file, struct dsr_copy *copy,
                     struct dsr_error *err)
{
    struct copying c = {.file = file, .copy = copy};
    memset(copy, 0, sizeof *copy);
    int rc = scan_all(from, write_line, &c, err);
    if (!rc && fflush(file))
        rc = dsr_error_set(err, DSR_EIO, "can't be written: %s", strerror(errno));
    return rc;
}

static int read_line(void *arg, json_t *line, int number, struct dsr_error *err)
{
    struct copying *c = arg;
    const char *name = dsr_json_string(line, "kind", "");
    json_t *body = json_object_get(line, "body"), *time = json_object_get(line, "time_us");
    int kind = DSR_RECORD_JOB;
    (void)number;
    while (kind < DSR_RECORD_KINDS && strcmp(name, dsr_record_name((enum dsr_record_kind)kind)))
        kind++;
    if (!json_is_object(body) || !json_is_integer(time) || kind == DSR_RECORD_KINDS)
        return dsr_error_set(
            err, DSR_ECONFIG,
            "a record needs \"kind\" (job, performance, benchmark, answer, event), "
            "\"time_us\" and \"body\"");
    const struct dsr_record record = {.kind = (enum dsr_record_kind)kind,
                                      .job = dsr_json_string(line, "job", ""),
                                      .model = dsr_json_string(line, "model", ""),
                                      .provider = dsr_json_string(line, "provider", ""),
                                      .key = dsr_json_string(line, "key", ""),
                                      .time_us = json_integer_value(time),
                                      .body = body};
    return take(c, &record, err);
}

int dsr_copy_from_file(const char *path, const struct dsr_store *to, const struct dsr_host *host,
                       struct dsr_copy *copy, struct dsr_error *err)
{
    struct copying c = {.to = to, .host = host, .copy = copy, .told_ns = dsr_clock_ns()};
    memset(copy, 0, sizeof *copy);
    int rc = scan_all(to, note_known, &c, err);
    if (!rc)
        rc = dsr_jsonl_read(path, read_line, &c, err);
    struct dsr_error second;
    int kept = commit(&c, rc ? &second : err); /* what came before a bad line stays */
    forget(&c);
    return rc ? rc : kept;
}

static int count(void *arg, const struct dsr_record *record, struct dsr_error *err)
{
    struct dsr_copy *copy = arg;
    (void)err;
    if (record->kind < DSR_RECORD_JOB || record->kind > DSR_RECORD_EVENT)
        copy->unknown++;
    else
        copy->found[record->kind]++;
    return 0;
}

int dsr_copy_count(const struct dsr_store *store, struct dsr_copy *copy, struct dsr_error *err)
{
    memset(copy, 0, sizeof *copy);
    return scan_all(store, count, copy, err);
}
