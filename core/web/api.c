/* The JSON interface: models, providers, figures, ranking, jobs. The first two answer as the seed
 * system's do. */
#include "core/web/server.h"

#include "core/metric/ranking.h"
#include "core/run/compare.h"

#include <microhttpd.h>

#define MOST_JOBS 200

void dsr_api_models(const struct dsr_request *request, struct dsr_reply *reply)
{
    const struct dsr_settings *s = &dsr_data_ctx(request->data)->settings;
    json_t *models = json_array();
    const char *code;
    json_t *services;
    json_object_foreach(s->services.root, code, services)
    {
        const json_t *model = dsr_settings_model_json(s, code);
        json_array_append_new(models, json_pack("{s:s, s:s, s:s}", "model_code", code, "model_name",
                                                dsr_json_string(model, "name", code), "model_type",
                                                dsr_json_string(model, "type", "")));
    }
    reply->json = json_pack("{s:b, s:o}", "status", 1, "models", models);
}

static void set_known(json_t *object, const char *key, double value)
{
    json_t *number = dsr_json_real(value);
    if (json_is_null(number))
        json_decref(number);
    else
        json_object_set_new(object, key, number);
}

static json_t *provider_json(const struct dsr_settings *s, const struct dsr_service *service,
                             const char *currency)
{
    struct dsr_prices prices = dsr_service_prices(s, service, currency);
    const char *name_cn = dsr_json_string(service->json, "name_cn", NULL);
    json_t *one = json_pack("{s:s, s:s, s:s}", "provider_code", service->code, "provider_name",
                            dsr_json_string(service->json, "name", service->code),
                            "provider_homepage", dsr_json_string(service->json, "homepage", ""));
    if (name_cn)
        json_object_set_new(one, "provider_name_cn", json_string(name_cn));
    set_known(one, "price_per_million_input_tokens", prices.input);
    set_known(one, "price_per_million_output_tokens", prices.output);
    set_known(one, "price_per_million_cached_input_tokens", prices.cached);
    return one;
}

/* model, currency and days (of results) of the address. */
static struct dsr_view *view_of(const struct dsr_request *request, struct dsr_reply *reply)
{
    struct dsr_error err;
    const char *days = dsr_request_value(request, "days");
    char *end = NULL;
    long n = days ? strtol(days, &end, 10) : 0;
    if (days && (end == days || *end || n < 0 || n > 36500)) {
        dsr_reply_error(reply, MHD_HTTP_BAD_REQUEST, "days must be a number of 0..36500");
        return NULL;
    }
    struct dsr_view *view = dsr_data_view(request->data, dsr_request_value(request, "model"),
                                          dsr_request_value(request, "currency"), (int)n, &err);
    if (!view)
        dsr_reply_fail(reply, &err);
    return view;
}

void dsr_api_providers(const struct dsr_request *request, struct dsr_reply *reply)
{
    struct dsr_view *view = view_of(request, reply);
    if (!view)
        return;
    json_t *list = json_array();
    for (size_t i = 0; i < view->snapshot.n; i++)
        if (view->snapshot.services[i]->key)
            json_array_append_new(list, provider_json(view->snapshot.settings,
                                                      view->snapshot.services[i], view->currency));
    reply->json = json_pack("{s:b, s:o}", "status", 1, "providers", list);
    dsr_view_release(request->data, view);
}

static json_t *stats_json(const struct dsr_candidate *c, const char *metric)
{
    static const char *const stats[] = {"avg", "median", "p90",  "p99", "min",
                                        "max", "lo95",   "hi95", "n"};
    json_t *json = json_object();
    for (size_t i = 0; i < DSR_COUNT(stats); i++)
        json_object_set_new(json, stats[i],
                            dsr_json_real(dsr_candidate_value(c, metric, stats[i])));
    return json;
}

static json_t *figures_json(const struct dsr_view *view, size_t i)
{
    const struct dsr_candidate *c = view->snapshot.list[i];
    const struct dsr_service *service = view->snapshot.services[i];
    const json_t *own = dsr_host_metrics(view->snapshot.settings->host);
    const struct dsr_metric *m;
    json_t *metrics = json_object(), *name;
    for (size_t k = 0; (m = dsr_metric_at(k)); k++)
        json_object_set_new(metrics, m->name, stats_json(c, m->name));
    size_t k;
    json_array_foreach((json_t *)own, k, name) json_object_set_new(
        metrics, json_string_value(name), stats_json(c, json_string_value(name)));
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:b, s:I, s:o, s:o}", "provider", service->code, "name",
        dsr_json_string(service->json, "name", service->code), "name_cn",
        dsr_json_string(service->json, "name_cn", ""), "homepage",
        dsr_json_string(service->json, "homepage", ""), "has_key", service->key != NULL, "requests",
        (json_int_t)c->figures.requests, "metrics", metrics, "ttft_curve",
        c->figures.succeeded ? dsr_candidate_curve(c, "ttft", 5, 95, 5) : json_array());
}

