/* State Cloud (China Telecom): models are named by hexadecimal ids of the console; the APP KEY is
 * sent as a bearer token; reasoning comes inline. Faults may come with status 200 and {"code",
 * "message"}. */
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
    .name = "chinatelecom",
    .version = "1.0",
    .summary = "China Telecom State Cloud",
    .licence = "Apache-2.0",
    .ops = &ops,
};
