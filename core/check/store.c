/* Steps for stores. */
#include "core/check/check.h"
#include "core/metric/figures.h"

#include <dsr/store.h>

#define JOB "00000000-0000-4000-8000-00000000000"

/* A place as open() takes it: of the first scheme under which the store can make one there, for a
 * store that answers to schemes. */
static char *placed(struct dsr_check *c, const char *path)
{
    const struct dsr_store_ops *ops = c->ops;
    bool schemes = ops->size > offsetof(struct dsr_store_ops, schemes) && ops->schemes;
    DSR_AUTO(str) char *list = strdup(schemes ? ops->schemes : "");
    DSR_AUTO(str) char *probe = dsr_path_join(c->folder, "probe");
    char *save = NULL;
    for (char *s = list ? strtok_r(list, ",", &save) : NULL; s; s = strtok_r(NULL, ",", &save)) {
        struct dsr_error ignored = {0};
        DSR_AUTO(str) char *place = dsr_format("%s:%s", s, probe);
        void *state = place ? ops->open(place, DSR_STORE_WRITE, c->host, &ignored) : NULL;
        if (!state)
            continue;
        ops->close(state, &ignored);
        return dsr_format("%s:%s", s, path);
    }
    return strdup(path);
}

static char *home(struct dsr_check *c, const char *name)
{
    DSR_AUTO(str) char *path = dsr_path_join(c->folder, name);
    return path ? placed(c, path) : NULL;
}

static void *open_store(struct dsr_check *c, const char *path, enum dsr_store_mode mode)
{
    const struct dsr_store_ops *ops = c->ops;
    struct dsr_error err = {0};
    void *state = ops->open(path, mode, c->host, &err);
    if (!state)
        dsr_check_fail(c, "open failed: %s", err.message);
    return state;
}

static bool put(struct dsr_check *c, void *state, enum dsr_record_kind kind, int i,
                const char *text)
{
    const struct dsr_store_ops *ops = c->ops;
    struct dsr_error err = {0};
    int64_t time_us = 1700000000000000 + (int64_t)i * 1000000;
    char key[16], time[DSR_TIME_SIZE];
    snprintf(key, sizeof key, "%08d", i);
    dsr_time_format(time_us, time);
    DSR_AUTO(json)
    json_t *body = json_pack("{s:s, s:s, s:s, s:b, s:s, s:f, s:f, s:i, s:i}", "provider", "acme",
                             "model", "m", "start_time", time, "success", 1, "prompt_type", text,
                             "ttft", 0.5, "total_time", 2.0, "output_tokens", 7, "input_tokens", 3);
    const struct dsr_record record = {kind, i % 2 ? JOB "1" : JOB "2", "m", "acme", key, time_us,
                                      body};
    return !ops->put(state, &record, &err) ? true
                                           : dsr_check_fail(c, "put failed: %s", err.message);
}

static bool finish(struct dsr_check *c, void *state)
{
    const struct dsr_store_ops *ops = c->ops;
    struct dsr_error err = {0};
    int rc = ops->commit(state, &err);
    int closed = ops->close(state, &err);
    return !rc && !closed ? true : dsr_check_fail(c, "commit or close failed: %s", err.message);
}

struct seen {
    size_t n, odd; /* records; of those, out of order or with another text */
    int64_t last_us;
};

static int visit(void *arg, const struct dsr_record *record, struct dsr_error *err)
{
    struct seen *s = arg;
    (void)err;
    s->n++;
    s->odd += record->kind == DSR_RECORD_UNKNOWN;
    if (record->kind == DSR_RECORD_PERF) /* the contract leaves the order of answers open */
        s->odd += record->time_us < s->last_us || strcmp(record->provider, "acme");
    s->last_us = record->time_us;
    return 0;
}

