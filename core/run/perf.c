/* A performance run: every provider gets the same prompts; errors are data and are not retried. */
#include "core/run/perf.h"
#include "core/run/export.h"
#include "core/run/grading.h"
#include "core/run/prompts.h"

#include <math.h>

struct request { /* rides on a task */
    size_t number;
    bool warmup;
};

struct answered { /* rides on the counting of its tokens */
    size_t lane, number;
    int64_t time_us;
    uint64_t start_ns, first_ns, last_ns, end_ns; /* of the request, and of its tokens */
};

struct perf {
    struct dsr_session session;
    struct dsr_lag *lag;
    struct dsr_export *export; /* NULL: none is wanted */
    struct dsr_grading *counting;
    const struct dsr_perf_options *options;
    struct dsr_prompts prompts;
    struct dsr_perf_result *result;
    size_t *sent; /* beside providers: requests planned so far */
    uint64_t *first_ns, *last_ns;
    uint64_t end_ns;      /* of a closed loop with a duration; 0: none */
    struct dsr_error err; /* of a prompt that could not be made on the way */
    int failed;
};

static json_t *job_body(const struct perf *p, const char *end_time)
{
    char start[DSR_TIME_SIZE];
    dsr_time_format(p->session.start_us, start);
    return json_pack("{s:s, s:s, s:s?, s:s, s:s?, s:i, s:i, s:I}", "type", "perf", "start_time",
                     start, "end_time", end_time, "model", p->session.model, "prompts",
                     p->options->prompts, "requests", p->options->requests, "concurrency",
                     p->options->concurrency, "seed", (json_int_t)p->options->seed);
}

static int plan_request(struct perf *p, size_t lane, uint64_t due_ns)
{
    size_t number = p->sent[lane];
    const struct dsr_chat *chat = dsr_prompts_get(&p->prompts, number, &p->err);
    struct request *request = calloc(1, sizeof *request);
    if (!chat || !request) {
        free(request);
        return p->failed = chat ? dsr_error_nomem(&p->err) : p->err.code;
    }
    request->number = number;
    request->warmup = number < (size_t)p->options->warmup;
    p->sent[lane]++;
    struct dsr_chat *own = dsr_fleet_chat(chat, p->session.fleet.services[lane]);
    return p->failed = dsr_sched_add(p->session.sched, lane, own, request, due_ns);
}

/* In an open loop a request that had to wait was late for its user all the same: its times are told
 * from the moment it was due, too. */
static void set_due(json_t *body, uint64_t due_ns, const struct dsr_exchange *x)
{
    if (!due_ns)
        return;
    const struct dsr_stream *s = &x->stream;
    json_object_set_new(body, "queue_s", dsr_json_span(due_ns, x->start_ns));
    json_object_set_new(body, "ttft_due", dsr_json_span(due_ns, s->first_token_ns));
    json_object_set_new(body, "total_due", dsr_json_span(due_ns, s->last_token_ns));
}

/* Latencies and the histogram of gaps, beside what all results have. */
static json_t *perf_body(const struct perf *p, const struct dsr_task *task,
                         const struct dsr_exchange *x)
{
    const struct request *request = task->user;
    size_t lane = task->lane;
    json_t *body =
        json_pack("{s:s, s:s, s:s, s:b}", "provider", p->session.fleet.services[lane]->code,
                  "model", p->session.model, "prompt_type",
                  dsr_prompts_type(&p->prompts, request->number), "success", !x->fault.name[0]);
    if (!body)
        return NULL;
    dsr_result_fields(body, x, task->tries);
    set_due(body, task->due_ns, x);
    json_object_set_new(body, "itl_hist", dsr_hist_to_json(&x->stream.gaps));
    int64_t input = dsr_prompts_tokens(&p->prompts, request->number);
    if (input >= 0)
        json_object_set_new(body, "input_tokens", json_integer(input));
    return body;
}

