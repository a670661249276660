/* Any OpenAI-compatible server: everything is the default of libdsr. base_url, model, headers,
 * query and extra_body of the service entry say the rest. */
#include <dsr/provider.h>

static const struct dsr_provider_ops ops = {
    .size = sizeof ops,
    .open = dsr_openai_open,
    .build = dsr_openai_build,
    .on_event = dsr_openai_on_event,
    .classify = dsr_openai_classify,
    .close = dsr_openai_close,
};

const struct dsr_plugin dsr_plugin = {
    .abi = DSR_ABI,
    .size = sizeof dsr_plugin,
    .kind = DSR_KIND_PROVIDER,
    .name = "openai",
    .version = "1.0",
    .summary = "any OpenAI-compatible server",
    .licence = "Apache-2.0",
    .ops = &ops,
};
