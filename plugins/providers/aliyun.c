/* Alibaba Cloud Bailian, compatible mode: thinking is off by default on the v3 models and has to be
 * asked for; throttling and arrears have codes of their own, arrears with status 400. */
#include <dsr/provider.h>
#include <string.h>

static int build(void *state, const struct dsr_chat *chat, struct dsr_http_request *request,
                 struct dsr_error *err)
{
    int rc = dsr_openai_build(state, chat, request, err);
    json_t *body = dsr_http_request_json(request);
    bool v3 = !strncmp(dsr_service_model(dsr_openai_service(state)), "deepseek-v3", 11);
    if (!rc && v3 && !json_object_get(body, "enable_thinking"))
        json_object_set_new(body, "enable_thinking", json_true());
    return rc;
}

static enum dsr_verdict classify(void *state, const struct dsr_http_response *response,
                                 struct dsr_fault *fault, struct dsr_http_request *next)
{
    static const char *const arrears[] = {"Arrearage", NULL};
    static const char *const throttled[] = {"Throttling", "Throttling.RateQuota",
                                            "Throttling.BurstRate", "limit_requests", NULL};
    enum dsr_verdict verdict = dsr_openai_classify(state, response, fault, next);
    if (verdict != DSR_VERDICT_FAULT)
        return verdict;
    if (dsr_http_response_error_is(response, arrears))
        dsr_fault_final(fault, "arrears");
    else if (dsr_http_response_error_is(response, throttled))
        dsr_fault_transient(fault, "http_429", fault->retry_after_ms);
    return verdict;
}

static const struct dsr_provider_ops ops = {
    .size = sizeof ops,
    .open = dsr_openai_open,
    .build = build,
    .on_event = dsr_openai_on_event,
    .classify = classify,
    .close = dsr_openai_close,
};

const struct dsr_plugin dsr_plugin = {
    .abi = DSR_ABI,
    .size = sizeof dsr_plugin,
    .kind = DSR_KIND_PROVIDER,
    .name = "aliyun",
    .version = "1.0",
    .summary = "Alibaba Cloud Bailian",
    .licence = "Apache-2.0",
    .ops = &ops,
};
