/* An intelligence run: ask, grade, journal, count. A resumed run reads back what was answered. */
#include "core/run/eval.h"
#include "core/run/questions.h"
#include "core/run/score.h"

#include <uthash.h>

#define MAX_TRIES 6

struct ask { /* rides on a task */
    size_t dataset, question;
    int repeat;
};

struct answered { /* a key that the store already holds an answer for */
    char *key;
    UT_hash_handle hh;
};

struct eval {
    struct dsr_session session;
    const struct dsr_eval_options *options;
    struct dsr_questions *sets;
    size_t n_sets;
    struct dsr_eval_result *result;
    struct dsr_prices *prices; /* beside providers */
    struct answered *answered;
};

static struct dsr_score *score_of(struct eval *e, size_t lane, size_t set)
{
    return &e->result->scores[lane * e->n_sets + set];
}

static json_t *job_body(const struct eval *e, const char *end_time)
{
    char start[DSR_TIME_SIZE];
    const struct dsr_eval_options *o = e->options;
    dsr_time_format(e->session.start_us, start);
    return json_pack("{s:s, s:s, s:s?, s:s, s:s, s:s, s:s, s:i, s:i, s:I}", "type", "eval",
                     "start_time", start, "end_time", end_time, "model", e->session.model,
                     "datasets", o->datasets, "providers", o->providers ? o->providers : "all",
                     "grader", o->grader, "limit", o->limit, "repeat", o->repeat, "seed",
                     (json_int_t)o->seed);
}

static char *answer_key(const struct eval *e, const struct ask *ask)
{
    const struct dsr_questions *set = &e->sets[ask->dataset];
    return dsr_format("%s/%s/%d", set->dataset, set->list[ask->question].item.id, ask->repeat);
}

/* What the grader reads: the answer, or for OpenCompass's rules what that harness stores. */
static int graded_text(const struct dsr_stream *stream, const char *grader, struct dsr_buf *text)
{
    int rc = 0;
    if (!strcmp(grader, "opencompass") && stream->reasoning.len) {
        rc = dsr_buf_add(text, stream->reasoning.data, stream->reasoning.len);
        if (!rc && stream->answer.len)
            rc = dsr_buf_adds(text, "</think>");
    }
    return rc ? rc : dsr_buf_add(text, stream->answer.data, stream->answer.len);
}

static int grade(const struct dsr_questions *set, const struct dsr_item *item,
                 const struct dsr_stream *stream, const char *grader, json_t *body)
{
    struct dsr_buf text = {0};
    struct dsr_grade verdict = {0};
    struct dsr_error err;
    int rc = graded_text(stream, grader, &text);
    struct dsr_answer answer = {.gold = item->gold,
                                .options = item->options,
                                .answer = text.data,
                                .answer_len = text.len,
                                .mode = grader};
    if (!rc)
        rc = set->ops->grade(&answer, &verdict, &err);
    dsr_buf_clear(&text);
    if (rc)
        return rc;
    json_object_set_new(body, "correct", json_boolean(verdict.correct));
    json_object_set_new(body, "score", json_real(verdict.score));
    json_object_set_new(body, "extracted",
                        dsr_json_text(verdict.extracted, strlen(verdict.extracted)));
    json_object_set_new(body, "rule", json_string(verdict.rule));
    json_object_set_new(body, "grader", json_string(grader));
    return 0;
}

static json_t *answer_body(const struct eval *e, const struct ask *ask,
                           const struct dsr_exchange *x, const char *provider, int tries)
{
    const struct dsr_questions *set = &e->sets[ask->dataset];
    const struct dsr_item *item = &set->list[ask->question].item;
    const struct dsr_stream *s = &x->stream;
    json_t *body = json_pack("{s:s, s:s, s:s, s:s, s:s?, s:s, s:i, s:o, s:o}", "provider", provider,
                             "model", e->session.model, "dataset", set->dataset, "item", item->id,
                             "group", item->group, "gold", item->gold, "repeat", ask->repeat,
                             "answer", dsr_json_text(s->answer.data, s->answer.len), "reasoning",
                             dsr_json_text(s->reasoning.data, s->reasoning.len));
    if (!body)
        return NULL;
    dsr_result_fields(body, x, tries);
    return body;
}

static void on_retry(void *arg, const struct dsr_task *task, const struct dsr_exchange *x)
{
    struct eval *e = arg;
    const char *provider = e->session.fleet.services[task->lane]->code;
    char key[48];
    snprintf(key, sizeof key, "%016llx", (unsigned long long)x->start_wall_us);
    dsr_host_log(e->session.ctx->host, DSR_LOG_DEBUG, "%s: try %d failed: %s: %s", provider,
                 task->tries, x->fault.name, x->fault.message);
    json_t *body = json_pack("{s:s, s:s, s:s, s:i}", "event", "try_failed", "error", x->fault.name,
                             "message", x->fault.message, "try", task->tries);
    if (!body) /* the provider's words are no UTF-8 */
        body = json_pack("{s:s, s:s, s:i}", "event", "try_failed", "error", x->fault.name, "try",
                         task->tries);
    dsr_session_record(&e->session, DSR_RECORD_EVENT, provider, key, x->start_wall_us, body);
}

