/* core/metric/accuracy.c, core/run/score.c. Known answers by Python 3.11 (math.comb, fractions and
 * itertools: exact), tables where named. */
#include "core/metric/accuracy.h"
#include "core/run/outcome.h"
#include "core/run/score.h"
#include "tests/unit/unit.h"

#include <math.h>

static const struct {
    int64_t n, c, k;
    double expected; /* 1 - Fraction(comb(n - c, k), comb(n, k)) */
} passes[] = {{10, 3, 5, 0.9166666666666666},
              {5, 1, 3, 0.6},
              {200, 50, 10, 0.9479063705959571},
              {4, 4, 1, 1},
              {8, 0, 8, 0},
              {64, 7, 16, 0.8814759290755898}};

START_TEST(pass_at_k_is_unbiased)
{
    ck_assert_double_eq_tol(dsr_pass_at(passes[_i].n, passes[_i].c, passes[_i].k),
                            passes[_i].expected, 1e-12);
}
END_TEST

/* NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2, column 0.975 */
static const struct {
    double df, t;
} quantiles[] = {{1, 12.706}, {2, 4.303},  {3, 3.182},  {5, 2.571},
                 {10, 2.228}, {29, 2.045}, {100, 1.984}};

START_TEST(quantiles_of_t_are_the_tables)
{
    ck_assert_double_eq_tol(dsr_t975(quantiles[_i].df), quantiles[_i].t, 2e-3);
}
END_TEST

/* McNemar, exact: 2 * sum(comb(b + c, i), i <= min(b, c)) / 2**(b + c), at most 1 */
static const struct {
    size_t b, c;
    double p;
} tables[] = {{10, 2, 0.03857421875},
              {121, 59, 4.434449263755176e-06},
              {5, 5, 1},
              {1, 0, 1},
              {30, 12, 0.007915897334896727}};

START_TEST(single_answers_are_mcnemars_test)
{
    int64_t a[400] = {0}, b[400] = {0};
    size_t n = tables[_i].b + tables[_i].c + 40; /* 40 questions on which both agree */
    struct dsr_pairing pairing;
    for (size_t i = 0; i < n; i++) {
        a[i] = i < tables[_i].b || i >= tables[_i].b + tables[_i].c;
        b[i] = i >= tables[_i].b;
    }
    ck_assert_int_eq(dsr_pair(a, b, n, 1, 0, &pairing), 0);
    ck_assert_uint_eq(pairing.only_a, tables[_i].b);
    ck_assert_uint_eq(pairing.only_b, tables[_i].c);
    ck_assert_double_eq_tol(pairing.p, tables[_i].p, 1e-12);
}
END_TEST

/* All 2**7 signs counted by itertools.product. */
START_TEST(repeated_answers_are_compared_exactly)
{
    const int64_t a[] = {3, 2, 0, 2, 1, 3, 0, 3}, b[] = {0, 1, 1, 0, 1, 2, 2, 0};
    struct dsr_pairing pairing;
    ck_assert_int_eq(dsr_pair(a, b, 8, 3, 0, &pairing), 0);
    ck_assert_double_eq_tol(pairing.p, 0.28125, 1e-12);
    ck_assert_double_eq_tol(pairing.difference, 7.0 / 24, 1e-12);
}
END_TEST

/* Connor 1987, equation 2: ceil(((z975 sqrt(.3) + z80 sqrt(.3 - .01)) / .1)**2) */
START_TEST(the_questions_needed_are_connors)
{
    int64_t a[100] = {0}, b[100] = {0};
    struct dsr_pairing pairing;
    for (size_t i = 0; i < 20; i++)
        a[i] = 1;
    for (size_t i = 20; i < 30; i++)
        b[i] = 1;
    ck_assert_int_eq(dsr_pair(a, b, 100, 1, 0, &pairing), 0);
    ck_assert_double_eq(pairing.needed, 234);
}
END_TEST

/* sqrt(n/(n-1) sum (c_i - p m_i)**2) / sum m_i, Miller 2024 */
START_TEST(errors_are_clustered_by_question)
{
    const int64_t correct[] = {4, 3, 0, 2, 4}, asked[] = {4, 4, 4, 4, 4};
    struct dsr_share s = dsr_share_clustered(correct, asked, 5);
    ck_assert_double_eq_tol(s.share, 0.65, 1e-12);
    ck_assert_double_eq_tol(s.error, 0.18708286933869706, 1e-12);
    ck_assert(s.effective < 20);
}
END_TEST

