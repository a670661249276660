/* Prompts of the user's own: JSON lines {"messages": [{"role", "content"}...]}, or {"prompt":
 * "text"} for a single turn; "max_tokens" bounds the answer to that prompt. */
#include <dsr/promptgen.h>
#include <stdlib.h>
#include <string.h>

static void close_generator(void *state)
{
    dsr_corpus_close(state);
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
    json_array_foreach(messages, i, message)
    {
        if (!is_message(message))
            return "a message needs \"role\" (system, user, assistant) and \"content\" as a text";
    }
    return NULL;
}

/* A new reference to the messages of a record. */
static json_t *messages_of(const json_t *record)
{
    json_t *prompt = json_object_get(record, "prompt");
    return json_is_string(prompt) ? json_pack("[{s:s, s:O}]", "role", "user", "content", prompt)
                                  : json_incref(json_object_get(record, "messages"));
}

static int measure(const json_t *record, struct dsr_record_size *size, struct dsr_error *err)
{
    const char *wrong = flaw(record);
    if (wrong)
        return dsr_error_set(err, DSR_ECONFIG, "%s", wrong);
    json_t *messages = messages_of(record);
    size->least = (uint32_t)dsr_estimate_messages(messages, json_array_size(messages));
    size->most = size->least;
    json_decref(messages);
    return 0;
}

static void *open_generator(const json_t *config, const char *path, const struct dsr_host *host,
                            struct dsr_error *err)
{
    (void)config;
    return dsr_corpus_open(path, "file-1", measure, host, err);
}

static int take(void *arg, const json_t *record, const struct dsr_prompt_limits *limits,
                struct dsr_rng *rng, struct dsr_error *err)
{
    struct dsr_chat *chat = arg;
    json_t *messages = messages_of(record);
    const json_t *most = json_object_get(record, "max_tokens");
    int rc = dsr_prompt_put(limits, messages, chat, err);
    (void)rng;
    if (!rc && most)
        dsr_chat_set_max_tokens(chat, json_integer_value(most));
    json_decref(messages);
    return rc;
}

static int generate(void *state, const struct dsr_prompt_limits *limits, struct dsr_rng *rng,
                    struct dsr_chat *chat, struct dsr_error *err)
{
    return dsr_corpus_draw(state, limits, rng, take, chat, err);
}

static const struct dsr_promptgen_ops ops = {
    .size = sizeof ops, .open = open_generator, .generate = generate, .close = close_generator};

const struct dsr_plugin dsr_plugin = {
    .abi = DSR_ABI,
    .size = sizeof dsr_plugin,
    .kind = DSR_KIND_PROMPTGEN,
    .name = "file",
    .version = "1.1",
    .summary = "prompts of your own: JSON lines of messages",
    .licence = "Apache-2.0",
    .ops = &ops,
};
