/* A tokenizer's tables in one block of memory, as they lie in its cache file. */
#ifndef DSR_VOCABULARY_H
#define DSR_VOCABULARY_H

#include "core/base/base.h"

/* Classes of characters, as the pre-tokenizer's patterns need them. */
enum {
    DSR_CHAR_L = 1,    /* \p{L} */
    DSR_CHAR_M = 2,    /* \p{M} */
    DSR_CHAR_N = 4,    /* \p{N} */
    DSR_CHAR_PS = 8,   /* \p{P} or \p{S} */
    DSR_CHAR_WS = 16,  /* \s */
    DSR_CHAR_CJK = 32, /* U+4E00-9FA5, U+3040-30FF */
    DSR_CHAR_NL = 64   /* \r, \n */
};

#define DSR_NO_TOKEN UINT32_MAX
#define DSR_WHOLE                                                                                  \
    0x80000000u /* in token_slots: the token is what its own bytes are merged into                 \
                 */

/* How a token was made. */
struct dsr_split {
    uint32_t left, right; /* its last merge; the token itself when it is a byte */
    uint32_t rank;        /* of that merge, counted from 1; 0 for a byte */
    uint32_t prefix;      /* the longest whole token that its bytes begin with, or none */
    uint32_t len : 30;    /* in bytes */
    uint32_t is_left : 1; /* it is the left (right) part of some merge */
    uint32_t is_right : 1;
};

struct dsr_merge { /* a slot of the table; empty when id is DSR_NO_TOKEN */
    uint32_t left, right, rank, id;
};

/* Offsets are bytes from the start of the block. */
struct dsr_vocabulary {
    char magic[16];
    unsigned char sha256[32]; /* of tokenizer.json */
    uint64_t size;            /* of the block */
    uint32_t n_tokens;        /* ids are below this */
    uint32_t n_merge_slots, n_token_slots, n_added;
    uint64_t token_at;   /* uint32_t[n_tokens + 1]: where a token's bytes begin in bytes_at */
    uint64_t bytes_at;   /* the bytes of all tokens */
    uint64_t tokens_at;  /* uint32_t[n_token_slots]: id | DSR_WHOLE, by hash of its bytes */
    uint64_t merges_at;  /* struct dsr_merge[n_merge_slots], by hash of the pair */
    uint64_t added_at;   /* uint32_t[n_added]: ids of added tokens */
    uint64_t classes_at; /* uint16_t[0x1100] block numbers, then blocks of 256 classes */
    uint64_t split_at;   /* struct dsr_split[n_tokens] */
    uint64_t trie_at;    /* uint64_t[n_trie_slots]: node << 8 | byte, step << 32; empty: all ones */
    uint64_t twos_at;    /* uint32_t[65536]: the step by two bytes from the root */
    uint32_t n_trie_slots;
    uint32_t ordered; /* every merge ranks above those that made its parts */
    uint32_t byte_ids[256];
};

static inline const void *dsr_vocabulary_part(const struct dsr_vocabulary *v, uint64_t at)
{
    return (const char *)v + at;
}

static inline uint64_t dsr_hash_bytes(const char *bytes, size_t n)
{
    uint64_t h = n * 0x9e3779b97f4a7c15u, word;
    for (; n >= 8; n -= 8, bytes += 8) {
        memcpy(&word, bytes, 8);
        h = (h ^ word) * 0xff51afd7ed558ccdu;
        h ^= h >> 32;
    }
    word = 0;
    memcpy(&word, bytes, n);
    h = (h ^ word) * 0xc4ceb9fe1a85ec53u;
    return h ^ h >> 29;
}

static inline uint64_t dsr_hash_pair(uint32_t left, uint32_t right)
{
    uint64_t h = ((uint64_t)left << 32 | right) * 0x9e3779b97f4a7c15u;
    return h ^ h >> 31;
}

/* The merge of two tokens, or NULL. */
static inline const struct dsr_merge *dsr_merge_find(const struct dsr_vocabulary *v, uint32_t left,
                                                     uint32_t right)
{
    const struct dsr_merge *slots = dsr_vocabulary_part(v, v->merges_at);
    uint32_t mask = v->n_merge_slots - 1;
    for (uint64_t i = dsr_hash_pair(left, right) & mask;; i = (i + 1) & mask) {
        if (slots[i].id == DSR_NO_TOKEN)
            return NULL;
        if (slots[i].left == left && slots[i].right == right)
            return &slots[i];
    }
}

static inline const char *dsr_token_bytes(const struct dsr_vocabulary *v, uint32_t id, size_t *n)
{
    const uint32_t *at = dsr_vocabulary_part(v, v->token_at);
    *n = at[id + 1] - at[id];
    return (const char *)dsr_vocabulary_part(v, v->bytes_at) + at[id];
}

/* The token of these bytes, with DSR_WHOLE, or DSR_NO_TOKEN. */
uint32_t dsr_token_find(const struct dsr_vocabulary *v, const char *bytes, size_t n);

/* Makes the block of a parsed tokenizer.json; malloc'd, size filled. */
int dsr_vocabulary_build(struct dsr_vocabulary **vocabulary, const json_t *json, const char *path,
                         struct dsr_error *err);
/* Adds what the encoder walks on: splits, and a trie of the whole tokens. The block may move. */
int dsr_lexicon_build(struct dsr_vocabulary **vocabulary);
/* A step of the trie: the node that it leads to, and whether that node goes on. Nodes below
 * n_tokens are the whole tokens that end there; the root has no number, its children are the bytes'
 * tokens. */
#define DSR_NO_STEP UINT32_MAX
#define DSR_GOES_ON 0x80000000u
static inline uint32_t dsr_trie_step(const struct dsr_vocabulary *v, uint32_t node,
                                     unsigned char byte)
{
    const uint64_t *slots = dsr_vocabulary_part(v, v->trie_at);
    uint32_t mask = v->n_trie_slots - 1, key = node << 8 | byte;
    for (uint32_t i = key * 0x9e3779b1u;; i++) {
        uint64_t slot = slots[(i ^ i >> 15) & mask];
        if (slot == UINT64_MAX)
            return DSR_NO_STEP;
        if ((uint32_t)slot == key)
            return (uint32_t)(slot >> 32);
    }
}
/* A block from elsewhere is what it says, and nothing in it points outside. */
bool dsr_vocabulary_is_sound(const struct dsr_vocabulary *vocabulary, size_t size);

/* Scratch memory that is kept between calls. */
struct dsr_bpe_work {
    void *memory;
    size_t size;
};
/* Room for size bytes, not cleared; NULL when out of memory. */
static inline void *dsr_bpe_room(struct dsr_bpe_work *work, size_t size)
{
    if (size > work->size) {
        void *memory = realloc(work->memory, size);
        if (!memory)
            return NULL;
        work->memory = memory;
        work->size = size;
    }
    return work->memory;
}
/* The tokens of one piece, as byte pair encoding makes them. out has room for n ids. Returns how
 * many, or 0 when out of memory. */
size_t dsr_bpe(const struct dsr_vocabulary *v, const char *bytes, size_t n, uint32_t *out,
               struct dsr_bpe_work *work);
/* The same by definition: merges lowest rank first, O(n log n). What dsr_bpe is held against. */
size_t dsr_bpe_merge(const struct dsr_vocabulary *v, const char *bytes, size_t n, uint32_t *out,
                     struct dsr_bpe_work *work);

/* Where the piece that begins at p ends, by the three splits of DeepSeek's pre-tokenizer. */
const char *dsr_piece_end(const struct dsr_vocabulary *v, const char *p, const char *end);

#endif
