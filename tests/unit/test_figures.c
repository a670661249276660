/* Figures: the same whether results came one by one or summed up, close to the exact ones, and safe
 * against damaged bytes. */
#include "core/metric/candidate.h"
#include "tests/unit/unit.h"

#include <math.h>

#define RESULTS 5000
#define PARTS 17

static const struct dsr_prices prices = {4, 16, 1};

static double between(struct dsr_rng *rng, double from, double to)
{
    return from * pow(to / from, (double)dsr_rng_below(rng, 1000001) / 1e6);
}

/* A performance record's body; every 50th failed. */
static json_t *result(struct dsr_rng *rng, int i)
{
    if (i % 50 == 7)
        return json_pack("{s:b, s:s}", "success", 0, "error", i % 100 == 7 ? "http_429" : "");
    double ttft = between(rng, 0.05, 30), total = ttft + between(rng, 1, 200);
    int input = (int)between(rng, 10, 30000), output = (int)between(rng, 5, 8000);
    json_t *body = json_pack(
        "{s:b, s:f, s:f, s:f, s:i, s:i, s:i, s:i, s:i, s:s, s:f, s:[[i, i], [i, i]]}", "success", 1,
        "ttft", ttft, "ttfa", total - 0.5, "total_time", total, "input_tokens", input,
        "output_tokens", output, "input_tokens_billed", input, "output_tokens_billed", output,
        "cached_tokens_billed", input / (1 + i % 5), "token_source", "billed", "queue_s",
        0.001 * (i % 9), "itl_hist", (int)(1000 * between(rng, 1, 90)), output, 150000, 1 + i % 3);
    return body;
}

static struct dsr_candidate *one_by_one(size_t exact_most)
{
    struct dsr_candidate *c = dsr_candidate_new("p", &prices);
    struct dsr_rng rng;
    dsr_rng_init(&rng, 1, 2);
    c->figures.exact_most = exact_most;
    for (int i = 0; i < RESULTS; i++) {
        DSR_AUTO(json) json_t *body = result(&rng, i);
        ck_assert_int_eq(dsr_figures_add(&c->figures, body), 0);
    }
    return c;
}

/* The same results in parts, added up from the last to the first. */
static struct dsr_candidate *summed_up(void)
{
    struct dsr_candidate *c = dsr_candidate_new("p", &prices);
    struct dsr_figures parts[PARTS];
    struct dsr_rng rng;
    dsr_rng_init(&rng, 1, 2);
    for (int k = 0; k < PARTS; k++)
        dsr_figures_init(&parts[k], &prices);
    for (int i = 0; i < RESULTS; i++) {
        DSR_AUTO(json) json_t *body = result(&rng, i);
        ck_assert_int_eq(dsr_figures_add(&parts[i % 3 ? i % PARTS : 5], body), 0);
    }
    for (int k = PARTS; k--;) {
        char *bytes;
        size_t n;
        ck_assert_int_eq(dsr_figures_encode(&parts[k], &bytes, &n), 0);
        ck_assert_int_eq(dsr_figures_merge(&c->figures, bytes, n), 0);
        dsr_figures_clear(&parts[k]);
        free(bytes);
    }
    return c;
}

static void each_value(void (*check)(const char *metric, const char *stat, double, double),
                       const struct dsr_candidate *a, const struct dsr_candidate *b)
{
    static const char *const stats[] = {"avg", "median", "p1",   "p90",  "p99",
                                        "min", "max",    "lo95", "hi95", "n"};
    for (size_t i = 0; dsr_metric_at(i); i++)
        for (size_t k = 0; k < DSR_COUNT(stats); k++) {
            const char *metric = dsr_metric_at(i)->name;
            check(metric, stats[k], dsr_candidate_value(a, metric, stats[k]),
                  dsr_candidate_value(b, metric, stats[k]));
        }
}