START_TEST(single_runs_have_wilsons_interval)
{
    int64_t correct[30] = {1, 1, 1}, asked[30];
    for (size_t i = 0; i < 30; i++)
        asked[i] = 1;
    struct dsr_share s = dsr_share_clustered(correct, asked, 30);
    struct dsr_interval wilson = dsr_wilson(3, 30);
    ck_assert_double_eq_tol(s.ci.lo, wilson.lo, 1e-12);
    ck_assert_double_eq_tol(s.ci.hi, wilson.hi, 1e-12);
}
END_TEST

/* One question's chance of a right answer: what models do, many easy questions, some hopeless. */
static double chance(struct dsr_rng *rng)
{
    double u = dsr_rng_unit(rng);
    return u < 0.3 ? 0.95 : u < 0.5 ? 0.1 : dsr_rng_unit(rng);
}

static const struct {
    size_t n;
    int repeats;
} designs[] = {{198, 1}, {198, 4}, {30, 8}, {1346, 1}, {60, 2}};

/* Coverage of 95% within 2 points, over 4,000 simulated runs: 2 points are 5.8 of their standard
 * errors (0.34). */
START_TEST(intervals_cover)
{
    struct dsr_rng rng;
    int covered = 0, runs = 4000;
    const double truth = 0.3 * 0.95 + 0.2 * 0.1 + 0.5 * 0.5;
    dsr_rng_init(&rng, 11, (uint64_t)_i);
    for (int r = 0; r < runs; r++) {
        int64_t correct[1346], asked[1346];
        for (size_t i = 0; i < designs[_i].n; i++) {
            double p = chance(&rng);
            correct[i] = 0;
            asked[i] = designs[_i].repeats;
            for (int k = 0; k < designs[_i].repeats; k++)
                correct[i] += dsr_rng_unit(&rng) < p;
        }
        struct dsr_share s = dsr_share_clustered(correct, asked, designs[_i].n);
        covered += s.ci.lo <= truth && truth <= s.ci.hi;
    }
    ck_assert_msg(covered >= 0.93 * runs && covered <= 0.97 * runs, "%d of %d", covered, runs);
}
END_TEST

/* The same for the difference of two providers, one answer each and four. */
static const int pair_repeats[] = {1, 4};

START_TEST(intervals_of_differences_cover)
{
    struct dsr_rng rng;
    int covered = 0, runs = 250, k = pair_repeats[_i];
    dsr_rng_init(&rng, 12, (uint64_t)_i);
    for (int r = 0; r < runs; r++) {
        int64_t a[198] = {0}, b[198] = {0};
        struct dsr_pairing pairing;
        for (size_t i = 0; i < 198; i++) {
            double p = chance(&rng);
            for (int j = 0; j < k; j++) {
                a[i] += dsr_rng_unit(&rng) < p;
                b[i] += dsr_rng_unit(&rng) < p * 0.9;
            }
        }
        dsr_pair(a, b, 198, k, (uint64_t)r, &pairing);
        double truth = 0.1 * (0.3 * 0.95 + 0.2 * 0.1 + 0.5 * 0.5);
        covered += pairing.ci.lo <= truth && truth <= pairing.ci.hi;
    }
    ck_assert_msg(covered >= 0.91 * runs && covered <= 0.99 * runs, "%d of %d", covered, runs);
}
END_TEST

static void put(struct dsr_score *score, const char *item, int repeat, const char *extracted,
                const char *finish, const char *answer, int correct)
{
    static const struct dsr_prices prices = {2, 8, NAN};
    json_t *body =
        json_pack("{s:s, s:i, s:s, s:s, s:s, s:s, s:b, s:s, s:[s], s:i, s:i}", "item", item,
                  "repeat", repeat, "extracted", extracted, "finish_reason", finish, "answer",
                  answer, "group", item[0] == 'x' ? "one" : "two", "correct", correct, "rule",
                  strcmp(answer, "sorry") ? "boxed" : "refusal", "tags", "T", "input_tokens_billed",
                  100, "output_tokens_billed", 10);
    ck_assert_int_eq(dsr_score_put(score, body, &prices), 0);
    json_decref(body);
}

