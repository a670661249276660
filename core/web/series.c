/* /api/query_metric: a metric of one provider over time, as the seed system answers it. */
#include "core/web/server.h"

#include <math.h>
#include <microhttpd.h>

#define US_PER_MINUTE 60000000
#define USUAL_SPAN_US (7 * DSR_DAY_US)
#define MOST_POINTS 20000

struct series {
    const char *metric, *stat;
    const struct dsr_service *service;
    struct dsr_prices prices;
    int64_t start_us, end_us, interval_us;
    size_t n;
    struct dsr_candidate **points; /* of each interval; NULL: nothing was measured */
    json_t **done;                 /* what is told of an interval; of "raw": its values */
    size_t n_done;
    bool raw, summed;
    int64_t requests;
    struct dsr_candidate *whole; /* of a benchmark */
};

static int add_raw(struct series *s, size_t i, const json_t *body, struct dsr_error *err)
{
    struct dsr_candidate *one = dsr_candidate_new("", &s->prices);
    if (!one || dsr_figures_add(&one->figures, body)) {
        dsr_candidate_free(one);
        return dsr_error_nomem(err);
    }
    dsr_candidate_seal(one);
    double value = dsr_candidate_value(one, s->metric, "avg");
    if (!s->done[i])
        s->done[i] = json_array();
    if (isfinite(value))
        json_array_append_new(s->done[i], json_real(value));
    dsr_candidate_free(one);
    return 0;
}

/* Only the metric's own values are kept. */
static uint32_t wanted(const char *metric)
{
    const struct dsr_metric *m = dsr_metric_find(metric);
    if (!strcmp(metric, "itl"))
        return DSR_WANT_ITL;
    return m && m->sample >= 0 ? 1u << m->sample : 0;
}

/* The interval's figures, made when they are not there; *err is set when they can't be. */
static struct dsr_figures *figures_at(struct series *s, int64_t time_us, size_t *i,
                                      struct dsr_error *err)
{
    *i = (size_t)((time_us - s->start_us) / s->interval_us);
    if (time_us < s->start_us || *i >= s->n)
        return NULL;
    if (!s->points[*i])
        s->points[*i] = dsr_candidate_new("", &s->prices);
    if (!s->points[*i]) {
        dsr_error_nomem(err);
        return NULL;
    }
    s->points[*i]->figures.want = wanted(s->metric);
    return &s->points[*i]->figures;
}

static int take(void *arg, const struct dsr_record *record, struct dsr_error *err)
{
    struct series *s = arg;
    size_t i;
    if (record->kind == DSR_RECORD_BENCHMARK && s->whole)
        return dsr_candidate_add_bench(s->whole, record->body) ? dsr_error_nomem(err) : 0;
    err->code = 0;
    struct dsr_figures *f =
        record->kind == DSR_RECORD_PERF ? figures_at(s, record->time_us, &i, err) : NULL;
    if (!f)
        return err->code;
    s->requests++;
    if (s->raw)
        return add_raw(s, i, record->body, err);
    return dsr_figures_add(f, record->body) ? dsr_error_nomem(err) : 0;
}

static json_t *values_of(const struct series *s, const struct dsr_candidate *point)
{
    json_t *values = json_array();
    double value = point ? dsr_candidate_value(point, s->metric, s->stat) : NAN;
    if (isfinite(value))
        json_array_append_new(values, json_real(value));
    return values;
}

static json_t *bounds_of(const struct series *s, const struct dsr_candidate *point)
{
    return json_pack("[o, o]", dsr_json_real(dsr_candidate_value(point, s->metric, "lo95")),
                     dsr_json_real(dsr_candidate_value(point, s->metric, "hi95")));
}

static json_t *point_json(const struct series *s, size_t i, struct dsr_candidate *point)
{
    char start[DSR_TIME_SIZE], end[DSR_TIME_SIZE];
    int64_t from = s->start_us + (int64_t)i * s->interval_us, to = from + s->interval_us;
    json_t *values = s->raw ? (s->done[i] ? s->done[i] : json_array()) : NULL;
    if (point && !s->raw)
        dsr_candidate_seal(point);
    if (!values)
        values = values_of(s, point);
    dsr_time_format(from, start);
    dsr_time_format(to < s->end_us ? to : s->end_us, end);
    json_t *json =
        json_pack("{s:s, s:s, s:o}", "start_time", start, "end_time", end, "values", values);
    if (!point || s->raw)
        return json;
    json_object_set_new(json, "interval", bounds_of(s, point));
    json_object_set_new(json, "n", dsr_json_real(dsr_candidate_value(point, s->metric, "n")));
    return json;
}

/* What stands before interval i will not change any more. */
static void settle(struct series *s, size_t i)
{
    for (; s->n_done < i; s->n_done++) {
        size_t k = s->n_done;
        s->done[k] = point_json(s, k, s->points[k]);
        dsr_candidate_free(s->points[k]);
        s->points[k] = NULL;
    }
}

