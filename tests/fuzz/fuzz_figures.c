/* libFuzzer target: any bytes are merged as figures without harm, and what is taken comes back when
 * it is encoded and merged again. */
#include "core/metric/figures.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct dsr_figures first, second;
    struct dsr_prices prices = {4, 16, 1};
    char *encoded[2] = {NULL, NULL};
    size_t len[2];
    dsr_figures_init(&first, &prices);
    dsr_figures_init(&second, &prices);
    if (!dsr_figures_merge(&first, (const char *)bytes, n)) {
        if (dsr_figures_encode(&first, &encoded[0], &len[0]) ||
            dsr_figures_merge(&second, encoded[0], len[0]) ||
            dsr_figures_encode(&second, &encoded[1], &len[1]) || len[0] != len[1] ||
            memcmp(encoded[0], encoded[1], len[0]) != 0)
            abort();
        dsr_figures_seal(&first);
        for (int m = 0; m < DSR_M_SAMPLES; m++)
            dsr_figures_value(&first, (enum dsr_sample)m, "p90", true);
    }
    free(encoded[0]);
    free(encoded[1]);
    dsr_figures_clear(&first);
    dsr_figures_clear(&second);
    return 0;
}
