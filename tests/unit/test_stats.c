/* core/metric: stats.c, histogram.c, candidate.c */
#include "core/metric/candidate.h"
#include "tests/unit/unit.h"

#include <math.h>

/* numpy.percentile([1.5, 2.25, 3, 4.75, 10, 12.5, 20], p), NumPy 1.24.2, method "linear" */
static const double values[] = {1.5, 2.25, 3, 4.75, 10, 12.5, 20};
static const struct {
    double p, expected;
} percentiles[] = {{0, 1.5},   {10, 1.95},  {25, 2.625}, {50, 4.75},
                   {90, 15.5}, {99, 19.55}, {100, 20}};

START_TEST(percentiles_are_numpys)
{
    ck_assert_double_eq_tol(dsr_percentile(values, 7, percentiles[_i].p), percentiles[_i].expected,
                            1e-12);
}
END_TEST

START_TEST(percentiles_of_nothing_and_of_one)
{
    double one = 3;
    ck_assert(isnan(dsr_percentile(values, 0, 50)));
    ck_assert_double_eq(dsr_percentile(&one, 1, 99), 3);
}
END_TEST

/* Wilson 1927, eq. in closed form, by Python floats: (p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 +
 * z²/n) */
static const struct {
    double k, n, lo, hi;
} wilson[] = {{0, 10, 0.0, 0.2775327998628892},
              {5, 10, 0.2365930905125640, 0.7634069094874360},
              {198, 198, 0.9809679396733518, 1.0},
              {1, 30, 0.005908590381612455, 0.16670390991409173}};

START_TEST(wilson_intervals_are_those_of_the_closed_form)
{
    struct dsr_interval ci = dsr_wilson(wilson[_i].k, wilson[_i].n);
    ck_assert_double_eq_tol(ci.lo, wilson[_i].lo, 1e-8);
    ck_assert_double_eq_tol(ci.hi, wilson[_i].hi, 1e-8);
}
END_TEST

/* Means of 20 standard normal values: the interval holds 0 in about 93% of 400 samples (the
 * percentile bootstrap is a little narrow at n = 20; Efron and Tibshirani 1993, ch. 14). */
START_TEST(bootstrap_intervals_cover)
{
    struct dsr_rng rng;
    int covered = 0;
    dsr_rng_init(&rng, 7, 0);
    for (int k = 0; k < 400; k++) {
        double sample[20];
        for (size_t i = 0; i < 20; i++)
            sample[i] = dsr_rng_normal(&rng);
        struct dsr_interval ci = dsr_bootstrap(sample, NULL, 20, (uint64_t)k);
        covered += ci.lo <= 0 && ci.hi >= 0;
    }
    ck_assert_int_ge(covered, 356);
    ck_assert_int_le(covered, 392);
}
END_TEST

START_TEST(histogram_keeps_three_digits)
{
    struct dsr_hist h = {0};
    for (uint64_t v = 1; v < 2000000000; v += v / 7 + 1) {
        dsr_hist_reset(&h);
        dsr_hist_add(&h, v);
        dsr_hist_add(&h, v);
        dsr_hist_add(&h, v * 2);
        double p = dsr_hist_percentile(&h, 25);
        ck_assert_msg(fabs(p - (double)v) <= (double)v * 0.0005 + 0.5, "%g for %llu", p,
                      (unsigned long long)v);
    }
    dsr_hist_clear(&h);
}
END_TEST

START_TEST(histogram_percentiles_are_those_of_the_samples)
{
    struct dsr_hist h = {0};
    struct dsr_samples s = {0};
    struct dsr_rng rng;
    dsr_rng_init(&rng, 3, 0);
    for (int i = 0; i < 1000; i++) {
        uint64_t v = dsr_rng_below(&rng, 2048); /* these are kept exactly */
        dsr_hist_add(&h, v);
        dsr_samples_add(&s, (double)v);
    }
    dsr_samples_sort(&s);
    for (double p = 0; p <= 100; p += 2.5)
        ck_assert_double_eq_tol(dsr_hist_percentile(&h, p), dsr_percentile(s.values, s.n, p), 1e-9);
    json_t *json = dsr_hist_to_json(&h);
    struct dsr_hist back = {0};
    ck_assert_int_eq(dsr_hist_from_json(&back, json), 0);
    ck_assert_uint_eq(back.n, h.n);
    ck_assert_double_eq(dsr_hist_percentile(&back, 90), dsr_hist_percentile(&h, 90));
    json_decref(json);
    dsr_hist_clear(&h);
    dsr_hist_clear(&back);
    dsr_samples_clear(&s);
}
END_TEST

