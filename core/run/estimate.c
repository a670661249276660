/* Estimating. */
#include "core/run/estimate.h"
#include "core/metric/candidate.h"
#include "core/run/questions.h"

#include <math.h>

struct history { /* of one dataset */
    const char *provider, *dataset;
    double own, own_tokens; /* answers and output tokens of the provider */
    double all, all_tokens; /* of every provider */
};

static int take_record(void *arg, const struct dsr_record *record, struct dsr_error *err)
{
    struct history *h = arg;
    double answered = dsr_json_number(record->body, "answered");
    double tokens = dsr_json_number(record->body, "output_tokens");
    (void)err;
    if (record->kind != DSR_RECORD_BENCHMARK || !(answered > 0) || !(tokens > 0) ||
        strcmp(dsr_json_string(record->body, "dataset", ""), h->dataset))
        return 0;
    h->all += answered;
    h->all_tokens += tokens;
    if (!strcmp(record->provider, h->provider)) {
        h->own += answered;
        h->own_tokens += tokens;
    }
    return 0;
}

/* Output tokens of one answer. */
static double output_of(struct dsr_ctx *ctx, const struct dsr_store *store, const char *model,
                        struct dsr_estimate *e, double limit, struct dsr_error *err)
{
    struct history h = {.provider = e->provider, .dataset = e->dataset};
    struct dsr_query query = {.size = sizeof query, .kind = DSR_RECORD_BENCHMARK, .model = model};
    const json_t *entry = json_object_get(ctx->settings.datasets.root, e->dataset);
    double assumed = dsr_json_number(entry, "output_tokens");
    if (store->state && store->ops->scan(store->state, &query, take_record, &h, err))
        return NAN;
    e->basis = "measured";
    if (h.own > 0)
        return h.own_tokens / h.own;
    if (h.all > 0)
        return h.all_tokens / h.all;
    e->basis = assumed > 0 ? "assumed" : "limit";
    return assumed > 0 ? fmin(assumed, limit > 0 ? limit : assumed) : limit;
}

static int estimate_one(struct dsr_ctx *ctx, const struct dsr_store *store, const char *model,
                        const struct dsr_service *service, const struct dsr_questions *set,
                        double input, int repeat, struct dsr_estimate *e, struct dsr_error *err)
{
    double limit = 0;
    e->provider = strdup(service->code);
    e->dataset = strdup(set->dataset);
    e->requests = (int64_t)set->n * repeat;
    if (!e->provider || !e->dataset)
        return dsr_error_nomem(err);
    for (size_t i = 0; i < set->n; i++) {
        struct dsr_chat *chat = dsr_fleet_chat(set->list[i].chat, service);
        if (!chat)
            return dsr_error_nomem(err);
        limit = fmax(limit, (double)dsr_chat_max_tokens(chat));
        dsr_chat_free(chat);
    }
    double output = output_of(ctx, store, model, e, limit, err);
    if (isnan(output) && err->code)
        return err->code;
    struct dsr_prices prices = dsr_service_prices(&ctx->settings, service, "CNY");
    e->input_tokens = input * repeat;
    e->output_tokens = output * (double)e->requests;
    e->cost = (e->input_tokens * prices.input + e->output_tokens * prices.output) / 1e6;
    return 0;
}

static int estimate_all(struct dsr_ctx *ctx, const struct dsr_eval_options *o, const char *model,
                        const struct dsr_fleet *fleet, const struct dsr_questions *sets,
                        size_t n_sets, struct dsr_estimate **list, size_t *n, struct dsr_error *err)
{
    struct dsr_store store = {0};
    struct dsr_tokenizer *tokenizer;
    struct dsr_error closing;
    double longest = 0;
    *list = calloc(fleet->n * n_sets + 1, sizeof **list);
    double *inputs = calloc(n_sets + 1, sizeof *inputs);
    if (!*list || !inputs) {
        free(inputs);
        return dsr_error_nomem(err);
    }
    int rc = dsr_yardstick_open(&tokenizer, &ctx->settings, model, NULL, err);
    if (rc && rc != DSR_ENOTFOUND) {
        free(inputs);
        return rc;
    }
    /* without a store there is no history */
    if (dsr_results_open(&store, ctx->registry, &ctx->settings, NULL, DSR_STORE_READ, &closing))
        memset(&store, 0, sizeof store);
    rc = err->code = 0;
    for (size_t set = 0; set < n_sets; set++)
        inputs[set] = dsr_questions_input(&sets[set], tokenizer, &longest);
    for (size_t lane = 0; lane < fleet->n; lane++)
        for (size_t set = 0; set < n_sets && !rc; set++)
            rc = estimate_one(ctx, &store, model, fleet->services[lane], &sets[set], inputs[set],
                              o->repeat, &(*list)[(*n)++], err);
    free(inputs);
    dsr_store_close(&store, &closing);
    dsr_tokenizer_close(tokenizer);
    return rc;
}

int dsr_eval_estimate(struct dsr_ctx *ctx, const struct dsr_eval_options *o,
                      struct dsr_estimate **list, size_t *n, struct dsr_error *err)
{
    struct dsr_fleet fleet = {0};
    struct dsr_questions *sets = NULL;
    size_t n_sets = 0;
    *list = NULL;
    *n = 0;
    const char *model = dsr_settings_model(&ctx->settings, o->model, err);
    int rc = model ? dsr_fleet_open(&fleet, &ctx->settings, ctx->registry, model, o->providers, err)
                   : err->code;
    if (!rc)
        rc = dsr_questions_select(&sets, &n_sets, ctx, model, o, err);
    if (!rc)
        rc = estimate_all(ctx, o, model, &fleet, sets, n_sets, list, n, err);
    for (size_t i = 0; i < n_sets; i++)
        dsr_questions_close(&sets[i]);
    free(sets);
    dsr_fleet_close(&fleet);
    return rc;
}

void dsr_estimates_free(struct dsr_estimate *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(list[i].provider);
        free(list[i].dataset);
    }
    free(list);
}
