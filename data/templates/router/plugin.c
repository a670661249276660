/* @NAME@: ranks by one metric of the policy {"metric": "ttft", "stat": "median"}; providers of which
 * it is unknown are left out. See dsr/router.h. */
#include <dsr/router.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct policy {
    char *metric, *stat;
};

static void close_policy(void *state)
{
    struct policy *p = (struct policy *)state;
    free(p->metric);
    free(p->stat);
    free(p);
}

static void *open_policy(const json_t *policy, const struct dsr_host *host, struct dsr_error *err)
{
    const char *metric = json_string_value(json_object_get(policy, "metric"));
    const char *stat = json_string_value(json_object_get(policy, "stat"));
    if (!metric) {
        dsr_error_at(err, DSR_ECONFIG, "/metric", "a policy needs \"metric\", such as \"ttft\"");
        return NULL;
    }
    if (dsr_metric_check(host, metric, stat, err))
        return NULL;
    struct policy *p = (struct policy *)calloc(1, sizeof *p);
    if (p) {
        p->metric = strdup(metric);
        p->stat = strdup(stat ? stat : "avg");
        if (p->metric && p->stat)
            return p;
        close_policy(p);
    }
    dsr_error_set(err, DSR_ENOMEM, "out of memory");
    return NULL;
}

struct place {
    size_t i;
    double value; /* lower is better */
};

static int by_value(const void *a, const void *b)
{
    double x = ((const struct place *)a)->value, y = ((const struct place *)b)->value;
    return (x > y) - (x < y);
}

static int rank(void *state, const struct dsr_candidate *const *candidates, size_t n,
                const json_t *request, struct dsr_ranking *ranking, struct dsr_error *err)
{
    const struct policy *p = (const struct policy *)state;
    double sign = dsr_metric_low_is_better(p->metric) ? 1 : -1;
    struct place *places = (struct place *)calloc(n + 1, sizeof *places);
    size_t known = 0;
    int rc = places ? 0 : DSR_ENOMEM;
    (void)request;
    for (size_t i = 0; i < n && !rc; i++) {
        double value = dsr_candidate_value(candidates[i], p->metric, p->stat);
        rc = dsr_ranking_used(ranking, i, p->metric, p->stat, value);
        if (isnan(value))
            rc = rc ? rc : dsr_ranking_failed(ranking, i, p->metric, p->stat, value, "min", 0);
        else
            places[known++] = (struct place){i, sign * value};
    }
    if (known)
        qsort(places, known, sizeof *places, by_value);
    for (size_t k = 0; k < known && !rc; k++)
        rc = dsr_ranking_match(ranking, places[k].i);
    free(places);
    return rc ? dsr_error_set(err, rc, "out of memory") : 0;
}

static const struct dsr_router_ops ops = {
    sizeof ops, open_policy, rank, NULL, close_policy,
};

const struct dsr_plugin dsr_plugin = {
    DSR_ABI, sizeof dsr_plugin, DSR_KIND_ROUTER, "@NAME@", "0.1", "the policy of @NAME@",
    "Apache-2.0", &ops,
};