static void same(const char *metric, const char *stat, double a, double b)
{
    ck_assert_msg(memcmp(&a, &b, sizeof a) == 0 || (isnan(a) && isnan(b)), "%s %s: %.17g, %.17g",
                  metric, stat, a, b);
}

static void close_to(const char *metric, const char *stat, double a, double b)
{
    bool bound = !strcmp(stat, "lo95") || !strcmp(stat, "hi95");
    double allowed = bound ? 0.005 : !strcmp(stat, "avg") ? 1e-5 : 0.001;
    ck_assert_msg((isnan(a) && isnan(b)) || fabs(a - b) <= allowed * fabs(b) + 1e-9,
                  "%s %s: %.9g, exactly %.9g", metric, stat, a, b);
}

START_TEST(sums_are_the_same_in_any_order)
{
    struct dsr_candidate *a = one_by_one(DSR_EXACT_MOST), *b = summed_up();
    char *bytes[2];
    size_t n[2];
    ck_assert_int_eq(dsr_figures_encode(&a->figures, &bytes[0], &n[0]), 0);
    ck_assert_int_eq(dsr_figures_encode(&b->figures, &bytes[1], &n[1]), 0);
    ck_assert(n[0] == n[1] && !memcmp(bytes[0], bytes[1], n[0]));
    dsr_candidate_seal(a);
    dsr_candidate_seal(b);
    each_value(same, a, b);
    ck_assert_int_eq(a->figures.requests, RESULTS);
    ck_assert(json_equal(a->figures.errors, b->figures.errors));
    ck_assert_int_eq(json_integer_value(json_object_get(a->figures.errors, "unknown")), 50);
    for (int i = 0; i < 2; i++)
        free(bytes[i]);
    dsr_candidate_free(a);
    dsr_candidate_free(b);
}
END_TEST

START_TEST(sums_are_close_to_the_exact_figures)
{
    struct dsr_candidate *a = summed_up(), *b = one_by_one(SIZE_MAX);
    dsr_candidate_seal(a);
    dsr_candidate_seal(b);
    ck_assert_ptr_null(b->figures.hists);
    each_value(close_to, a, b);
    dsr_candidate_free(a);
    dsr_candidate_free(b);
}
END_TEST

START_TEST(costs_follow_the_prices)
{
    struct dsr_candidate *c = summed_up();
    dsr_candidate_seal(c);
    double avg = dsr_candidate_value(c, "cost", "avg"), p90 = dsr_candidate_value(c, "cost", "p90");
    c->figures.prices = (struct dsr_prices){8, 32, 2};
    ck_assert_double_eq_tol(dsr_candidate_value(c, "cost", "avg"), 2 * avg, 1e-9);
    ck_assert_double_eq_tol(dsr_candidate_value(c, "cost", "p90"), 2 * p90, 1e-9);
    c->figures.prices = (struct dsr_prices){0, 0, 0};
    ck_assert_double_eq(dsr_candidate_value(c, "cost", "p90"), 0);
    c->figures.prices = (struct dsr_prices){NAN, NAN, NAN};
    ck_assert(isnan(dsr_candidate_value(c, "cost", "avg")));
    ck_assert_double_eq(dsr_candidate_value(c, "cost", "n"), 0);
    dsr_candidate_free(c);
}
END_TEST

static char *failures(const char *const *names, int n, int step, size_t *len)
{
    struct dsr_figures f;
    char *bytes;
    dsr_figures_init(&f, &prices);
    for (int i = 0; i < n; i++) {
        DSR_AUTO(json)
        json_t *body = json_pack("{s:b, s:s}", "success", 0, "error", names[(i * step + step) % n]);
        ck_assert_int_eq(dsr_figures_add(&f, body), 0);
    }
    ck_assert_int_eq(dsr_figures_encode(&f, &bytes, len), 0);
    dsr_figures_clear(&f);
    return bytes;
}

