/* Regrading and merging. */
#include "core/run/rejoin.h"
#include "core/run/copy.h"
#include "core/run/grading.h"

struct rejoin {
    struct dsr_ctx *ctx;
    struct dsr_store store; /* the one that is written */
    struct dsr_eval_job job;
    struct dsr_eval_result *result;
    const char *grader; /* for regrading */
    char *last;         /* dataset, evaluator below */
    const struct dsr_evaluator_ops *ops;
    json_t *changed;      /* records to put once the scan has ended */
    uint64_t shards_seen; /* a bit for each shard that ended, of the first 64 */
};

static int start(struct rejoin *r, struct dsr_ctx *ctx, const char *job,
                 struct dsr_eval_result *result, struct dsr_error *err)
{
    r->ctx = ctx;
    r->result = result;
    memset(result, 0, sizeof *result);
    snprintf(result->job, sizeof result->job, "%s", job);
    return dsr_results_open(&r->store, ctx->registry, &ctx->settings, NULL, DSR_STORE_WRITE, err);
}

static int put(struct rejoin *r, enum dsr_record_kind kind, const char *provider, const char *key,
               int64_t time_us, json_t *body, struct dsr_error *err)
{
    struct dsr_record record = {.kind = kind,
                                .job = r->result->job,
                                .model = r->result->model,
                                .provider = provider,
                                .key = key,
                                .time_us = time_us,
                                .body = body};
    return body ? r->store.ops->put(r->store.state, &record, err) : dsr_error_nomem(err);
}

/* Reads the answers back, counts them, stores a benchmark record for each score. */
static int finish(struct rejoin *r, struct dsr_error *err)
{
    struct dsr_eval_result *result = r->result;
    int rc = dsr_eval_result_read(result, &r->store, &r->ctx->settings, err);
    for (size_t i = 0; i < result->n && !rc; i++) {
        const struct dsr_score *score = &result->scores[i];
        const json_t *entry = json_object_get(r->ctx->settings.datasets.root, score->dataset);
        DSR_AUTO(json)
        json_t *body =
            dsr_score_record(score, result->model, dsr_json_string(entry, "metric", score->dataset),
                             result->grader, r->job.start_us);
        rc = put(r, DSR_RECORD_BENCHMARK, score->provider, score->dataset, r->job.start_us, body,
                 err);
    }
    return rc ? rc : r->store.ops->commit(r->store.state, err);
}

static int end(struct rejoin *r, int rc, struct dsr_error *err)
{
    struct dsr_error closing;
    int bad = dsr_store_close(&r->store, &closing);
    if (bad && !rc) {
        rc = bad;
        *err = closing;
    }
    dsr_eval_job_clear(&r->job);
    json_decref(r->changed);
    free(r->last);
    return rc;
}

/* The evaluator of the answer's dataset; answers of one dataset mostly follow each other. */
static int find_evaluator(struct rejoin *r, const char *dataset, struct dsr_error *err)
{
    if (r->last && !strcmp(r->last, dataset))
        return 0;
    const json_t *entry = json_object_get(r->ctx->settings.datasets.root, dataset);
    const char *name = dsr_json_string(entry, "evaluator", NULL);
    if (!name)
        return dsr_error_file(err, DSR_ECONFIG, r->ctx->settings.datasets.path, 0,
                              "the dataset \"%s\" of these answers has no entry with an "
                              "\"evaluator\"",
                              dataset);
    r->ops = dsr_registry_ops(r->ctx->registry, DSR_KIND_EVALUATOR, name, err);
    free(r->last);
    r->last = strdup(dataset);
    if (!r->ops)
        return err->code;
    return r->last ? 0 : dsr_error_nomem(err);
}

/* Stores may not be written while they are scanned: the new verdicts are kept for later. */
static int regrade_one(void *arg, const struct dsr_record *record, struct dsr_error *err)
{
    struct rejoin *r = arg;
    const char *error = dsr_json_string(record->body, "error", NULL);
    if (record->kind != DSR_RECORD_ANSWER || (error && strcmp(error, "grade")))
        return 0;
    int rc = find_evaluator(r, dsr_json_string(record->body, "dataset", ""), err);
    if (rc)
        return rc;
    json_t *body = json_copy(record->body);
    json_object_set_new(body, "error", json_null());
    rc = dsr_grade_body(r->ops, r->grader, body, err);
    if (rc) {
        json_decref(body);
        return dsr_error_wrap(err, "question %s of %s", dsr_json_string(record->body, "item", ""),
                              record->provider);
    }
    return json_array_append_new(r->changed, json_pack("{s:s, s:s, s:I, s:o}", "provider",
                                                       record->provider, "key", record->key, "time",
                                                       (json_int_t)record->time_us, "body", body))
               ? dsr_error_nomem(err)
               : 0;
}

static int regrade_all(struct rejoin *r, struct dsr_error *err)
{
    struct dsr_query query = {
        .size = sizeof query, .kind = DSR_RECORD_ANSWER, .job = r->result->job};
    size_t i;
    json_t *entry;
    if (!(r->changed = json_array()))
        return dsr_error_nomem(err);
    int rc = r->store.ops->scan(r->store.state, &query, regrade_one, r, err);
    json_array_foreach(r->changed, i, entry)
    {
        if (!rc)
            rc = put(r, DSR_RECORD_ANSWER, dsr_json_string(entry, "provider", ""),
                     dsr_json_string(entry, "key", ""), dsr_json_int(entry, "time", 0),
                     json_object_get(entry, "body"), err);
    }
    return rc;
}

