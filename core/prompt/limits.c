/* How long a prompt is, and whether that is within its limits. */
#include "core/chat/tokenizer.h"

#include <dsr/promptgen.h>
#include <math.h>

int64_t dsr_estimate_tokens(const char *text, size_t len)
{
    size_t ascii = 0;
    for (size_t i = 0; i < len; i++)
        ascii += (unsigned char)text[i] < 0x80;
    return (int64_t)ceil((double)ascii / 4.0 + (double)(len - ascii) / 1.5);
}

int64_t dsr_estimate_messages(const json_t *messages, size_t n)
{
    int64_t tokens = 0;
    for (size_t i = 0; i < n; i++) {
        const json_t *text = json_object_get(json_array_get(messages, i), "content");
        tokens += 4 + dsr_estimate_tokens(json_string_value(text), json_string_length(text));
    }
    return tokens;
}

int64_t dsr_prompt_tokens(const struct dsr_prompt_limits *limits, const json_t *messages)
{
    int64_t n = limits->tokenizer ? dsr_chat_token_count(limits->tokenizer, messages) : -1;
    return n >= 0 ? n : dsr_estimate_messages(messages, json_array_size(messages));
}

static bool is_within(const struct dsr_prompt_limits *limits, int64_t tokens)
{
    return tokens >= limits->min_input_tokens &&
           (!limits->max_input_tokens || tokens <= limits->max_input_tokens);
}

int dsr_prompt_put(const struct dsr_prompt_limits *limits, const json_t *messages,
                   struct dsr_chat *chat, struct dsr_error *err)
{
    if (!is_within(limits, dsr_prompt_tokens(limits, messages)))
        return DSR_ENOTFOUND;
    for (size_t i = 0; i < json_array_size(messages); i++) {
        const json_t *message = json_array_get(messages, i);
        const json_t *text = json_object_get(message, "content");
        if (dsr_chat_add(chat, dsr_json_string(message, "role", "user"), json_string_value(text),
                         json_string_length(text)))
            return dsr_error_nomem(err);
    }
    return 0;
}

int dsr_prompt_put_text(const struct dsr_prompt_limits *limits, const char *text,
                        struct dsr_chat *chat, struct dsr_error *err)
{
    DSR_AUTO(json)
    json_t *messages =
        json_pack("[{s:s, s:o}]", "role", "user", "content", dsr_json_text(text, strlen(text)));
    return messages ? dsr_prompt_put(limits, messages, chat, err) : dsr_error_nomem(err);
}
