/* An intelligence run: ask, grade, journal, count. A run that is gone on with reads back what was
 * answered; a run that may reuse answers looks for equal requests first. */
#include "core/run/eval.h"
#include "core/metric/candidate.h"
#include "core/run/budget.h"
#include "core/run/grading.h"
#include "core/run/questions.h"
#include "core/run/reuse.h"

#include <math.h>
#include <uthash.h>

#define MAX_TRIES 6

struct ask { /* rides on a task, then on a grading */
    size_t lane, dataset, question;
    int repeat;
    int64_t time_us;
};

struct answered { /* provider + '\n' + key that the store holds an answer for */
    char *key;
    json_t *ungraded; /* its body, when it still waits for a grade */
    UT_hash_handle hh;
};

struct eval {
    struct dsr_session session;
    const struct dsr_eval_options *options;
    struct dsr_questions *sets;
    size_t n_sets;
    struct dsr_eval_result *result;
    struct dsr_purse *purses; /* beside providers */
    struct dsr_grading *grading;
    struct dsr_reuse *reuse;
    struct answered *answered;
};

static struct dsr_score *score_of(const struct eval *e, size_t lane, size_t set)
{
    return &e->result->scores[lane * e->n_sets + set];
}

static const struct dsr_prices *prices_of(const struct eval *e, size_t lane)
{
    return &e->result->prices[lane * e->n_sets];
}

static const char *provider_of(const struct eval *e, size_t lane)
{
    return e->session.fleet.services[lane]->code;
}

static const struct dsr_item *item_of(const struct eval *e, const struct ask *ask)
{
    return &e->sets[ask->dataset].list[ask->question].item;
}

static char *answer_key(const struct eval *e, const struct ask *ask)
{
    return dsr_format("%s/%s/%d", e->sets[ask->dataset].dataset, item_of(e, ask)->id, ask->repeat);
}

/* Who was asked what: beside it stand the answer, its usage and its times. */
static json_t *question_fields(const struct eval *e, const struct ask *ask,
                               const struct dsr_chat *chat)
{
    const struct dsr_questions *set = &e->sets[ask->dataset];
    const struct dsr_item *item = item_of(e, ask);
    char request[37];
    if (dsr_request_name(e->session.fleet.services[ask->lane], chat, request))
        return NULL;
    json_t *body = json_pack("{s:s, s:s, s:s, s:s, s:s?, s:s, s:i, s:s}", "provider",
                             provider_of(e, ask->lane), "model", e->session.model, "dataset",
                             set->dataset, "item", item->id, "group", item->group, "gold",
                             item->gold, "repeat", ask->repeat, "request", request);
    const json_t *last = json_array_get(chat->messages, json_array_size(chat->messages) - 1);
    if (body)
        json_object_set(body, "question", json_object_get(last, "content"));
    if (body && item->options)
        json_object_set(body, "options", item->options);
    if (body && item->tags)
        json_object_set(body, "tags", item->tags);
    return body;
}

static void record_answer(struct eval *e, const struct ask *ask, json_t *body)
{
    DSR_AUTO(str) char *key = answer_key(e, ask);
    if (key && body)
        dsr_session_record(&e->session, DSR_RECORD_ANSWER, provider_of(e, ask->lane), key,
                           ask->time_us, body);
    else
        json_decref(body);
}

static void on_graded(void *arg, void *user, json_t *body, int rc, const struct dsr_error *err)
{
    struct eval *e = arg;
    struct ask *ask = user;
    if (rc) {
        dsr_host_log(e->session.ctx->host, DSR_LOG_ERROR, "question %s can't be graded: %s",
                     item_of(e, ask)->id, err->message);
        json_object_set_new(body, "error", json_string("grade"));
        json_object_set_new(body, "message", dsr_json_text(err->message, strlen(err->message)));
    }
    dsr_score_put(score_of(e, ask->lane, ask->dataset), body, prices_of(e, ask->lane));
    record_answer(e, ask, body);
    free(ask);
}

/* Takes body over. An answer whose grading takes long is kept safe before it begins. */
static void grade(struct eval *e, const struct ask *ask, json_t *body, bool is_new)
{
    const struct dsr_evaluator_ops *ops = e->sets[ask->dataset].ops;
    struct ask *copy = malloc(sizeof *copy);
    if (copy)
        *copy = *ask;
    if (is_new && dsr_evaluator_runs_programs(ops))
        record_answer(e, ask, json_deep_copy(body));
    if (!copy || dsr_grading_submit(e->grading, ops, body, copy)) {
        free(copy);
        record_answer(e, ask, body);
    }
}

