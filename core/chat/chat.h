/* What is asked: messages, sampling and limits, before any provider's dialect. */
#ifndef DSR_CHAT_H
#define DSR_CHAT_H

#include "core/base/base.h"

struct dsr_chat {
    json_t *messages;
    int64_t max_tokens;
    double temperature, top_p; /* NaN: not sent */
    bool stream;
};

/* Sampling defaults of a models.json entry (NULL: none). */
struct dsr_chat *dsr_chat_new(const json_t *model);
struct dsr_chat *dsr_chat_copy(const struct dsr_chat *chat);
void dsr_chat_free(struct dsr_chat *chat);

#endif
