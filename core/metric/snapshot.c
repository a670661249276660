/* From records to candidates. */
#include "core/metric/snapshot.h"

int dsr_snapshot_init(struct dsr_snapshot *s, const struct dsr_settings *settings,
                      const char *model, const char *currency, struct dsr_error *err)
{
    memset(s, 0, sizeof *s);
    s->settings = settings;
    int rc = dsr_services_load(settings, model, NULL, &s->services, &s->n, err);
    if (rc)
        return rc;
    s->list = calloc(s->n + 1, sizeof(struct dsr_candidate *));
    for (size_t i = 0; s->list && i < s->n; i++) {
        struct dsr_prices prices = dsr_service_prices(settings, s->services[i], currency);
        s->list[i] = dsr_candidate_new(s->services[i]->code, &prices);
        if (!s->list[i])
            rc = DSR_ENOMEM;
    }
    if (s->list && !rc)
        return 0;
    dsr_snapshot_clear(s);
    return dsr_error_nomem(err);
}

static struct dsr_candidate *find(const struct dsr_snapshot *s, const char *provider)
{
    for (size_t i = 0; i < s->n; i++)
        if (!strcmp(s->list[i]->provider, provider))
            return s->list[i];
    return NULL;
}

static int take(void *arg, const struct dsr_record *record, struct dsr_error *err)
{
    struct dsr_snapshot *s = arg;
    struct dsr_candidate *c = find(s, record->provider);
    if (record->kind == DSR_RECORD_UNKNOWN)
        s->unknown++;
    else if (c && (record->kind == DSR_RECORD_PERF ? dsr_figures_add(&c->figures, record->body)
                                                   : dsr_candidate_add_bench(c, record->body)))
        return dsr_error_nomem(err);
    return 0;
}

static int take_sum(void *arg, const char *provider, int64_t time_us, const char *bytes, size_t n,
                    struct dsr_error *err)
{
    struct dsr_candidate *c = find(arg, provider);
    (void)time_us;
    return c ? dsr_figures_take(&c->figures, bytes, n, err) : 0;
}

/* Few results are taken as they are, as long as the store still has them all. */
static int read_exactly(struct dsr_figures *f, const struct dsr_store_ops *ops, void *state,
                        const struct dsr_query *query, struct dsr_error *err)
{
    struct dsr_figures exact;
    dsr_figures_init(&exact, &f->prices);
    int rc = ops->scan(state, query, dsr_figures_visit, &exact, err);
    if (rc || exact.requests != f->requests) {
        dsr_figures_clear(&exact);
        return rc;
    }
    dsr_figures_clear(f);
    *f = exact;
    return 0;
}

static int read_perf(struct dsr_snapshot *s, const struct dsr_store_ops *ops, void *state,
                     struct dsr_query query, struct dsr_error *err)
{
    query.kind = DSR_RECORD_PERF;
    if (!dsr_store_sums(ops))
        return ops->scan(state, &query, take, s, err);
    int rc = ops->sums(state, &query, 0, take, take_sum, s, err);
    for (size_t i = 0; i < s->n && !rc; i++) {
        struct dsr_figures *f = &s->list[i]->figures;
        query.provider = s->list[i]->provider;
        if (f->hists && f->requests <= DSR_EXACT_MOST)
            rc = read_exactly(f, ops, state, &query, err);
    }
    return rc;
}

int dsr_snapshot_read(struct dsr_snapshot *s, const struct dsr_store_ops *ops, void *state,
                      const char *model, int64_t since_us, int64_t until_us, struct dsr_error *err)
{
    struct dsr_query query = {
        .size = sizeof query, .model = model, .since_us = since_us, .until_us = until_us};
    int rc = read_perf(s, ops, state, query, err);
    query.kind = DSR_RECORD_BENCHMARK;
    if (!rc)
        rc = ops->scan(state, &query, take, s, err);
    if (s->unknown)
        dsr_host_log(s->settings->host, DSR_LOG_WARN,
                     "%zu records are of a newer kind than this program knows; left as they are",
                     s->unknown);
    return rc;
}

void dsr_snapshot_seal(struct dsr_snapshot *s)
{
    for (size_t i = 0; i < s->n; i++)
        dsr_candidate_seal(s->list[i]);
}

void dsr_snapshot_clear(struct dsr_snapshot *s)
{
    for (size_t i = 0; s->list && i < s->n; i++)
        dsr_candidate_free(s->list[i]);
    free(s->list);
    dsr_services_free(s->services, s->n);
    memset(s, 0, sizeof *s);
}