static void pay(struct eval *e, size_t lane, const struct dsr_exchange *x)
{
    const struct dsr_usage *u = &x->stream.usage;
    const struct dsr_prices *prices = prices_of(e, lane);
    int64_t output = dsr_output_tokens(x);
    if (x->fault.name[0] && u->output < 0 && !x->stream.token_events)
        dsr_purse_pay(&e->purses[lane], 0, 0); /* nothing came: nothing is billed */
    else
        dsr_purse_pay(&e->purses[lane],
                      dsr_cost(prices, u->input >= 0 ? u->input : 0, output, u->cached),
                      dsr_cost(prices, 0, output, 0));
}

static enum dsr_admission admit(void *arg, const struct dsr_task *task)
{
    struct eval *e = arg;
    struct dsr_purse *purse = &e->purses[task->lane];
    bool closed = purse->closed;
    enum dsr_admission admission = dsr_purse_admit(purse);
    if (admission == DSR_REFUSE && !closed) {
        dsr_host_log(e->session.ctx->host, DSR_LOG_WARN,
                     "%s: stopped by its budget: %.4f of %.4f CNY spent",
                     provider_of(e, task->lane), purse->spent, purse->amount);
        for (size_t set = 0; set < e->n_sets; set++)
            score_of(e, task->lane, set)->over_budget = true;
    }
    return admission;
}

static void on_retry(void *arg, const struct dsr_task *task, const struct dsr_exchange *x)
{
    struct eval *e = arg;
    const char *provider = provider_of(e, task->lane);
    char key[48];
    pay(e, task->lane, x);
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
    struct ask ask = *(const struct ask *)task->user;
    const struct dsr_stream *s = &x->stream;
    json_t *body = question_fields(e, &ask, task->chat);
    ask.time_us = x->start_wall_us;
    pay(e, task->lane, x);
    if (!body) {
        dsr_host_log(e->session.ctx->host, DSR_LOG_ERROR, "an answer can't be kept: no memory");
        return;
    }
    json_object_set_new(body, "answer", dsr_json_text(s->answer.data, s->answer.len));
    json_object_set_new(body, "reasoning", dsr_json_text(s->reasoning.data, s->reasoning.len));
    dsr_result_fields(body, x, task->tries);
    if (!x->fault.name[0]) {
        grade(e, &ask, body, true);
        return;
    }
    dsr_host_log(e->session.ctx->host, DSR_LOG_DEBUG, "%s: %s: no answer: %s: %s",
                 provider_of(e, task->lane), item_of(e, &ask)->id, x->fault.name, x->fault.message);
    dsr_score_put(score_of(e, ask.lane, ask.dataset), body, prices_of(e, ask.lane));
    record_answer(e, &ask, body);
}

static const struct dsr_sched_handler handler = {admit, on_retry, on_final};

static struct answered *answered_get(struct eval *e, const char *provider, const char *key,
                                     bool make)
{
    struct answered *entry;
    DSR_AUTO(str) char *both = dsr_format("%s\n%s", provider, key);
    if (!both)
        return NULL;
    HASH_FIND_STR(e->answered, both, entry);
    if (entry || !make || !(entry = calloc(1, sizeof *entry)))
        return entry;
    entry->key = both;
    both = NULL;
    HASH_ADD_KEYPTR(hh, e->answered, entry->key, strlen(entry->key), entry);
    return entry;
}

/* What was answered is counted; what was not yet graded is kept for plan_one. */
static int remember(void *arg, const struct dsr_record *record, struct dsr_error *err)
{
    struct eval *e = arg;
    bool graded = json_is_boolean(json_object_get(record->body, "correct"));
    const char *error = dsr_json_string(record->body, "error", NULL);
    if (record->kind != DSR_RECORD_ANSWER || (error && strcmp(error, "grade")))
        return 0;
    struct answered *entry = answered_get(e, record->provider, record->key, true);
    if (!entry)
        return dsr_error_nomem(err);
    json_decref(entry->ungraded);
    entry->ungraded = graded ? NULL : json_incref(record->body);
    return graded && dsr_eval_result_put(e->result, record->body) ? dsr_error_nomem(err) : 0;
}

static int read_back(struct eval *e, struct dsr_error *err)
{
    struct dsr_query query = {
        .size = sizeof query, .kind = DSR_RECORD_ANSWER, .job = e->session.job};
    struct dsr_store *store = dsr_journal_store(e->session.journal);
    int rc = e->options->job ? store->ops->scan(store->state, &query, remember, e, err) : 0;
    if (!rc && e->options->reuse_us)
        rc = dsr_reuse_open(&e->reuse, store, e->session.model, e->options->reuse_us,
                            e->session.job, err);
    for (size_t lane = 0; lane < e->session.fleet.n; lane++)
        for (size_t set = 0; set < e->n_sets; set++)
            e->purses[lane].spent += score_of(e, lane, set)->cost;
    return rc;
}