static void on_final(void *arg, const struct dsr_task *task, const struct dsr_exchange *x)
{
    struct eval *e = arg;
    const struct ask *ask = task->user;
    const struct dsr_questions *set = &e->sets[ask->dataset];
    const struct dsr_item *item = &set->list[ask->question].item;
    const char *provider = e->session.fleet.services[task->lane]->code;
    struct dsr_score *score = score_of(e, task->lane, ask->dataset);
    DSR_AUTO(str) char *key = answer_key(e, ask);
    json_t *body = answer_body(e, ask, x, provider, task->tries);
    if (!key || !body || x->fault.name[0] || grade(set, item, &x->stream, e->options->grader, body))
        dsr_score_error(score, item->group);
    else
        dsr_score_answer(score, item->group, body, &e->prices[task->lane]);
    if (x->fault.name[0])
        dsr_host_log(e->session.ctx->host, DSR_LOG_DEBUG, "%s: %s: no answer: %s: %s", provider,
                     key ? key : "", x->fault.name, x->fault.message);
    if (key && body)
        dsr_session_record(&e->session, DSR_RECORD_ANSWER, provider, key, x->start_wall_us, body);
    else
        json_decref(body);
}

static const struct dsr_sched_handler handler = {on_retry, on_final};

/* provider + '\n' + key of an answer that was graded. */
static int remember(void *arg, const struct dsr_record *record, struct dsr_error *err)
{
    struct eval *e = arg;
    if (!json_is_boolean(json_object_get(record->body, "correct")))
        return 0;
    struct answered *entry = calloc(1, sizeof *entry), *old;
    char *key = entry ? dsr_format("%s\n%s", record->provider, record->key) : NULL;
    if (!key) {
        free(entry);
        return dsr_error_nomem(err);
    }
    HASH_FIND_STR(e->answered, key, old);
    if (old) {
        free(key);
        free(entry);
        return 0;
    }
    entry->key = key;
    HASH_ADD_KEYPTR(hh, e->answered, entry->key, strlen(entry->key), entry);
    for (size_t lane = 0; lane < e->session.fleet.n; lane++)
        for (size_t set = 0; set < e->n_sets; set++) {
            struct dsr_score *score = score_of(e, lane, set);
            if (!strcmp(score->provider, record->provider) &&
                !strcmp(score->dataset, dsr_json_string(record->body, "dataset", "")))
                dsr_score_answer(score, dsr_json_string(record->body, "group", NULL), record->body,
                                 &e->prices[lane]);
        }
    return 0;
}

static int read_back(struct eval *e, struct dsr_error *err)
{
    struct dsr_query query = {
        .size = sizeof query, .kind = DSR_RECORD_ANSWER, .job = e->session.job};
    struct dsr_store *store = dsr_journal_store(e->session.journal);
    return e->options->resume ? store->ops->scan(store->state, &query, remember, e, err) : 0;
}

static bool is_answered(const struct eval *e, const char *provider, const char *key)
{
    struct answered *entry;
    DSR_AUTO(str) char *both = dsr_format("%s\n%s", provider, key);
    if (!both)
        return false;
    HASH_FIND_STR(e->answered, both, entry);
    return entry != NULL;
}

static int plan_one(struct eval *e, size_t lane, const struct ask *ask, struct dsr_error *err)
{
    const struct dsr_service *service = e->session.fleet.services[lane];
    const struct dsr_question *question = &e->sets[ask->dataset].list[ask->question];
    DSR_AUTO(str) char *key = answer_key(e, ask);
    if (!key || dsr_score_ask(score_of(e, lane, ask->dataset), question->item.group))
        return dsr_error_nomem(err);
    if (is_answered(e, service->code, key))
        return 0;
    struct ask *copy = malloc(sizeof *copy);
    if (!copy)
        return dsr_error_nomem(err);
    *copy = *ask;
    return dsr_sched_add(e->session.sched, lane, dsr_fleet_chat(question->chat, service), copy, 0)
               ? dsr_error_nomem(err)
               : 0;
}

static int plan(struct eval *e, struct dsr_error *err)
{
    int rc = 0;
    for (size_t lane = 0; lane < e->session.fleet.n; lane++)
        for (size_t set = 0; set < e->n_sets; set++)
            for (int repeat = 0; repeat < e->options->repeat; repeat++)
                for (size_t q = 0; q < e->sets[set].n && !rc; q++) {
                    struct ask ask = {set, q, repeat};
                    rc = plan_one(e, lane, &ask, err);
                }
    return rc;
}

