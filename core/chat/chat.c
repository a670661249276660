/* Chats: messages and limits. */
#include "core/chat/chat.h"

struct dsr_chat *dsr_chat_new(const json_t *model)
{
    struct dsr_chat *chat = calloc(1, sizeof *chat);
    if (!chat || !(chat->messages = json_array())) {
        free(chat);
        return NULL;
    }
    chat->temperature = dsr_json_number(model, "temperature");
    chat->top_p = dsr_json_number(model, "top_p");
    chat->max_tokens = dsr_json_int(model, "max_tokens", 0);
    chat->stream = true;
    return chat;
}

struct dsr_chat *dsr_chat_copy(const struct dsr_chat *chat)
{
    struct dsr_chat *copy = malloc(sizeof *copy);
    if (!copy)
        return NULL;
    *copy = *chat;
    json_incref(copy->messages);
    return copy;
}

void dsr_chat_free(struct dsr_chat *chat)
{
    if (!chat)
        return;
    json_decref(chat->messages);
    free(chat);
}

int dsr_chat_add(struct dsr_chat *chat, const char *role, const char *text, size_t len)
{
    json_t *message = json_pack("{s:s, s:o}", "role", role, "content", dsr_json_text(text, len));
    return !message || json_array_append_new(chat->messages, message) ? DSR_ENOMEM : 0;
}

int dsr_chat_prepend(struct dsr_chat *chat, const char *text)
{
    json_t *first = json_array_get(chat->messages, 0);
    const char *old = dsr_json_string(first, "content", NULL);
    if (!old)
        return DSR_EINVAL;
    DSR_AUTO(str) char *both = dsr_format("%s%s", text, old);
    if (!both)
        return DSR_ENOMEM;
    return json_object_set_new(first, "content", json_string(both)) ? DSR_ENOMEM : 0;
}

void dsr_chat_set_max_tokens(struct dsr_chat *chat, int64_t max_tokens)
{
    chat->max_tokens = max_tokens;
}

const json_t *dsr_chat_messages(const struct dsr_chat *chat)
{
    return chat->messages;
}

int64_t dsr_chat_max_tokens(const struct dsr_chat *chat)
{
    return chat->max_tokens;
}

double dsr_chat_temperature(const struct dsr_chat *chat)
{
    return chat->temperature;
}

double dsr_chat_top_p(const struct dsr_chat *chat)
{
    return chat->top_p;
}

bool dsr_chat_stream(const struct dsr_chat *chat)
{
    return chat->stream;
}
