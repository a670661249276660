/* Huawei Cloud ModelArts: the deployment's id stands in the base URL, errors of the API gateway
 * come as
 * {"error_code", "error_msg"}, and a deployment may stand behind a private CA (ca_file in the
 * entry). */
#include <dsr/provider.h>

static enum dsr_verdict classify(void *state, const struct dsr_http_response *response,
                                 struct dsr_fault *fault, struct dsr_http_request *next)
{
    static const char *const throttled[] = {"APIG.0308", NULL};
    enum dsr_verdict verdict = dsr_openai_classify(state, response, fault, next);
    if (verdict == DSR_VERDICT_FAULT && dsr_http_response_error_is(response, throttled))
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
    .name = "huawei",
    .version = "1.0",
    .summary = "Huawei Cloud ModelArts",
    .licence = "Apache-2.0",
    .ops = &ops,
};
