/* ShareGPT conversations as prompts. With "rounds": "single" the first human message is asked; with
 * "multi" a conversation up to a later human message, its earlier turns as context. */
#include <dsr/promptgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct generator {
    struct dsr_corpus *corpus;
    bool multi;
};

static void close_generator(void *state)
{
    struct generator *g = state;
    dsr_corpus_close(g->corpus);
    free(g);
}

static const char *role_of(const char *from)
{
    static const char *const roles[][2] = {{"human", "user"},          {"user", "user"},
                                           {"gpt", "assistant"},       {"chatgpt", "assistant"},
                                           {"bing", "assistant"},      {"bard", "assistant"},
                                           {"assistant", "assistant"}, {"model", "assistant"}};
    for (size_t i = 0; from && i < sizeof roles / sizeof roles[0]; i++)
        if (!strcmp(roles[i][0], from))
            return roles[i][1];
    return NULL;
}

/* False when the conversation ends here: a turn out of order. Turns before the first human one are
 * passed over, and what has no text. */
static bool take_turn(json_t *out, const char *role, const json_t *text)
{
    if (!role || !json_string_length(text))
        return true;
    bool wants_user = json_array_size(out) % 2 == 0;
    if (wants_user == !strcmp(role, "user"))
        return !json_array_append_new(out, json_pack("{s:s, s:O}", "role", role, "content", text));
    return !json_array_size(out);
}

/* {"from","value"}, {"role","content"}, or both sides in one: {"human","assistant"}. A bare text is
 * the user's and the assistant's by turns. */
static bool take_any(json_t *out, const json_t *turn)
{
    const json_t *from = json_object_get(turn, "from"), *role = json_object_get(turn, "role");
    const json_t *value = json_object_get(turn, "value");
    if (json_is_string(turn))
        return take_turn(out, json_array_size(out) % 2 ? "assistant" : "user", turn);
    if (json_object_get(turn, "human"))
        return take_turn(out, "user", json_object_get(turn, "human")) &&
               take_turn(out, "assistant", json_object_get(turn, "assistant"));
    return take_turn(out, role_of(json_string_value(from ? from : role)),
                     value ? value : json_object_get(turn, "content"));
}

/* The turns of a conversation from its first human message, alternating; NULL when it has none. */
static json_t *turns_of(const json_t *record)
{
    static const char *const keys[] = {"conversations", "conversation", "items", "messages",
                                       "data"};
    for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++) {
        const json_t *list = json_object_get(record, keys[k]);
        json_t *out = json_is_array(list) ? json_array() : NULL;
        for (size_t i = 0; out && i < json_array_size(list); i++)
            if (!take_any(out, json_array_get(list, i)))
                break;
        if (json_array_size(out))
            return out;
        json_decref(out);
    }
    return NULL;
}

static int measure(const json_t *record, struct dsr_record_size *size, size_t least)
{
    json_t *turns = turns_of(record);
    size_t n = json_array_size(turns);
    if (n >= least) {
        size->least = (uint32_t)dsr_estimate_messages(turns, least);
        size->most = least == 1 ? size->least : (uint32_t)dsr_estimate_messages(turns, n);
    }
    json_decref(turns);
    return n >= least ? 0 : DSR_ENOTFOUND;
}

static int measure_single(const json_t *record, struct dsr_record_size *size, struct dsr_error *err)
{
    (void)err;
    return measure(record, size, 1);
}

static int measure_multi(const json_t *record, struct dsr_record_size *size, struct dsr_error *err)
{
    (void)err;
    return measure(record, size, 3);
}

static void *open_generator(const json_t *config, const char *path, const struct dsr_host *host,
                            struct dsr_error *err)
{
    const char *rounds =
        json_string_value(json_object_get(json_object_get(config, "options"), "rounds"));
    if (rounds && strcmp(rounds, "single") && strcmp(rounds, "multi")) {
        dsr_error_at(err, DSR_ECONFIG, "/options/rounds", "\"rounds\" is single or multi");
        return NULL;
    }
    struct generator *g = calloc(1, sizeof *g);
    if (!g) {
        dsr_error_set(err, DSR_ENOMEM, "out of memory");
        return NULL;
    }
    g->multi = rounds && !strcmp(rounds, "multi");
    g->corpus = g->multi ? dsr_corpus_open(path, "sharegpt-multi-1", measure_multi, host, err)
                         : dsr_corpus_open(path, "sharegpt-single-1", measure_single, host, err);
    if (g->corpus)
        return g;
    close_generator(g);
    return NULL;
}

/* The wish for a length stands before the last question. */
static int wish(json_t *turns, int64_t output_tokens)
{
    json_t *last = json_array_get(turns, json_array_size(turns) - 1);
    const json_t *text = json_object_get(last, "content");
    size_t n = json_string_length(text);
    char *both = malloc(n + 96);
    if (!both)
        return DSR_ENOMEM;
    int intro =
        sprintf(both, "Answer the following question in %lld tokens: ", (long long)output_tokens);
    memcpy(both + intro, json_string_value(text), n);
    int rc = json_object_set_new(last, "content", json_stringn(both, (size_t)intro + n));
    free(both);
    return rc ? DSR_ENOMEM : 0;
}

struct drawing {
    const struct generator *generator;
    struct dsr_chat *chat;
};

static int take(void *arg, const json_t *record, const struct dsr_prompt_limits *limits,
                struct dsr_rng *rng, struct dsr_error *err)
{
    const struct drawing *d = arg;
    json_t *turns = turns_of(record);
    size_t users = (json_array_size(turns) + 1) / 2, n = 1;
    if (d->generator->multi)
        n = 2 * (size_t)(1 + dsr_rng_below(rng, users - 1)) + 1;
    while (json_array_size(turns) > n)
        json_array_remove(turns, n);
    int rc = limits->output_tokens && wish(turns, limits->output_tokens)
                 ? dsr_error_set(err, DSR_ENOMEM, "out of memory")
                 : dsr_prompt_put(limits, turns, d->chat, err);
    json_decref(turns);
    return rc;
}

static int generate(void *state, const struct dsr_prompt_limits *limits, struct dsr_rng *rng,
                    struct dsr_chat *chat, struct dsr_error *err)
{
    const struct generator *g = state;
    struct drawing drawing = {g, chat};
    return dsr_corpus_draw(g->corpus, limits, rng, take, &drawing, err);
}

static const struct dsr_promptgen_ops ops = {
    .size = sizeof ops, .open = open_generator, .generate = generate, .close = close_generator};

const struct dsr_plugin dsr_plugin = {
    .abi = DSR_ABI,
    .size = sizeof dsr_plugin,
    .kind = DSR_KIND_PROMPTGEN,
    .name = "sharegpt",
    .version = "1.1",
    .summary = "conversations of ShareGPT, single or multi round",
    .licence = "Apache-2.0",
    .ops = &ops,
};
