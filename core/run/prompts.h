/* The prompts of a performance run: the same for every provider, numbered from 0. */
#ifndef DSR_PROMPTS_H
#define DSR_PROMPTS_H

#include "core/run/arrival.h"
#include "core/run/session.h"

#include <dsr/promptgen.h>

/* In tokens of the model; 0: none. */
struct dsr_prompt_bounds {
    int64_t min_input, max_input, output;
};
/* Input tokens "100:2000", or "1000" for exactly so many. DSR_EINVAL for anything else. */
int dsr_prompt_bounds_parse(const char *text, struct dsr_prompt_bounds *bounds);

struct dsr_prompt_set {
    char *name;
    const struct dsr_promptgen_ops *ops;
    void *state;
    struct dsr_prompt_bounds bounds; /* of the entry's options */
    bool exact;                      /* it makes any length to the token */
    bool fresh; /* its prompts begin with the current time, so that no cache knows them */
};

struct dsr_prompts {
    struct dsr_prompt_set *sets;
    size_t n_sets;
    const json_t *model;
    int64_t context;                 /* input tokens that every service of the model takes */
    struct dsr_prompt_bounds bounds; /* of all sets: win over a set's own */
    const struct dsr_trace *trace;   /* prompt i has the messages or the lengths of arrival i */
    uint64_t seed;
    const struct dsr_tokenizer *tokenizer; /* NULL: prompts are not counted */
    struct dsr_chat **chats;               /* made so far */
    int64_t *tokens;                       /* beside: in the model's chat layout; -1: unknown */
    size_t n_chats;
};

/* list: names of datasets.json with a "promptgen", comma-separated, or "all"; NULL: random words
 * (the generator "synthetic"). The tokenizer of the session is borrowed. */
int dsr_prompts_open(struct dsr_prompts *prompts, const struct dsr_session *session,
                     const char *list, uint64_t seed, struct dsr_error *err);
void dsr_prompts_close(struct dsr_prompts *prompts);
/* Prompt i, borrowed. Prompt i is of set i modulo n_sets. */
const struct dsr_chat *dsr_prompts_get(struct dsr_prompts *prompts, size_t i,
                                       struct dsr_error *err);
/* Input tokens of a prompt that was made; -1 without a tokenizer. */
int64_t dsr_prompts_tokens(const struct dsr_prompts *prompts, size_t i);
const char *dsr_prompts_type(const struct dsr_prompts *prompts, size_t i);

#endif
