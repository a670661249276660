/* SiliconFlow: error bodies are {"code", "message"}; a spent balance comes as 403 with code 30001;
 * every answer carries a trace id, which support asks for. Empty answers under load are faults of
 * the core's. */
#include <dsr/provider.h>
#include <stdio.h>
#include <string.h>

static enum dsr_verdict classify(void *state, const struct dsr_http_response *response,
                                 struct dsr_fault *fault, struct dsr_http_request *next)
{
    static const char *const balance[] = {"30001", NULL};
    enum dsr_verdict verdict = dsr_openai_classify(state, response, fault, next);
    if (verdict != DSR_VERDICT_FAULT)
        return verdict;
    if (dsr_http_response_error_is(response, balance))
        dsr_fault_final(fault, "balance");
    const char *trace = dsr_http_response_header(response, "x-siliconcloud-trace-id");
    size_t n = strlen(fault->message);
    if (trace)
        snprintf(fault->message + n, sizeof fault->message - n, " (trace %s)", trace);
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
    .name = "siliconflow",
    .version = "1.0",
    .summary = "SiliconFlow",
    .licence = "Apache-2.0",
    .ops = &ops,
};
