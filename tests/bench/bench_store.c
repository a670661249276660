/* Fills a LevelDB store with performance results as `dsr-run perf` writes them: twelve providers,
 * 90 days up to now. tests/bench/store.py ranks and charts them. `make bench`. */
#include "core/plugin/registry.h"
#include "core/run/journal.h"

#include <math.h>
#include <time.h>

#define DAYS 90
#define BATCH 5000
#define GAPS 24 /* buckets of the token gaps of one answer */

static const char *const providers[] = {"volcengine", "together",    "nvidia",      "deepseek",
                                        "azure",      "fireworks",   "aliyun",      "tencent",
                                        "huawei",     "siliconflow", "chinamobile", "chinatelecom"};

static double cpu_s(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Log-uniform. */
static double between(struct dsr_rng *rng, double from, double to)
{
    return from * pow(to / from, (double)dsr_rng_below(rng, 1000001) / 1e6);
}

static json_t *gaps_of(struct dsr_rng *rng, double gap_us, int tokens)
{
    json_t *list = json_array();
    for (int i = 0; i < GAPS; i++)
        json_array_append_new(list,
                              json_pack("[i, i]", (int)(gap_us * (0.7 + 0.03 * i)),
                                        1 + (int)dsr_rng_below(rng, (uint64_t)tokens / GAPS + 1)));
    return list;
}

static json_t *body_of(struct dsr_rng *rng, int64_t start_us, size_t provider)
{
    char start[DSR_TIME_SIZE], end[DSR_TIME_SIZE];
    int input = (int)between(rng, 20, 3000), output = (int)between(rng, 200, 4000);
    double ttft = between(rng, 0.2, 3) * (1 + 0.1 * (double)provider);
    double gap = between(rng, 0.01, 0.06), total = ttft + gap * output;
    dsr_time_format(start_us, start);
    dsr_time_format(start_us + (int64_t)(total * 1e6), end);
    return json_pack("{s:s, s:s, s:b, s:s, s:s, s:s, s:f, s:f, s:f, s:i, s:i, s:i, s:i, s:i, s:i, "
                     "s:s, s:i, s:s, s:f, s:f, s:f, s:f, s:o}",
                     "provider", providers[provider], "model", "deepseek-r1", "success", 1,
                     "prompt_type", "sharegpt:single_round", "start_time", start, "end_time", end,
                     "ttft", ttft, "ttfa", ttft + gap * output / 2, "total_time", total,
                     "input_tokens", input, "output_tokens", output, "reasoning_tokens", output / 2,
                     "cached_tokens_billed", 0, "input_tokens_billed", input,
                     "output_tokens_billed", output, "token_source", "billed", "tries", 1,
                     "finish_reason", "stop", "queue_s", 0.0, "dns_s", 0.001, "connect_s", 0.02,
                     "tls_s", 0.03, "itl_hist", gaps_of(rng, gap * 1e6, output));
}

static int fill(const struct dsr_store *store, long n, struct dsr_error *err)
{
    int64_t now = dsr_clock_wall_us(), span = DAYS * 86400000000;
    struct dsr_rng rng;
    int rc = 0;
    dsr_rng_init(&rng, 1, 1);
    for (long i = 0; i < n && !rc; i++) {
        char key[16];
        size_t provider = (size_t)i % DSR_COUNT(providers);
        int64_t at = now - span + (int64_t)((double)i / (double)n * (double)span);
        snprintf(key, sizeof key, "%08ld", i);
        DSR_AUTO(json) json_t *body = body_of(&rng, at, provider);
        const struct dsr_record record = {
            DSR_RECORD_PERF, "bench", "deepseek-r1", providers[provider], key, at, body};
        rc = store->ops->put(store->state, &record, err);
        if (!rc && i % BATCH == BATCH - 1)
            rc = store->ops->commit(store->state, err);
        if (i % 1000000 == 999999)
            fprintf(stderr, "%ld million\n", (i + 1) / 1000000);
    }
    return rc;
}

int main(int argc, char **argv)
{
    struct dsr_layout layout = {0};
    struct dsr_error err = {0}, closing = {0};
    struct dsr_store store;
    long n = argc > 2 ? atol(argv[2]) : 10000000;
    if (argc < 2)
        return 2;
    struct dsr_host *host = dsr_host_new(DSR_LOG_INFO, "bench_store");
    struct dsr_registry *registry = dsr_registry_new(&layout, NULL, 0, host);
    double start = cpu_s();
    int rc = dsr_store_open(&store, registry, "leveldb", argv[1], DSR_STORE_WRITE, host, &err);
    if (!rc)
        rc = fill(&store, n, &err);
    double filled = cpu_s();
    if (store.state && dsr_store_close(&store, &closing) && !rc)
        rc = closing.code;
    if (rc)
        fprintf(stderr, "%s%s\n", err.message, closing.message);
    else
        printf("%ld records: %.1f CPU s to write them, %.1f to make their figures\n", n,
               filled - start, cpu_s() - filled);
    dsr_registry_free(registry);
    dsr_host_free(host);
    return rc ? 1 : 0;
}
