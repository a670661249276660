/* Scores of a job, and the job's own record. */
#include "core/run/result.h"

struct dsr_score *dsr_eval_result_find(const struct dsr_eval_result *r, const char *provider,
                                       const char *dataset)
{
    for (size_t i = 0; i < r->n; i++)
        if (!strcmp(r->scores[i].provider, provider) && !strcmp(r->scores[i].dataset, dataset))
            return &r->scores[i];
    return NULL;
}

struct dsr_score *dsr_eval_result_add(struct dsr_eval_result *r,
                                      const struct dsr_settings *settings,
                                      const struct dsr_service *service, const char *dataset)
{
    struct dsr_score *scores = realloc(r->scores, (r->n + 1) * sizeof *scores);
    if (scores)
        r->scores = scores;
    struct dsr_prices *prices = realloc(r->prices, (r->n + 1) * sizeof *prices);
    if (prices)
        r->prices = prices;
    if (!scores || !prices)
        return NULL;
    prices[r->n] = dsr_service_prices(settings, service, "CNY");
    int rc = dsr_score_init(&scores[r->n], service->code, dataset, &prices[r->n], "CNY");
    r->n++; /* also when it failed: cleared with the others */
    return rc ? NULL : &scores[r->n - 1];
}

int dsr_eval_result_put(struct dsr_eval_result *r, const json_t *body)
{
    struct dsr_score *score = dsr_eval_result_find(r, dsr_json_string(body, "provider", ""),
                                                   dsr_json_string(body, "dataset", ""));
    return score ? dsr_score_put(score, body, &r->prices[score - r->scores]) : 0;
}

int dsr_eval_result_seal(struct dsr_eval_result *r)
{
    int rc = 0;
    for (size_t i = 0; i < r->n && !rc; i++)
        rc = dsr_score_seal(&r->scores[i]);
    return rc;
}

void dsr_eval_result_clear(struct dsr_eval_result *r)
{
    for (size_t i = 0; i < r->n; i++)
        dsr_score_clear(&r->scores[i]);
    free(r->scores);
    free(r->prices);
    memset(r, 0, sizeof *r);
}

struct reading {
    struct dsr_eval_result *result;
    const struct dsr_settings *settings;
    struct dsr_service **services;
    size_t n;
};

static int take_answer(void *arg, const struct dsr_record *record, struct dsr_error *err)
{
    struct reading *r = arg;
    const char *dataset = dsr_json_string(record->body, "dataset", "");
    if (record->kind != DSR_RECORD_ANSWER)
        return 0;
    bool known = dsr_eval_result_find(r->result, record->provider, dataset) != NULL;
    for (size_t i = 0; i < r->n && !known; i++)
        if (!strcmp(r->services[i]->code, record->provider)) {
            known = true;
            if (!dsr_eval_result_add(r->result, r->settings, r->services[i], dataset))
                return dsr_error_nomem(err);
        }
    return dsr_eval_result_put(r->result, record->body) ? dsr_error_nomem(err) : 0;
}

int dsr_eval_result_read(struct dsr_eval_result *result, const struct dsr_store *store,
                         const struct dsr_settings *settings, struct dsr_error *err)
{
    struct reading r = {.result = result, .settings = settings};
    struct dsr_query query = {.size = sizeof query, .kind = DSR_RECORD_ANSWER, .job = result->job};
    int rc = dsr_services_load(settings, result->model, NULL, &r.services, &r.n, err);
    if (!rc)
        rc = store->ops->scan(store->state, &query, take_answer, &r, err);
    if (!rc && dsr_eval_result_seal(result))
        rc = dsr_error_nomem(err);
    dsr_services_free(r.services, r.n);
    return rc;
}

/* The last record wins: the one that tells of the end. */
static int take_job(void *arg, const struct dsr_record *record, struct dsr_error *err)
{
    struct dsr_eval_job *job = arg;
    const json_t *b = record->body;
    if (record->kind != DSR_RECORD_JOB || strcmp(dsr_json_string(b, "type", ""), "eval"))
        return 0;
    dsr_eval_job_clear(job);
    const char *end = dsr_json_string(b, "end_time", NULL);
    job->model = strdup(dsr_json_string(b, "model", ""));
    job->datasets = strdup(dsr_json_string(b, "datasets", ""));
    job->providers = strdup(dsr_json_string(b, "providers", "all"));
    job->grader = strdup(dsr_json_string(b, "grader", "dsr"));
    job->end_time = end ? strdup(end) : NULL;
    job->limit = (int)dsr_json_int(b, "limit", 0);
    job->repeat = (int)dsr_json_int(b, "repeat", 1);
    job->shots = (int)dsr_json_int(b, "shots", -1);
    job->shard = (int)dsr_json_int(b, "shard", 1) - 1;
    job->shards = (int)dsr_json_int(b, "shards", 0);
    job->seed = (uint64_t)dsr_json_int(b, "seed", 0);
    job->start_us = record->time_us;
    if (job->model && job->datasets && job->providers && job->grader)
        return 0;
    return dsr_error_nomem(err);
}

int dsr_eval_job_read(struct dsr_eval_job *job, const struct dsr_store *store, const char *name,
                      struct dsr_error *err)
{
    struct dsr_query query = {.size = sizeof query, .kind = DSR_RECORD_JOB, .job = name};
    memset(job, 0, sizeof *job);
    int rc = store->ops->scan(store->state, &query, take_job, job, err);
    if (!rc && !job->model)
        rc = dsr_error_set(err, DSR_EUSAGE, "there is no eval job \"%s\" in this store", name);
    return rc;
}

bool dsr_eval_job_is_same(const struct dsr_eval_job *a, const struct dsr_eval_job *b)
{
    return !strcmp(a->model, b->model) && !strcmp(a->datasets, b->datasets) &&
           !strcmp(a->grader, b->grader) && a->limit == b->limit && a->repeat == b->repeat &&
           a->shots == b->shots && a->seed == b->seed && a->shards == b->shards;
}

void dsr_eval_job_clear(struct dsr_eval_job *job)
{
    free(job->model);
    free(job->datasets);
    free(job->providers);
    free(job->grader);
    free(job->end_time);
    memset(job, 0, sizeof *job);
}

json_t *dsr_eval_job_body(const struct dsr_eval_job *job)
{
    char start[DSR_TIME_SIZE];
    dsr_time_format(job->start_us, start);
    json_t *body = json_pack("{s:s, s:s, s:s?, s:s, s:s, s:s, s:s, s:i, s:i, s:i, s:I}", "type",
                             "eval", "start_time", start, "end_time", job->end_time, "model",
                             job->model, "datasets", job->datasets, "providers", job->providers,
                             "grader", job->grader, "limit", job->limit, "repeat", job->repeat,
                             "shots", job->shots, "seed", (json_int_t)job->seed);
    if (body && job->shards > 1) {
        json_object_set_new(body, "shard", json_integer(job->shard + 1));
        json_object_set_new(body, "shards", json_integer(job->shards));
    }
    return body;
}