int dsr_regrade(struct dsr_ctx *ctx, const char *job, const char *grader,
                struct dsr_eval_result *result, struct dsr_error *err)
{
    struct rejoin r = {0};
    int rc = start(&r, ctx, job, result, err);
    if (!rc)
        rc = dsr_eval_job_read(&r.job, &r.store, job, err);
    if (!rc) {
        snprintf(result->model, sizeof result->model, "%s", r.job.model);
        snprintf(result->grader, sizeof result->grader, "%s", grader ? grader : r.job.grader);
        r.grader = result->grader;
        rc = regrade_all(&r, err);
    }
    if (!rc) {
        free(r.job.grader);
        r.job.grader = strdup(result->grader);
        DSR_AUTO(json) json_t *body = r.job.grader ? dsr_eval_job_body(&r.job) : NULL;
        rc = put(&r, DSR_RECORD_JOB, "", "", r.job.start_us, body, err);
    }
    if (!rc)
        rc = finish(&r, err);
    return end(&r, rc, err);
}

static int copy_one(void *arg, const struct dsr_record *record, struct dsr_error *err)
{
    struct rejoin *r = arg;
    bool copied = record->kind == DSR_RECORD_ANSWER || record->kind == DSR_RECORD_EVENT;
    return copied ? r->store.ops->put(r->store.state, record, err) : 0;
}

/* The first source's options stand for all: a shard of other options is no part of this run. */
static int join_job(struct rejoin *r, struct dsr_eval_job *part, const char *source,
                    struct dsr_error *err)
{
    if (part->end_time && part->shard >= 0 && part->shard < 64)
        r->shards_seen |= UINT64_C(1) << part->shard;
    if (!r->job.model) {
        r->job = *part;
        memset(part, 0, sizeof *part);
        return 0;
    }
    if (part->start_us < r->job.start_us)
        r->job.start_us = part->start_us;
    if (!dsr_eval_job_is_same(&r->job, part))
        return dsr_error_set(err, DSR_EUSAGE,
                             "%s holds a part of job %s that was started with other options",
                             source, r->result->job);
    return 0;
}

static int merge_source(struct rejoin *r, const char *source, struct dsr_error *err)
{
    struct dsr_store from = {0};
    struct dsr_eval_job part = {0};
    struct dsr_error closing;
    struct dsr_query query = {.size = sizeof query, .job = r->result->job};
    int rc =
        dsr_store_open_at(&from, r->ctx->registry, &r->ctx->settings, source, DSR_STORE_READ, err);
    if (rc)
        return dsr_error_wrap(err, "%s", source);
    rc = dsr_eval_job_read(&part, &from, r->result->job, err);
    if (rc)
        dsr_error_wrap(err, "%s", source);
    if (!rc)
        rc = join_job(r, &part, source, err);
    for (int kind = DSR_RECORD_ANSWER; kind <= DSR_RECORD_EVENT && !rc; kind++) {
        query.kind = (enum dsr_record_kind)kind;
        rc = from.ops->scan(from.state, &query, copy_one, r, err);
    }
    if (!rc)
        rc = r->store.ops->commit(r->store.state, err);
    dsr_eval_job_clear(&part);
    dsr_store_close(&from, &closing);
    return rc;
}

/* The store that is merged into may hold a shard itself. */
static int join_own(struct rejoin *r, struct dsr_error *err)
{
    struct dsr_eval_job part;
    int rc = dsr_eval_job_read(&part, &r->store, r->result->job, err);
    if (rc)
        return rc == DSR_EUSAGE ? 0 : rc;
    rc = part.shards > 1 ? join_job(r, &part, r->ctx->settings.store_path, err) : 0;
    dsr_eval_job_clear(&part);
    return rc;
}

static bool all_shards(const struct rejoin *r)
{
    int n = r->job.shards > 1 ? r->job.shards : 1;
    uint64_t all = n >= 64 ? UINT64_MAX : (UINT64_C(1) << n) - 1;
    return r->shards_seen == all;
}

int dsr_merge(struct dsr_ctx *ctx, const char *job, char **sources, size_t n,
              struct dsr_eval_result *result, bool *complete, struct dsr_error *err)
{
    struct rejoin r = {0};
    char end_time[DSR_TIME_SIZE];
    int rc = start(&r, ctx, job, result, err);
    if (!rc)
        rc = join_own(&r, err);
    for (size_t i = 0; i < n && !rc; i++)
        rc = merge_source(&r, sources[i], err);
    if (!rc) {
        snprintf(result->model, sizeof result->model, "%s", r.job.model);
        snprintf(result->grader, sizeof result->grader, "%s", r.job.grader);
        *complete = all_shards(&r);
        r.job.shards = 0;
        free(r.job.end_time);
        dsr_time_format(dsr_clock_wall_us(), end_time);
        r.job.end_time = *complete ? strdup(end_time) : NULL;
        DSR_AUTO(json) json_t *body = dsr_eval_job_body(&r.job);
        rc = put(&r, DSR_RECORD_JOB, "", "", r.job.start_us, body, err);
    }
    if (!rc)
        rc = finish(&r, err);
    return end(&r, rc, err);
}
