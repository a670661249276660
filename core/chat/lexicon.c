/* What the encoder walks on: how each token was made, and a trie of the whole ones. */
#include "core/chat/vocabulary.h"

static uint64_t append(struct dsr_buf *out, size_t n, int fill)
{
    size_t at = (out->len + 15) / 16 * 16;
    if (dsr_buf_reserve(out, at - out->len + n))
        return 0;
    memset(out->data + out->len, 0, at - out->len);
    memset(out->data + at, fill, n);
    out->len = at + n;
    return at;
}

/* Marks the tokens whose own bytes are merged into them: the others no text ever gives. */
static int mark_whole(struct dsr_vocabulary *v)
{
    uint32_t *slots = (uint32_t *)((char *)v + v->tokens_at), *ids = NULL;
    struct dsr_bpe_work work = {0};
    size_t cap = 0;
    int rc = 0;
    for (uint32_t i = 0; i < v->n_token_slots && !rc; i++) {
        size_t n;
        if (slots[i] == DSR_NO_TOKEN)
            continue;
        const char *bytes = dsr_token_bytes(v, slots[i], &n);
        if (n > cap) {
            uint32_t *more = realloc(ids, (cap = 2 * n) * sizeof *ids);
            rc = more ? 0 : DSR_ENOMEM;
            ids = more ? more : ids;
        }
        if (!rc && dsr_bpe_merge(v, bytes, n, ids, &work) == 1 && ids[0] == slots[i])
            slots[i] |= DSR_WHOLE;
    }
    free(ids);
    free(work.memory);
    return rc;
}

/* The merge of lowest rank that makes a token is the one that counts. */
static int add_splits(struct dsr_buf *out)
{
    struct dsr_vocabulary *v = (void *)out->data;
    uint64_t at = append(out, v->n_tokens * sizeof(struct dsr_split), 0);
    if (!at)
        return DSR_ENOMEM;
    v = (void *)out->data;
    v->split_at = at;
    struct dsr_split *splits = (void *)(out->data + at);
    const struct dsr_merge *merges = dsr_vocabulary_part(v, v->merges_at);
    for (uint32_t id = 0; id < v->n_tokens; id++) {
        size_t n;
        dsr_token_bytes(v, id, &n);
        splits[id] = (struct dsr_split){id, id, 0, DSR_NO_TOKEN, (uint32_t)n & 0x3fffffffu, 0, 0};
    }
    for (uint32_t i = 0; i < v->n_merge_slots; i++) {
        const struct dsr_merge *m = &merges[i];
        struct dsr_split *s = m->id == DSR_NO_TOKEN ? NULL : &splits[m->id];
        if (!s)
            continue;
        splits[m->left].is_left = 1;
        splits[m->right].is_right = 1;
        if (!s->rank || m->rank + 1 < s->rank) {
            s->left = m->left;
            s->right = m->right;
            s->rank = m->rank + 1;
        }
    }
    v->ordered = 1;
    for (uint32_t i = 0; i < v->n_merge_slots; i++) {
        const struct dsr_merge *m = &merges[i];
        if (m->id != DSR_NO_TOKEN &&
            (splits[m->left].rank > m->rank || splits[m->right].rank > m->rank ||
             splits[m->id].rank != m->rank + 1))
            v->ordered = 0;
    }
    return 0;
}

/* Puts a step into the table, or changes where it leads. */
static void set_step(struct dsr_vocabulary *v, uint32_t node, unsigned char byte, uint32_t step)
{
    uint64_t *slots = (uint64_t *)((char *)v + v->trie_at);
    uint32_t mask = v->n_trie_slots - 1, key = node << 8 | byte, i = key * 0x9e3779b1u;
    while (slots[(i ^ i >> 15) & mask] != UINT64_MAX &&
           (uint32_t)slots[(i ^ i >> 15) & mask] != key)
        i++;
    slots[(i ^ i >> 15) & mask] = (uint64_t)step << 32 | key;
}

/* Whole tokens by their length: a node exists before those below it. */
struct whole {
    uint32_t id, len;
};

