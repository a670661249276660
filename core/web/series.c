/* /api/query_metric: a metric of one provider over time, as the seed system answers it. */
#include "core/web/server.h"

#include <math.h>
#include <microhttpd.h>

#define US_PER_MINUTE 60000000
#define USUAL_SPAN_US (7 * 86400000000)
#define MOST_POINTS 20000

struct series {
    const char *metric, *stat;
    const struct dsr_service *service;
    struct dsr_prices prices;
    int64_t start_us, end_us, interval_us;
    size_t n;
    struct dsr_candidate **points; /* of each interval; NULL: nothing was measured */
    json_t **raw;                  /* of each interval, of "raw" */
    struct dsr_candidate *whole;   /* of a benchmark */
};

static int add_raw(struct series *s, size_t i, const json_t *body, struct dsr_error *err)
{
    struct dsr_candidate *one = dsr_candidate_new("", &s->prices);
    if (!one || dsr_candidate_add_perf(one, body))
        return dsr_error_nomem(err);
    dsr_candidate_seal(one);
    double value = dsr_candidate_value(one, s->metric, "avg");
    if (!s->raw[i])
        s->raw[i] = json_array();
    if (isfinite(value))
        json_array_append_new(s->raw[i], json_real(value));
    dsr_candidate_free(one);
    return 0;
}

static int take(void *arg, const struct dsr_record *record, struct dsr_error *err)
{
    struct series *s = arg;
    if (record->kind == DSR_RECORD_BENCHMARK && s->whole)
        return dsr_candidate_add_bench(s->whole, record->body) ? dsr_error_nomem(err) : 0;
    if (record->kind != DSR_RECORD_PERF || record->time_us < s->start_us)
        return 0;
    size_t i = (size_t)((record->time_us - s->start_us) / s->interval_us);
    if (i >= s->n)
        return 0;
    if (s->raw)
        return add_raw(s, i, record->body, err);
    if (!s->points[i])
        s->points[i] = dsr_candidate_new("", &s->prices);
    return s->points[i] && !dsr_candidate_add_perf(s->points[i], record->body)
               ? 0
               : dsr_error_nomem(err);
}

static json_t *values_of(struct series *s, size_t i)
{
    if (s->raw)
        return s->raw[i] ? json_incref(s->raw[i]) : json_array();
    json_t *values = json_array();
    if (!s->points[i])
        return values;
    dsr_candidate_seal(s->points[i]);
    double value = dsr_candidate_value(s->points[i], s->metric, s->stat);
    if (isfinite(value))
        json_array_append_new(values, json_real(value));
    return values;
}

static json_t *points_json(struct series *s)
{
    json_t *list = json_array();
    for (size_t i = 0; i < s->n; i++) {
        char start[DSR_TIME_SIZE], end[DSR_TIME_SIZE];
        int64_t from = s->start_us + (int64_t)i * s->interval_us, to = from + s->interval_us;
        dsr_time_format(from, start);
        dsr_time_format(to < s->end_us ? to : s->end_us, end);
        json_t *point = json_pack("{s:s, s:s, s:o}", "start_time", start, "end_time", end, "values",
                                  values_of(s, i));
        if (s->points && s->points[i]) {
            json_object_set_new(
                point, "interval",
                json_pack("[o, o]",
                          dsr_json_real(dsr_candidate_value(s->points[i], s->metric, "lo95")),
                          dsr_json_real(dsr_candidate_value(s->points[i], s->metric, "hi95"))));
            json_object_set_new(point, "n",
                                dsr_json_real(dsr_candidate_value(s->points[i], s->metric, "n")));
        }
        json_array_append_new(list, point);
    }
    return list;
}

static bool is_benchmark(const struct dsr_settings *settings, const char *metric)
{
    const struct dsr_metric *m = dsr_metric_find(metric);
    return m ? !strcmp(m->unit, "0..100") : dsr_host_metrics(settings->host) != NULL;
}

static int read_time(const struct dsr_request *request, const char *name, int64_t usual,
                     int64_t *us, struct dsr_error *err)
{
    const char *text = dsr_request_value(request, name);
    *us = usual;
    if (!text || !*text || !dsr_time_parse(text, dsr_clock_wall_us(), us))
        return 0;
    return dsr_error_set(err, DSR_EUSAGE, "%s is no time such as 2026-01-31T12:00:00Z", name);
}

