/* The OpenAI-compatible defaults that every provider plugin starts from. Field names: OpenAI's
 * chat completions reference; reasoning fields as DeepSeek (reasoning_content) and vLLM/OpenRouter
 * (reasoning) send them. */
#include "core/chat/stream.h"

#include <dsr/provider.h>
#include <math.h>
#include <strings.h>

struct openai {
    const struct dsr_service *service;
    const struct dsr_host *host;
    char *key;
    char *authorization;
    char *url;
    bool reasoning_inline;
};

/* base_url + /chat/completions + the query of the entry. */
static char *make_url(const struct dsr_service *service)
{
    struct dsr_buf url = {0};
    const char *name, *base = dsr_service_base_url(service);
    json_t *value;
    size_t n = strcspn(base, "?");
    dsr_buf_add(&url, base, n);
    dsr_buf_adds(&url, "/chat/completions");
    dsr_buf_adds(&url, base + n);
    json_object_foreach(json_object_get(dsr_service_json(service), "query"), name, value)
    {
        dsr_buf_addf(&url, "%c%s=%s", strchr(url.data, '?') ? '&' : '?', name,
                     json_string_value(value));
    }
    return url.data;
}

void *dsr_openai_open(const struct dsr_service *service, const char *key,
                      const struct dsr_host *host, struct dsr_error *err)
{
    struct openai *state = calloc(1, sizeof *state);
    if (!state) {
        dsr_error_nomem(err);
        return NULL;
    }
    state->service = service;
    state->host = host;
    state->key = key ? strdup(key) : NULL;
    state->authorization = key ? dsr_format("Bearer %s", key) : NULL;
    state->url = make_url(service);
    state->reasoning_inline = dsr_service_reasoning_inline(service);
    if (!state->url || (key && (!state->key || !state->authorization))) {
        dsr_error_nomem(err);
        dsr_openai_close(state);
        return NULL;
    }
    return state;
}

static void wipe(char *secret)
{
    if (secret)
        explicit_bzero(secret, strlen(secret));
    free(secret);
}

void dsr_openai_close(void *state)
{
    struct openai *o = state;
    wipe(o->key);
    wipe(o->authorization);
    free(o->url);
    free(o);
}

const struct dsr_service *dsr_openai_service(const void *state)
{
    return ((const struct openai *)state)->service;
}

const char *dsr_openai_key(const void *state)
{
    return ((const struct openai *)state)->key;
}

/* A round decimal: 0.95 is sent as 0.95, not as the double's 17 digits. */
static json_t *round_real(double value)
{
    return json_real(round(value * 1e6) / 1e6);
}

static void set_body(json_t *body, const struct openai *o, const struct dsr_chat *chat)
{
    json_object_set_new(body, "model", json_string(dsr_service_model(o->service)));
    json_object_set(body, "messages", (json_t *)dsr_chat_messages(chat));
    json_object_set_new(body, "stream", json_boolean(dsr_chat_stream(chat)));
    if (dsr_chat_stream(chat))
        json_object_set_new(body, "stream_options", json_pack("{s:b}", "include_usage", 1));
    if (dsr_chat_max_tokens(chat) > 0)
        json_object_set_new(body, "max_tokens", json_integer(dsr_chat_max_tokens(chat)));
    if (isfinite(dsr_chat_temperature(chat)))
        json_object_set_new(body, "temperature", round_real(dsr_chat_temperature(chat)));
    if (isfinite(dsr_chat_top_p(chat)))
        json_object_set_new(body, "top_p", round_real(dsr_chat_top_p(chat)));
    json_t *extra = json_object_get(dsr_service_json(o->service), "extra_body");
    if (extra)
        json_object_update(body, extra);
}

int dsr_openai_build(void *state, const struct dsr_chat *chat, struct dsr_http_request *request,
                     struct dsr_error *err)
{
    struct openai *o = state;
    const char *name;
    json_t *value;
    int rc = dsr_http_request_set_url(request, o->url);
    if (!rc)
        rc = dsr_http_request_set_header(request, "Content-Type", "application/json");
    if (!rc)
        rc = dsr_http_request_set_header(
            request, "Accept", dsr_chat_stream(chat) ? "text/event-stream" : "application/json");
    if (!rc && o->authorization)
        rc = dsr_http_request_set_header(request, "Authorization", o->authorization);
    json_object_foreach(json_object_get(dsr_service_json(o->service), "headers"), name, value)
    {
        if (!rc)
            rc = dsr_http_request_set_header(request, name, json_string_value(value));
    }
    set_body(dsr_http_request_json(request), o, chat);
    return rc ? dsr_error_set(err, rc, "provider %s: its URL, key or headers can't be sent",
                              dsr_service_code(o->service))
              : 0;
}

