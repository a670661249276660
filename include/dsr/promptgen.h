/* Prompt generators: where the prompts of performance tests come from. */
#ifndef DSR_PROMPTGEN_H
#define DSR_PROMPTGEN_H

#include <dsr/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Bounds for one prompt, in tokens of the model; 0 means no bound.
 * Without a tokenizer a token is estimated as 4 bytes of ASCII or 1.5 bytes of anything else. */
struct dsr_prompt_limits {
    size_t size; /* sizeof(struct dsr_prompt_limits) */
    int64_t min_input_tokens;
    int64_t max_input_tokens;
    int64_t output_tokens;
};

struct dsr_promptgen_ops {
    size_t size; /* sizeof(struct dsr_promptgen_ops) */
    /* config: the entry of datasets.json, borrowed for the call; path: its file or folder, or
     * NULL when the entry names none. Returns the state, or NULL with err filled. Mandatory. */
    void *(*open)(const json_t *config, const char *path, const struct dsr_host *host,
                  struct dsr_error *err);
    /* Adds one prompt's messages to an empty chat. All chance comes from rng: the same rng state
     * gives the same prompt. Called on the loop's thread before a run. Returns 0, or
     * DSR_ENOTFOUND when nothing fits the limits. Mandatory. */
    int (*generate)(void *state, const struct dsr_prompt_limits *limits, struct dsr_rng *rng,
                    struct dsr_chat *chat, struct dsr_error *err);
    /* Frees the state. Mandatory. */
    void (*close)(void *state);
};

/* An estimate of the tokens of a text, as described above. Thread-safe. */
DSR_API int64_t dsr_estimate_tokens(const char *text, size_t len);

/* The same for the first n of an array of {"role","content"}, with what frames each. */
DSR_API int64_t dsr_estimate_messages(const json_t *messages, size_t n);
/* So many tokens are within the bounds. */
DSR_API bool dsr_prompt_fits(const struct dsr_prompt_limits *limits, int64_t tokens);

#ifdef __cplusplus
}
#endif
#endif
