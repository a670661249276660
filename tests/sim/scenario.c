/* Reading a scenario: defaults, then what each provider does otherwise. */
#include "tests/sim/sim.h"

#include <math.h>

const char *const sim_fault_names[SIM_FAULTS] = {
    "",      "http_429",  "http_500", "http_503",     "cut",
    "stall", "malformed", "empty",    "stream_error", "http_202"};

double sim_draw(const struct sim_dist *d, struct dsr_rng *rng)
{
    double x = d->a;
    if (d->kind == SIM_UNIFORM)
        x = d->a + (d->b - d->a) * dsr_rng_unit(rng);
    else if (d->kind == SIM_NORMAL)
        x = d->a + d->b * dsr_rng_normal(rng);
    else if (d->kind == SIM_LOGNORMAL)
        x = d->a * exp(d->b * dsr_rng_normal(rng));
    return x > 0 ? x : 0;
}

/* 20, or {"dist": "lognormal", "median": 400, "sigma": 0.4} and so on. */
static int read_dist(const struct dsr_doc *doc, const json_t *json, const char *place,
                     struct sim_dist *dist, struct dsr_error *err)
{
    static const struct {
        const char *name, *a, *b;
    } kinds[] = {{"constant", "value", NULL},
                 {"uniform", "min", "max"},
                 {"normal", "mean", "sigma"},
                 {"lognormal", "median", "sigma"}};
    if (json_is_number(json)) {
        *dist = (struct sim_dist){SIM_CONSTANT, json_number_value(json), 0};
        return 0;
    }
    const char *name = dsr_json_string(json, "dist", "");
    for (size_t i = 0; i < DSR_COUNT(kinds); i++) {
        if (strcmp(kinds[i].name, name))
            continue;
        dist->kind = (int)i;
        dist->a = dsr_json_number(json, kinds[i].a);
        dist->b = kinds[i].b ? dsr_json_number(json, kinds[i].b) : 0;
        if (isfinite(dist->a) && isfinite(dist->b))
            return 0;
    }
    return dsr_doc_fail(doc, err, place,
                        "expected a number, or {\"dist\": constant (value), uniform (min, max), "
                        "normal (mean, sigma) or lognormal (median, sigma)}");
}

static int read_faults(const struct dsr_doc *doc, const json_t *json, const char *place,
                       struct sim_behaviour *b, struct dsr_error *err)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)json, name, value)
    {
        size_t i = 1;
        while (i < SIM_FAULTS && strcmp(sim_fault_names[i], name))
            i++;
        double share = json_number_value(value);
        if (i == SIM_FAULTS || !json_is_number(value) || share < 0 || share > 1)
            return dsr_doc_fail(doc, err, place, "\"%s\": no such fault, or not a share of 0..1",
                                name);
        b->faults[i] = share;
    }
    return 0;
}

static int read_behaviour(const struct dsr_doc *doc, const json_t *json, const char *place,
                          struct sim_behaviour *b, struct dsr_error *err)
{
    static const struct dsr_field fields[] = {
        {"max_concurrency", DSR_T_INT, false, 0, 1e6},
        {"retry_after_s", DSR_T_INT, false, 0, 3600},
        {"rate_requests", DSR_T_INT, false, 0, 1e6},
        {"rate_window_s", DSR_T_INT, false, 1, 3600},
        {"keep_alive_comments", DSR_T_BOOL, false, 0, 0},
        {"reasoning", DSR_T_STRING, false, 0, 0},
        {"accuracy", DSR_T_NUMBERS, false, 0, 0},
        {"faults", DSR_T_OBJECT, false, 0, 0},
        {"replies", DSR_T_STRINGS, false, 0, 0},
    };
    struct {
        const char *name;
        struct sim_dist *dist;
    } dists[] = {{"ttft_ms", &b->ttft_ms},
                 {"itl_ms", &b->itl_ms},
                 {"reasoning_tokens", &b->reasoning_tokens},
                 {"answer_tokens", &b->answer_tokens}};
    json_t *rest = json_copy((json_t *)json);
    int rc = 0;
    for (size_t i = 0; i < DSR_COUNT(dists) && !rc; i++) {
        const json_t *value = json_object_get(json, dists[i].name);
        if (value)
            rc = read_dist(doc, value, place, dists[i].dist, err);
        json_object_del(rest, dists[i].name);
    }
    if (!rc)
        rc = dsr_doc_check(doc, rest, place, fields, DSR_COUNT(fields), err);
    json_decref(rest);
    if (rc)
        return rc;
    b->max_concurrency = (int)dsr_json_int(json, "max_concurrency", b->max_concurrency);
    b->retry_after_s = (int)dsr_json_int(json, "retry_after_s", b->retry_after_s);
    b->rate_requests = (int)dsr_json_int(json, "rate_requests", b->rate_requests);
    b->rate_window_s = (int)dsr_json_int(json, "rate_window_s", 60);
    snprintf(b->reasoning, sizeof b->reasoning, "%s",
             dsr_json_string(json, "reasoning", b->reasoning));
    if (json_object_get(json, "keep_alive_comments"))
        b->keep_alive_comments = json_is_true(json_object_get(json, "keep_alive_comments"));
    if (json_object_get(json, "accuracy"))
        b->accuracy = json_object_get(json, "accuracy");
    if (json_object_get(json, "replies"))
        b->replies = json_object_get(json, "replies");
    return read_faults(doc, json_object_get(json, "faults"), place, b, err);
}

static struct sim_behaviour usual(const struct sim_provider *p)
{
    struct sim_behaviour b = {
        .ttft_ms = {SIM_LOGNORMAL, 120, 0.3},
        .itl_ms = {SIM_CONSTANT, 4, 0},
        .reasoning_tokens = {SIM_UNIFORM, 20, 60},
        .answer_tokens = {SIM_UNIFORM, 12, 30},
        .retry_after_s = 1,
        .keep_alive_comments = p->dialect->keep_alive,
    };
    snprintf(b.reasoning, sizeof b.reasoning, "%s", p->dialect->reasoning);
    return b;
}

int sim_scenario_apply(struct sim *sim, const char *file, struct dsr_error *err)
{
    static const struct dsr_field top[] = {{"defaults", DSR_T_OBJECT, false, 0, 0},
                                           {"providers", DSR_T_OBJECT, false, 0, 0}};
    char place[128];
    int rc = 0;
    if (file && (rc = dsr_doc_load(&sim->scenario, file, sim->host, err)))
        return rc;
    if (file &&
        (rc = dsr_doc_check(&sim->scenario, sim->scenario.root, "", top, DSR_COUNT(top), err)))
        return rc;
    const json_t *defaults = json_object_get(sim->scenario.root, "defaults");
    for (size_t i = 0; i < sim->n && !rc; i++) {
        struct sim_provider *p = &sim->providers[i];
        const json_t *own =
            json_object_get(json_object_get(sim->scenario.root, "providers"), p->service->code);
        snprintf(place, sizeof place, "/providers/%s", p->service->code);
        p->behaviour = usual(p);
        if (defaults)
            rc = read_behaviour(&sim->scenario, defaults, "/defaults", &p->behaviour, err);
        if (!rc && own)
            rc = read_behaviour(&sim->scenario, own, place, &p->behaviour, err);
    }
    return rc;
}
