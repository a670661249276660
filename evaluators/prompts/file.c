/* Prompts of the user's own: JSON lines {"messages": [{"role", "content"}...]}, or {"prompt":
 * "text"} for a single turn; "max_tokens" bounds the answer to that prompt. Any line may be drawn.
 */
#include <dsr/promptgen.h>
#include <stdlib.h>
#include <string.h>

#define TRIES 200

struct generator {
    json_t *list; /* objects with "messages" */
};

static void close_generator(void *state)
{
    struct generator *g = state;
    json_decref(g->list);
    free(g);
}

static bool is_message(const json_t *message)
{
    const char *role = json_string_value(json_object_get(message, "role"));
    return role && json_is_string(json_object_get(message, "content")) &&
           (!strcmp(role, "system") || !strcmp(role, "user") || !strcmp(role, "assistant"));
}

static const char *flaw(const json_t *object)
{
    const json_t *messages = json_object_get(object, "messages");
    const json_t *most = json_object_get(object, "max_tokens");
    size_t i;
    json_t *message;
    if (most && (!json_is_integer(most) || json_integer_value(most) < 1))
        return "\"max_tokens\" must be a number above 0";
    if (json_is_string(json_object_get(object, "prompt")))
        return NULL;
    if (!json_is_array(messages) || !json_array_size(messages))
        return "expected \"messages\", or \"prompt\" as a text";
    json_array_foreach((json_t *)messages, i, message)
    {
        if (!is_message(message))
            return "a message needs \"role\" (system, user, assistant) and \"content\" as a text";
    }
    return NULL;
}

static int take_object(void *arg, json_t *object, int line, struct dsr_error *err)
{
    struct generator *g = arg;
    const char *wrong = flaw(object);
    const json_t *prompt = json_object_get(object, "prompt");
    (void)line;
    if (wrong)
        return dsr_error_set(err, DSR_ECONFIG, "%s", wrong);
    json_t *entry = json_copy(object);
    if (json_is_string(prompt))
        json_object_set_new(entry, "messages",
                            json_pack("[{s:s, s:O}]", "role", "user", "content", prompt));
    return json_array_append_new(g->list, entry) ? dsr_error_set(err, DSR_ENOMEM, "out of memory")
                                                 : 0;
}

static void *open_generator(const json_t *config, const char *path, const struct dsr_host *host,
                            struct dsr_error *err)
{
    (void)config;
    (void)host;
    struct generator *g = path ? calloc(1, sizeof *g) : NULL;
    if (!g || !(g->list = json_array())) {
        free(g);
        dsr_error_set(err, path ? DSR_ENOMEM : DSR_ECONFIG, "the entry names no file");
        return NULL;
    }
    int rc = dsr_jsonl_read(path, take_object, g, err);
    if (!rc && !json_array_size(g->list))
        rc = dsr_error_set(err, DSR_ECONFIG, "%s holds no prompt", path);
    if (!rc)
        return g;
    close_generator(g);
    return NULL;
}

static int generate(void *state, const struct dsr_prompt_limits *limits, struct dsr_rng *rng,
                    struct dsr_chat *chat, struct dsr_error *err)
{
    const struct generator *g = state;
    size_t n = json_array_size(g->list), i;
    json_t *message;
    for (int try = 0; try < TRIES; try++) {
        const json_t *entry = json_array_get(g->list, (size_t)dsr_rng_below(rng, n));
        const json_t *messages = json_object_get(entry, "messages");
        const json_t *most = json_object_get(entry, "max_tokens");
        int rc = 0;
        if (!dsr_prompt_fits(limits, dsr_estimate_messages(messages, json_array_size(messages))))
            continue;
        json_array_foreach((json_t *)messages, i, message)
        {
            const json_t *text = json_object_get(message, "content");
            rc = rc ? rc
                    : dsr_chat_add(chat, json_string_value(json_object_get(message, "role")),
                                   json_string_value(text), json_string_length(text));
        }
        if (most)
            dsr_chat_set_max_tokens(chat, json_integer_value(most));
        return rc ? dsr_error_set(err, rc, "out of memory") : 0;
    }
    return dsr_error_set(err, DSR_ENOTFOUND, "no prompt fits the limits of input tokens");
}

static const struct dsr_promptgen_ops ops = {
    .size = sizeof ops, .open = open_generator, .generate = generate, .close = close_generator};

const struct dsr_plugin dsr_plugin = {
    .abi = DSR_ABI,
    .size = sizeof dsr_plugin,
    .kind = DSR_KIND_PROMPTGEN,
    .name = "file",
    .version = "1.0",
    .summary = "prompts of your own: JSON lines of messages",
    .licence = "Apache-2.0",
    .ops = &ops,
};