/* The seed system stores whole messages as errors. */
START_TEST(errors_of_any_length_come_back_in_one_order)
{
    char longest[5000];
    const char *const names[] = {"timeout_idle", longest, "http_429", "中文"};
    size_t n[2];
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    DSR_AUTO(str) char *a = failures(names, 4, 1, &n[0]);
    DSR_AUTO(str) char *b = failures(names, 4, 3, &n[1]);
    ck_assert(n[0] == n[1] && !memcmp(a, b, n[0]));
    struct dsr_figures f;
    dsr_figures_init(&f, &prices);
    ck_assert_int_eq(dsr_figures_merge(&f, a, n[0]), 0);
    ck_assert_int_eq(json_integer_value(json_object_get(f.errors, longest)), 1);
    ck_assert_int_eq(json_object_size(f.errors), 4);
    dsr_figures_clear(&f);
}
END_TEST

START_TEST(only_what_is_wanted_is_read)
{
    struct dsr_candidate *all = summed_up(), *some = dsr_candidate_new("p", &prices);
    char *bytes;
    size_t n;
    ck_assert_int_eq(dsr_figures_encode(&all->figures, &bytes, &n), 0);
    some->figures.want = 1u << DSR_M_TTFT;
    ck_assert_int_eq(dsr_figures_merge(&some->figures, bytes, n), 0);
    dsr_candidate_seal(all);
    dsr_candidate_seal(some);
    ck_assert_double_eq(dsr_candidate_value(some, "ttft", "p90"),
                        dsr_candidate_value(all, "ttft", "p90"));
    ck_assert_double_eq(dsr_candidate_value(some, "success", "avg"), 0.98);
    ck_assert(isnan(dsr_candidate_value(some, "otps", "p90")));
    free(bytes);
    dsr_candidate_free(all);
    dsr_candidate_free(some);
}
END_TEST

/* Figures of a few results, whose bytes are cut short and changed one after the other. */
START_TEST(damaged_bytes_do_no_harm)
{
    struct dsr_figures few;
    struct dsr_rng rng;
    char *bytes;
    size_t n, refused = 0;
    dsr_rng_init(&rng, 3, 4);
    dsr_figures_init(&few, &prices);
    for (int i = 0; i < 9; i++) {
        DSR_AUTO(json) json_t *body = result(&rng, i);
        dsr_figures_add(&few, body);
    }
    ck_assert_int_eq(dsr_figures_encode(&few, &bytes, &n), 0);
    for (size_t i = 0; i < n; i++) {
        char *part = malloc(i + 1); /* so that a step too far is seen */
        struct dsr_figures into;
        dsr_figures_init(&into, &prices);
        memcpy(part, bytes, i);
        ck_assert_int_eq(dsr_figures_merge(&into, part, i), DSR_EINVAL);
        dsr_figures_clear(&into);
        free(part);
    }
    for (size_t i = 0; i < n * 8; i++) {
        struct dsr_figures into;
        dsr_figures_init(&into, &prices);
        bytes[i / 8] = (char)(bytes[i / 8] ^ 1 << i % 8);
        refused += dsr_figures_merge(&into, bytes, n) != 0;
        dsr_figures_seal(&into);
        dsr_figures_value(&into, DSR_M_COST, "p99", true);
        dsr_figures_clear(&into);
        bytes[i / 8] = (char)(bytes[i / 8] ^ 1 << i % 8);
    }
    ck_assert_uint_gt(refused, n);
    free(bytes);
    dsr_figures_clear(&few);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("figures");
    TCase *tcase = tcase_create("figures");
    tcase_set_timeout(tcase, 0);
    tcase_add_test(tcase, sums_are_the_same_in_any_order);
    tcase_add_test(tcase, sums_are_close_to_the_exact_figures);
    tcase_add_test(tcase, costs_follow_the_prices);
    tcase_add_test(tcase, errors_of_any_length_come_back_in_one_order);
    tcase_add_test(tcase, only_what_is_wanted_is_read);
    tcase_add_test(tcase, damaged_bytes_do_no_harm);
    suite_add_tcase(suite, tcase);
    return unit_run(suite);
}
