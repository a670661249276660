/* One answer spread over time: chunks are put into a buffer by a timer and taken out by
 * libmicrohttpd, which is suspended while there is nothing. */
#include "tests/sim/sim.h"

#include <math.h>

#define KEEP_ALIVE_MS 50.0
#define STALL_MS 120000
#define MAX_TOKENS_PLAYED 1000000

struct sim_play {
    struct sim *sim;
    struct sim_provider *provider;
    struct sim_play *prev, *next;
    struct MHD_Connection *connection;
    uv_timer_t timer;
    struct dsr_rng rng;
    enum sim_fault fault;
    struct dsr_buf out; /* written, not yet taken */
    size_t taken;
    char id[32];
    char *model, *answer;
    bool stream, usage, suspended, ended, broken, truncated;
    int64_t reasoning, answers, total, at; /* tokens; at: those written */
    int64_t prompt_tokens, break_at;
    uint64_t received_ns, first_ns;
    double due_ms;  /* since received */
    double wait_ms; /* until the first token, while comments are sent */
    json_t *stamps;
};

static const char *const words[] = {"so",   "the",   "value", "of",     "this", "term",  "is",
                                    "then", "found", "by",    "adding", "both", "sides", "and",
                                    "we",   "check", "it",    "again",  "step", "by"};

static const char *word(const struct sim_play *p)
{
    return words[(size_t)p->at % DSR_COUNT(words)];
}

static json_t *usage_json(const struct sim_play *p)
{
    json_t *usage = json_pack("{s:I, s:I, s:I, s:{s:I}, s:{s:I}}", "prompt_tokens",
                              (json_int_t)p->prompt_tokens, "completion_tokens", (json_int_t)p->at,
                              "total_tokens", (json_int_t)(p->prompt_tokens + p->at),
                              "completion_tokens_details", "reasoning_tokens",
                              (json_int_t)(p->at < p->reasoning ? p->at : p->reasoning),
                              "prompt_tokens_details", "cached_tokens", (json_int_t)0);
    if (p->provider->dialect->cache_hits)
        json_object_set_new(usage, "prompt_cache_hit_tokens", json_integer(0));
    return usage;
}

/* The member that carries token number at, and its text. */
static void token_text(const struct sim_play *p, const char **key, char *text, size_t size)
{
    const char *style = p->provider->behaviour.reasoning;
    bool thinking = p->at < p->reasoning;
    bool inline_ = !strcmp(style, "inline") || !strcmp(style, "unopened");
    const char *open = p->at == 0 && !strcmp(style, "inline") && p->reasoning ? "<think>\n" : "";
    const char *close = p->at == p->reasoning && inline_ && p->reasoning ? "\n</think>\n\n" : "";
    bool last = p->at + 1 == p->reasoning + p->answers;
    *key = "content";
    if (thinking && !inline_)
        *key = !strcmp(style, "reasoning") ? "reasoning" : "reasoning_content";
    if (thinking)
        snprintf(text, size, "%s%s ", open, word(p));
    else if (last)
        snprintf(text, size, "%s\n\n%s", close, p->answer);
    else
        snprintf(text, size, "%s%s ", close, word(p));
}

static json_t *chunk(const struct sim_play *p, json_t *delta, const char *finish)
{
    json_t *root = json_pack("{s:s, s:s, s:i, s:s, s:[{s:i, s:o, s:s?}]}", "id", p->id, "object",
                             "chat.completion.chunk", "created", 1764000000, "model", p->model,
                             "choices", "index", 0, "delta", delta, "finish_reason", finish);
    if (p->provider->dialect->usage_always)
        json_object_set_new(root, "usage", usage_json(p));
    return root;
}

static void put_event(struct sim_play *p, json_t *root)
{
    char *text = json_dumps(root, JSON_COMPACT);
    dsr_buf_addf(&p->out, "data: %s\n\n", text ? text : "{}");
    free(text);
    json_decref(root);
}

static void put_token(struct sim_play *p)
{
    char text[512];
    const char *key;
    token_text(p, &key, text, sizeof text);
    p->at++;
    json_t *delta = json_pack("{s:s}", key, text);
    if (p->at == 1)
        json_object_set_new(delta, "role", json_string("assistant"));
    put_event(p, chunk(p, delta, NULL));
}

static void put_end(struct sim_play *p)
{
    put_event(p, chunk(p, json_object(), p->truncated ? "length" : "stop"));
    if (p->usage)
        put_event(p, json_pack("{s:s, s:s, s:i, s:s, s:[], s:o}", "id", p->id, "object",
                               "chat.completion.chunk", "created", 1764000000, "model", p->model,
                               "choices", "usage", usage_json(p)));
    dsr_buf_adds(&p->out, "data: [DONE]\n\n");
    p->ended = true;
}

