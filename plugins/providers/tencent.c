/* Tencent Cloud TI (LKEAP, document of January 2026): max_tokens bounds the answer without the
 * reasoning and may be 16384 at most. */
#include <dsr/provider.h>

#define MAX_ANSWER 16384

static int build(void *state, const struct dsr_chat *chat, struct dsr_http_request *request,
                 struct dsr_error *err)
{
    int rc = dsr_openai_build(state, chat, request, err);
    json_t *body = dsr_http_request_json(request);
    if (!rc && json_integer_value(json_object_get(body, "max_tokens")) > MAX_ANSWER)
        json_object_set_new(body, "max_tokens", json_integer(MAX_ANSWER));
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
    .name = "tencent",
    .version = "1.0",
    .summary = "Tencent Cloud TI",
    .licence = "Apache-2.0",
    .ops = &ops,
};
