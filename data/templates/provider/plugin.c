/* @NAME@: an API that is OpenAI's but for a header and an error of its own. Everything that is not
 * overridden here is libdsr's default; see dsr/provider.h. */
#include <dsr/provider.h>

static int build(void *state, const struct dsr_chat *chat, struct dsr_http_request *request,
                 struct dsr_error *err)
{
    int rc = dsr_openai_build(state, chat, request, err);
    return rc ? rc : dsr_http_request_set_header(request, "X-Client", "dsr-run");
}

/* This provider answers 403 when the account is empty: no wait will cure that. */
static enum dsr_verdict classify(void *state, const struct dsr_http_response *response,
                                 struct dsr_fault *fault, struct dsr_http_request *next)
{
    static const char *const empty[] = {"insufficient_balance", "account_overdue", NULL};
    enum dsr_verdict verdict = dsr_openai_classify(state, response, fault, next);
    if (verdict == DSR_VERDICT_FAULT && dsr_http_response_error_is(response, empty))
        dsr_fault_final(fault, "quota");
    return verdict;
}

static const struct dsr_provider_ops ops = {
    sizeof ops, dsr_openai_open, build, dsr_openai_on_event, classify, dsr_openai_close,
};

const struct dsr_plugin dsr_plugin = {
    DSR_ABI, sizeof dsr_plugin, DSR_KIND_PROVIDER, "@NAME@", "0.1", "the API of @NAME@",
    "Apache-2.0", &ops,
};
