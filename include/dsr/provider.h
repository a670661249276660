/* Provider plugins: how one API differs from the OpenAI-compatible default.
 *
 * All calls come from the event loop's thread and must not block. State is one per service entry;
 * several requests of it are in flight at once, so per-request data belongs to the request. */
#ifndef DSR_PROVIDER_H
#define DSR_PROVIDER_H

#include <dsr/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One entry of services.json; read-only, lives longer than the plugin's state. */
struct dsr_service;
DSR_API const char *dsr_service_code(const struct dsr_service *service);
/* Without a trailing slash. */
DSR_API const char *dsr_service_base_url(const struct dsr_service *service);
/* The provider's own id of the model. */
DSR_API const char *dsr_service_model(const struct dsr_service *service);
/* The whole entry, so that a plugin may have options of its own; borrowed. */
DSR_API const json_t *dsr_service_json(const struct dsr_service *service);
/* True when reasoning comes inside the text between think tags. */
DSR_API bool dsr_service_reasoning_inline(const struct dsr_service *service);

/* A request in the making: POST with a JSON body unless changed. */
struct dsr_http_request;
/* Replaces the URL, copied. Only http and https are followed. */
DSR_API int dsr_http_request_set_url(struct dsr_http_request *request, const char *url);
DSR_API const char *dsr_http_request_url(const struct dsr_http_request *request);
/* "GET" or "POST". */
DSR_API int dsr_http_request_set_method(struct dsr_http_request *request, const char *method);
/* Sets or replaces a header; value NULL removes it. Both are copied. Line breaks are refused. */
DSR_API int dsr_http_request_set_header(struct dsr_http_request *request, const char *name,
                                        const char *value);
/* The body object; borrowed, the plugin may change it. NULL after a GET was chosen. */
DSR_API json_t *dsr_http_request_json(struct dsr_http_request *request);
/* Waits this long before sending (for polling); 0..60000 ms. */
DSR_API void dsr_http_request_set_delay(struct dsr_http_request *request, int64_t delay_ms);

/* A finished response; borrowed for the call. */
struct dsr_http_response;
/* HTTP status, or 0 when none came. */
DSR_API int dsr_http_response_status(const struct dsr_http_response *response);
/* A header's value (names compare without case), or NULL. */
DSR_API const char *dsr_http_response_header(const struct dsr_http_response *response,
                                             const char *name);
/* The body of an error or a plain JSON answer, at most 1 MiB of it; not NUL-terminated. */
DSR_API const char *dsr_http_response_body(const struct dsr_http_response *response, size_t *len);
/* How many follow-up requests this exchange has made so far. */
DSR_API int dsr_http_response_hops(const struct dsr_http_response *response);

/* The stream assembler of one request. Text is UTF-8, copied. len 0 is allowed and ignored. */
struct dsr_stream;
DSR_API void dsr_stream_reasoning(struct dsr_stream *stream, const char *text, size_t len);
DSR_API void dsr_stream_answer(struct dsr_stream *stream, const char *text, size_t len);
/* Text that may hold think tags; the splitter decides what is reasoning. */
DSR_API void dsr_stream_text(struct dsr_stream *stream, const char *text, size_t len);
/* Billed tokens as the provider counts them; -1 where it doesn't say.
 *   input, output  of the whole request; output includes the reasoning
 *   reasoning      the part of output that was reasoning
 *   cached         the part of input that came from the prompt cache */
struct dsr_usage {
    int64_t input, output, reasoning, cached;
};
DSR_API void dsr_stream_usage(struct dsr_stream *stream, const struct dsr_usage *usage);
/* "stop", "length", "content_filter", ... */
DSR_API void dsr_stream_finish(struct dsr_stream *stream, const char *reason);
/* The end mark ([DONE]) came. */
DSR_API void dsr_stream_done(struct dsr_stream *stream);
/* The provider reported an error inside the stream. message never holds the key. code may be the
 * HTTP status it stands for (429, 500, ...) or 0. */
DSR_API void dsr_stream_error(struct dsr_stream *stream, int code, const char *message);

/* What a response means when it is not an answer.
 *   name            class for the error table: "http_429", "timeout_idle", "quota", ...; "" = fine
 *   retry           whether the same request may be sent again
 *   retry_after_ms  how long the provider asks to wait; -1 when it doesn't say
 *   message         for people; the provider's own words, shortened */
struct dsr_fault {
    char name[32];
    int http_status;
    bool retry;
    int64_t retry_after_ms;
    char message[256];
};

/* What classify() decides. */
enum dsr_verdict {
    DSR_VERDICT_ANSWER = 0, /* the response is an answer */
    DSR_VERDICT_FAULT = 1,  /* fault is filled */
    DSR_VERDICT_FOLLOW = 2  /* next is filled: send it and classify again */
};

struct dsr_provider_ops {
    size_t size; /* sizeof(struct dsr_provider_ops) */
    /* Once per service entry. key: borrowed, may be NULL for servers without one. Returns the
     * state, or NULL with err filled. Mandatory. */
    void *(*open)(const struct dsr_service *service, const char *key, const struct dsr_host *host,
                  struct dsr_error *err);
    /* Writes chat as this provider's request. Returns 0 or a negative dsr_err. Mandatory. */
    int (*build)(void *state, const struct dsr_chat *chat, struct dsr_http_request *request,
                 struct dsr_error *err);
    /* One server-sent event (type "message" unless named), or the whole body of a plain JSON
     * answer with type "json". data: len bytes, NUL-terminated, may be changed in place.
     * Returns 0, or DSR_EINVAL when it is not what this provider sends. Mandatory. */
    int (*on_event)(void *state, const char *type, char *data, size_t len,
                    struct dsr_stream *stream);
    /* A response ended whose status is not 200, or is an answer without events. Mandatory. */
    enum dsr_verdict (*classify)(void *state, const struct dsr_http_response *response,
                                 struct dsr_fault *fault, struct dsr_http_request *next);
    /* Frees the state. Mandatory. */
    void (*close)(void *state);
};

/* The OpenAI-compatible defaults. State of dsr_openai_open is opaque; the others take it. */
DSR_API void *dsr_openai_open(const struct dsr_service *service, const char *key,
                              const struct dsr_host *host, struct dsr_error *err);
DSR_API int dsr_openai_build(void *state, const struct dsr_chat *chat,
                             struct dsr_http_request *request, struct dsr_error *err);
DSR_API int dsr_openai_on_event(void *state, const char *type, char *data, size_t len,
                                struct dsr_stream *stream);
DSR_API enum dsr_verdict dsr_openai_classify(void *state, const struct dsr_http_response *response,
                                             struct dsr_fault *fault,
                                             struct dsr_http_request *next);
DSR_API void dsr_openai_close(void *state);
/* The service and the key that dsr_openai_open was given (key may be NULL). */
DSR_API const struct dsr_service *dsr_openai_service(const void *state);
DSR_API const char *dsr_openai_key(const void *state);
/* Names a fault that no wait will cure (quota, arrears, balance): retry becomes false. */
DSR_API void dsr_fault_final(struct dsr_fault *fault, const char *name);
/* A fault that a wait cures: retry becomes true. */
DSR_API void dsr_fault_transient(struct dsr_fault *fault, const char *name, int64_t retry_after_ms);
/* The error code in an OpenAI-style error body ({"error":{"code","type"}} or {"code"}) is one of
 * the NULL-terminated list. Compares without case. */
DSR_API bool dsr_http_response_error_is(const struct dsr_http_response *response,
                                        const char *const *codes);

#ifdef __cplusplus
}
#endif
#endif