static int open_sets(struct eval *e, struct dsr_error *err)
{
    DSR_AUTO(json)
    json_t *names =
        dsr_datasets_select(&e->session.ctx->settings, e->options->datasets, "evaluator", err);
    if (!names)
        return err->code;
    e->sets = calloc(json_array_size(names), sizeof *e->sets);
    if (!e->sets)
        return dsr_error_nomem(err);
    int rc = 0;
    for (size_t i = 0; i < json_array_size(names) && !rc; i++) {
        e->n_sets++;
        rc = dsr_questions_open(&e->sets[i], e->session.ctx,
                                json_string_value(json_array_get(names, i)), e->session.model,
                                e->options, err);
    }
    return rc;
}

static int open_scores(struct eval *e, struct dsr_error *err)
{
    size_t lanes = e->session.fleet.n;
    struct dsr_eval_result *r = e->result;
    const struct dsr_settings *settings = &e->session.ctx->settings;
    snprintf(r->job, sizeof r->job, "%s", e->session.job);
    snprintf(r->model, sizeof r->model, "%s", e->session.model);
    snprintf(r->grader, sizeof r->grader, "%s", e->options->grader);
    r->repeats = e->options->repeat;
    r->scores = calloc(lanes * e->n_sets, sizeof *r->scores);
    e->prices = calloc(lanes, sizeof *e->prices);
    if (!r->scores || !e->prices)
        return dsr_error_nomem(err);
    for (size_t lane = 0; lane < lanes; lane++) {
        const struct dsr_service *service = e->session.fleet.services[lane];
        e->prices[lane] = dsr_service_prices(settings, service, "CNY");
        for (size_t set = 0; set < e->n_sets; set++) {
            r->n++;
            if (dsr_score_init(score_of(e, lane, set), service->code, e->sets[set].dataset,
                               &e->prices[lane], "CNY"))
                return dsr_error_nomem(err);
        }
    }
    return 0;
}

/* One benchmark record per provider and dataset, written when the run ends whole. */
static void record_scores(struct eval *e)
{
    for (size_t i = 0; i < e->result->n; i++) {
        const struct dsr_score *score = &e->result->scores[i];
        dsr_session_record(&e->session, DSR_RECORD_BENCHMARK, score->provider, score->dataset,
                           e->session.start_us,
                           dsr_score_record(score, e->session.model, e->sets[i % e->n_sets].metric,
                                            e->options->grader, e->session.start_us));
    }
}

static int run(struct eval *e, struct dsr_error *err)
{
    struct dsr_sched_options options = {.max_tries = MAX_TRIES, .seed = e->options->seed};
    char end[DSR_TIME_SIZE];
    int rc = open_sets(e, err);
    if (!rc)
        rc = open_scores(e, err);
    if (!rc)
        rc = read_back(e, err);
    if (!rc)
        rc = dsr_session_plan(&e->session, &options, &handler, e, err);
    if (!rc)
        rc = plan(e, err);
    if (rc)
        return rc;
    dsr_session_record(&e->session, DSR_RECORD_JOB, "", "", e->session.start_us, job_body(e, NULL));
    dsr_host_log(e->session.ctx->host, DSR_LOG_INFO, "job %s", e->session.job);
    dsr_session_run(&e->session);
    e->result->interrupted = e->session.interrupted;
    if (e->session.interrupted || e->session.store_failed)
        return 0;
    record_scores(e);
    dsr_time_format(dsr_clock_wall_us(), end);
    dsr_session_record(&e->session, DSR_RECORD_JOB, "", "", e->session.start_us, job_body(e, end));
    return 0;
}

static void eval_clear(struct eval *e)
{
    struct answered *entry, *next;
    HASH_ITER(hh, e->answered, entry, next)
    {
        HASH_DEL(e->answered, entry);
        free(entry->key);
        free(entry);
    }
    for (size_t i = 0; i < e->n_sets; i++)
        dsr_questions_close(&e->sets[i]);
    free(e->sets);
    free(e->prices);
}

int dsr_eval_run(struct dsr_ctx *ctx, const struct dsr_eval_options *options,
                 struct dsr_eval_result *result, struct dsr_error *err)
{
    struct eval e = {.options = options, .result = result};
    struct dsr_error closing;
    memset(result, 0, sizeof *result);
    int rc = dsr_session_open(&e.session, ctx, options->model, options->providers, options->output,
                              options->resume, err);
    if (rc)
        return rc;
    rc = run(&e, err);
    int bad = dsr_session_close(&e.session, &closing);
    if (bad && !rc) {
        rc = bad;
        *err = closing;
    }
    eval_clear(&e);
    return rc;
}

void dsr_eval_result_clear(struct dsr_eval_result *result)
{
    for (size_t i = 0; i < result->n; i++)
        dsr_score_clear(&result->scores[i]);
    free(result->scores);
    memset(result, 0, sizeof *result);
}
