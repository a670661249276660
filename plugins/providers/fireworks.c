/* Fireworks: reasoning inline by default, which the service entry says; an answer without
 * max_tokens is cut short, so it is always sent. */
#include <dsr/provider.h>

#define MAX_TOKENS 32768

static int build(void *state, const struct dsr_chat *chat, struct dsr_http_request *request,
                 struct dsr_error *err)
{
    int rc = dsr_openai_build(state, chat, request, err);
    json_t *body = dsr_http_request_json(request);
    if (!rc && !json_object_get(body, "max_tokens"))
        json_object_set_new(body, "max_tokens", json_integer(MAX_TOKENS));
    return rc;
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
    .name = "fireworks",
    .version = "1.0",
    .summary = "Fireworks",
    .licence = "Apache-2.0",
    .ops = &ops,
};
