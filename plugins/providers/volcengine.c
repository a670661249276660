/* Volcengine Ark (documents 82379, read November 2025): one status 429 stands for many limits, of
 * which an exhausted quota is no use to wait for; arrears come as 403. */
#include <dsr/provider.h>

static enum dsr_verdict classify(void *state, const struct dsr_http_response *response,
                                 struct dsr_fault *fault, struct dsr_http_request *next)
{
    static const char *const quota[] = {"QuotaExceeded", NULL};
    static const char *const arrears[] = {"AccountOverdueError", NULL};
    static const char *const overload[] = {"ServerOverloaded", "RequestBurstTooFast", NULL};
    enum dsr_verdict verdict = dsr_openai_classify(state, response, fault, next);
    if (verdict != DSR_VERDICT_FAULT)
        return verdict;
    if (dsr_http_response_error_is(response, quota))
        dsr_fault_final(fault, "quota");
    else if (dsr_http_response_error_is(response, arrears))
        dsr_fault_final(fault, "arrears");
    else if (dsr_http_response_error_is(response, overload))
        dsr_fault_transient(fault, "http_429", fault->retry_after_ms);
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
    .name = "volcengine",
    .version = "1.0",
    .summary = "Volcengine Ark",
    .licence = "Apache-2.0",
    .ops = &ops,
};
