/* Azure AI Foundry: the key goes into the header api-key, the URL carries an API version, and the
 * models endpoint knows no stream_options. The newer /openai/v1 endpoint needs no version. */
#include <dsr/provider.h>
#include <stdio.h>
#include <string.h>

#define API_VERSION "2024-05-01-preview"

static int build(void *state, const struct dsr_chat *chat, struct dsr_http_request *request,
                 struct dsr_error *err)
{
    char url[2048];
    int rc = dsr_openai_build(state, chat, request, err);
    if (rc)
        return rc;
    const char *made = dsr_http_request_url(request);
    bool versioned = strstr(made, "api-version=") || strstr(made, "/openai/v1/");
    if (!versioned) {
        if (snprintf(url, sizeof url, "%s%capi-version=%s", made, strchr(made, '?') ? '&' : '?',
                     API_VERSION) >= (int)sizeof url)
            return dsr_error_set(err, DSR_ECONFIG, "the base_url is too long");
        rc = dsr_http_request_set_url(request, url);
    }
    if (!rc)
        rc = dsr_http_request_set_header(request, "Authorization", NULL);
    if (!rc)
        rc = dsr_http_request_set_header(request, "api-key", dsr_openai_key(state));
    json_object_del(dsr_http_request_json(request), "stream_options");
    return rc ? dsr_error_set(err, rc, "the key can't be sent in a header") : 0;
}

static const struct dsr_provider_ops ops = {
    .size = sizeof ops,
    .open = dsr_openai_open,
    .build = build,
    .on_event = dsr_openai_on_event,
    .classify = dsr_openai_classify,
    .close = dsr_openai_close,
};

const struct dsr_plugin dsr_plugin = {
    .abi = DSR_ABI,
    .size = sizeof dsr_plugin,
    .kind = DSR_KIND_PROVIDER,
    .name = "azure",
    .version = "1.0",
    .summary = "Azure AI Foundry",
    .licence = "Apache-2.0",
    .ops = &ops,
};
