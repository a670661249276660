/* What an HTTP answer that is not an answer means: the default rules, and the helpers that plugins
 * use to add their own. Retried are 408, 409, 425, 429 and 5xx; 400, 401, 402, 403, 404 and 422
 * never (design, section 4). Retry-After: RFC 9110, section 10.2.3. */
#include "core/chat/exchange.h"

#include <curl/curl.h>
#include <dsr/provider.h>
#include <math.h>
#include <strings.h>
#include <time.h>

void dsr_fault_final(struct dsr_fault *fault, const char *name)
{
    snprintf(fault->name, sizeof fault->name, "%s", name);
    fault->retry = false;
}

void dsr_fault_transient(struct dsr_fault *fault, const char *name, int64_t retry_after_ms)
{
    snprintf(fault->name, sizeof fault->name, "%s", name);
    fault->retry = true;
    if (retry_after_ms >= 0)
        fault->retry_after_ms = retry_after_ms;
}

/* "6m0s", "1.5s", "250ms", "30": how OpenAI and others write x-ratelimit-reset-*. */
static int64_t parse_duration_ms(const char *text)
{
    double total = 0;
    while (*text) {
        char *end;
        double n = strtod(text, &end);
        if (end == text || !isfinite(n) || n < 0)
            return -1;
        double unit = 1000;
        size_t used = 0;
        if (!strncmp(end, "ms", 2))
            unit = 1, used = 2;
        else if (*end == 's')
            used = 1;
        else if (*end == 'm')
            unit = 60000, used = 1;
        else if (*end == 'h')
            unit = 3600000, used = 1;
        else if (*end)
            return -1;
        total += n * unit;
        text = end + used;
        if (!used)
            break;
    }
    return total < 86400000 ? (int64_t)ceil(total) : 86400000;
}

int64_t dsr_rate_wait(const struct dsr_http_response *response)
{
    static const char *const kinds[] = {"requests", "tokens"};
    for (size_t i = 0; i < DSR_COUNT(kinds); i++) {
        char name[64];
        snprintf(name, sizeof name, "x-ratelimit-remaining-%s", kinds[i]);
        const char *left = dsr_http_response_header(response, name);
        snprintf(name, sizeof name, "x-ratelimit-reset-%s", kinds[i]);
        const char *reset = dsr_http_response_header(response, name);
        if (left && !strcmp(left, "0") && reset && *reset)
            return parse_duration_ms(reset);
    }
    return -1;
}

static int64_t wait_of(const struct dsr_http_response *response)
{
    const char *text = dsr_http_response_header(response, "retry-after-ms");
    if (text && *text)
        return parse_duration_ms(text) >= 0 ? parse_duration_ms(text) / 1000 : -1;
    text = dsr_http_response_header(response, "retry-after");
    if (text && *text) {
        int64_t ms = parse_duration_ms(text);
        if (ms >= 0)
            return ms;
        time_t when = curl_getdate(text, NULL), now = time(NULL);
        return when < 0 ? -1 : when > now ? (int64_t)(when - now) * 1000 : 0;
    }
    return dsr_rate_wait(response);
}

/* The object that carries code and message: {"error":{...}} or the body itself. */
static const json_t *error_object(const json_t *root)
{
    const json_t *error = json_object_get(root, "error");
    return json_is_object(error) ? error : root;
}

static json_t *body_json(const struct dsr_http_response *response)
{
    size_t len;
    const char *body = dsr_http_response_body(response, &len);
    return json_loadb(body, len, 0, NULL);
}

bool dsr_http_response_error_is(const struct dsr_http_response *response, const char *const *codes)
{
    static const char *const keys[] = {"code", "type", "error_code"};
    DSR_AUTO(json) json_t *root = body_json(response);
    const json_t *error = error_object(root);
    for (size_t k = 0; k < DSR_COUNT(keys); k++) {
        const json_t *value = json_object_get(error, keys[k]);
        char number[24];
        snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        const char *text = json_is_integer(value) ? number : json_string_value(value);
        for (size_t i = 0; text && codes[i]; i++)
            if (!strcasecmp(text, codes[i]))
                return true;
    }
    return false;
}

static void set_message(struct dsr_fault *fault, const struct dsr_http_response *response)
{
    DSR_AUTO(json) json_t *root = body_json(response);
    const json_t *error = error_object(root);
    const char *text = dsr_json_string(error, "message", dsr_json_string(root, "error", NULL));
    if (!text)
        text = dsr_json_string(error, "error_msg", dsr_json_string(root, "detail", NULL));
    size_t len;
    const char *body = dsr_http_response_body(response, &len);
    if (text)
        snprintf(fault->message, sizeof fault->message, "%s", text);
    else
        snprintf(fault->message, sizeof fault->message, "HTTP %d: %.*s", fault->http_status,
                 (int)(len < 120 ? len : 120), body);
    for (char *p = fault->message; *p; p++)
        if ((unsigned char)*p < ' ')
            *p = ' ';
}

enum dsr_verdict dsr_openai_classify(void *state, const struct dsr_http_response *response,
                                     struct dsr_fault *fault, struct dsr_http_request *next)
{
    static const int retried[] = {408, 409, 425, 429};
    (void)state;
    (void)next;
    int status = dsr_http_response_status(response);
    if (status == 200)
        return DSR_VERDICT_ANSWER;
    fault->http_status = status;
    snprintf(fault->name, sizeof fault->name, "http_%d", status);
    fault->retry = status >= 500;
    for (size_t i = 0; i < DSR_COUNT(retried); i++)
        fault->retry |= status == retried[i];
    fault->retry_after_ms = wait_of(response);
    set_message(fault, response);
    static const char *const spent[] = {"insufficient_quota", "insufficient_balance",
                                        "billing_hard_limit_reached", NULL};
    if (status == 429 && dsr_http_response_error_is(response, spent))
        dsr_fault_final(fault, "quota");
    return DSR_VERDICT_FAULT;
}