/* An answer to an equal request: its own words, this run's question. */
static json_t *reused(struct eval *e, const struct ask *ask, const struct dsr_chat *chat)
{
    json_t *fields = e->reuse ? question_fields(e, ask, chat) : NULL;
    json_t *body = fields ? dsr_reuse_take(e->reuse, dsr_json_string(fields, "request", "")) : NULL;
    if (body)
        json_object_update(body, fields);
    json_decref(fields);
    return body;
}

/* Asks the provider, unless an answer can be reused. */
static int plan_new(struct eval *e, const struct ask *ask)
{
    const struct dsr_chat *question = e->sets[ask->dataset].list[ask->question].chat;
    struct dsr_chat *chat = dsr_fleet_chat(question, e->session.fleet.services[ask->lane]);
    json_t *body = chat ? reused(e, ask, chat) : NULL;
    if (body) {
        grade(e, ask, body, true);
        dsr_chat_free(chat);
        return 0;
    }
    struct ask *copy = malloc(sizeof *copy);
    if (copy)
        *copy = *ask;
    if (copy)
        return dsr_sched_add(e->session.sched, ask->lane, chat, copy, 0);
    dsr_chat_free(chat);
    return DSR_ENOMEM;
}

static int plan_one(struct eval *e, struct ask *ask)
{
    const struct dsr_item *item = item_of(e, ask);
    DSR_AUTO(str) char *key = answer_key(e, ask);
    if (!key || dsr_score_expect(score_of(e, ask->lane, ask->dataset), item->id, ask->repeat,
                                 item->group, item->tags))
        return DSR_ENOMEM;
    struct answered *known = answered_get(e, provider_of(e, ask->lane), key, false);
    ask->time_us = dsr_clock_wall_us();
    if (!known)
        return plan_new(e, ask);
    if (!known->ungraded)
        return 0;
    json_object_del(known->ungraded, "error");
    json_object_del(known->ungraded, "message");
    grade(e, ask, json_incref(known->ungraded), false);
    return 0;
}

static int plan(struct eval *e, struct dsr_error *err)
{
    int rc = 0;
    for (size_t lane = 0; lane < e->session.fleet.n; lane++)
        for (size_t set = 0; set < e->n_sets; set++)
            for (int repeat = 0; repeat < e->options->repeat; repeat++)
                for (size_t q = 0; q < e->sets[set].n && !rc; q++) {
                    struct ask ask = {lane, set, q, repeat, 0};
                    rc = plan_one(e, &ask) ? dsr_error_nomem(err) : 0;
                }
    return rc;
}

static int fill_purses(struct eval *e, struct dsr_error *err)
{
    double budget = e->options->budget, longest = 0;
    for (size_t set = 0; set < e->n_sets && !isnan(budget); set++)
        dsr_questions_input(&e->sets[set], e->session.tokenizer, &longest);
    for (size_t lane = 0; lane < e->session.fleet.n; lane++) {
        e->purses[lane].amount = budget;
        e->purses[lane].prompt = dsr_cost(prices_of(e, lane), (int64_t)longest, 0, 0);
        if (!isnan(budget) && isnan(score_of(e, lane, 0)->cost))
            return dsr_error_set(err, DSR_ECONFIG,
                                 "no budget can be kept for %s: %s names no price that can be told "
                                 "in CNY",
                                 provider_of(e, lane), e->session.ctx->settings.services.path);
    }
    return 0;
}

static int open_scores(struct eval *e, struct dsr_error *err)
{
    size_t lanes = e->session.fleet.n;
    struct dsr_eval_result *r = e->result;
    snprintf(r->job, sizeof r->job, "%s", e->session.job);
    snprintf(r->model, sizeof r->model, "%s", e->session.model);
    snprintf(r->grader, sizeof r->grader, "%s", e->options->grader);
    e->purses = calloc(lanes, sizeof *e->purses);
    e->grading =
        dsr_grading_new(&e->session.loop, e->session.tokenizer, e->options->grader, on_graded, e);
    if (!e->purses || !e->grading)
        return dsr_error_nomem(err);
    for (size_t lane = 0; lane < lanes; lane++) {
        const struct dsr_service *service = e->session.fleet.services[lane];
        for (size_t set = 0; set < e->n_sets; set++)
            if (!dsr_eval_result_add(r, &e->session.ctx->settings, service, e->sets[set].dataset))
                return dsr_error_nomem(err);
    }
    return fill_purses(e, err);
}