static void note_time(struct perf *p, size_t lane, const struct dsr_exchange *x)
{
    if (!p->first_ns[lane] || x->start_ns < p->first_ns[lane])
        p->first_ns[lane] = x->start_ns;
    if (x->end_ns > p->last_ns[lane])
        p->last_ns[lane] = x->end_ns;
}

/* The entry of a minute, a new one if there is none; requests end in about the order in which they
 * were begun, so it is among the last. */
static json_t *minute_of(json_t *minutes, int64_t time_us)
{
    char text[DSR_TIME_SIZE];
    dsr_time_format(time_us - time_us % 60000000, text);
    for (size_t i = json_array_size(minutes); i--;) {
        json_t *minute = json_array_get(minutes, i);
        if (!strcmp(dsr_json_string(minute, "minute", ""), text))
            return minute;
    }
    json_array_append_new(minutes, json_pack("{s:s, s:i, s:i, s:{}}", "minute", text, "requests", 0,
                                             "output_tokens", 0, "errors"));
    return json_array_get(minutes, json_array_size(minutes) - 1);
}

static void add_to(json_t *object, const char *key, int64_t n)
{
    json_object_set_new(object, key, json_integer(dsr_json_int(object, key, 0) + n));
}

/* Counts a request in the minute in which it was begun. */
static void note_minute(json_t *minutes, int64_t time_us, const json_t *body)
{
    json_t *minute = minute_of(minutes, time_us);
    const char *error = dsr_json_string(body, "error", NULL);
    add_to(minute, "requests", 1);
    add_to(minute, "output_tokens", dsr_json_int(body, "output_tokens", 0));
    if (error)
        add_to(json_object_get(minute, "errors"), error, 1);
}

static void keep(struct perf *p, const struct answered *a, json_t *body)
{
    char key[32];
    snprintf(key, sizeof key, "%08zu", a->number);
    dsr_figures_add(&p->result->providers[a->lane]->figures, body);
    note_minute(p->result->minutes[a->lane], a->time_us, body);
    struct dsr_timeline *timeline = &p->result->timelines[a->lane];
    dsr_timeline_request(timeline, a->start_ns, a->end_ns);
    dsr_timeline_tokens(timeline, a->first_ns, a->last_ns,
                        (double)dsr_json_int(body, "output_tokens", 0));
    if (p->options->slo.set)
        p->result->good[a->lane] += dsr_slo_is_met(&p->options->slo, body);
    if (p->export)
        dsr_export_put(p->export, p->session.job, key, body);
    dsr_session_record(&p->session, DSR_RECORD_PERF, p->session.fleet.services[a->lane]->code, key,
                       a->time_us, body);
}

/* The texts were there to be counted; a performance record does not hold them. */
static void on_counted(void *arg, void *user, json_t *body, int rc, const struct dsr_error *err)
{
    (void)rc;
    (void)err;
    json_object_del(body, "answer");
    json_object_del(body, "reasoning");
    keep(arg, user, body);
    free(user);
}

/* Takes body over. */
static void count_and_keep(struct perf *p, const struct answered *a, json_t *body,
                           const struct dsr_stream *s)
{
    struct answered *copy = p->session.tokenizer && body ? malloc(sizeof *copy) : NULL;
    if (!copy) {
        keep(p, a, body);
        return;
    }
    *copy = *a;
    json_object_set_new(body, "answer", dsr_json_text(s->answer.data, s->answer.len));
    json_object_set_new(body, "reasoning", dsr_json_text(s->reasoning.data, s->reasoning.len));
    if (dsr_grading_submit(p->counting, NULL, body, copy))
        on_counted(p, copy, body, DSR_ENOMEM, NULL);
}