/* A plain answer: all of it in one JSON object. */
static void put_whole(struct sim_play *p)
{
    struct dsr_buf reasoning = {0}, content = {0};
    while (p->at < p->total) {
        char text[512];
        const char *key;
        token_text(p, &key, text, sizeof text);
        dsr_buf_adds(strcmp(key, "content") ? &reasoning : &content, text);
        p->at++;
    }
    json_t *message =
        json_pack("{s:s, s:s}", "role", "assistant", "content", content.data ? content.data : "");
    if (reasoning.len)
        json_object_set_new(message, "reasoning_content", json_string(reasoning.data));
    json_t *root = json_pack("{s:s, s:s, s:i, s:s, s:[{s:i, s:o, s:s}], s:o}", "id", p->id,
                             "object", "chat.completion", "created", 1764000000, "model", p->model,
                             "choices", "index", 0, "message", message, "finish_reason",
                             p->truncated ? "length" : "stop", "usage", usage_json(p));
    char *text = json_dumps(root, JSON_COMPACT);
    dsr_buf_adds(&p->out, text ? text : "{}");
    free(text);
    json_decref(root);
    dsr_buf_clear(&reasoning);
    dsr_buf_clear(&content);
    p->ended = true;
}

static void wake(struct sim_play *p)
{
    if (p->suspended) {
        p->suspended = false;
        MHD_resume_connection(p->connection);
    }
}

static void on_timer(uv_timer_t *timer);

static void sleep_ms(struct sim_play *p, double ms)
{
    double now = (double)(dsr_clock_ns() - p->received_ns) / 1e6;
    p->due_ms = (p->due_ms > now - 50 ? p->due_ms : now) + ms;
    double wait = p->due_ms - now;
    uv_update_time(p->timer.loop); /* a loop that is late would fire too early */
    uv_timer_start(&p->timer, on_timer, wait > 0 ? (uint64_t)ceil(wait) : 0, 0);
}

static void play_fault(struct sim_play *p)
{
    switch (p->fault) {
    case SIM_CUT:
        p->broken = true;
        break;
    case SIM_STALL:
        p->broken = true;
        uv_timer_start(&p->timer, on_timer, STALL_MS, 0);
        return;
    case SIM_MALFORMED:
        dsr_buf_adds(&p->out, "data: {\"choices\": [{\"delta\"\n\n");
        p->ended = true;
        break;
    case SIM_ERROR:
        dsr_buf_adds(&p->out, "data: {\"error\": {\"message\": \"the engine stopped\", \"type\": "
                              "\"server_error\", \"code\": 500}}\n\n");
        p->ended = true;
        break;
    default: /* empty */
        dsr_buf_adds(&p->out, "data: [DONE]\n\n");
        p->ended = true;
        break;
    }
    wake(p);
}

/* Comments while the first token is awaited; they are no tokens. */
static void keep_alive(struct sim_play *p)
{
    double step = p->wait_ms < KEEP_ALIVE_MS ? p->wait_ms : KEEP_ALIVE_MS;
    p->wait_ms -= step;
    dsr_buf_adds(&p->out, ": keep-alive\n\n");
    sleep_ms(p, step);
    wake(p);
}

static void on_timer(uv_timer_t *timer)
{
    struct sim_play *p = timer->data;
    if (p->wait_ms > 0) {
        keep_alive(p);
    } else if (p->broken || (p->fault && p->at >= p->break_at)) {
        if (p->broken)
            wake(p);
        else
            play_fault(p);
    } else if (!p->stream) {
        put_whole(p);
        wake(p);
    } else if (p->at < p->total) {
        put_token(p);
        if (p->at == p->total)
            put_end(p);
        else
            sleep_ms(p, sim_draw(&p->provider->behaviour.itl_ms, &p->rng));
        wake(p);
    }
    sim_http_run(p->sim);
}

static ssize_t take(void *arg, uint64_t pos, char *buf, size_t max)
{
    struct sim_play *p = arg;
    size_t left = p->out.len - p->taken;
    (void)pos;
    if (left) {
        uint64_t now = dsr_clock_ns();
        if (!p->first_ns && p->at)
            p->first_ns = now;
        if (p->sim->truth && p->stamps && p->at)
            json_array_append_new(p->stamps, json_integer((json_int_t)now));
        size_t n = left < max ? left : max;
        memcpy(buf, p->out.data + p->taken, n);
        p->taken += n;
        if (p->taken == p->out.len) {
            dsr_buf_reset(&p->out);
            p->taken = 0;
        }
        return (ssize_t)n;
    }
    if (p->broken && (p->fault != SIM_STALL || p->sim->stopping))
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (p->ended || p->sim->stopping)
        return p->fault == SIM_STALL ? MHD_CONTENT_READER_END_WITH_ERROR
                                     : MHD_CONTENT_READER_END_OF_STREAM;
    p->suspended = true;
    MHD_suspend_connection(p->connection);
    return 0;
}

static void write_truth(struct sim_play *p)
{
    if (!p->sim->truth)
        return;
    json_t *line =
        json_pack("{s:s, s:s, s:I, s:I, s:O, s:I, s:I, s:I}", "provider",
                  p->provider->service->code, "fault", sim_fault_names[p->fault], "received_ns",
                  (json_int_t)p->received_ns, "first_ns", (json_int_t)p->first_ns, "chunks_ns",
                  p->stamps, "prompt_tokens", (json_int_t)p->prompt_tokens, "reasoning_tokens",
                  (json_int_t)(p->at < p->reasoning ? p->at : p->reasoning), "output_tokens",
                  (json_int_t)p->at);
    json_dumpf(line, p->sim->truth, JSON_COMPACT);
    fputc('\n', p->sim->truth);
    fflush(p->sim->truth);
    json_decref(line);
}

