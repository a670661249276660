/* Prompt sets opened by their generators, and the prompts made of them. */
#include "core/run/prompts.h"

int dsr_prompt_bounds_parse(const char *text, struct dsr_prompt_bounds *bounds)
{
    char *end;
    int64_t min = strtoll(text, &end, 10), max = min;
    if (end == text)
        return DSR_EINVAL;
    if (*end == ':') {
        const char *second = end + 1;
        max = strtoll(second, &end, 10);
        if (end == second)
            return DSR_EINVAL;
    }
    if (*end || min < 1 || max < min || max > 100000000)
        return DSR_EINVAL;
    bounds->min_input = min;
    bounds->max_input = max;
    return 0;
}

/* What the core reads of the options of an entry; the rest is the generator's. */
static int read_options(struct dsr_prompt_set *set, const json_t *options, struct dsr_error *err)
{
    const char *input = dsr_json_string(options, "input_tokens", NULL);
    set->bounds.output = dsr_json_int(options, "output_tokens", 0);
    set->fresh = !json_is_false(json_object_get(options, "fresh"));
    if (input && dsr_prompt_bounds_parse(input, &set->bounds))
        return dsr_error_at(err, DSR_ECONFIG, "/options/input_tokens",
                            "must be a number of tokens or a range such as \"100:2000\"");
    return 0;
}

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
    if (!read_options(set, json_object_get(entry, "options"), err))
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

/* Random words, with no entry of datasets.json. */
static int open_words(struct dsr_prompt_set *set, struct dsr_ctx *ctx, struct dsr_error *err)
{
    set->name = strdup("synthetic");
    set->fresh = set->exact = true;
    set->ops = dsr_registry_ops(ctx->registry, DSR_KIND_PROMPTGEN, "synthetic", err);
    if (!set->name || !set->ops)
        return set->name ? err->code : dsr_error_nomem(err);
    DSR_AUTO(json) json_t *entry = json_object();
    set->state = set->ops->open(entry, NULL, ctx->host, err);
    return set->state ? 0 : err->code;
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

/* Names; without a list one null, which stands for random words. */
static json_t *select_sets(const struct dsr_settings *settings, const char *list,
                           struct dsr_error *err)
{
    return list ? dsr_datasets_select(settings, list, "promptgen", err) : json_pack("[n]");
}

int dsr_prompts_open(struct dsr_prompts *prompts, const struct dsr_session *session,
                     const char *list, uint64_t seed, struct dsr_error *err)
{
    struct dsr_ctx *ctx = session->ctx;
    const char *model = session->model;
    memset(prompts, 0, sizeof *prompts);
    prompts->seed = seed;
    prompts->tokenizer = session->tokenizer;
    prompts->model = dsr_settings_model_json(&ctx->settings, model);
    int64_t context = smallest_context(&ctx->settings, model);
    int64_t output = dsr_json_int(prompts->model, "max_tokens", 0);
    prompts->context = context > 2 * output ? context - output : context / 2;
    DSR_AUTO(json) json_t *names = select_sets(&ctx->settings, list, err);
    if (!names)
        return err->code;
    prompts->sets = calloc(json_array_size(names), sizeof *prompts->sets);
    if (!prompts->sets)
        return dsr_error_nomem(err);
    int rc = 0;
    for (size_t i = 0; i < json_array_size(names) && !rc; i++) {
        const char *name = json_string_value(json_array_get(names, i));
        prompts->n_sets++;
        rc = name ? open_set(&prompts->sets[i], ctx, name, err)
                  : open_words(&prompts->sets[i], ctx, err);
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

/* Wishes of the command line win over those of the set, and what was recorded wins over both.
 * Prompts of a set seldom have a length exactly: a tenth more or less will do. */
static struct dsr_prompt_bounds bounds_of(const struct dsr_prompts *p,
                                          const struct dsr_prompt_set *set, size_t i)
{
    struct dsr_prompt_bounds b = p->bounds.max_input ? p->bounds : set->bounds;
    b.output = p->bounds.output ? p->bounds.output : set->bounds.output;
    const struct dsr_trace_entry *e = p->trace && i < p->trace->n ? &p->trace->list[i] : NULL;
    if (e && e->input) {
        int64_t slack = set->exact ? 0 : e->input / 10;
        b.min_input = e->input - slack;
        b.max_input = e->input + slack;
    }
    if (e && e->output)
        b.output = e->output;
    if (!b.max_input)
        b.max_input = p->context;
    return b;
}

static int fill(struct dsr_prompts *p, struct dsr_prompt_set *set, size_t i, struct dsr_chat *chat,
                struct dsr_error *err)
{
    struct dsr_rng rng;
    char now[DSR_TIME_SIZE], before[96] = "";
    dsr_rng_init(&rng, p->seed, i);
    dsr_time_format(dsr_clock_wall_us(), now);
    if (set->fresh)
        snprintf(before, sizeof before, "Current time is %s (%zu).\n", now, i);
    int64_t n = p->tokenizer ? dsr_token_count(p->tokenizer, before, strlen(before))
                             : dsr_estimate_tokens(before, strlen(before));
    struct dsr_prompt_bounds b = bounds_of(p, set, i);
    struct dsr_prompt_limits limits = {
        .size = sizeof limits,
        .min_input_tokens = b.min_input > n ? b.min_input - n : 0,
        .max_input_tokens = b.max_input > n ? b.max_input - n : b.max_input > 0,
        .output_tokens = b.output,
        .tokenizer = p->tokenizer,
    };
    const json_t *own = p->trace && i < p->trace->n ? p->trace->list[i].messages : NULL;
    int rc = own ? dsr_prompt_put(&(struct dsr_prompt_limits){0}, own, chat, err)
                 : set->ops->generate(set->state, &limits, &rng, chat, err);
    if (rc == DSR_ENOTFOUND) { /* told in the user's own numbers */
        err->code = DSR_ECONFIG;
        dsr_error_wrap(err, "%lld to %lld input tokens", (long long)b.min_input,
                       (long long)b.max_input);
    }
    if (!rc && dsr_chat_prepend(chat, before))
        rc = dsr_error_set(err, DSR_EINVAL, "the generator made a prompt without a message");
    if (!rc && (p->bounds.output || p->trace) && b.output)
        dsr_chat_set_max_tokens(chat, b.output);
    return rc;
}

static struct dsr_chat *make_prompt(struct dsr_prompts *p, size_t i, struct dsr_error *err)
{
    struct dsr_prompt_set *set = &p->sets[i % p->n_sets];
    struct dsr_chat *chat = dsr_chat_new(p->model);
    if (!chat) {
        dsr_error_nomem(err);
        return NULL;
    }
    if (!fill(p, set, i, chat, err))
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
        p->tokens[p->n_chats] =
            p->tokenizer ? dsr_chat_token_count(p->tokenizer, chat->messages) : -1;
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