/* What is asked for. */
static int read_question(const struct dsr_request *request, struct series *s, bool bench,
                         struct dsr_error *err)
{
    const char *interval = dsr_request_value(request, "interval");
    char *rest = NULL;
    double minutes = interval && *interval ? strtod(interval, &rest) : 60;
    int64_t now = dsr_clock_wall_us();
    int rc = read_time(request, "end_time", now, &s->end_us, err);
    if (!rc)
        rc = read_time(request, "start_time", s->end_us - USUAL_SPAN_US, &s->start_us, err);
    if (!rc && ((rest && *rest) || !(minutes > 0) || minutes > 5256000))
        rc = dsr_error_set(err, DSR_EUSAGE, "interval must be a number of minutes above 0");
    if (!rc && s->end_us <= s->start_us)
        rc = dsr_error_set(err, DSR_EUSAGE, "end_time must be after start_time");
    if (rc)
        return rc;
    s->interval_us = (int64_t)(minutes * US_PER_MINUTE);
    double n = s->interval_us > 0 ? ceil((double)(s->end_us - s->start_us) / (double)s->interval_us)
                                  : INFINITY;
    if (n > MOST_POINTS)
        return dsr_error_set(err, DSR_EUSAGE,
                             "that makes more than %d points; take a longer interval", MOST_POINTS);
    s->n = bench ? 0 : (size_t)n;
    if (!s->stat || !*s->stat)
        s->stat = bench ? "raw" : "avg";
    if (!strcmp(s->stat, "raw"))
        return 0;
    return dsr_metric_check(dsr_data_ctx(request->data)->host, s->metric, s->stat, err);
}

static void answer(const struct dsr_request *request, struct series *s, const char *model,
                   bool bench, struct dsr_reply *reply)
{
    struct dsr_error err;
    struct dsr_query query = {.size = sizeof query,
                              .kind = bench ? DSR_RECORD_BENCHMARK : DSR_RECORD_PERF,
                              .model = model,
                              .provider = s->service->code,
                              .since_us = bench ? 0 : s->start_us,
                              .until_us = s->end_us};
    bool raw = !bench && !strcmp(s->stat, "raw");
    s->points = raw ? NULL : calloc(s->n + 1, sizeof(struct dsr_candidate *));
    s->raw = raw ? calloc(s->n + 1, sizeof(json_t *)) : NULL;
    s->whole = bench ? dsr_candidate_new("", &s->prices) : NULL;
    int rc = (s->points || s->raw) && (s->whole || !bench) ? 0 : dsr_error_nomem(&err);
    if (!rc)
        rc = dsr_data_scan(request->data, &query, take, s, &err);
    if (rc) {
        dsr_reply_fail(reply, &err);
    } else if (bench) {
        dsr_candidate_seal(s->whole);
        double value = dsr_candidate_value(s->whole, s->metric, "avg");
        json_t *values = isfinite(value) ? json_pack("[f]", value) : json_array();
        reply->json = json_pack("{s:b, s:[{s:o}]}", "status", 1, "datapoints", "values", values);
    } else {
        reply->json = json_pack("{s:b, s:o}", "status", 1, "datapoints", points_json(s));
    }
    for (size_t i = 0; i < s->n; i++) {
        dsr_candidate_free(s->points ? s->points[i] : NULL);
        json_decref(s->raw ? s->raw[i] : NULL);
    }
    dsr_candidate_free(s->whole);
    free(s->points);
    free(s->raw);
}

void dsr_api_metric(const struct dsr_request *request, struct dsr_reply *reply)
{
    const struct dsr_settings *settings = &dsr_data_ctx(request->data)->settings;
    const char *provider = dsr_request_value(request, "provider");
    struct series s = {.metric = dsr_request_value(request, "metric"),
                       .stat = dsr_request_value(request, "stat")};
    struct dsr_service **services = NULL;
    struct dsr_error err = {0};
    size_t n = 0;
    if (!s.metric || !provider || !*provider || strchr(provider, ',')) {
        dsr_reply_error(reply, MHD_HTTP_BAD_REQUEST, "provider and metric must be named");
        return;
    }
    const char *model = dsr_request_value(request, "model");
    model = dsr_settings_model(settings, model && *model ? model : NULL, &err);
    int rc = model ? dsr_metric_check(settings->host, s.metric, NULL, &err) : DSR_EUSAGE;
    bool bench = !rc && is_benchmark(settings, s.metric);
    if (!rc)
        rc = read_question(request, &s, bench, &err);
    if (!rc)
        rc = dsr_services_load(settings, model, provider, &services, &n, &err);
    if (rc) {
        dsr_reply_fail(reply, &err);
    } else {
        s.service = services[0];
        const char *currency = dsr_request_value(request, "currency");
        s.prices =
            dsr_service_prices(settings, s.service, currency && *currency ? currency : "CNY");
        answer(request, &s, model, bench, reply);
    }
    dsr_services_free(services, n);
}