START_TEST(answers_are_counted_apart)
{
    static const struct dsr_prices prices = {2, 8, NAN};
    struct dsr_score s;
    ck_assert_int_eq(dsr_score_init(&s, "p", "d", &prices, "CNY"), 0);
    dsr_score_expect(&s, "x1", 0, "one", NULL);
    dsr_score_expect(&s, "x9", 0, "one", NULL);
    put(&s, "x1", 0, "A", "stop", "A", 1);
    put(&s, "x2", 0, "B", "length", "B", 0);
    put(&s, "x3", 0, "", "stop", " \n", 0);
    put(&s, "y1", 0, "", "stop", "sorry", 0);
    put(&s, "y2", 0, "", "content_filter", "no", 0);
    put(&s, "y3", 0, "C", "stop", "C", 0);
    put(&s, "y3", 0, "D", "stop", "D", 1); /* graded again */
    ck_assert_int_eq(dsr_score_seal(&s), 0);
    ck_assert_int_eq(s.asked, 7);
    ck_assert_int_eq(s.answered, 6);
    ck_assert_int_eq(s.correct, 2);
    ck_assert_int_eq(s.truncated, 1);
    ck_assert_int_eq(s.empty, 1);
    ck_assert_int_eq(s.refused, 2);
    ck_assert_int_eq(s.wrong, 0);
    ck_assert_double_eq_tol(s.cost, 6 * (100 * 2 + 10 * 8) / 1e6, 1e-12);
    ck_assert_double_eq_tol(s.macro, (100.0 / 4 + 100.0 / 3) / 2, 1e-9);
    ck_assert_uint_eq(s.n_tags, 1);
    dsr_score_clear(&s);
}
END_TEST

START_TEST(repeats_give_pass_and_majority)
{
    static const struct dsr_prices prices = {2, 8, NAN};
    struct dsr_score s;
    ck_assert_int_eq(dsr_score_init(&s, "p", "d", &prices, "CNY"), 0);
    /* x: B B A, right is A; y: A C A, right is A; z: nothing, A, C: the first of equals counts */
    const char *const said[3][3] = {{"B", "B", "A"}, {"A", "C", "A"}, {"", "A", "C"}};
    for (int q = 0; q < 3; q++)
        for (int r = 0; r < 3; r++) {
            char item[2] = {(char)('x' + q), 0};
            put(&s, item, r, said[q][r], "stop", "words", !strcmp(said[q][r], "A"));
        }
    ck_assert_int_eq(dsr_score_seal(&s), 0);
    ck_assert_int_eq(s.repeats, 3);
    ck_assert_double_eq_tol(dsr_score_accuracy(&s), 100 * 4.0 / 9, 1e-9);
    ck_assert_double_eq_tol(s.maj_at, 100 * 2.0 / 3, 1e-9);
    ck_assert_double_eq_tol(s.pass_at[0], 100 * 4.0 / 9, 1e-9);
    ck_assert_double_eq_tol(s.pass_at[1], 100 * (2.0 / 3 + 1 + 2.0 / 3) / 3, 1e-9);
    ck_assert_double_eq_tol(s.pass_at[2], 100, 1e-9);
    dsr_score_clear(&s);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("accuracy");
    TCase *tcase = tcase_create("accuracy");
    tcase_set_timeout(tcase, 0); /* sanitizers are slow */
    tcase_add_loop_test(tcase, pass_at_k_is_unbiased, 0, (int)DSR_COUNT(passes));
    tcase_add_loop_test(tcase, quantiles_of_t_are_the_tables, 0, (int)DSR_COUNT(quantiles));
    tcase_add_loop_test(tcase, single_answers_are_mcnemars_test, 0, (int)DSR_COUNT(tables));
    tcase_add_test(tcase, repeated_answers_are_compared_exactly);
    tcase_add_test(tcase, the_questions_needed_are_connors);
    tcase_add_test(tcase, errors_are_clustered_by_question);
    tcase_add_test(tcase, single_runs_have_wilsons_interval);
    tcase_add_loop_test(tcase, intervals_cover, 0, (int)DSR_COUNT(designs));
    tcase_add_loop_test(tcase, intervals_of_differences_cover, 0, (int)DSR_COUNT(pair_repeats));
    tcase_add_test(tcase, answers_are_counted_apart);
    tcase_add_test(tcase, repeats_give_pass_and_majority);
    suite_add_tcase(suite, tcase);
    return unit_run(suite);
}
