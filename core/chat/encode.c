/* Byte pair encoding without merging. Of all ways to cut a text into tokens the encoding is the
 * only one in which every two neighbours would stand beside each other if they were encoded alone
 * (that is how van Antwerpen and Neubeck encode in linear time: "So many tokens, so little time",
 * 2024). So the longest token is taken at each place, a shorter one when it does not bear its
 * neighbour, and when none does, the token before it is given up. */
#include "core/chat/vocabulary.h"

static uint32_t rank_of_pair(const struct dsr_vocabulary *v, uint32_t left, uint32_t right)
{
    const struct dsr_merge *m = dsr_merge_find(v, left, right);
    return m ? m->rank + 1 : UINT32_MAX;
}

/* Whether the two stay apart when their bytes are encoded together. The merges that made them are
 * undone, the latest first; at no time may the tokens at the border then be merged earlier than the
 * merge just undone: of equals the left one comes first. */
static bool stand_together(const struct dsr_vocabulary *v, uint32_t left, uint32_t right)
{
    const struct dsr_split *splits = dsr_vocabulary_part(v, v->split_at);
    uint32_t limit = UINT32_MAX;
    for (;;) {
        const struct dsr_split *l = &splits[left], *r = &splits[right];
        if (l->is_left && r->is_right && rank_of_pair(v, left, right) < limit)
            return false;
        if (!l->rank && !r->rank)
            return true;
        if (l->rank > r->rank) {
            limit = l->rank;
            left = l->right;
        } else {
            limit = r->rank + 1;
            right = r->left;
        }
    }
}

/* The longest whole token at p; every byte is one. */
static uint32_t longest(const struct dsr_vocabulary *v, const char *p, const char *end)
{
    const unsigned char *b = (const unsigned char *)p, *stop = (const unsigned char *)end;
    const uint32_t *twos = dsr_vocabulary_part(v, v->twos_at);
    uint32_t best = v->byte_ids[b[0]];
    uint32_t step = stop - b > 1 ? twos[b[0] << 8 | b[1]] : DSR_NO_STEP;
    for (b += 2; step != DSR_NO_STEP; step = dsr_trie_step(v, step & ~DSR_GOES_ON, *b++)) {
        uint32_t node = step & ~DSR_GOES_ON;
        best = node < v->n_tokens ? node : best;
        if (!(step & DSR_GOES_ON) || b == stop)
            break;
    }
    return best;
}

/* dead: a bit for each place that no encoding of what is before it reaches. */
static size_t encode(const struct dsr_vocabulary *v, const char *bytes, size_t n, uint32_t *out,
                     uint64_t *dead)
{
    const struct dsr_split *splits = dsr_vocabulary_part(v, v->split_at);
    size_t at = 0, count = 0;
    uint32_t next = longest(v, bytes, bytes + n);
    while (at < n) {
        uint32_t token = next;
        for (; token != DSR_NO_TOKEN; token = splits[token].prefix) {
            size_t end = at + splits[token].len;
            if (!(dead[end / 64] >> end % 64 & 1) &&
                (!count || stand_together(v, out[count - 1], token)))
                break;
        }
        if (token != DSR_NO_TOKEN) {
            out[count++] = token;
            at += splits[token].len;
            next = at < n ? longest(v, bytes + at, bytes + n) : DSR_NO_TOKEN;
        } else if (count) {
            dead[at / 64] |= UINT64_C(1) << at % 64;
            next = out[--count];
            at -= splits[next].len;
        } else {
            return 0;
        }
    }
    return count;
}

size_t dsr_bpe(const struct dsr_vocabulary *v, const char *bytes, size_t n, uint32_t *out,
               struct dsr_bpe_work *work)
{
    size_t size = (n / 64 + 1) * sizeof(uint64_t);
    if (!v->ordered)
        return dsr_bpe_merge(v, bytes, n, out, work);
    uint64_t *dead = dsr_bpe_room(work, size);
    if (!dead)
        return 0;
    memset(dead, 0, size);
    size_t count = encode(v, bytes, n, out, dead);
    return count ? count : dsr_bpe_merge(v, bytes, n, out, work);
}