static bool finds(struct dsr_check *c, void *state, struct dsr_query query, size_t wanted,
                  const char *what)
{
    const struct dsr_store_ops *ops = c->ops;
    struct seen seen = {0};
    struct dsr_error err = {0};
    query.size = sizeof query;
    if (ops->scan(state, &query, visit, &seen, &err))
        return dsr_check_fail(c, "scan failed: %s", err.message);
    if (seen.n != wanted)
        return dsr_check_fail(c, "%zu records were found by %s instead of %zu", seen.n, what,
                              wanted);
    return !seen.odd ? true
                     : dsr_check_fail(c, "records found by %s are out of order or changed", what);
}

static bool keeps_records(struct dsr_check *c)
{
    const struct dsr_store_ops *ops = c->ops;
    DSR_AUTO(str) char *path = home(c, "records");
    void *state = open_store(c, path, DSR_STORE_WRITE);
    bool ok = state != NULL;
    for (int i = 0; i < 20 && ok; i++)
        ok = put(c, state, DSR_RECORD_PERF, i, "plain, \"quoted\", \xe4\xb8\xad\xf0\x9f\x98\x80\n");
    ok = (!state || finish(c, state)) && ok;
    state = ok ? open_store(c, path, DSR_STORE_READ) : NULL;
    ok = state && finds(c, state, (struct dsr_query){.kind = DSR_RECORD_PERF}, 20, "kind") &&
         finds(c, state, (struct dsr_query){.kind = DSR_RECORD_PERF, .job = JOB "1"}, 10, "job") &&
         finds(c, state, (struct dsr_query){.kind = DSR_RECORD_PERF, .provider = "none"}, 0,
               "a provider that is not there") &&
         finds(c, state,
               (struct dsr_query){.kind = DSR_RECORD_PERF,
                                  .since_us = 1700000005000000,
                                  .until_us = 1700000010000000},
               5, "time");
    struct dsr_error err = {0};
    if (state)
        ops->close(state, &err);
    return ok;
}

static bool stays_whole(struct dsr_check *c)
{
    const struct dsr_store_ops *ops = c->ops;
    DSR_AUTO(str) char *path = home(c, "twice");
    struct dsr_error err = {0};
    bool ok = true;
    for (int i = 0; i < 2 && ok; i++) {
        void *state = open_store(c, path, DSR_STORE_WRITE);
        ok = state && put(c, state, DSR_RECORD_ANSWER, i, "answer");
        ok = (!state || finish(c, state)) && ok;
    }
    void *state = ok ? open_store(c, path, DSR_STORE_READ) : NULL;
    ok = state && finds(c, state, (struct dsr_query){.kind = DSR_RECORD_ANSWER}, 2,
                        "kind, after a second opening");
    if (state)
        ops->close(state, &err);
    return ok;
}

/* Either is the second writer kept out, or what both wrote is there. */
static bool locks(struct dsr_check *c)
{
    const struct dsr_store_ops *ops = c->ops;
    DSR_AUTO(str) char *path = home(c, "locked");
    struct dsr_error err = {0}, ignored = {0};
    void *first = open_store(c, path, DSR_STORE_WRITE);
    if (!first)
        return false;
    void *second = ops->open(path, DSR_STORE_WRITE, c->host, &err);
    if (!second) {
        ops->close(first, &ignored);
        return dsr_check_told(c, &err);
    }
    bool ok = put(c, first, DSR_RECORD_ANSWER, 1, "first") && !ops->commit(first, &ignored) &&
              put(c, second, DSR_RECORD_ANSWER, 2, "second");
    ok = finish(c, second) && ok;
    ok = ok && finds(c, first, (struct dsr_query){.kind = DSR_RECORD_ANSWER}, 2, "two writers");
    ops->close(first, &ignored);
    return ok ? true : dsr_check_fail(c, "a second writer was let in, and records are lost");
}

static bool refuses_bad_places(struct dsr_check *c)
{
    const struct dsr_store_ops *ops = c->ops;
    DSR_AUTO(str) char *file = dsr_check_file(c, "file", "text", 4);
    DSR_AUTO(str) char *below = dsr_path_join(file, "below");
    const char *paths[] = {"/proc/nonexistent/store", below};
    for (size_t i = 0; i < DSR_COUNT(paths); i++) {
        struct dsr_error err = {0};
        DSR_AUTO(str) char *place = placed(c, paths[i]);
        void *state = ops->open(place, DSR_STORE_WRITE, c->host, &err);
        if (state) {
            ops->close(state, &err);
            return dsr_check_fail(c, "%s was opened for writing", paths[i]);
        }
        if (!dsr_check_told(c, &err))
            return false;
    }
    return true;
}