void dsr_api_figures(const struct dsr_request *request, struct dsr_reply *reply)
{
    struct dsr_view *view = view_of(request, reply);
    if (!view)
        return;
    const struct dsr_metric *m;
    char made[DSR_TIME_SIZE];
    const char *code;
    json_t *providers = json_array(), *metrics = json_array(),
           *currencies = json_pack("[s]", "CNY"), *rate;
    for (size_t i = 0; i < view->snapshot.n; i++)
        json_array_append_new(providers, figures_json(view, i));
    for (size_t k = 0; (m = dsr_metric_at(k)); k++)
        json_array_append_new(metrics, json_pack("{s:s, s:s, s:b}", "metric", m->name, "unit",
                                                 m->unit, "low_is_better", m->low_is_better));
    json_object_foreach(view->snapshot.settings->currency.root, code, rate)
    {
        if (strcmp(code, "CNY"))
            json_array_append_new(currencies, json_string(code));
    }
    dsr_time_format(view->made_us, made);
    reply->json = json_pack("{s:i, s:s, s:s, s:s, s:o, s:o, s:o}", "schema", 1, "model",
                            view->model, "currency", view->currency, "made", made, "currencies",
                            currencies, "metrics", metrics, "providers", providers);
    dsr_view_release(request->data, view);
}

static void rank_anew(const struct dsr_request *request, struct dsr_view *view,
                      struct dsr_reply *reply)
{
    json_error_t bad;
    struct dsr_error err;
    struct dsr_ranking ranking = {0};
    DSR_AUTO(json)
    json_t *policy = json_loadb(request->body ? request->body : "", request->body_len,
                                JSON_REJECT_DUPLICATES, &bad);
    if (!json_is_object(policy)) {
        dsr_reply_error(reply, MHD_HTTP_BAD_REQUEST,
                        policy ? "the body must be a requirement, a JSON object" : bad.text);
        return;
    }
    const struct dsr_snapshot *s = &view->snapshot;
    if (dsr_ranking_make(&ranking, dsr_data_router(request->data), policy, s->list, s->n,
                         s->settings->host, &err)) {
        dsr_reply_fail(reply, &err);
        if (err.pointer[0])
            json_object_set_new(reply->json, "place", json_string(err.pointer));
        dsr_ranking_clear(&ranking);
        return;
    }
    DSR_AUTO(json)
    json_t *ranked = dsr_ranking_json(&ranking, s->list, view->model, view->currency);
    dsr_ranking_clear(&ranking);
    char *text = json_dumps(ranked, JSON_COMPACT | JSON_REAL_PRECISION(12));
    dsr_buf_adds(&reply->body, text ? text : "{}");
    free(text);
    dsr_view_remember(request->data, view, request->body, request->body_len, &reply->body);
}

/* A requirement in, what `dsr-run route` prints out. */
void dsr_api_rank(const struct dsr_request *request, struct dsr_reply *reply)
{
    struct dsr_view *view = view_of(request, reply);
    if (!view)
        return;
    reply->type = "application/json";
    if (!request->body_len ||
        !dsr_view_recall(request->data, view, request->body, request->body_len, &reply->body))
        rank_anew(request, view, reply);
    dsr_view_release(request->data, view);
}

static int take_job(void *arg, const struct dsr_record *record, struct dsr_error *err)
{
    json_t *jobs = arg;
    (void)err;
    if (record->kind != DSR_RECORD_JOB)
        return 0;
    json_t *one = json_copy(record->body);
    json_object_set_new(one, "job", json_string(record->job));
    json_array_append_new(jobs, one);
    return 0;
}

static int newest_first(const void *a, const void *b)
{
    const json_t *const *x = a, *const *y = b;
    return strcmp(dsr_json_string(*y, "start_time", ""), dsr_json_string(*x, "start_time", ""));
}

void dsr_api_jobs(const struct dsr_request *request, struct dsr_reply *reply)
{
    struct dsr_query query = {.size = sizeof query, .kind = DSR_RECORD_JOB};
    struct dsr_error err;
    DSR_AUTO(json) json_t *jobs = json_array();
    if (dsr_data_scan(request->data, &query, take_job, jobs, &err)) {
        dsr_reply_fail(reply, &err);
        return;
    }
    size_t n = json_array_size(jobs);
    json_t **list = calloc(n + 1, sizeof(json_t *));
    json_t *sorted = json_array();
    for (size_t i = 0; list && i < n; i++)
        list[i] = json_array_get(jobs, i);
    if (list)
        qsort(list, n, sizeof(json_t *), newest_first);
    for (size_t i = 0; list && i < n && i < MOST_JOBS; i++)
        json_array_append(sorted, list[i]);
    free(list);
    reply->json =
        json_pack("{s:i, s:I, s:o}", "schema", 1, "jobs_stored", (json_int_t)n, "jobs", sorted);
}

static int scan(void *arg, const struct dsr_query *query, dsr_visit_fn *visit, void *visit_arg,
                struct dsr_error *err)
{
    return dsr_data_scan(arg, query, visit, visit_arg, err);
}

void dsr_api_compare(const struct dsr_request *request, struct dsr_reply *reply)
{
    const struct dsr_settings *settings = &dsr_data_ctx(request->data)->settings;
    const char *model = dsr_request_value(request, "model");
    struct dsr_error err;
    struct dsr_comparing comparing = {.scan = scan,
                                      .store = request->data,
                                      .dataset = dsr_request_value(request, "dataset"),
                                      .providers = dsr_request_value(request, "providers"),
                                      .job = dsr_request_value(request, "job")};
    comparing.model = dsr_settings_model(settings, model && *model ? model : NULL, &err);
    if (!comparing.dataset || !comparing.providers) {
        dsr_reply_error(reply, MHD_HTTP_BAD_REQUEST, "dataset and providers (A,B) must be named");
        return;
    }
    int rc = comparing.model ? dsr_compare(&comparing, &reply->json, &err) : DSR_EUSAGE;
    if (rc)
        dsr_reply_fail(reply, &err);
}
