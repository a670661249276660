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

static int take(void *arg, const struct dsr_record *record, struct dsr_error *err)
{
    struct dsr_snapshot *s = arg;
    if (record->kind == DSR_RECORD_UNKNOWN) {
        s->unknown++;
        return 0;
    }
    for (size_t i = 0; i < s->n; i++) {
        if (strcmp(s->list[i]->provider, record->provider))
            continue;
        s->records++;
        int rc = record->kind == DSR_RECORD_PERF
                     ? dsr_candidate_add_perf(s->list[i], record->body)
                     : dsr_candidate_add_bench(s->list[i], record->body);
        return rc ? dsr_error_nomem(err) : 0;
    }
    return 0;
}

int dsr_snapshot_read(struct dsr_snapshot *s, const struct dsr_store_ops *ops, void *state,
                      const char *model, int64_t since_us, int64_t until_us, struct dsr_error *err)
{
    static const enum dsr_record_kind kinds[] = {DSR_RECORD_PERF, DSR_RECORD_BENCHMARK};
    struct dsr_query query = {
        .size = sizeof query, .model = model, .since_us = since_us, .until_us = until_us};
    int rc = 0;
    for (size_t i = 0; i < DSR_COUNT(kinds) && !rc; i++) {
        query.kind = kinds[i];
        rc = ops->scan(state, &query, take, s, err);
    }
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