static struct dsr_candidate *measured(void)
{
    struct dsr_prices prices = {4, 16, 1};
    struct dsr_candidate *c = dsr_candidate_new("p", &prices);
    for (int i = 1; i <= 10; i++) {
        json_t *body =
            json_pack("{s:b, s:f, s:f, s:f, s:i, s:i, s:i, s:i, s:i, s:s}", "success", 1, "ttft",
                      0.1 * i, "ttfa", 0.2 * i, "total_time", 1.0 + 0.1 * i, "input_tokens", 100,
                      "output_tokens", 10 * i, "input_tokens_billed", 100, "output_tokens_billed",
                      10 * i, "cached_tokens_billed", 50, "token_source", "billed");
        ck_assert_int_eq(dsr_figures_add(&c->figures, body), 0);
        json_decref(body);
    }
    json_t *bad = json_pack("{s:b, s:f, s:s}", "success", 0, "ttft", 99.0, "error", "http_429");
    dsr_figures_add(&c->figures, bad);
    dsr_figures_add(&c->figures, bad);
    json_decref(bad);
    dsr_candidate_seal(c);
    return c;
}

static const struct {
    const char *metric, *stat;
    double expected;
} figures[] = {
    {"ttft", "avg", 0.55},
    {"ttft", "median", 0.55},
    {"ttft", "p90", 0.91},
    {"ttft", "max", 1.0}, /* the failed requests' 99 s is not there */
    {"ttft", "n", 10},
    {"otps", "p90", 15.90909090909091}, /* numpy.percentile([10*i/(1+.1*i)], 10) */
    {"decode", "median", 55},
    {"prefill", "max", 1000},
    {"otpr", "avg", 55},
    {"success", "avg", 10.0 / 12},
    {"cost", "avg", (50 * 4 + 50 * 1 + 55 * 16) / 1e6},
    {"input_price", "avg", 4},
    {"gpqa", "avg", NAN},
    {"itl", "avg", NAN},
};

START_TEST(metrics_are_as_defined)
{
    struct dsr_candidate *c = measured();
    double value = dsr_candidate_value(c, figures[_i].metric, figures[_i].stat);
    if (isnan(figures[_i].expected))
        ck_assert(isnan(value));
    else
        ck_assert_double_eq_tol(value, figures[_i].expected, 1e-9);
    dsr_candidate_free(c);
}
END_TEST

static const struct {
    int64_t input, output, cached;
    double cost; /* millionths */
} costs[] = {{10, 5, -1, 120}, {10, 5, 4, 108}, {10, 5, 99, 90}, {-1, 5, 0, NAN}, {10, -1, 0, NAN}};

START_TEST(costs_are_of_billed_tokens)
{
    struct dsr_prices prices = {4, 16, 1};
    double cost = dsr_cost(&prices, costs[_i].input, costs[_i].output, costs[_i].cached) * 1e6;
    if (isnan(costs[_i].cost))
        ck_assert(isnan(cost));
    else
        ck_assert_double_eq_tol(cost, costs[_i].cost, 1e-9);
}
END_TEST

START_TEST(accuracies_are_pooled_and_have_an_interval)
{
    struct dsr_prices none = {NAN, NAN, NAN};
    struct dsr_candidate *c = dsr_candidate_new("p", &none);
    for (int i = 0; i < 2; i++) {
        json_t *body = json_pack("{s:s, s:b, s:i, s:i, s:f}", "benchmark", "gpqa", "success", 1,
                                 "asked", 10, "correct", 4 + i * 2, "value", 0.0);
        dsr_candidate_add_bench(c, body);
        json_decref(body);
    }
    dsr_candidate_seal(c);
    ck_assert_double_eq_tol(dsr_candidate_value(c, "gpqa", NULL), 50, 1e-9);
    ck_assert_double_eq_tol(dsr_candidate_value(c, "gpqa", "lo95"), 100 * dsr_wilson(10, 20).lo,
                            1e-9);
    ck_assert(isnan(dsr_candidate_value(c, "cost", "avg")));
    dsr_candidate_free(c);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("stats");
    TCase *tcase = tcase_create("stats");
    tcase_add_loop_test(tcase, percentiles_are_numpys, 0, (int)DSR_COUNT(percentiles));
    tcase_add_test(tcase, percentiles_of_nothing_and_of_one);
    tcase_add_loop_test(tcase, wilson_intervals_are_those_of_the_closed_form, 0,
                        (int)DSR_COUNT(wilson));
    tcase_add_test(tcase, bootstrap_intervals_cover);
    tcase_add_test(tcase, histogram_keeps_three_digits);
    tcase_add_test(tcase, histogram_percentiles_are_those_of_the_samples);
    tcase_add_loop_test(tcase, metrics_are_as_defined, 0, (int)DSR_COUNT(figures));
    tcase_add_loop_test(tcase, costs_are_of_billed_tokens, 0, (int)DSR_COUNT(costs));
    tcase_add_test(tcase, accuracies_are_pooled_and_have_an_interval);
    suite_add_tcase(suite, tcase);
    return unit_run(suite);
}
