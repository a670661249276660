/* What a store may keep of many performance results in place of them: counts, sums and histograms
 * that can be added up. A store that does so offers dsr_store_ops.sums; the core answers from what
 * it hands over as it would from the records themselves, with percentiles within 0.1%. */
#ifndef DSR_FIGURES_H
#define DSR_FIGURES_H

#include <dsr/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct dsr_figures;

/* Figures of no request yet, or NULL when out of memory. The provider's prices, as host knows
 * them, weigh the kinds of tokens in its costs. One thread at a time for each. */
DSR_API struct dsr_figures *dsr_figures_new(const struct dsr_host *host, const char *model,
                                            const char *provider);
DSR_API void dsr_figures_free(struct dsr_figures *figures); /* NULL is allowed */
/* Adds the body of a performance record. Returns 0 or DSR_ENOMEM. */
DSR_API int dsr_figures_add(struct dsr_figures *figures, const json_t *body);
/* The figures as bytes, malloc'd (to be freed with free), that dsr_figures_merge reads on any
 * machine. They depend on the results only, not on the order in which they were added. Returns 0
 * or DSR_ENOMEM. */
DSR_API int dsr_figures_encode(struct dsr_figures *figures, char **bytes, size_t *n);
/* Adds encoded figures. Returns 0, DSR_ENOMEM, or DSR_EINVAL: these are no such bytes, or those of
 * a newer version; the figures are then of no more use. */
DSR_API int dsr_figures_merge(struct dsr_figures *figures, const char *bytes, size_t n);

#ifdef __cplusplus
}
#endif
#endif
