/* ShareGPT conversations as prompts: JSON lines or one JSON array of {"conversations":
 * [{"from", "value"}...]} (also "items", "messages" with "role", "content"). With "rounds":
 * "single" the first human message is asked; with "multi" a conversation up to a later human
 * message, its earlier turns as context. */
#include <dsr/promptgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRIES 200

struct generator {
    json_t *list; /* arrays of {"role", "content"} that begin with user turns */
    bool multi;
};

static void close_generator(void *state)
{
    struct generator *g = state;
    json_decref(g->list);
    free(g);
}

static const char *role_of(const char *from)
{
    static const char *const roles[][2] = {{"human", "user"},          {"user", "user"},
                                           {"gpt", "assistant"},       {"chatgpt", "assistant"},
                                           {"bing", "assistant"},      {"bard", "assistant"},
                                           {"assistant", "assistant"}, {"system", "system"}};
    for (size_t i = 0; from && i < sizeof roles / sizeof roles[0]; i++)
        if (!strcmp(roles[i][0], from))
            return roles[i][1];
    return NULL;
}

static const char *either(const json_t *object, const char *a, const char *b)
{
    const char *text = json_string_value(json_object_get(object, a));
    return text ? text : json_string_value(json_object_get(object, b));
}

/* The turns of a conversation from its first human message, alternating; NULL when it has none. */
static json_t *clean(const json_t *turns)
{
    json_t *out = json_array(), *turn;
    size_t i;
    json_array_foreach((json_t *)turns, i, turn)
    {
        const char *role = role_of(either(turn, "from", "role"));
        const char *text = either(turn, "value", "content");
        if (!role || !text || !*text || !strcmp(role, "system"))
            continue;
        bool wants_user = json_array_size(out) % 2 == 0;
        if (wants_user == !strcmp(role, "user"))
            json_array_append_new(out, json_pack("{s:s, s:s}", "role", role, "content", text));
        else if (json_array_size(out))
            break;
    }
    if (json_array_size(out))
        return out;
    json_decref(out);
    return NULL;
}

static int take_object(void *arg, json_t *object, int line, struct dsr_error *err)
{
    static const char *const keys[] = {"conversations", "conversation", "items", "messages"};
    struct generator *g = arg;
    (void)line;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const json_t *turns = json_object_get(object, keys[i]);
        json_t *chat = json_is_array(turns) ? clean(turns) : NULL;
        if (!chat)
            continue;
        if (g->multi && json_array_size(chat) < 3) {
            json_decref(chat);
            return 0;
        }
        return json_array_append_new(g->list, chat)
                   ? dsr_error_set(err, DSR_ENOMEM, "out of memory")
                   : 0;
    }
    return 0;
}

static void *open_generator(const json_t *config, const char *path, const struct dsr_host *host,
                            struct dsr_error *err)
{
    (void)host;
    const char *rounds =
        json_string_value(json_object_get(json_object_get(config, "options"), "rounds"));
    if (!path || (rounds && strcmp(rounds, "single") && strcmp(rounds, "multi"))) {
        dsr_error_at(err, DSR_ECONFIG, path ? "/options/rounds" : "",
                     path ? "\"rounds\" is single or multi" : "the entry names no file");
        return NULL;
    }
    struct generator *g = calloc(1, sizeof *g);
    int rc = g && (g->list = json_array()) ? 0 : dsr_error_set(err, DSR_ENOMEM, "out of memory");
    if (!rc) {
        g->multi = rounds && !strcmp(rounds, "multi");
        rc = dsr_jsonl_read(path, take_object, g, err);
    }
    if (!rc && !json_array_size(g->list))
        rc = dsr_error_set(err, DSR_ECONFIG, "%s holds no conversation of %s", path,
                           g->multi ? "more than one round" : "a human");
    if (!rc)
        return g;
    if (g)
        close_generator(g);
    return NULL;
}

static int add_turns(const json_t *turns, size_t n, int64_t output_tokens, struct dsr_chat *chat)
{
    char intro[96] = "";
    int rc = 0;
    if (output_tokens)
        snprintf(intro, sizeof intro,
                 "Answer the following question in %lld tokens: ", (long long)output_tokens);
    for (size_t i = 0; i < n && !rc; i++) {
        const json_t *turn = json_array_get(turns, i);
        const char *text = json_string_value(json_object_get(turn, "content"));
        char *asked = NULL;
        if (asprintf(&asked, "%s%s", i + 1 == n ? intro : "", text) < 0)
            return DSR_ENOMEM;
        rc = dsr_chat_add(chat, json_string_value(json_object_get(turn, "role")), asked,
                          strlen(asked));
        free(asked);
    }
    return rc;
}

static int generate(void *state, const struct dsr_prompt_limits *limits, struct dsr_rng *rng,
                    struct dsr_chat *chat, struct dsr_error *err)
{
    const struct generator *g = state;
    for (int try = 0; try < TRIES; try++) {
        const json_t *turns =
            json_array_get(g->list, (size_t)dsr_rng_below(rng, json_array_size(g->list)));
        size_t users = (json_array_size(turns) + 1) / 2, n = 1;
        if (g->multi)
            n = 2 * (size_t)(1 + dsr_rng_below(rng, users - 1)) + 1;
        if (!dsr_prompt_fits(limits, dsr_estimate_messages(turns, n)))
            continue;
        int rc = add_turns(turns, n, limits->output_tokens, chat);
        return rc ? dsr_error_set(err, rc, "out of memory") : 0;
    }
    return dsr_error_set(err, DSR_ENOTFOUND, "no conversation fits the limits of input tokens");
}

static const struct dsr_promptgen_ops ops = {
    .size = sizeof ops, .open = open_generator, .generate = generate, .close = close_generator};

const struct dsr_plugin dsr_plugin = {
    .abi = DSR_ABI,
    .size = sizeof dsr_plugin,
    .kind = DSR_KIND_PROMPTGEN,
    .name = "sharegpt",
    .version = "1.0",
    .summary = "conversations of ShareGPT, single or multi round",
    .licence = "Apache-2.0",
    .ops = &ops,
};