static void on_final(void *arg, const struct dsr_task *task, const struct dsr_exchange *x)
{
    struct perf *p = arg;
    const struct request *request = task->user;
    struct answered answered = {task->lane,  request->number,          x->start_wall_us,
                                x->start_ns, x->stream.first_token_ns, x->stream.last_token_ns,
                                x->end_ns};
    if (!request->warmup) {
        note_time(p, task->lane, x);
        count_and_keep(p, &answered, perf_body(p, task, x), &x->stream);
    }
    if (p->end_ns && dsr_clock_ns() < p->end_ns)
        plan_request(p, task->lane, 0);
}

static const struct dsr_sched_handler handler = {.on_final = on_final};

/* One request of each provider. Who is first goes round: none has the advantage. */
static int plan_round(struct perf *p, size_t round, uint64_t due_ns)
{
    size_t n = p->session.fleet.n;
    for (size_t k = 0; k < n && !p->failed; k++)
        plan_request(p, (round + k) % n, due_ns);
    return p->failed;
}

/* Arrivals of an open loop, the same for all providers. */
static int plan_open_loop(struct perf *p, size_t requests)
{
    struct dsr_rng rng;
    double at = 0, limit = p->options->duration > 0 ? p->options->duration : INFINITY;
    uint64_t now = dsr_clock_ns();
    dsr_rng_init(&rng, p->options->seed, 0x61727269);
    for (size_t i = 0; (p->options->duration > 0 || i < requests) && !p->failed; i++) {
        at += dsr_arrival_gap(&rng, p->options->shape) / p->options->rate;
        if (at > limit)
            break;
        plan_round(p, i, now + (uint64_t)(at * 1e9));
    }
    return p->failed;
}

static int plan_trace(struct perf *p, size_t requests)
{
    const struct dsr_trace *trace = p->options->trace;
    uint64_t now = dsr_clock_ns();
    double limit = p->options->duration > 0 ? p->options->duration : INFINITY;
    for (size_t i = 0; i < trace->n && (!requests || i < requests) && !p->failed; i++)
        if (trace->list[i].at_s <= limit)
            plan_round(p, i, now + (uint64_t)(trace->list[i].at_s * 1e9));
    return p->failed;
}

static int plan(struct perf *p)
{
    const struct dsr_perf_options *o = p->options;
    if (o->trace)
        return plan_trace(p, (size_t)o->requests);
    size_t requests = o->requests ? (size_t)o->requests : p->prompts.n_sets;
    if (o->rate > 0)
        return plan_open_loop(p, requests);
    if (o->duration > 0) {
        p->end_ns = dsr_clock_ns() + (uint64_t)(o->duration * 1e9);
        requests = o->concurrency ? (size_t)o->concurrency : 1;
    }
    for (size_t i = 0; i < requests + (size_t)o->warmup && !p->failed; i++)
        plan_round(p, i, 0);
    return p->failed;
}

static int prepare_result(struct perf *p, struct dsr_error *err)
{
    struct dsr_perf_result *r = p->result;
    const struct dsr_settings *settings = &p->session.ctx->settings;
    size_t n = p->session.fleet.n;
    snprintf(r->job, sizeof r->job, "%s", p->session.job);
    snprintf(r->model, sizeof r->model, "%s", p->session.model);
    snprintf(r->currency, sizeof r->currency, "CNY");
    r->providers = calloc(n, sizeof(struct dsr_candidate *));
    r->seconds = calloc(n, sizeof *r->seconds);
    r->good = calloc(n, sizeof *r->good);
    r->minutes = calloc(n, sizeof(json_t *));
    r->timelines = calloc(n, sizeof *r->timelines);
    p->sent = calloc(n, sizeof *p->sent);
    p->first_ns = calloc(n, sizeof *p->first_ns);
    p->last_ns = calloc(n, sizeof *p->last_ns);
    if (!r->providers || !r->seconds || !r->good || !r->minutes || !r->timelines || !p->sent ||
        !p->first_ns || !p->last_ns)
        return dsr_error_nomem(err);
    for (size_t i = 0; i < n; i++) {
        const struct dsr_service *service = p->session.fleet.services[i];
        struct dsr_prices prices = dsr_service_prices(settings, service, r->currency);
        r->providers[i] = dsr_candidate_new(service->code, &prices);
        r->minutes[i] = json_array();
        dsr_timeline_init(&r->timelines[i], dsr_clock_ns());
        if (!r->providers[i] || !r->minutes[i])
            return dsr_error_nomem(err);
        r->providers[i]->figures.exact_most = SIZE_MAX;
        r->n++;
    }
    return 0;
}