static int shorter_first(const void *a, const void *b)
{
    const struct whole *x = a, *y = b;
    return x->len != y->len ? (x->len > y->len) - (x->len < y->len)
                            : (x->id > y->id) - (x->id < y->id);
}

static struct whole *list_whole(const struct dsr_vocabulary *v, size_t *n, size_t *bytes)
{
    const uint32_t *slots = dsr_vocabulary_part(v, v->tokens_at);
    struct whole *list = malloc(v->n_tokens * sizeof *list);
    *n = *bytes = 0;
    for (uint32_t i = 0; list && i < v->n_token_slots; i++)
        if (slots[i] != DSR_NO_TOKEN && slots[i] & DSR_WHOLE) {
            size_t len;
            dsr_token_bytes(v, slots[i] & ~DSR_WHOLE, &len);
            list[(*n)++] = (struct whole){slots[i] & ~DSR_WHOLE, (uint32_t)len};
            *bytes += len;
        }
    if (list)
        qsort(list, *n, sizeof *list, shorter_first);
    return list;
}

/* Walks from the root as far as the token goes, making nodes; the last one is the token itself. */
static void add_path(struct dsr_vocabulary *v, uint32_t id, uint32_t *n_nodes)
{
    struct dsr_split *splits = (void *)((char *)v + v->split_at);
    size_t n;
    const unsigned char *b = (const unsigned char *)dsr_token_bytes(v, id, &n);
    uint32_t node = v->byte_ids[b[0]];
    for (size_t k = 1; k < n; k++) {
        if (node < v->n_tokens)
            splits[id].prefix = node;
        uint32_t step = dsr_trie_step(v, node, b[k]);
        bool last = k + 1 == n;
        if (step == DSR_NO_STEP)
            step = last ? id : (*n_nodes)++ | DSR_GOES_ON;
        else if (!last)
            step |= DSR_GOES_ON;
        set_step(v, node, b[k], step);
        node = step & ~DSR_GOES_ON;
    }
}

/* Fills a table of that many slots; false when it would be more than three quarters full. */
static bool fill_trie(struct dsr_vocabulary *v, const struct whole *list, size_t n, uint32_t slots)
{
    uint32_t n_nodes = v->n_tokens;
    v->n_trie_slots = slots;
    memset((char *)v + v->trie_at, 0xff, slots * sizeof(uint64_t));
    for (size_t i = 0; i < n; i++) {
        add_path(v, list[i].id, &n_nodes);
        if (i + (n_nodes - v->n_tokens) > slots / 4 * 3)
            return false;
    }
    return true;
}

static int add_trie(struct dsr_buf *out)
{
    size_t n, bytes;
    struct whole *list = list_whole((void *)out->data, &n, &bytes);
    uint32_t most = 16, slots = 16;
    while (most < 2 * bytes)
        most *= 2;
    uint64_t twos_at = append(out, 65536 * sizeof(uint32_t), 0xff);
    uint64_t trie_at = append(out, most * sizeof(uint64_t), 0xff);
    struct dsr_vocabulary *v = (void *)out->data;
    int rc = list && trie_at && twos_at ? 0 : DSR_ENOMEM;
    if (!rc && v->n_tokens + bytes >= 1u << 24)
        rc = DSR_EINVAL;
    v->trie_at = trie_at;
    v->twos_at = twos_at;
    while (!rc && !fill_trie(v, list, n, slots)) /* a small table stays in the cache */
        slots *= 2;
    uint32_t *twos = (void *)(out->data + twos_at);
    for (uint32_t i = 0; i < 65536 && !rc; i++)
        twos[i] = dsr_trie_step(v, v->byte_ids[i >> 8], (unsigned char)i);
    out->len = trie_at + slots * sizeof(uint64_t);
    free(list);
    return rc;
}

int dsr_lexicon_build(struct dsr_vocabulary **vocabulary)
{
    struct dsr_buf out = {.data = (char *)*vocabulary, .len = (*vocabulary)->size};
    out.cap = out.len;
    int rc = mark_whole(*vocabulary);
    rc = rc ? rc : add_splits(&out);
    rc = rc ? rc : add_trie(&out);
    *vocabulary = (void *)out.data;
    (*vocabulary)->size = out.len;
    return rc;
}