static struct dsr_eval_job job_of(const struct eval *e)
{
    const struct dsr_eval_options *o = e->options;
    return (struct dsr_eval_job){.model = (char *)e->session.model,
                                 .datasets = (char *)o->datasets,
                                 .providers = (char *)(o->providers ? o->providers : "all"),
                                 .grader = (char *)o->grader,
                                 .limit = o->limit,
                                 .repeat = o->repeat,
                                 .shots = o->shots,
                                 .seed = o->seed,
                                 .shard = o->shard,
                                 .shards = o->shards,
                                 .start_us = e->session.start_us};
}

static void record_job(struct eval *e, const char *end_time)
{
    struct dsr_eval_job job = job_of(e);
    job.end_time = (char *)end_time;
    dsr_session_record(&e->session, DSR_RECORD_JOB, "", "", e->session.start_us,
                       dsr_eval_job_body(&job));
}

/* A job of this name that is there already is gone on with, if it is the same. */
static int check_job(struct eval *e, struct dsr_error *err)
{
    struct dsr_eval_job old, now = job_of(e);
    struct dsr_store *store = dsr_journal_store(e->session.journal);
    int rc = dsr_eval_job_read(&old, store, e->session.job, err);
    if (rc == DSR_EUSAGE && !e->options->resume)
        return 0;
    if (rc)
        return rc;
    e->session.start_us = old.start_us;
    bool same = dsr_eval_job_is_same(&old, &now) && old.shard == now.shard;
    dsr_eval_job_clear(&old);
    if (!same)
        return dsr_error_set(err, DSR_EUSAGE,
                             "the job %s was started with other options; --resume takes its own, "
                             "another --job starts anew",
                             e->session.job);
    return 0;
}

/* One benchmark record per provider and dataset, written when the run ends whole. The figures of a
 * shard are none: dsr-run merge makes them. */
static void record_scores(struct eval *e)
{
    for (size_t i = 0; i < e->result->n && e->options->shards <= 1; i++) {
        const struct dsr_score *score = &e->result->scores[i];
        dsr_session_record(&e->session, DSR_RECORD_BENCHMARK, score->provider, score->dataset,
                           e->session.start_us,
                           dsr_score_record(score, e->session.model, e->sets[i % e->n_sets].metric,
                                            e->options->grader, e->session.start_us));
    }
}

static int prepare(struct eval *e, struct dsr_error *err)
{
    struct dsr_sched_options options = {.max_tries = MAX_TRIES, .seed = e->options->seed};
    int rc = dsr_questions_select(&e->sets, &e->n_sets, e->session.ctx, e->session.model,
                                  e->options, err);
    if (!rc)
        rc = open_scores(e, err);
    if (!rc && e->options->job)
        rc = check_job(e, err);
    if (!rc)
        rc = read_back(e, err);
    return rc ? rc : dsr_session_plan(&e->session, &options, &handler, e, err);
}

static int run(struct eval *e, struct dsr_error *err)
{
    char end[DSR_TIME_SIZE];
    int rc = prepare(e, err);
    if (rc)
        return rc;
    record_job(e, NULL);
    dsr_host_log(e->session.ctx->host, DSR_LOG_INFO, "job %s", e->session.job);
    rc = plan(e, err);
    if (!rc)
        dsr_session_run(&e->session);
    e->result->interrupted = e->session.interrupted;
    if (e->session.interrupted)
        dsr_grading_drop(e->grading, free);
    dsr_grading_wait(e->grading);
    if (!rc && dsr_eval_result_seal(e->result))
        rc = dsr_error_nomem(err);
    if (rc || e->session.interrupted || e->session.store_failed)
        return rc;
    record_scores(e);
    dsr_time_format(dsr_clock_wall_us(), end);
    record_job(e, end);
    return 0;
}

static void eval_clear(struct eval *e)
{
    struct answered *entry, *next;
    HASH_ITER(hh, e->answered, entry, next)
    {
        HASH_DEL(e->answered, entry);
        json_decref(entry->ungraded);
        free(entry->key);
        free(entry);
    }
    for (size_t i = 0; i < e->n_sets; i++)
        dsr_questions_close(&e->sets[i]);
    free(e->sets);
    free(e->purses);
    dsr_reuse_close(e->reuse);
    dsr_grading_free(e->grading);
}

int dsr_eval_run(struct dsr_ctx *ctx, const struct dsr_eval_options *options,
                 struct dsr_eval_result *result, struct dsr_error *err)
{
    struct eval e = {.options = options, .result = result};
    struct dsr_error closing;
    memset(result, 0, sizeof *result);
    int rc = dsr_session_open(&e.session, ctx, options->model, options->providers, options->output,
                              options->job, err);
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
