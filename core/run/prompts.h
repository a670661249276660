/* The prompts of a performance run: the same for every provider, numbered from 0. */
#ifndef DSR_PROMPTS_H
#define DSR_PROMPTS_H

#include "core/run/session.h"

#include <dsr/promptgen.h>

struct dsr_prompt_set {
    char *name;
    const struct dsr_promptgen_ops *ops;
    void *state;
    int64_t output_tokens; /* of the entry's options; 0: the model's own limit */
};

struct dsr_prompts {
    struct dsr_prompt_set *sets;
    size_t n_sets;
    const json_t *model;
    int64_t max_input_tokens;
    uint64_t seed;
    const struct dsr_tokenizer *tokenizer; /* NULL: prompts are not counted */
    struct dsr_chat **chats;               /* made so far */
    int64_t *tokens;                       /* beside: in the model's chat layout; -1: unknown */
    size_t n_chats;
};

/* list: names of datasets.json with a "promptgen", comma-separated, or "all". */
int dsr_prompts_open(struct dsr_prompts *prompts, struct dsr_ctx *ctx, const char *model,
                     const char *list, uint64_t seed, struct dsr_error *err);
void dsr_prompts_close(struct dsr_prompts *prompts);
/* Prompt i, borrowed; it begins with the current time, so that no cache knows it. Prompt i is of
 * set i modulo n_sets. */
const struct dsr_chat *dsr_prompts_get(struct dsr_prompts *prompts, size_t i,
                                       struct dsr_error *err);
/* Input tokens of a prompt that was made; -1 without a tokenizer. */
int64_t dsr_prompts_tokens(const struct dsr_prompts *prompts, size_t i);
const char *dsr_prompts_type(const struct dsr_prompts *prompts, size_t i);

#endif
