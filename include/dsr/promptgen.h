/* Prompt generators: where the prompts of performance tests come from. */
#ifndef DSR_PROMPTGEN_H
#define DSR_PROMPTGEN_H

#include <dsr/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

struct dsr_tokenizer; /* the model's; opaque */

/* Bounds for one prompt, in tokens of the model as its chat layout counts them; 0 means no bound.
 * Without a tokenizer a token is estimated as 4 bytes of ASCII or 1.5 bytes of anything else.
 *   output_tokens  how long an answer is wanted; the host bounds it too
 *   tokenizer      for dsr_prompt_tokens; NULL where the model has no file of it */
struct dsr_prompt_limits {
    size_t size; /* sizeof(struct dsr_prompt_limits) */
    int64_t min_input_tokens;
    int64_t max_input_tokens;
    int64_t output_tokens;
    const struct dsr_tokenizer *tokenizer;
};

struct dsr_promptgen_ops {
    size_t size; /* sizeof(struct dsr_promptgen_ops) */
    /* config: the entry of datasets.json, borrowed for the call; path: its file or folder, or
     * NULL when the entry names none. Returns the state, or NULL with err filled. Mandatory. */
    void *(*open)(const json_t *config, const char *path, const struct dsr_host *host,
                  struct dsr_error *err);
    /* Adds one prompt's messages to an empty chat. All chance comes from rng: the same calls with
     * the same rng states give the same prompts. (It may remember what it has drawn, so that no
     * prompt comes twice before all have come.) Called on the loop's thread. Returns 0, or
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
/* Tokens of a prompt of these messages: counted by the limits' tokenizer in the model's chat
 * layout, else estimated. Thread-safe. */
DSR_API int64_t dsr_prompt_tokens(const struct dsr_prompt_limits *limits, const json_t *messages);
/* Adds the messages to the chat if their tokens are within the bounds. Returns 0, DSR_ENOTFOUND
 * (not added), or DSR_ENOMEM with err. */
DSR_API int dsr_prompt_put(const struct dsr_prompt_limits *limits, const json_t *messages,
                           struct dsr_chat *chat, struct dsr_error *err);
/* The same for one message of the user. */
DSR_API int dsr_prompt_put_text(const struct dsr_prompt_limits *limits, const char *text,
                                struct dsr_chat *chat, struct dsr_error *err);

/* How the model of prompt_generator.json answered a question: its answer (reasoning left out), or
 * NULL with fault, "class: message". A non-zero return (with err) stops the asking and is returned.
 */
typedef int dsr_written_fn(void *arg, const char *answer, const char *fault, struct dsr_error *err);
/* Asks that model n questions, some at once and each again where that is useful, and waits until
 * all are answered, which may take minutes: for open() only, generate() must not wait. What is
 * written costs money, so keep what it wrote (dsr_host_state). Not thread-safe.
 * Returns 0, what written() returned, or another dsr_err when no model is configured. */
DSR_API int dsr_host_ask(const struct dsr_host *host, const char *const questions[], size_t n,
                         dsr_written_fn *written, void *arg, struct dsr_error *err);
/* Who that model is, "base_url model"; NULL when none is configured. Borrowed. */
DSR_API const char *dsr_host_writer(const struct dsr_host *host);

/* A set of JSON objects in a file of any size (JSON lines, or one array), or in the .json and
 * .jsonl files of a folder. An index of where they stand is made once and kept beside the file, or
 * in the state folder; from then on a set opens at once, and only what is drawn is read. */
struct dsr_corpus;
/* Estimated tokens of the shortest and the longest prompt that a record can make. */
struct dsr_record_size {
    uint32_t least, most;
};
/* Measures a record when the index is made. Returns 0, DSR_ENOTFOUND to leave the record out, or
 * another dsr_err with err filled: the set is refused, and file and line are told. */
typedef int dsr_record_size_fn(const json_t *record, struct dsr_record_size *size,
                               struct dsr_error *err);
/* purpose: [a-z0-9-]{1,63}, names what measure leaves out and how it measures: an index made for
 * another purpose is not used. path may be NULL (an error that says so). NULL with err on failure.
 */
DSR_API struct dsr_corpus *dsr_corpus_open(const char *path, const char *purpose,
                                           dsr_record_size_fn *measure, const struct dsr_host *host,
                                           struct dsr_error *err);
DSR_API void dsr_corpus_close(struct dsr_corpus *corpus); /* NULL is allowed */
DSR_API size_t dsr_corpus_count(const struct dsr_corpus *corpus);
/* Makes a prompt of a record that was drawn. Returns 0, DSR_ENOTFOUND when it does not fit the
 * limits (another one is drawn), or another dsr_err, which ends the drawing. */
typedef int dsr_record_fn(void *arg, const json_t *record, const struct dsr_prompt_limits *limits,
                          struct dsr_rng *rng, struct dsr_error *err);
/* Draws records without replacement until take() returns something else than DSR_ENOTFOUND; when
 * all have been drawn they come anew. Not thread-safe. Returns what take() returned, or
 * DSR_ENOTFOUND with err when no record fits. */
DSR_API int dsr_corpus_draw(struct dsr_corpus *corpus, const struct dsr_prompt_limits *limits,
                            struct dsr_rng *rng, dsr_record_fn *take, void *arg,
                            struct dsr_error *err);

#ifdef __cplusplus
}
#endif
#endif