static void finish_result(struct perf *p)
{
    for (size_t i = 0; i < p->result->n; i++) {
        dsr_candidate_seal(p->result->providers[i]);
        p->result->seconds[i] = (double)(p->last_ns[i] - p->first_ns[i]) / 1e9;
    }
    p->result->interrupted = p->session.interrupted;
}

static int run(struct perf *p, struct dsr_error *err)
{
    const struct dsr_perf_options *o = p->options;
    struct dsr_sched_options options = {
        .concurrency = o->concurrency            ? o->concurrency
                       : o->rate > 0 || o->trace ? 1000
                                                 : 1,
        .max_tries = 1,
        .together = !(o->rate > 0) && !o->trace,
        .seed = o->seed,
    };
    int rc = dsr_session_plan(&p->session, &options, &handler, p, err);
    if (!rc && plan(p)) {
        *err = p->err;
        rc = p->err.code;
    }
    if (rc)
        return rc;
    dsr_session_record(&p->session, DSR_RECORD_JOB, "", "", p->session.start_us, job_body(p, NULL));
    dsr_session_run(&p->session);
    p->result->lag = dsr_lag_figures(p->lag);
    dsr_grading_wait(p->counting);
    char end[DSR_TIME_SIZE];
    dsr_time_format(dsr_clock_wall_us(), end);
    dsr_session_record(&p->session, DSR_RECORD_JOB, "", "", p->session.start_us, job_body(p, end));
    if (p->failed)
        *err = p->err;
    return p->failed;
}

int dsr_perf_run(struct dsr_ctx *ctx, const struct dsr_perf_options *options,
                 struct dsr_perf_result *result, struct dsr_error *err)
{
    struct perf p = {.options = options, .result = result};
    memset(result, 0, sizeof *result);
    int rc = dsr_session_open(&p.session, ctx, options->model, options->providers, options->output,
                              NULL, err);
    if (rc)
        return rc;
    p.lag = dsr_lag_new(&p.session.loop, p.session.net);
    rc = dsr_prompts_open(&p.prompts, &p.session, options->prompts, options->seed, err);
    p.prompts.bounds = options->bounds;
    p.prompts.trace = options->trace;
    p.counting = dsr_grading_new(&p.session.loop, p.session.tokenizer, "", on_counted, &p);
    if (!rc && !p.counting)
        rc = dsr_error_nomem(err);
    if (!rc)
        rc = prepare_result(&p, err);
    if (!rc && options->export)
        rc = dsr_export_open(&p.export, options->export, options->export_more, err);
    if (!rc)
        rc = run(&p, err);
    finish_result(&p);
    dsr_lag_close(p.lag, p.session.net);
    struct dsr_error closing, second;
    int bad = dsr_export_close(p.export, &closing);
    int stored = dsr_session_close(&p.session, bad ? &second : &closing);
    bad = bad ? bad : stored;
    if (bad && !rc) {
        rc = bad;
        *err = closing;
    }
    dsr_prompts_close(&p.prompts);
    dsr_grading_free(p.counting);
    free(p.sent);
    free(p.first_ns);
    free(p.last_ns);
    return rc;
}

void dsr_perf_result_clear(struct dsr_perf_result *result)
{
    for (size_t i = 0; i < result->n; i++) {
        dsr_candidate_free(result->providers[i]);
        json_decref(result->minutes[i]);
    }
    free(result->minutes);
    free(result->timelines);
    free(result->providers);
    free(result->seconds);
    free(result->good);
    memset(result, 0, sizeof *result);
}
