/* DeepSeek (api-docs.deepseek.com): while a request waits, comments ": keep-alive" or blank lines
 * come, which the SSE decoder passes over and which hold no deadline back. 402 means the balance is
 * used up. */
#include <dsr/provider.h>

static enum dsr_verdict classify(void *state, const struct dsr_http_response *response,
                                 struct dsr_fault *fault, struct dsr_http_request *next)
{
    enum dsr_verdict verdict = dsr_openai_classify(state, response, fault, next);
    if (verdict == DSR_VERDICT_FAULT && fault->http_status == 402)
        dsr_fault_final(fault, "balance");
    return verdict;
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
    .name = "deepseek",
    .version = "1.0",
    .summary = "DeepSeek",
    .licence = "Apache-2.0",
    .ops = &ops,
};
