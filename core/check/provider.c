/* Steps for providers. */
#include "core/chat/chat.h"
#include "core/chat/stream.h"
#include "core/check/check.h"
#include "core/config/settings.h"
#include "core/net/request.h"

#include <strings.h>

#define KEY "check-key-0123456789"

struct subject {
    struct dsr_service service;
    json_t *entry;
    const struct dsr_provider_ops *ops;
    void *state;
    const struct dsr_host *host;
};

static void make_service(struct subject *s, const struct dsr_check *c)
{
    memset(s, 0, sizeof *s);
    s->entry = json_pack("{s:s, s:s}", "base_url", "http://127.0.0.1:9/v1", "model", "test-model");
    json_object_update(s->entry, (json_t *)c->input->options);
    s->service.code = (char *)c->plugin->name;
    s->service.base_url = (char *)dsr_json_string(s->entry, "base_url", "");
    s->service.model = (char *)dsr_json_string(s->entry, "model", "");
    s->service.key = (char *)KEY;
    s->service.json = s->entry;
    s->ops = c->ops;
    s->host = c->host;
}

static bool open_subject(struct subject *s, struct dsr_check *c)
{
    struct dsr_error err = {0};
    make_service(s, c);
    s->state = s->ops->open(&s->service, KEY, c->host, &err);
    if (s->state)
        return true;
    json_decref(s->entry);
    return dsr_check_fail(c, "open failed: %s", err.message);
}

static void close_subject(struct subject *s)
{
    s->ops->close(s->state);
    json_decref(s->entry);
}

static bool builds(struct dsr_check *c)
{
    struct subject s;
    struct dsr_error err = {0};
    struct dsr_http_request request;
    if (!open_subject(&s, c))
        return false;
    struct dsr_chat *chat = dsr_chat_new(NULL);
    dsr_chat_add(chat, "user", "Hi \xf0\x9f\x98\x80", 7);
    dsr_http_request_init(&request);
    bool ok = true;
    if (s.ops->build(s.state, chat, &request, &err))
        ok = dsr_check_fail(c, "build failed: %s", err.message);
    else if (!request.url ||
             (strncmp(request.url, "http://", 7) && strncmp(request.url, "https://", 8)))
        ok = dsr_check_fail(c, "build set no http(s) URL");
    else if (strstr(request.url, KEY))
        ok = dsr_check_fail(c, "the API key stands in the URL, where logs and proxies show it");
    else if (!request.get && !json_object_size(request.json))
        ok = dsr_check_fail(c, "build left the body empty");
    dsr_http_request_clear(&request);
    dsr_chat_free(chat);
    close_subject(&s);
    return ok;
}

static bool cycle(void *arg)
{
    struct subject *s = arg;
    struct dsr_error err = {0};
    struct dsr_http_request request;
    struct dsr_chat *chat = dsr_chat_new(NULL);
    void *state = s->ops->open(&s->service, KEY, s->host, &err);
    dsr_chat_add(chat, "user", "Hi", 2);
    dsr_http_request_init(&request);
    if (state) {
        s->ops->build(state, chat, &request, &err);
        s->ops->close(state);
    }
    dsr_http_request_clear(&request);
    dsr_chat_free(chat);
    return state != NULL;
}

static bool keeps_memory(struct dsr_check *c)
{
    struct subject s;
    make_service(&s, c);
    double growth = dsr_check_growth(cycle, &s);
    json_decref(s.entry);
    if (growth < 0)
        return dsr_check_fail(c, "open failed when it was repeated");
    return growth < 8
               ? true
               : dsr_check_fail(c, "open, build and close lose %.0f bytes each time", growth);
}

static bool opens_without_a_key(struct dsr_check *c)
{
    struct subject s;
    struct dsr_error err = {0};
    make_service(&s, c);
    s.service.key = NULL;
    s.state = s.ops->open(&s.service, NULL, c->host, &err);
    bool ok = s.state || dsr_check_told(c, &err);
    if (s.state)
        s.ops->close(s.state);
    json_decref(s.entry);
    return ok;
}

