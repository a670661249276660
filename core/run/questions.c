/* Choosing the questions. */
#include "core/run/questions.h"

#include <math.h>

/* limit of count indices, in rising order: the same for every provider and every run of a seed. */
static size_t *choose(size_t count, size_t limit, uint64_t seed)
{
    size_t *chosen = malloc((limit + 1) * sizeof *chosen), taken = 0;
    struct dsr_rng rng;
    dsr_rng_init(&rng, seed, 0x6974656d);
    /* selection sampling (Knuth, TAOCP 3.4.2, algorithm S) */
    for (size_t i = 0; chosen && i < count && taken < limit; i++)
        if (dsr_rng_below(&rng, count - i) < limit - taken)
            chosen[taken++] = i;
    return chosen;
}

static struct dsr_chat *make_chat(const json_t *messages, const json_t *model)
{
    struct dsr_chat *chat = dsr_chat_new(model);
    size_t i;
    json_t *message;
    json_array_foreach((json_t *)messages, i, message)
    {
        const json_t *text = json_object_get(message, "content");
        if (chat && dsr_chat_add(chat, dsr_json_string(message, "role", "user"),
                                 json_string_value(text), json_string_length(text))) {
            dsr_chat_free(chat);
            chat = NULL;
        }
    }
    return chat;
}

/* Ids name questions in records: two of one name could not be told apart. */
static int check_ids(const struct dsr_questions *q, struct dsr_error *err)
{
    DSR_AUTO(json) json_t *seen = json_object();
    for (size_t i = 0; i < q->n; i++) {
        const char *id = q->list[i].item.id;
        if (json_object_get(seen, id))
            return dsr_error_set(err, DSR_ECONFIG, "two questions have the id \"%s\"", id);
        if (json_object_set_new(seen, id, json_true()))
            return dsr_error_set(err, DSR_ECONFIG, "the id \"%s\" is no UTF-8", id);
    }
    return 0;
}

static int take_items(struct dsr_questions *q, void *state, const json_t *model,
                      const struct dsr_eval_options *options, struct dsr_error *err)
{
    size_t count = q->ops->count(state);
    size_t limit =
        options->limit > 0 && (size_t)options->limit < count ? (size_t)options->limit : count;
    size_t *chosen = choose(count, limit, options->seed);
    q->list = calloc(limit + 1, sizeof *q->list);
    int rc = chosen && q->list ? 0 : dsr_error_nomem(err);
    for (size_t i = 0; i < limit && !rc; i++) {
        if (options->shards > 1 && (int)(i % (size_t)options->shards) != options->shard)
            continue;
        struct dsr_question *question = &q->list[q->n];
        rc = q->ops->item(state, chosen[i], &question->item, err);
        if (rc)
            break;
        q->n++;
        question->chat = make_chat(question->item.messages, model);
        if (!question->chat)
            rc = dsr_error_nomem(err);
    }
    free(chosen);
    return rc ? rc : check_ids(q, err);
}

/* The entry with --shots and --grader put into its options; NULL when out of memory. */
static json_t *entry_with(const json_t *entry, const struct dsr_eval_options *asked)
{
    json_t *own = json_copy((json_t *)entry), *given = json_object_get(entry, "options");
    json_t *options = json_is_object(given) ? json_copy(given) : json_object();
    if (asked->shots >= 0)
        json_object_set_new(options, "shots", json_integer(asked->shots));
    json_object_set_new(options, "grader", json_string(asked->grader));
    if (json_object_set_new(own, "options", options)) {
        json_decref(own);
        return NULL;
    }
    return own;
}

static int open_set(struct dsr_questions *q, struct dsr_ctx *ctx, const char *dataset,
                    const char *model, const struct dsr_eval_options *options,
                    struct dsr_error *err)
{
    const json_t *found;
    DSR_AUTO(str) char *path = NULL;
    int rc = dsr_dataset_find(&ctx->settings, dataset, &found, &path, err);
    if (rc)
        return rc;
    DSR_AUTO(json) json_t *entry = entry_with(found, options);
    q->dataset = strdup(dataset);
    q->metric = strdup(dsr_json_string(found, "metric", dataset));
    if (!entry || !q->dataset || !q->metric)
        return dsr_error_nomem(err);
    q->ops = dsr_registry_ops(ctx->registry, DSR_KIND_EVALUATOR,
                              dsr_json_string(entry, "evaluator", ""), err);
    if (!q->ops)
        return err->code;
    void *state = q->ops->open(entry, path, ctx->host, err);
    if (!state)
        return dsr_error_wrap(err, "dataset %s", dataset);
    rc = take_items(q, state, dsr_settings_model_json(&ctx->settings, model), options, err);
    q->ops->close(state);
    return rc ? dsr_error_wrap(err, "dataset %s", dataset) : 0;
}

int dsr_questions_select(struct dsr_questions **sets, size_t *n, struct dsr_ctx *ctx,
                         const char *model, const struct dsr_eval_options *options,
                         struct dsr_error *err)
{
    *n = 0;
    DSR_AUTO(json)
    json_t *names = dsr_datasets_select(&ctx->settings, options->datasets, "evaluator", err);
    if (!names)
        return err->code;
    *sets = calloc(json_array_size(names) + 1, sizeof **sets);
    if (!*sets)
        return dsr_error_nomem(err);
    int rc = 0;
    while (*n < json_array_size(names) && !rc) {
        const char *name = json_string_value(json_array_get(names, *n));
        rc = open_set(&(*sets)[(*n)++], ctx, name, model, options, err);
    }
    return rc;
}

double dsr_questions_input(const struct dsr_questions *q, const struct dsr_tokenizer *tokenizer,
                           double *longest)
{
    double input = 0;
    for (size_t i = 0; i < q->n; i++) {
        const struct dsr_chat *chat = q->list[i].chat;
        double tokens = (double)(tokenizer ? dsr_chat_token_count(tokenizer, chat->messages)
                                           : dsr_chat_estimate(chat));
        input += tokens;
        *longest = fmax(*longest, tokens);
    }
    return input;
}

void dsr_questions_close(struct dsr_questions *q)
{
    for (size_t i = 0; i < q->n; i++) {
        dsr_item_clear(&q->list[i].item);
        dsr_chat_free(q->list[i].chat);
    }
    free(q->list);
    free(q->dataset);
    free(q->metric);
    memset(q, 0, sizeof *q);
}
