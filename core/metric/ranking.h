/* What a router found, as its plugin tells it. */
#ifndef DSR_RANKING_H
#define DSR_RANKING_H

#include "core/base/base.h"

#include <dsr/router.h>

struct dsr_ranking {
    size_t n;      /* candidates */
    size_t *order; /* indices of those that match, best first */
    size_t n_matched;
    json_t **used;   /* per candidate: {metric: {stat: value}} */
    json_t **failed; /* per candidate: [{"metric","stat","value","min"|"max"}] */
    json_t **why;    /* per candidate: [text] */
};

int dsr_ranking_init(struct dsr_ranking *ranking, size_t n);
/* Ranks by a policy. A flaw of the policy is told with its place in err->pointer. The ranking is to
 * be cleared in any case. */
int dsr_ranking_make(struct dsr_ranking *ranking, const struct dsr_router_ops *ops,
                     const json_t *policy, struct dsr_candidate *const *list, size_t n,
                     const struct dsr_host *host, struct dsr_error *err);
/* What `route` prints as JSON (design, section 8). list: the candidates that were ranked. */
json_t *dsr_ranking_json(const struct dsr_ranking *ranking, struct dsr_candidate *const *list,
                         const char *model, const char *currency);
void dsr_ranking_clear(struct dsr_ranking *ranking);

#endif
