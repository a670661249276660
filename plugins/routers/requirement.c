/* The requirement router: filters decide who may serve, the order decides who is first.
 * {"filters": [{"metric", "stat"?, "min"?, "max"?}], "order": [{"metric", "stat"?, "desc"?}]}
 * An unknown value fails a filter and stands last in an order. Without "desc" the better value
 * comes first: low for latencies and prices, high for rates and accuracies. */
#include <dsr/router.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct rule {
    char *metric, *stat; /* stat NULL: avg */
    double min, max;     /* of filters; NaN: no bound */
    bool desc;           /* of orders */
};

struct router {
    struct rule *filters, *orders;
    size_t n_filters, n_orders;
    const struct dsr_host *host;
};

static void rules_free(struct rule *rules, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(rules[i].metric);
        free(rules[i].stat);
    }
    free(rules);
}

static void close_router(void *state)
{
    struct router *r = state;
    rules_free(r->filters, r->n_filters);
    rules_free(r->orders, r->n_orders);
    free(r);
}

static int check_types(const json_t *json, const char *place, bool order, struct dsr_error *err)
{
    static const struct {
        const char *name, *wanted;
        int type; /* 0 string, 1 number, 2 boolean */
        int in;   /* 1 filters, 2 order, 3 both */
    } members[] = {{"metric", "a string", 0, 3},
                   {"stat", "a string", 0, 3},
                   {"min", "a number", 1, 1},
                   {"max", "a number", 1, 1},
                   {"desc", "true or false", 2, 2}};
    const char *key;
    json_t *value;
    char at[128];
    if (!json_is_object(json))
        return dsr_error_at(err, DSR_ECONFIG, place, "expected an object with \"metric\"");
    json_object_foreach((json_t *)json, key, value)
    {
        size_t i = 0;
        snprintf(at, sizeof at, "%s/%s", place, key);
        while (i < 5 && (strcmp(members[i].name, key) || !(members[i].in & (order ? 2 : 1))))
            i++;
        if (i == 5)
            return dsr_error_at(err, DSR_ECONFIG, at, "is not a member of %s",
                                order ? "an order" : "a filter");
        bool fits = members[i].type == 0   ? json_is_string(value)
                    : members[i].type == 1 ? json_is_number(value)
                                           : json_is_boolean(value);
        if (!fits)
            return dsr_error_at(err, DSR_ECONFIG, at, "expected %s", members[i].wanted);
    }
    if (!json_object_get(json, "metric"))
        return dsr_error_at(err, DSR_ECONFIG, place, "\"metric\" is missing");
    return 0;
}

static int read_rule(const struct router *r, const json_t *json, const char *place, bool order,
                     struct rule *rule, struct dsr_error *err)
{
    int rc = check_types(json, place, order, err);
    if (rc)
        return rc;
    const char *metric = json_string_value(json_object_get(json, "metric"));
    const char *stat = json_string_value(json_object_get(json, "stat"));
    if (dsr_metric_check(r->host, metric, NULL, err) ||
        dsr_metric_check(r->host, metric, stat, err)) {
        struct dsr_error inner = *err;
        char at[128];
        snprintf(at, sizeof at, "%s/%s", place,
                 dsr_metric_check(r->host, metric, NULL, err) ? "metric" : "stat");
        return dsr_error_at(err, DSR_ECONFIG, at, "%s", inner.message);
    }
    const json_t *min = json_object_get(json, "min"), *max = json_object_get(json, "max");
    const json_t *desc = json_object_get(json, "desc");
    if (!order && !min && !max)
        return dsr_error_at(err, DSR_ECONFIG, place, "a filter needs \"min\" or \"max\"");
    rule->min = min ? json_number_value(min) : NAN;
    rule->max = max ? json_number_value(max) : NAN;
    rule->desc = desc ? json_is_true(desc) : !dsr_metric_low_is_better(metric);
    rule->metric = strdup(metric);
    rule->stat = stat ? strdup(stat) : NULL;
    return rule->metric && (rule->stat || !stat) ? 0
                                                 : dsr_error_set(err, DSR_ENOMEM, "out of memory");
}

static int read_rules(const struct router *r, const json_t *policy, const char *key,
                      struct rule **rules, size_t *n, struct dsr_error *err)
{
    const json_t *array = json_object_get(policy, key);
    char place[64];
    snprintf(place, sizeof place, "/%s", key);
    if (!array)
        return 0;
    if (!json_is_array(array))
        return dsr_error_at(err, DSR_ECONFIG, place, "expected an array");
    *rules = calloc(json_array_size(array) + 1, sizeof **rules);
    if (!*rules)
        return dsr_error_set(err, DSR_ENOMEM, "out of memory");
    for (size_t i = 0; i < json_array_size(array); i++) {
        snprintf(place, sizeof place, "/%s/%zu", key, i);
        ++*n;
        int rc = read_rule(r, json_array_get(array, i), place, key[0] == 'o', &(*rules)[i], err);
        if (rc)
            return rc;
    }
    return 0;
}

