/* NVIDIA NIM: a request that is not served at once is answered with 202 and NVCF-REQID, and its
 * result is fetched from /v2/nvcf/pexec/status/{id} beside the /v1 of the base URL. */
#include <dsr/provider.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POLL_MS 500

static bool id_is_sound(const char *id)
{
    size_t n = strlen(id);
    return n && n < 128 &&
           strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == n;
}

static int build_poll(void *state, const char *id, struct dsr_http_request *next)
{
    const char *base = dsr_service_base_url(dsr_openai_service(state));
    const char *key = dsr_openai_key(state);
    char url[1024], authorization[512];
    size_t n = strlen(base);
    if (n >= 3 && !strcmp(base + n - 3, "/v1"))
        n -= 3;
    if (snprintf(url, sizeof url, "%.*s/v2/nvcf/pexec/status/%s", (int)n, base, id) >=
        (int)sizeof url)
        return DSR_EINVAL;
    if (snprintf(authorization, sizeof authorization, "Bearer %s", key ? key : "") >=
        (int)sizeof authorization)
        return DSR_EINVAL;
    int rc = dsr_http_request_set_method(next, "GET");
    if (!rc)
        rc = dsr_http_request_set_url(next, url);
    if (!rc)
        rc = dsr_http_request_set_header(next, "Accept", "text/event-stream");
    if (!rc && key)
        rc = dsr_http_request_set_header(next, "Authorization", authorization);
    memset(authorization, 0, sizeof authorization);
    dsr_http_request_set_delay(next, POLL_MS);
    return rc;
}

static enum dsr_verdict classify(void *state, const struct dsr_http_response *response,
                                 struct dsr_fault *fault, struct dsr_http_request *next)
{
    if (dsr_http_response_status(response) == 202) {
        const char *id = dsr_http_response_header(response, "NVCF-REQID");
        if (id && id_is_sound(id) && !build_poll(state, id, next))
            return DSR_VERDICT_FOLLOW;
    }
    return dsr_openai_classify(state, response, fault, next);
}

static const struct dsr_provider_ops ops = {
    .size = sizeof ops,
    .open = dsr_openai_open,
    .build = dsr_openai_build,
    .on_event = dsr_openai_on_event,
    .classify = classify,
    .close = dsr_openai_close,
};

const struct dsr_plugin dsr_plugin = {
    .abi = DSR_ABI,
    .size = sizeof dsr_plugin,
    .kind = DSR_KIND_PROVIDER,
    .name = "nvidia",
    .version = "1.0",
    .summary = "NVIDIA NIM",
    .licence = "Apache-2.0",
    .ops = &ops,
};