void sim_truth_fault(struct sim *sim, const struct sim_provider *provider, const char *fault,
                     uint64_t received_ns)
{
    if (!sim->truth)
        return;
    fprintf(sim->truth, "{\"provider\":\"%s\",\"fault\":\"%s\",\"received_ns\":%llu}\n",
            provider->service->code, fault, (unsigned long long)received_ns);
    fflush(sim->truth);
}

static void play_free(uv_handle_t *handle)
{
    struct sim_play *p = handle->data;
    dsr_buf_clear(&p->out);
    free(p->model);
    free(p->answer);
    json_decref(p->stamps);
    free(p);
}

/* libmicrohttpd is through with the response, or the client has gone. */
static void release(void *arg)
{
    struct sim_play *p = arg;
    write_truth(p);
    p->provider->in_flight--;
    if (p->prev)
        p->prev->next = p->next;
    else
        p->sim->plays = p->next;
    if (p->next)
        p->next->prev = p->prev;
    uv_timer_stop(&p->timer);
    uv_close((uv_handle_t *)&p->timer, play_free);
}

void sim_plays_stop(struct sim *sim)
{
    sim->stopping = true;
    for (struct sim_play *p = sim->plays; p; p = p->next)
        wake(p);
    sim_http_run(sim);
}

static int64_t prompt_tokens(const json_t *messages)
{
    size_t i;
    json_t *message;
    double bytes = 0;
    json_array_foreach((json_t *)messages, i, message)
    {
        bytes += (double)json_string_length(json_object_get(message, "content")) + 8;
    }
    return (int64_t)ceil(bytes / 4);
}

static void set_lengths(struct sim_play *p, const json_t *request)
{
    const struct sim_behaviour *b = &p->provider->behaviour;
    int64_t limit = dsr_json_int(request, "max_tokens", MAX_TOKENS_PLAYED);
    p->reasoning = llround(sim_draw(&b->reasoning_tokens, &p->rng));
    p->answers = llround(fmax(1, sim_draw(&b->answer_tokens, &p->rng)));
    p->total = p->reasoning + p->answers;
    p->truncated = limit > 0 && p->total > limit;
    if (p->truncated)
        p->total = limit;
    if (p->fault == SIM_CUT || p->fault == SIM_STALL || p->fault == SIM_MALFORMED ||
        p->fault == SIM_ERROR)
        p->break_at = (int64_t)dsr_rng_below(&p->rng, (uint64_t)p->total);
}

struct sim_play *sim_play_new(struct sim *sim, struct sim_provider *provider, const json_t *request,
                              enum sim_fault fault, struct dsr_rng *rng, uint64_t received_ns)
{
    struct sim_play *p = calloc(1, sizeof *p);
    const json_t *messages = json_object_get(request, "messages");
    if (!p)
        return NULL;
    p->sim = sim;
    p->provider = provider;
    p->fault = fault;
    p->rng = *rng;
    p->received_ns = received_ns;
    p->model = strdup(dsr_json_string(request, "model", ""));
    p->stream = json_is_true(json_object_get(request, "stream"));
    p->usage =
        json_is_true(json_object_get(json_object_get(request, "stream_options"), "include_usage"));
    p->stamps = json_array();
    snprintf(p->id, sizeof p->id, "sim-%016llx", (unsigned long long)dsr_rng_u64(&p->rng));
    p->answer = sim_book_answer(sim, provider, messages, &p->rng);
    p->prompt_tokens = prompt_tokens(messages);
    set_lengths(p, request);
    uv_timer_init(&sim->loop, &p->timer);
    p->timer.data = p;
    p->next = sim->plays;
    if (p->next)
        p->next->prev = p;
    sim->plays = p;
    provider->in_flight++;
    return p;
}

enum MHD_Result sim_play_start(struct sim_play *p, struct MHD_Connection *connection)
{
    double ttft = sim_draw(&p->provider->behaviour.ttft_ms, &p->rng);
    double plain = p->stream ? 0 : (double)p->total * p->provider->behaviour.itl_ms.a;
    struct MHD_Response *response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 4096, take, p, release);
    if (!response)
        return MHD_NO;
    p->connection = connection;
    MHD_add_response_header(response, "Content-Type",
                            p->stream ? "text/event-stream; charset=utf-8" : "application/json");
    if (!strcmp(p->provider->dialect->plugin, "siliconflow"))
        MHD_add_response_header(response, "x-siliconcloud-trace-id", p->id);
    sim_add_rate(response, p->provider);
    if (p->provider->behaviour.keep_alive_comments && p->stream) {
        p->wait_ms = ttft;
        sleep_ms(p, 0);
    } else {
        sleep_ms(p, ttft + plain);
    }
    enum MHD_Result rc = MHD_queue_response(connection, MHD_HTTP_OK, response);
    MHD_destroy_response(response);
    return rc;
}
