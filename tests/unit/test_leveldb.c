/* The LevelDB store: what it sums up is what it holds, through writing again, giving up, damage and
 * older keys. */
#include "core/metric/figures.h"
#include "core/plugin/registry.h"
#include "core/run/journal.h"
#include "tests/unit/unit.h"

#include <leveldb/c.h>
#include <unistd.h>

#define HOUR 3600000000
#define START (20000 * 24 * HOUR) /* a day's first moment, not 32 days' */
#define HOURS (40 * 24)
#define RESULTS 3000

static struct dsr_registry *registry;
static struct dsr_host *host;
static char folder[] = "leveldb-XXXXXX";

static void set_up(void)
{
    struct dsr_layout layout = {0};
    host = dsr_host_new(DSR_LOG_ERROR, "test");
    registry = dsr_registry_new(&layout, NULL, 0, host);
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void tear_down(void)
{
    DSR_AUTO(str) char *command = dsr_format("rm -rf %s %s.reading-*", folder, folder);
    ck_assert_int_eq(system(command), 0);
    dsr_registry_free(registry);
    dsr_host_free(host);
}

static struct dsr_store open_store(enum dsr_store_mode mode)
{
    struct dsr_error err = {0};
    struct dsr_store store;
    int rc = dsr_store_open(&store, registry, "leveldb", folder, mode, host, &err);
    ck_assert_msg(!rc, "%s", err.message);
    return store;
}

static void close_store(struct dsr_store *store)
{
    struct dsr_error err = {0};
    ck_assert_msg(!dsr_store_close(store, &err), "%s", err.message);
}

static const char *const providers[] = {"acme", "a/b%c", "zeta"};

/* The i-th result of provider i % 3, at a time that moves back and forth. */
static void put(struct dsr_store *store, int i, double ttft)
{
    struct dsr_error err = {0};
    char key[16];
    snprintf(key, sizeof key, "%08d", i);
    DSR_AUTO(json)
    json_t *body = json_pack("{s:b, s:f, s:f, s:i, s:i, s:s}", "success", i % 10 > 0, "ttft", ttft,
                             "total_time", ttft + 1, "input_tokens", 10, "output_tokens", 20 + i,
                             "error", "http_500");
    const struct dsr_record record = {DSR_RECORD_PERF,
                                      "job",
                                      "m/1",
                                      providers[i % 3],
                                      key,
                                      START + (int64_t)(i * 7919LL % RESULTS) *
                                                  (HOURS * HOUR / RESULTS),
                                      body};
    ck_assert_int_eq(store->ops->put(store->state, &record, &err), 0);
}

static void fill(void)
{
    struct dsr_store store = open_store(DSR_STORE_WRITE);
    for (int i = 0; i < RESULTS; i++)
        put(&store, i, 0.1 + i % 100);
    close_store(&store);
}

struct sum {
    struct dsr_figures figures;
    int records, figures_seen;
    int64_t from, to; /* of figures */
};

static int take(void *arg, const struct dsr_record *record, struct dsr_error *err)
{
    struct sum *s = arg;
    (void)err;
    s->records++;
    return record->kind == DSR_RECORD_PERF ? dsr_figures_add(&s->figures, record->body) : 0;
}

static int take_sum(void *arg, const char *provider, int64_t time_us, const char *bytes, size_t n,
                    struct dsr_error *err)
{
    struct sum *s = arg;
    ck_assert_int_ge(time_us, s->from);
    ck_assert(!strcmp(provider, "acme") || !strcmp(provider, "a/b%c") || !strcmp(provider, "zeta"));
    s->figures_seen++;
    return dsr_figures_take(&s->figures, bytes, n, err);
}

static char *encoded(struct sum *s, size_t *n)
{
    char *bytes;
    ck_assert_int_eq(dsr_figures_encode(&s->figures, &bytes, n), 0);
    dsr_figures_clear(&s->figures);
    return bytes;
}

static const struct dsr_prices no_prices = {0};

/* What sums tells of a time is what scan tells. */
static void compare(const struct dsr_store *store, const char *provider, int64_t since,
                    int64_t until, int64_t interval)
{
    struct dsr_error err = {0};
    struct sum scanned = {.from = since}, summed = {.from = since - since % HOUR};
    struct dsr_query query = {.size = sizeof query,
                              .kind = DSR_RECORD_PERF,
                              .model = "m/1",
                              .provider = provider,
                              .since_us = since,
                              .until_us = until};
    size_t n[2];
    dsr_figures_init(&scanned.figures, &no_prices);
    dsr_figures_init(&summed.figures, &no_prices);
    ck_assert_int_eq(store->ops->scan(store->state, &query, take, &scanned, &err), 0);
    int rc = store->ops->sums(store->state, &query, interval, take, take_sum, &summed, &err);
    ck_assert_msg(!rc, "%s", err.message);
    DSR_AUTO(str) char *a = encoded(&scanned, &n[0]);
    DSR_AUTO(str) char *b = encoded(&summed, &n[1]);
    ck_assert_msg(n[0] == n[1] && !memcmp(a, b, n[0]),
                  "%s of [%lld, %lld) by %lld: %d records, but %d and %d figures",
                  provider ? provider : "all", (long long)since, (long long)until,
                  (long long)interval, scanned.records, summed.records, summed.figures_seen);
    /* most are found summed up */
    ck_assert_int_le(summed.records, until ? (until - since) / HOUR * 6 + 6 : 0);
}

static void compare_all(const struct dsr_store *store)
{
    struct dsr_rng rng;
    dsr_rng_init(&rng, 5, 6);
    compare(store, NULL, 0, 0, 0);
    compare(store, "zeta", START, START + HOURS * HOUR, 24 * HOUR);
    for (int i = 0; i < 60; i++) {
        int64_t unit = i % 3 ? HOUR : 1000003;
        int64_t at = START + (int64_t)dsr_rng_below(&rng, (uint64_t)(HOURS * HOUR / unit)) * unit;
        int64_t to = at + unit * (1 + (int64_t)dsr_rng_below(&rng, 900));
        compare(store, i % 4 ? providers[i % 3] : NULL, at, to, i % 5 ? 0 : 7 * HOUR);
    }
}

START_TEST(sums_are_what_scan_finds)
{
    set_up();
    fill();
    struct dsr_store store = open_store(DSR_STORE_READ);
    compare_all(&store);
    close_store(&store);
    tear_down();
}
END_TEST

static int64_t requests(const struct dsr_store *store)
{
    struct sum s = {0};
    struct dsr_error err = {0};
    struct dsr_query query = {.size = sizeof query, .model = "m/1"};
    dsr_figures_init(&s.figures, &no_prices);
    int rc = store->ops->sums(store->state, &query, 0, take, take_sum, &s, &err);
    ck_assert_msg(!rc, "%s", err.message);
    int64_t n = s.figures.requests;
    dsr_figures_clear(&s.figures);
    return n;
}

START_TEST(a_result_that_is_written_again_counts_once)
{
    set_up();
    fill();
    struct dsr_store store = open_store(DSR_STORE_WRITE);
    for (int i = 0; i < RESULTS; i += 100)
        put(&store, i, 55);
    compare_all(&store); /* of a writer, before it is closed */
    ck_assert_int_eq(requests(&store), RESULTS);
    close_store(&store);
    store = open_store(DSR_STORE_READ);
    compare_all(&store);
    close_store(&store);
    tear_down();
}
END_TEST

static int count(void *arg, const struct dsr_record *record, struct dsr_error *err)
{
    (void)err;
    (void)record;
    ++*(int64_t *)arg;
    return 0;
}

static int64_t records(const struct dsr_store *store, enum dsr_record_kind kind)
{
    struct dsr_query query = {.size = sizeof query, .kind = kind};
    struct dsr_error err = {0};
    int64_t n = 0;
    ck_assert_int_eq(store->ops->scan(store->state, &query, count, &n, &err), 0);
    return n;
}

START_TEST(what_is_given_up_stays_in_the_figures)
{
    set_up();
    fill();
    struct dsr_store store = open_store(DSR_STORE_WRITE);
    struct dsr_error err = {0};
    int64_t removed[2], half = START + HOURS / 2 * HOUR + 5;
    ck_assert_int_eq(store.ops->compact(store.state, half, &removed[0], &err), 0);
    ck_assert_int_eq(removed[0], RESULTS / 2);
    ck_assert_int_eq(records(&store, DSR_RECORD_PERF), RESULTS / 2);
    ck_assert_int_eq(requests(&store), RESULTS);
    for (int i = 0; i < RESULTS; i += 3) /* late ones, in hours that are over too */
        put(&store, RESULTS + i, 1);
    ck_assert_int_eq(requests(&store), RESULTS + RESULTS / 3);
    ck_assert_int_eq(store.ops->compact(store.state, half, &removed[1], &err), 0);
    ck_assert_int_eq(requests(&store), RESULTS + RESULTS / 3);
    ck_assert_int_gt(removed[1], 0);
    compare(&store, "acme", half + HOUR, half + 300 * HOUR, 0);
    close_store(&store);
    tear_down();
}
END_TEST

static leveldb_t *open_raw(void)
{
    char *message = NULL;
    leveldb_options_t *options = leveldb_options_create();
    leveldb_options_set_create_if_missing(options, 1);
    leveldb_t *db = leveldb_open(options, folder, &message);
    ck_assert_msg(!message, "%s", message);
    leveldb_options_destroy(options);
    return db;
}

static void put_raw(leveldb_t *db, const char *key, const char *value)
{
    char *message = NULL;
    leveldb_writeoptions_t *options = leveldb_writeoptions_create();
    leveldb_put(db, options, key, strlen(key), value, strlen(value), &message);
    ck_assert_msg(!message, "%s", message);
    leveldb_writeoptions_destroy(options);
}

START_TEST(damaged_figures_are_told_and_made_anew)
{
    set_up();
    fill();
    leveldb_t *db = open_raw();
    put_raw(db, "R/m/m%2F1/acme/0000000625", "\x01junk");
    leveldb_close(db);
    struct dsr_store store = open_store(DSR_STORE_WRITE);
    struct dsr_query query = {.size = sizeof query, .model = "m/1"};
    struct dsr_error err = {0};
    struct sum s = {0};
    int64_t removed;
    dsr_figures_init(&s.figures, &no_prices);
    ck_assert_int_eq(store.ops->sums(store.state, &query, 0, take, take_sum, &s, &err), DSR_ESTORE);
    ck_assert_ptr_nonnull(strstr(err.message, "db compact"));
    dsr_figures_clear(&s.figures);
    ck_assert_int_eq(store.ops->compact(store.state, 0, &removed, &err), 0);
    ck_assert_int_eq(removed, 0);
    compare_all(&store);
    close_store(&store);
    tear_down();
}
END_TEST

START_TEST(damaged_figures_of_what_was_given_up_are_left_out)
{
    set_up();
    fill();
    struct dsr_store store = open_store(DSR_STORE_WRITE);
    struct dsr_error err = {0};
    int64_t removed, all = START + HOURS * HOUR;
    ck_assert_int_eq(store.ops->compact(store.state, all, &removed, &err), 0);
    close_store(&store);
    DSR_AUTO(str) char *key = dsr_format("S/m%%2F1/acme/%010d", 20000 * 24);
    leveldb_t *db = open_raw();
    put_raw(db, key, "junk");
    leveldb_close(db);
    store = open_store(DSR_STORE_WRITE);
    int rc = store.ops->compact(store.state, 0, &removed, &err);
    ck_assert_msg(!rc, "%s", err.message);
    ck_assert_int_lt(requests(&store), RESULTS);
    ck_assert_int_gt(requests(&store), RESULTS - 10);
    close_store(&store);
    tear_down();
}
END_TEST

#define OLD                                                                                        \
    "{\"v\":%d,\"kind\":%d,\"job\":\"j\",\"model\":\"m/1\",\"provider\":\"acme\","                 \
    "\"key\":\"%d\",\"time_us\":%lld,\"body\":{\"success\":true,\"ttft\":1.5}}"

START_TEST(results_of_an_older_version_are_brought_over)
{
    set_up();
    leveldb_t *db = open_raw();
    for (int i = 0; i < 2500; i++) {
        long long at = START + i * (HOUR / 100);
        bool perf = i < 2000, newer = i == 7;
        DSR_AUTO(str)
        char *key = dsr_format("%c/m/1/%020lld/j/acme/%d", perf ? 'p' : 'b', at, i);
        DSR_AUTO(str) char *value = dsr_format(OLD, newer ? 9 : 1, perf ? 2 : 3, i, at);
        put_raw(db, key, value);
    }
    leveldb_close(db);
    for (int i = 0; i < 3; i++) { /* as a reader finds it, a writer leaves it, a reader sees it */
        struct dsr_store store = open_store(i == 1 ? DSR_STORE_WRITE : DSR_STORE_READ);
        ck_assert_int_eq(records(&store, DSR_RECORD_PERF), 2000);
        ck_assert_int_eq(records(&store, DSR_RECORD_BENCHMARK), 500);
        ck_assert_int_eq(requests(&store), 1999);
        close_store(&store);
    }
    tear_down();
}
END_TEST

static int see_unknown(void *arg, const struct dsr_record *record, struct dsr_error *err)
{
    (void)err;
    *(int64_t *)arg += record->kind == DSR_RECORD_UNKNOWN;
    return 0;
}

static int ignore_sum(void *arg, const char *provider, int64_t time_us, const char *bytes, size_t n,
                      struct dsr_error *err)
{
    (void)arg, (void)provider, (void)time_us, (void)bytes, (void)n, (void)err;
    return 0;
}

START_TEST(a_newer_result_is_told_of)
{
    set_up();
    leveldb_t *db = open_raw();
    put_raw(db, "P/m%2F1/acme/00000000000000000007/j/1", "{\"v\": 9}");
    put_raw(db, "D/m%2F1/acme/0000000000", "");
    leveldb_close(db);
    struct dsr_store store = open_store(DSR_STORE_READ);
    struct dsr_query query = {.size = sizeof query, .model = "m/1"};
    struct dsr_error err = {0};
    int64_t unknown = 0;
    ck_assert_int_eq(
        store.ops->sums(store.state, &query, 0, see_unknown, ignore_sum, &unknown, &err), 0);
    ck_assert_int_eq(unknown, 1);
    close_store(&store);
    tear_down();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("leveldb");
    TCase *tcase = tcase_create("leveldb");
    tcase_set_timeout(tcase, 0);
    tcase_add_test(tcase, sums_are_what_scan_finds);
    tcase_add_test(tcase, a_result_that_is_written_again_counts_once);
    tcase_add_test(tcase, what_is_given_up_stays_in_the_figures);
    tcase_add_test(tcase, damaged_figures_are_told_and_made_anew);
    tcase_add_test(tcase, damaged_figures_of_what_was_given_up_are_left_out);
    tcase_add_test(tcase, results_of_an_older_version_are_brought_over);
    tcase_add_test(tcase, a_newer_result_is_told_of);
    suite_add_tcase(suite, tcase);
    return unit_run(suite);
}