static const char *const events[] = {"",
                                     "{",
                                     "[]",
                                     "null",
                                     "7",
                                     "\"text\"",
                                     "{}",
                                     "{\"choices\":[]}",
                                     "{\"choices\":null}",
                                     "{\"choices\":[{}]}",
                                     "{\"choices\":[{\"delta\":null}]}",
                                     "{\"choices\":[{\"delta\":{\"content\":7}}]}",
                                     "{\"choices\":{\"delta\":\"x\"}}",
                                     "{\"error\":7}",
                                     "{\"error\":{\"message\":null}}",
                                     "{\"usage\":{\"prompt_tokens\":-1}}",
                                     "[DONE]",
                                     "\xff\xfe\x80",
                                     "{\"choices\":[{\"delta\":{\"content\":\"a\\u0000b\"}}]}"};

static bool takes_any_event(struct dsr_check *c)
{
    static const char *const types[] = {"message", "json", "error", ""};
    struct subject s;
    if (!open_subject(&s, c))
        return false;
    for (size_t i = 0; i < DSR_COUNT(events) * DSR_COUNT(types); i++) {
        struct dsr_stream stream;
        DSR_AUTO(str) char *data = strdup(events[i / DSR_COUNT(types)]);
        dsr_stream_init(&stream, "<think>", "</think>");
        dsr_stream_event_begin(&stream, 1);
        s.ops->on_event(s.state, types[i % DSR_COUNT(types)], data, strlen(data), &stream);
        dsr_stream_event_end(&stream);
        dsr_stream_end(&stream);
        dsr_stream_clear(&stream);
    }
    close_subject(&s);
    return true;
}

/* Every status with every body: a verdict, and a name for every fault. */
static bool classifies(struct dsr_check *c)
{
    static const int statuses[] = {0,   200, 202, 204, 301, 400, 401, 402,
                                   403, 404, 408, 429, 500, 503, 599};
    struct subject s;
    bool ok = true;
    if (!open_subject(&s, c))
        return false;
    for (size_t i = 0; ok && i < DSR_COUNT(statuses) * DSR_COUNT(events); i++) {
        struct dsr_http_response response = {.status = statuses[i % DSR_COUNT(statuses)]};
        struct dsr_fault fault = {.retry_after_ms = -1};
        struct dsr_http_request next;
        dsr_buf_adds(&response.body, events[i / DSR_COUNT(statuses)]);
        dsr_http_request_init(&next);
        enum dsr_verdict verdict = s.ops->classify(s.state, &response, &fault, &next);
        if (verdict == DSR_VERDICT_FAULT && !fault.name[0])
            ok = dsr_check_fail(c, "status %d: a fault without a name", response.status);
        else if (verdict == DSR_VERDICT_FOLLOW && !next.url)
            ok = dsr_check_fail(c, "status %d: a follow-up request without a URL", response.status);
        else if ((unsigned)verdict > DSR_VERDICT_FOLLOW)
            ok = dsr_check_fail(c, "status %d: no verdict but %d", response.status, (int)verdict);
        else if (verdict == DSR_VERDICT_ANSWER && response.status >= 400)
            ok = dsr_check_fail(c, "status %d is taken for an answer", response.status);
        else if (strstr(fault.message, KEY))
            ok = dsr_check_fail(c, "status %d: the API key stands in the message", response.status);
        dsr_http_request_clear(&next);
        dsr_buf_clear(&response.body);
    }
    close_subject(&s);
    return ok;
}

const struct dsr_check_step dsr_check_provider[] = {
    {"it builds a request", builds},
    {"open without a key gives a state or a reason", opens_without_a_key},
    {"open, build and close keep no memory", keeps_memory},
    {"events of any form do no harm", takes_any_event},
    {"every response gets a verdict", classifies},
    {0},
};