static int add_sums(void *arg, const char *provider, int64_t time_us, const char *bytes, size_t n,
                    struct dsr_error *err)
{
    (void)provider;
    (void)time_us;
    return dsr_figures_take(arg, bytes, n, err);
}

/* Figures of a time, encoded; malloc'd. */
static int encode(const struct dsr_store_ops *ops, void *state, struct dsr_query *query, bool sums,
                  char **bytes, size_t *n, struct dsr_error *err)
{
    static const struct dsr_prices prices = {4, 16, 1};
    struct dsr_figures figures;
    dsr_figures_init(&figures, &prices);
    int rc = sums ? ops->sums(state, query, 0, dsr_figures_visit, add_sums, &figures, err)
                  : ops->scan(state, query, dsr_figures_visit, &figures, err);
    if (!rc)
        rc = dsr_figures_encode(&figures, bytes, n);
    dsr_figures_clear(&figures);
    return rc;
}

static bool sums_of(struct dsr_check *c, void *state, int64_t since_us, int64_t until_us)
{
    struct dsr_query query = {.size = sizeof query,
                              .kind = DSR_RECORD_PERF,
                              .model = "m",
                              .since_us = since_us,
                              .until_us = until_us};
    struct dsr_error err = {0};
    DSR_AUTO(str) char *scanned = NULL;
    DSR_AUTO(str) char *summed = NULL;
    size_t n[2];
    if (encode(c->ops, state, &query, false, &scanned, &n[0], &err) ||
        encode(c->ops, state, &query, true, &summed, &n[1], &err))
        return dsr_check_fail(c, "sums or scan failed: %s", err.message);
    return n[0] == n[1] && !memcmp(scanned, summed, n[0])
               ? true
               : dsr_check_fail(c, "sums tells other results than scan finds");
}

static bool sums_agree(struct dsr_check *c)
{
    const struct dsr_store_ops *ops = c->ops;
    const int64_t first = 1700000000000000, hour = 3600000000;
    struct dsr_error err = {0};
    if (!dsr_store_sums(ops))
        return true;
    DSR_AUTO(str) char *path = home(c, "sums");
    void *state = open_store(c, path, DSR_STORE_WRITE);
    bool ok = state != NULL;
    for (int i = 0; i < 40 && ok; i++)
        ok = put(c, state, DSR_RECORD_PERF, i * 1700, "x");
    ok = (!state || finish(c, state)) && ok;
    state = ok ? open_store(c, path, DSR_STORE_READ) : NULL;
    ok = state && sums_of(c, state, 0, 0) && sums_of(c, state, first + hour / 3, first + 15 * hour);
    if (state)
        ops->close(state, &err);
    return ok;
}

static bool cycle(void *arg)
{
    struct dsr_check *c = arg;
    DSR_AUTO(str) char *path = home(c, "cycles");
    void *state = open_store(c, path, DSR_STORE_WRITE);
    return state && put(c, state, DSR_RECORD_PERF, 1, "x") && finish(c, state);
}

static bool keeps_memory(struct dsr_check *c)
{
    double growth = dsr_check_growth(cycle, c);
    if (growth < 0)
        return false;
    return growth == 0 ? true
                       : dsr_check_fail(c, "open, put and close lose %.0f bytes each time", growth);
}

const struct dsr_check_step dsr_check_store[] = {
    {"records come back as they were put, oldest first", keeps_records},
    {"sums, if there are any, tell what scan finds", sums_agree},
    {"a second opening adds, and loses nothing", stays_whole},
    {"a second writer is kept out with a reason, or loses nothing", locks},
    {"places that can't be written are refused with a reason", refuses_bad_places},
    {"open, put and close keep no memory", keeps_memory},
    {0},
};