static int take_sum(void *arg, const char *provider, int64_t time_us, const char *bytes, size_t n,
                    struct dsr_error *err)
{
    struct series *s = arg;
    size_t i;
    (void)provider;
    err->code = 0;
    struct dsr_figures *f = figures_at(s, time_us, &i, err);
    if (!f)
        return err->code;
    settle(s, i);
    s->summed = true;
    int64_t before = f->requests;
    int rc = dsr_figures_take(f, bytes, n, err);
    s->requests += f->requests - before;
    return rc;
}

static void clear_points(struct series *s)
{
    for (size_t i = 0; s->points && i < s->n; i++)
        dsr_candidate_free(s->points[i]);
    for (size_t i = 0; s->done && i < s->n; i++)
        json_decref(s->done[i]);
    free(s->points);
    free(s->done);
    s->points = NULL;
    s->done = NULL;
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

static double count_points(const struct series *s)
{
    return ceil((double)(s->end_us - s->start_us) / (double)s->interval_us);
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
    if (s->interval_us <= 0 || count_points(s) > MOST_POINTS)
        return dsr_error_set(err, DSR_EUSAGE,
                             "that makes more than %d points; take a longer interval", MOST_POINTS);
    if (!s->stat || !*s->stat)
        s->stat = bench ? "raw" : "avg";
    if (!strcmp(s->stat, "raw"))
        return 0;
    return dsr_metric_check(dsr_data_ctx(request->data)->host, s->metric, s->stat, err);
}

static int read_points(struct series *s, const struct dsr_request *request, const char *model,
                       bool sums, struct dsr_error *err)
{
    struct dsr_query query = {.size = sizeof query,
                              .kind = DSR_RECORD_PERF,
                              .model = model,
                              .provider = s->service->code,
                              .since_us = s->start_us,
                              .until_us = s->end_us};
    clear_points(s);
    s->n = (size_t)count_points(s);
    s->n_done = 0;
    s->requests = 0;
    s->points = calloc(s->n + 1, sizeof(struct dsr_candidate *));
    s->done = calloc(s->n + 1, sizeof(json_t *));
    if (!s->points || !s->done)
        return dsr_error_nomem(err);
    return sums ? dsr_data_sums(request->data, &query, s->interval_us, take, take_sum, s, err)
                : dsr_data_scan(request->data, &query, take, s, err);
}

/* Many results come summed up by the hour and the day, so that intervals begin at a full one; few
 * are read one by one. */
static int read_series(struct series *s, const struct dsr_request *request, const char *model,
                       struct dsr_error *err)
{
    int64_t start = s->start_us;
    int64_t rest = start % (s->interval_us % DSR_DAY_US ? DSR_HOUR_US : DSR_DAY_US);
    if (s->raw || s->interval_us < DSR_HOUR_US)
        return read_points(s, request, model, false, err);
    s->start_us -= rest;
    int rc = read_points(s, request, model, true, err);
    if (rc || s->requests > DSR_EXACT_MOST || !(s->summed || rest))
        return rc;
    s->start_us = start;
    return read_points(s, request, model, false, err);
}

static json_t *series_json(struct series *s)
{
    json_t *list = json_array();
    settle(s, s->n);
    for (size_t i = 0; i < s->n; i++)
        json_array_append(list, s->done[i]);
    return list;
}

static void answer_series(const struct dsr_request *request, struct series *s, const char *model,
                          struct dsr_reply *reply)
{
    struct dsr_error err;
    s->raw = !strcmp(s->stat, "raw");
    if (read_series(s, request, model, &err))
        dsr_reply_fail(reply, &err);
    else
        reply->json = json_pack("{s:b, s:o}", "status", 1, "datapoints", series_json(s));
    clear_points(s);
}

static void answer_benchmark(const struct dsr_request *request, struct series *s, const char *model,
                             struct dsr_reply *reply)
{
    struct dsr_error err;
    struct dsr_query query = {.size = sizeof query,
                              .kind = DSR_RECORD_BENCHMARK,
                              .model = model,
                              .provider = s->service->code,
                              .until_us = s->end_us};
    s->whole = dsr_candidate_new("", &s->prices);
    if (s->whole ? dsr_data_scan(request->data, &query, take, s, &err) : dsr_error_nomem(&err)) {
        dsr_reply_fail(reply, &err);
    } else {
        dsr_candidate_seal(s->whole);
        reply->json = json_pack("{s:b, s:[{s:o}]}", "status", 1, "datapoints", "values",
                                values_of(s, s->whole));
    }
    dsr_candidate_free(s->whole);
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
        if (bench)
            answer_benchmark(request, &s, model, reply);
        else
            answer_series(request, &s, model, reply);
    }
    dsr_services_free(services, n);
}