static void *open_router(const json_t *policy, const struct dsr_host *host, struct dsr_error *err)
{
    struct router *r = calloc(1, sizeof *r);
    const char *key;
    json_t *value;
    char place[80];
    int rc = r ? 0 : dsr_error_set(err, DSR_ENOMEM, "out of memory");
    if (!rc)
        r->host = host;
    json_object_foreach((json_t *)policy, key, value)
    {
        if (!rc && strcmp(key, "filters") && strcmp(key, "order")) {
            snprintf(place, sizeof place, "/%.64s", key);
            rc = dsr_error_at(err, DSR_ECONFIG, place,
                              "is not a member of a requirement; there are filters and order");
        }
    }
    if (!rc)
        rc = read_rules(r, policy, "filters", &r->filters, &r->n_filters, err);
    if (!rc)
        rc = read_rules(r, policy, "order", &r->orders, &r->n_orders, err);
    if (!rc)
        return r;
    if (r)
        close_router(r);
    return NULL;
}

/* True when all filters let candidate i pass; tells every one that does not. */
static int apply_filters(const struct router *r, const struct dsr_candidate *c, size_t i,
                         struct dsr_ranking *ranking, bool *passes)
{
    int rc = 0;
    *passes = true;
    for (size_t k = 0; k < r->n_filters && !rc; k++) {
        const struct rule *f = &r->filters[k];
        double value = dsr_candidate_value(c, f->metric, f->stat);
        bool low = !isnan(f->min) && !(value >= f->min);
        bool high = !isnan(f->max) && !(value <= f->max);
        rc = dsr_ranking_used(ranking, i, f->metric, f->stat, value);
        if (!rc && (low || high)) {
            *passes = false;
            rc = dsr_ranking_failed(ranking, i, f->metric, f->stat, value, low ? "min" : "max",
                                    low ? f->min : f->max);
        }
    }
    return rc;
}

struct place {
    size_t index;
    const double *values; /* one for each order */
    const struct router *router;
};

static int compare(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    const struct router *r = x->router;
    for (size_t k = 0; k < r->n_orders; k++) {
        double u = x->values[k], v = y->values[k];
        if (isnan(u) != isnan(v))
            return isnan(u) ? 1 : -1;
        if (isnan(u) || u == v)
            continue;
        return (u < v) == r->orders[k].desc ? 1 : -1;
    }
    return (x->index > y->index) - (x->index < y->index);
}

/* Each stands where it stands because of the first order in which it differs from the one before.
 */
static int explain(const struct router *r, const struct place *places, size_t n,
                   const struct dsr_candidate *const *candidates, struct dsr_ranking *ranking)
{
    int rc = 0;
    for (size_t p = 0; p < n && !rc; p++) {
        size_t k = 0;
        while (p && k < r->n_orders &&
               (places[p].values[k] == places[p - 1].values[k] ||
                (isnan(places[p].values[k]) && isnan(places[p - 1].values[k]))))
            k++;
        if (!p)
            rc = dsr_ranking_why(ranking, places[p].index, "first of %zu that pass all filters", n);
        else if (k == r->n_orders)
            rc = dsr_ranking_why(ranking, places[p].index, "equal to %s in every order",
                                 dsr_candidate_provider(candidates[places[p - 1].index]));
        else if (isnan(places[p].values[k]))
            rc = dsr_ranking_why(ranking, places[p].index, "%s is unknown, so it stands behind",
                                 r->orders[k].metric);
        else
            rc = dsr_ranking_why(ranking, places[p].index, "%s %.4g comes after %.4g of %s",
                                 r->orders[k].metric, places[p].values[k], places[p - 1].values[k],
                                 dsr_candidate_provider(candidates[places[p - 1].index]));
    }
    return rc;
}

static int order(const struct router *r, const struct dsr_candidate *const *candidates,
                 struct place *places, double *values, size_t n, struct dsr_ranking *ranking)
{
    int rc = 0;
    for (size_t p = 0; p < n; p++) {
        places[p].values = values + p * r->n_orders;
        places[p].router = r;
        for (size_t k = 0; k < r->n_orders && !rc; k++) {
            const struct rule *o = &r->orders[k];
            double value = dsr_candidate_value(candidates[places[p].index], o->metric, o->stat);
            values[p * r->n_orders + k] = value;
            rc = dsr_ranking_used(ranking, places[p].index, o->metric, o->stat, value);
        }
    }
    qsort(places, n, sizeof *places, compare);
    for (size_t p = 0; p < n && !rc; p++)
        rc = dsr_ranking_match(ranking, places[p].index);
    return rc ? rc : explain(r, places, n, candidates, ranking);
}

static int rank(void *state, const struct dsr_candidate *const *candidates, size_t n,
                const json_t *request, struct dsr_ranking *ranking, struct dsr_error *err)
{
    const struct router *r = state;
    struct place *places = calloc(n + 1, sizeof *places);
    double *values = calloc(n * r->n_orders + 1, sizeof *values);
    size_t passed = 0;
    int rc = places && values ? 0 : DSR_ENOMEM;
    (void)request;
    for (size_t i = 0; i < n && !rc; i++) {
        bool passes;
        rc = apply_filters(r, candidates[i], i, ranking, &passes);
        if (passes)
            places[passed++].index = i;
    }
    if (!rc)
        rc = order(r, candidates, places, values, passed, ranking);
    free(places);
    free(values);
    return rc ? dsr_error_set(err, rc, "out of memory") : 0;
}

static const struct dsr_router_ops ops = {
    .size = sizeof ops, .open = open_router, .rank = rank, .close = close_router};

const struct dsr_plugin dsr_plugin = {
    .abi = DSR_ABI,
    .size = sizeof dsr_plugin,
    .kind = DSR_KIND_ROUTER,
    .name = "requirement",
    .version = "1.0",
    .summary = "filters and an order from a requirement file",
    .licence = "Apache-2.0",
    .ops = &ops,
};
