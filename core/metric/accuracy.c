/* Shares and pairs. */
#include "core/metric/accuracy.h"

#include <math.h>

#define Z975 1.959963984540054
#define Z80 0.8416212335729143
#define RESAMPLES 10000

double dsr_pass_at(int64_t n, int64_t c, int64_t k)
{
    double none = 1;
    if (n - c < k)
        return 1;
    for (int64_t i = n - c + 1; i <= n; i++)
        none *= 1 - (double)k / (double)i;
    return 1 - none;
}

double dsr_t975(double df)
{
    const double z = Z975, z2 = z * z;
    if (df < 2)
        return 12.706204736432095;
    if (df < 3)
        return 4.302652729696142;
    if (df < 4)
        return 3.182446305284263;
    double g1 = z * (z2 + 1) / 4;
    double g2 = z * ((5 * z2 + 16) * z2 + 3) / 96;
    double g3 = z * (((3 * z2 + 19) * z2 + 17) * z2 - 15) / 384;
    double g4 = z * ((((79 * z2 + 776) * z2 + 1482) * z2 - 1920) * z2 - 945) / 92160;
    return z + (g1 + (g2 + (g3 + g4 / df) / df) / df) / df;
}

/* How many independent answers vary as these clusters do; never more than were asked, never fewer
 * than one. */
static double effective(double share, double error, size_t n, double asked)
{
    double t = Z975 / dsr_t975((double)n - 1);
    double size = error > 0 ? share * (1 - share) / (error * error) * t * t : (double)n;
    return fmax(1, fmin(size, asked));
}

struct dsr_share dsr_share_clustered(const int64_t *correct, const int64_t *asked, size_t n)
{
    struct dsr_share s = {NAN, NAN, NAN, {NAN, NAN}};
    double c = 0, m = 0, squares = 0;
    bool once = true;
    for (size_t i = 0; i < n; i++) {
        c += (double)correct[i];
        m += (double)asked[i];
        once &= asked[i] <= 1;
    }
    if (!(m > 0))
        return s;
    s.share = c / m;
    for (size_t i = 0; i < n; i++) {
        double residue = (double)correct[i] - s.share * (double)asked[i];
        squares += residue * residue;
    }
    if (n > 1)
        s.error = sqrt(squares * (double)n / (double)(n - 1)) / m;
    s.effective = once || n < 2 ? (once ? m : 1) : effective(s.share, s.error, n, m);
    s.ci = dsr_wilson(s.share * s.effective, s.effective);
    return s;
}

/* P(|sum of signed differences| >= |total|) when all signs are equally likely, by adding one
 * question after the other to the distribution of the sum. */
static int sign_flip(const int64_t *d, size_t n, int64_t total, double *p)
{
    int64_t reach = 0;
    for (size_t i = 0; i < n; i++)
        reach += d[i] < 0 ? -d[i] : d[i];
    size_t size = (size_t)(2 * reach + 1);
    double *now = calloc(size, sizeof *now), *next = calloc(size, sizeof *next);
    if (!now || !next) {
        free(now);
        free(next);
        return DSR_ENOMEM;
    }
    int64_t at = 0; /* sums so far lie within +-at */
    now[reach] = 1;
    for (size_t i = 0; i < n; i++) {
        int64_t step = d[i] < 0 ? -d[i] : d[i];
        if (!step)
            continue;
        memset(next + reach - at - step, 0, (size_t)(2 * (at + step) + 1) * sizeof *next);
        for (int64_t s = -at; s <= at; s++) {
            next[reach + s - step] += now[reach + s] / 2;
            next[reach + s + step] += now[reach + s] / 2;
        }
        at += step;
        double *swap = now;
        now = next;
        next = swap;
    }
    int64_t bound = total < 0 ? -total : total;
    *p = 0;
    for (int64_t s = -at; s <= at; s++)
        if ((s < 0 ? -s : s) >= bound)
            *p += now[reach + s];
    *p = fmin(1, *p);
    free(now);
    free(next);
    return 0;
}

static int bootstrap(const int64_t *d, size_t n, int64_t k, uint64_t seed, struct dsr_interval *ci)
{
    struct dsr_samples means = {0};
    struct dsr_rng rng;
    int rc = 0;
    dsr_rng_init(&rng, seed, n);
    for (int r = 0; r < RESAMPLES && !rc; r++) {
        int64_t sum = 0;
        for (size_t i = 0; i < n; i++)
            sum += d[dsr_rng_below(&rng, n)];
        rc = dsr_samples_add(&means, (double)sum / (double)n / (double)k);
    }
    dsr_samples_sort(&means);
    ci->lo = dsr_percentile(means.values, means.n, 2.5);
    ci->hi = dsr_percentile(means.values, means.n, 97.5);
    dsr_samples_clear(&means);
    return rc;
}

/* mean and square: of the differences. The first term is under "no difference", where their
 * variance is the square; the second under the difference that was seen. */
static double needed(double mean, double square)
{
    if (mean == 0)
        return NAN;
    double root = Z975 * sqrt(square) + Z80 * sqrt(fmax(0, square - mean * mean));
    return ceil(root * root / (mean * mean));
}

int dsr_pair(const int64_t *a, const int64_t *b, size_t n, int64_t k, uint64_t seed,
             struct dsr_pairing *pairing)
{
    int64_t *d = malloc((n + 1) * sizeof *d), total = 0;
    double squares = 0;
    memset(pairing, 0, sizeof *pairing);
    if (!d)
        return DSR_ENOMEM;
    pairing->n = n;
    for (size_t i = 0; i < n; i++) {
        d[i] = a[i] - b[i];
        total += d[i];
        squares += (double)(d[i] * d[i]);
        pairing->only_a += d[i] > 0;
        pairing->only_b += d[i] < 0;
    }
    double all = (double)n * (double)k;
    pairing->difference = n ? (double)total / all : NAN;
    pairing->needed = n ? needed(pairing->difference, squares / all / (double)k) : NAN;
    pairing->p = NAN;
    pairing->ci = (struct dsr_interval){NAN, NAN};
    int rc = n ? sign_flip(d, n, total, &pairing->p) : 0;
    if (!rc && n > 1)
        rc = bootstrap(d, n, k, seed, &pairing->ci);
    free(d);
    return rc;
}
