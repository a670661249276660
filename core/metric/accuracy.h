/* Statistics of graded answers: repeated questions, unbiased pass@k, intervals that know that
 * answers to one question belong together, and the comparison of two providers. */
#ifndef DSR_ACCURACY_H
#define DSR_ACCURACY_H

#include "core/metric/stats.h"

/* The chance that at least one of k answers is right, from c right ones of n: 1 - C(n-c,k)/C(n,k),
 * unbiased (Chen et al. 2021, "Evaluating Large Language Models Trained on Code", eq. 1).
 * 1 <= k <= n. */
double dsr_pass_at(int64_t n, int64_t c, int64_t k);

/* Quantile 0.975 of Student's t (Abramowitz and Stegun 1964, 26.7.5). df >= 1; below 4 exact. */
double dsr_t975(double df);

/* A share over questions that were asked several times each. All members NaN without questions.
 *   share      right answers / answers asked, 0..1
 *   error      standard error, clustered by question (Miller 2024, "Adding Error Bars to Evals",
 *              section 2.2; a ratio of sums, with n/(n-1)); NaN with one question
 *   effective  independent answers that would tell as much (Korn and Graubard 1998: corrected for
 *              the degrees of freedom); the number asked when every question was asked once
 *   ci         Wilson's interval of share at effective */
struct dsr_share {
    double share, error, effective;
    struct dsr_interval ci;
};
/* correct[i] of asked[i] answers to question i were right. */
struct dsr_share dsr_share_clustered(const int64_t *correct, const int64_t *asked, size_t n);

/* Two providers on the same questions, k answers each to every question.
 *   n, difference  questions; mean of (a - b) / k, -1..1
 *   ci             95% of the difference: paired bootstrap over questions, 10,000 seeded resamples
 *   p              two-sided, exact: all signs of the differences are equally likely if neither is
 *                  better. With k = 1 this is McNemar's exact test (McNemar 1947)
 *   only_a, only_b questions on which a (b) did better
 *   needed         questions by which a difference of this size would be found with 80% power at
 *                  the 5% level (Connor 1987; for k = 1, eq. 2); NaN when there is no difference */
struct dsr_pairing {
    size_t n, only_a, only_b;
    double difference, p, needed;
    struct dsr_interval ci;
};
/* a[i], b[i]: right answers, 0..k. Returns 0 or DSR_ENOMEM. */
int dsr_pair(const int64_t *a, const int64_t *b, size_t n, int64_t k, uint64_t seed,
             struct dsr_pairing *pairing);

#endif