static void take_text(const struct openai *o, const char *key, const char *text, size_t n,
                      struct dsr_stream *stream)
{
    if (strcmp(key, "content"))
        dsr_stream_reasoning(stream, text, n);
    else if (o->reasoning_inline)
        dsr_stream_text(stream, text, n);
    else
        dsr_stream_answer(stream, text, n);
}

/* Text of a content member: a string, or parts of {"type":"text","text"}. */
static void take_content(const struct openai *o, const json_t *content, struct dsr_stream *stream)
{
    size_t i;
    json_t *part;
    if (json_is_array(content)) {
        json_array_foreach((json_t *)content, i, part)
            take_content(o, json_object_get(part, "text"), stream);
        return;
    }
    const char *text = json_string_value(content);
    if (text)
        take_text(o, "content", text, json_string_length(content), stream);
}

static const char *const texts[] = {"reasoning_content", "reasoning", "content"};

static void take_message(const struct openai *o, const json_t *message, struct dsr_stream *stream)
{
    for (size_t i = 0; i < 2; i++) {
        const json_t *reasoning = json_object_get(message, texts[i]);
        if (!json_is_string(reasoning))
            continue;
        take_text(o, texts[i], json_string_value(reasoning), json_string_length(reasoning), stream);
        break;
    }
    take_content(o, json_object_get(message, "content"), stream);
}

/* An event that holds one text and says nothing else may stand for those that follow. */
static void learn(const char *event, size_t len, const json_t *delta, struct dsr_stream *stream)
{
    const char *key = NULL;
    for (size_t i = 0; i < DSR_COUNT(texts); i++) {
        const json_t *text = json_object_get(delta, texts[i]);
        if (!text || json_is_null(text) || (json_is_string(text) && !json_string_length(text)))
            continue;
        if (key || !json_is_string(text))
            return;
        key = texts[i];
    }
    const json_t *text = key ? json_object_get(delta, key) : NULL;
    if (text)
        dsr_shape_learn(&stream->shape, event, len, key, json_string_value(text),
                        json_string_length(text));
}

static void take_usage(const json_t *usage, struct dsr_stream *stream)
{
    const json_t *in = json_object_get(usage, "prompt_tokens_details");
    const json_t *out = json_object_get(usage, "completion_tokens_details");
    struct dsr_usage u = {
        .input = dsr_json_int(usage, "prompt_tokens", -1),
        .output = dsr_json_int(usage, "completion_tokens", -1),
        .reasoning = dsr_json_int(out, "reasoning_tokens", -1),
        .cached =
            dsr_json_int(in, "cached_tokens", dsr_json_int(usage, "prompt_cache_hit_tokens", -1)),
    };
    dsr_stream_usage(stream, &u);
}

/* {"error": {...} or "text"}, {"object":"error","message"}, {"code","message"}. */
static bool take_error(const json_t *root, struct dsr_stream *stream)
{
    const json_t *error = json_object_get(root, "error");
    if (!error || json_is_null(error)) {
        if (json_object_get(root, "choices") || !json_object_get(root, "message"))
            return false;
        error = root;
    }
    const char *text = json_string_value(error);
    const json_t *code = json_object_get(error, "code");
    int number = json_is_integer(code) ? (int)json_integer_value(code)
                                       : atoi(json_string_value(code) ?: "0");
    dsr_stream_error(stream, number >= 100 && number < 600 ? number : 0,
                     text ? text : dsr_json_string(error, "message", "error without a message"));
    return true;
}

int dsr_openai_on_event(void *state, const char *type, char *data, size_t len,
                        struct dsr_stream *stream)
{
    const struct openai *o = state;
    if (len == 6 && !memcmp(data, "[DONE]", 6)) {
        dsr_stream_done(stream);
        return 0;
    }
    bool whole = !strcmp(type, "json");
    size_t n;
    const char *text = whole ? NULL : dsr_shape_text(&stream->shape, data, len, &n);
    if (text) {
        take_text(o, stream->shape.key, text, n, stream);
        return 0;
    }
    DSR_AUTO(json) json_t *root = json_loadb(data, len, 0, NULL);
    if (!json_is_object(root))
        return DSR_EINVAL;
    if (take_error(root, stream))
        return 0;
    const json_t *choices = json_object_get(root, "choices");
    const json_t *choice = json_array_get(choices, 0);
    const json_t *usage = json_object_get(root, "usage");
    if (whole && !choice)
        return DSR_EINVAL;
    const json_t *message = json_object_get(choice, "delta");
    take_message(o, message ? message : json_object_get(choice, "message"), stream);
    const char *reason = dsr_json_string(choice, "finish_reason", NULL);
    if (reason && *reason)
        dsr_stream_finish(stream, reason);
    if (json_is_object(usage))
        take_usage(usage, stream);
    if (whole)
        dsr_stream_done(stream);
    else if (message && !(reason && *reason) && !json_is_object(usage))
        learn(data, len, message, stream);
    return 0;
}
