/* Rankings in the making. */
#include "core/metric/ranking.h"

#include <stdarg.h>

int dsr_ranking_init(struct dsr_ranking *r, size_t n)
{
    memset(r, 0, sizeof *r);
    r->n = n;
    r->order = calloc(n + 1, sizeof *r->order);
    r->used = calloc(n + 1, sizeof *r->used);
    r->failed = calloc(n + 1, sizeof *r->failed);
    r->why = calloc(n + 1, sizeof *r->why);
    bool ok = r->order && r->used && r->failed && r->why;
    for (size_t i = 0; i < n && ok; i++) {
        r->used[i] = json_object();
        r->failed[i] = json_array();
        r->why[i] = json_array();
        ok = r->used[i] && r->failed[i] && r->why[i];
    }
    if (ok)
        return 0;
    dsr_ranking_clear(r);
    return DSR_ENOMEM;
}

void dsr_ranking_clear(struct dsr_ranking *r)
{
    json_t ***lists[] = {&r->used, &r->failed, &r->why};
    for (size_t k = 0; k < DSR_COUNT(lists); k++) {
        for (size_t i = 0; *lists[k] && i < r->n; i++)
            json_decref((*lists[k])[i]);
        free(*lists[k]);
    }
    free(r->order);
    memset(r, 0, sizeof *r);
}

int dsr_ranking_match(struct dsr_ranking *r, size_t i)
{
    if (i >= r->n || r->n_matched >= r->n)
        return DSR_EINVAL;
    r->order[r->n_matched++] = i;
    return 0;
}

int dsr_ranking_used(struct dsr_ranking *r, size_t i, const char *metric, const char *stat,
                     double value)
{
    if (i >= r->n)
        return DSR_EINVAL;
    json_t *stats = json_object_get(r->used[i], metric);
    if (!stats) {
        stats = json_object();
        if (!stats || json_object_set_new(r->used[i], metric, stats))
            return DSR_ENOMEM;
    }
    return json_object_set_new(stats, stat ? stat : "avg", dsr_json_real(value)) ? DSR_ENOMEM : 0;
}

int dsr_ranking_failed(struct dsr_ranking *r, size_t i, const char *metric, const char *stat,
                       double value, const char *bound, double limit)
{
    if (i >= r->n)
        return DSR_EINVAL;
    json_t *entry = json_pack("{s:s, s:s, s:o, s:f}", "metric", metric, "stat", stat ? stat : "avg",
                              "value", dsr_json_real(value), bound, limit);
    return !entry || json_array_append_new(r->failed[i], entry) ? DSR_ENOMEM : 0;
}

int dsr_ranking_why(struct dsr_ranking *r, size_t i, const char *format, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    return i >= r->n                                                             ? DSR_EINVAL
           : json_array_append_new(r->why[i], dsr_json_text(text, strlen(text))) ? DSR_ENOMEM
                                                                                 : 0;
}

json_t *dsr_ranking_json(const struct dsr_ranking *r, struct dsr_candidate *const *list,
                         const char *model, const char *currency)
{
    json_t *matched = json_array(), *rejected = json_array();
    for (size_t k = 0; k < r->n_matched; k++) {
        size_t i = r->order[k];
        json_array_append_new(
            matched, json_pack("{s:s, s:i, s:O, s:O}", "provider", dsr_candidate_provider(list[i]),
                               "rank", (int)k + 1, "metrics", r->used[i], "why", r->why[i]));
    }
    for (size_t i = 0; i < r->n; i++)
        if (json_array_size(r->failed[i]))
            json_array_append_new(rejected, json_pack("{s:s, s:O}", "provider",
                                                      dsr_candidate_provider(list[i]), "failed",
                                                      r->failed[i]));
    return json_pack("{s:i, s:s, s:s, s:o, s:o}", "schema", 1, "model", model, "currency", currency,
                     "matched", matched, "rejected", rejected);
}

int dsr_ranking_make(struct dsr_ranking *ranking, const struct dsr_router_ops *ops,
                     const json_t *policy, struct dsr_candidate *const *list, size_t n,
                     const struct dsr_host *host, struct dsr_error *err)
{
    memset(err, 0, sizeof *err);
    void *state = ops->open(policy, host, err);
    if (!state)
        return err->code;
    int rc = dsr_ranking_init(ranking, n) ? dsr_error_nomem(err) : 0;
    if (!rc)
        rc = ops->rank(state, (const struct dsr_candidate *const *)list, n, NULL, ranking, err);
    ops->close(state);
    return rc;
}
