/* Together (docs.together.ai/docs/deepseek-r1): reasoning inline between think tags, which the
 * service entry says; the waiting time of a rate limit comes as x-ratelimit-reset, in seconds. */
#include <dsr/provider.h>
#include <stdlib.h>

static enum dsr_verdict classify(void *state, const struct dsr_http_response *response,
                                 struct dsr_fault *fault, struct dsr_http_request *next)
{
    enum dsr_verdict verdict = dsr_openai_classify(state, response, fault, next);
    const char *reset = dsr_http_response_header(response, "x-ratelimit-reset");
    if (verdict == DSR_VERDICT_FAULT && fault->http_status == 429 && fault->retry &&
        fault->retry_after_ms < 0 && reset) {
        double seconds = atof(reset);
        if (seconds > 0 && seconds < 3600)
            fault->retry_after_ms = (int64_t)(seconds * 1000);
    }
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
    .name = "together",
    .version = "1.0",
    .summary = "Together",
    .licence = "Apache-2.0",
    .ops = &ops,
};
