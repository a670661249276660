/* China Mobile Cloud: the deployment's id stands in the base URL and the model is "default";
 * reasoning comes inline and its opening tag may be missing, which the splitter knows. */
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
    .name = "chinamobile",
    .version = "1.0",
    .summary = "China Mobile Cloud",
    .licence = "Apache-2.0",
    .ops = &ops,
};
