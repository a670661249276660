/* Prompt sets opened by their generators, and the prompts made of them. */
#include "core/run/prompts.h"

static int open_set(struct dsr_prompt_set *set, struct dsr_ctx *ctx, const char *name,
                    struct dsr_error *err)
{
    const json_t *entry;
    DSR_AUTO(str) char *path = NULL;
    int rc = dsr_dataset_find(&ctx->settings, name, &entry, &path, err);
    if (rc)
        return rc;
    set->name = strdup(name);
    set->ops = dsr_registry_ops(ctx->registry, DSR_KIND_PROMPTGEN,
                                dsr_json_string(entry, "promptgen", ""), err);
    if (!set->name || !set->ops)
        return set->name ? err->code : dsr_error_nomem(err);
    set->output_tokens = dsr_json_int(json_object_get(entry, "options"), "output_tokens", 0);
    set->state = set->ops->open(entry, path, ctx->host, err);
    if (set->state)
        return 0;
    if (err->pointer[0] && !err->file[0]) {
        char place[sizeof err->pointer];
        snprintf(place, sizeof place, "/%.60s%.190s", name, err->pointer);
        memcpy(err->pointer, place, sizeof place);
        dsr_doc_locate(&ctx->settings.datasets, err);
    }
    return err->code;
}

/* The smallest context of the model's services, so that one prompt suits all. */
static int64_t smallest_context(const struct dsr_settings *settings, const char *model)
{
    const char *code;
    json_t *entry;
    int64_t smallest = 0;
    json_object_foreach(json_object_get(settings->services.root, model), code, entry)
    {
        int64_t context = dsr_count_value(json_object_get(entry, "max_context"));
        if (context > 0 && (!smallest || context < smallest))
            smallest = context;
    }
    return smallest;
}

int dsr_prompts_open(struct dsr_prompts *prompts, struct dsr_ctx *ctx, const char *model,
                     const char *list, uint64_t seed, struct dsr_error *err)
{
    memset(prompts, 0, sizeof *prompts);
    prompts->seed = seed;
    prompts->model = dsr_settings_model_json(&ctx->settings, model);
    int64_t context = smallest_context(&ctx->settings, model);
    int64_t output = dsr_json_int(prompts->model, "max_tokens", 0);
    prompts->max_input_tokens = context > 2 * output ? context - output : context / 2;
    DSR_AUTO(json) json_t *names = dsr_datasets_select(&ctx->settings, list, "promptgen", err);
    if (!names)
        return err->code;
    prompts->sets = calloc(json_array_size(names), sizeof *prompts->sets);
    if (!prompts->sets)
        return dsr_error_nomem(err);
    int rc = 0;
    for (size_t i = 0; i < json_array_size(names) && !rc; i++) {
        prompts->n_sets++;
        rc = open_set(&prompts->sets[i], ctx, json_string_value(json_array_get(names, i)), err);
    }
    if (rc)
        dsr_prompts_close(prompts);
    return rc;
}

void dsr_prompts_close(struct dsr_prompts *prompts)
{
    for (size_t i = 0; i < prompts->n_sets; i++) {
        if (prompts->sets[i].state)
            prompts->sets[i].ops->close(prompts->sets[i].state);
        free(prompts->sets[i].name);
    }
    for (size_t i = 0; i < prompts->n_chats; i++)
        dsr_chat_free(prompts->chats[i]);
    free(prompts->sets);
    free(prompts->chats);
    free(prompts->tokens);
    memset(prompts, 0, sizeof *prompts);
}

static struct dsr_chat *make_prompt(struct dsr_prompts *p, size_t i, struct dsr_error *err)
{
    struct dsr_prompt_set *set = &p->sets[i % p->n_sets];
    struct dsr_chat *chat = dsr_chat_new(p->model);
    struct dsr_prompt_limits limits = {.size = sizeof limits,
                                       .max_input_tokens = p->max_input_tokens,
                                       .output_tokens = set->output_tokens};
    struct dsr_rng rng;
    char now[DSR_TIME_SIZE], text[96];
    if (!chat) {
        dsr_error_nomem(err);
        return NULL;
    }
    dsr_rng_init(&rng, p->seed, i);
    int rc = set->ops->generate(set->state, &limits, &rng, chat, err);
    dsr_time_format(dsr_clock_wall_us(), now);
    snprintf(text, sizeof text, "Current time is %s (%zu).\n", now, i);
    if (!rc && dsr_chat_prepend(chat, text))
        rc = dsr_error_set(err, DSR_EINVAL, "the generator made a prompt without a message");
    if (!rc)
        return chat;
    dsr_error_wrap(err, "prompts %s", set->name);
    dsr_chat_free(chat);
    return NULL;
}

/* Room for one prompt more, doubled when it is full. */
static int grow(struct dsr_prompts *p)
{
    size_t n = p->n_chats;
    if (n & (n - 1))
        return 0;
    struct dsr_chat **chats = realloc(p->chats, (n ? 2 * n : 1) * sizeof *chats);
    if (!chats)
        return DSR_ENOMEM;
    p->chats = chats;
    int64_t *tokens = realloc(p->tokens, (n ? 2 * n : 1) * sizeof *tokens);
    if (!tokens)
        return DSR_ENOMEM;
    p->tokens = tokens;
    return 0;
}

static int64_t count_tokens(const struct dsr_prompts *p, const struct dsr_chat *chat)
{
    struct dsr_ids ids = {0};
    int64_t n = -1;
    if (p->tokenizer && !dsr_tokenize_chat(p->tokenizer, chat->messages, true, &ids))
        n = (int64_t)ids.n;
    dsr_ids_clear(&ids);
    return n;
}

const struct dsr_chat *dsr_prompts_get(struct dsr_prompts *p, size_t i, struct dsr_error *err)
{
    while (p->n_chats <= i) {
        struct dsr_chat *chat = make_prompt(p, p->n_chats, err);
        if (!chat)
            return NULL;
        if (grow(p)) {
            dsr_chat_free(chat);
            dsr_error_nomem(err);
            return NULL;
        }
        p->tokens[p->n_chats] = count_tokens(p, chat);
        p->chats[p->n_chats++] = chat;
    }
    return p->chats[i];
}

int64_t dsr_prompts_tokens(const struct dsr_prompts *p, size_t i)
{
    return i < p->n_chats ? p->tokens[i] : -1;
}

const char *dsr_prompts_type(const struct dsr_prompts *p, size_t i)
{
    return p->sets[i % p->n_sets].name;
}
