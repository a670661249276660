/* DeepSeek's tokenizer: byte-level BPE from the model's own tokenizer.json. Immutable once opened,
 * and shared by all threads. */
#ifndef DSR_TOKENIZER_H
#define DSR_TOKENIZER_H

#include "core/base/base.h"

/* Token ids; owned, grown as needed. */
struct dsr_ids {
    uint32_t *list;
    size_t n, cap;
};
void dsr_ids_clear(struct dsr_ids *ids);

/* Which tokens and which chat layout a model has beside the vocabulary. */
enum dsr_token_flavor {
    DSR_FLAVOR_V3, /* as the file says */
    DSR_FLAVOR_R1  /* <think> and </think> are tokens (128798, 128799), answers begin thinking */
};

struct dsr_tokenizer;
/* Opens tokenizer.json. What was made of it is kept in a file beside it (or in cache_folder, when
 * that is not NULL and the first can't be written), named by the hash of its content, and mapped
 * the next time. */
int dsr_tokenizer_open(struct dsr_tokenizer **tokenizer, const char *path, const char *cache_folder,
                       enum dsr_token_flavor flavor, struct dsr_error *err);
void dsr_tokenizer_close(struct dsr_tokenizer *tokenizer);

/* Appends the tokens of a text: added tokens are found first, no BOS is put before it. Invalid
 * UTF-8 is tokenized byte by byte. */
int dsr_tokenize(const struct dsr_tokenizer *tokenizer, const char *text, size_t len,
                 struct dsr_ids *ids);
/* Appends the tokens of a chat in the model's layout; messages: [{"role","content"}...].
 * generation: with what makes the model answer. DSR_EINVAL for messages of another form. */
int dsr_tokenize_chat(const struct dsr_tokenizer *tokenizer, const json_t *messages,
                      bool generation, struct dsr_ids *ids);
/* How many tokens a chat has, with what makes the model answer; -1 on failure. */
int64_t dsr_chat_token_count(const struct dsr_tokenizer *tokenizer, const json_t *messages);
/* How many tokens; -1 when out of memory. */
int64_t dsr_token_count(const struct dsr_tokenizer *tokenizer, const char *text, size_t len);

#endif
