/* Seeded random numbers: xoshiro256** seeded by SplitMix64 (Blackman and Vigna, 2018; public
 * domain reference at prng.di.unimi.it, whose first outputs the tests hold). */
#include "base.h"

#include <math.h>

static uint64_t splitmix(uint64_t *x)
{
    uint64_t z = (*x += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

void dsr_rng_init(struct dsr_rng *rng, uint64_t seed, uint64_t stream)
{
    uint64_t x = stream;
    x = seed ^ splitmix(&x);
    for (size_t i = 0; i < 4; i++)
        rng->s[i] = splitmix(&x);
}

static uint64_t rotate(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

uint64_t dsr_rng_u64(struct dsr_rng *rng)
{
    uint64_t *s = rng->s, result = rotate(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

uint64_t dsr_rng_below(struct dsr_rng *rng, uint64_t n)
{
    if (n < 2)
        return 0;
    uint64_t reject = -n % n, x;
    do
        x = dsr_rng_u64(rng);
    while (x < reject);
    return x % n;
}

double dsr_rng_unit(struct dsr_rng *rng)
{
    return (double)(dsr_rng_u64(rng) >> 11) * 0x1p-53;
}

double dsr_rng_normal(struct dsr_rng *rng)
{
    double u = 1.0 - dsr_rng_unit(rng), v = dsr_rng_unit(rng);
    return sqrt(-2.0 * log(u)) * cos(2.0 * M_PI * v);
}
