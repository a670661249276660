/* Byte pair encoding by definition: the pair of lowest rank is merged, the leftmost of equals,
 * until no pair can be. Pairs wait in a heap. */
#include "core/chat/vocabulary.h"

/* Symbols of the piece; a symbol that was merged into its left neighbour is gone. */
struct symbol {
    uint32_t id;
    uint32_t prev, next; /* indices; UINT32_MAX: none */
};

struct pair { /* in the heap */
    uint32_t rank, at, id;
    uint32_t left, right; /* ids that it was found for: it is stale when they changed */
};

struct merging {
    const struct dsr_vocabulary *v;
    struct symbol *symbols;
    struct pair *heap;
    size_t n_heap;
};

static bool before(const struct pair *a, const struct pair *b)
{
    return a->rank != b->rank ? a->rank < b->rank : a->at < b->at;
}

static void push(struct merging *m, uint32_t at)
{
    uint32_t next = m->symbols[at].next;
    const struct dsr_merge *merge =
        next == UINT32_MAX ? NULL : dsr_merge_find(m->v, m->symbols[at].id, m->symbols[next].id);
    if (!merge)
        return;
    struct pair pair = {merge->rank, at, merge->id, merge->left, merge->right};
    size_t i = m->n_heap++;
    for (; i && before(&pair, &m->heap[(i - 1) / 2]); i = (i - 1) / 2)
        m->heap[i] = m->heap[(i - 1) / 2];
    m->heap[i] = pair;
}

static struct pair pop(struct merging *m)
{
    struct pair first = m->heap[0], last = m->heap[--m->n_heap];
    size_t i = 0;
    for (size_t child; (child = 2 * i + 1) < m->n_heap; i = child) {
        child += child + 1 < m->n_heap && before(&m->heap[child + 1], &m->heap[child]);
        if (!before(&m->heap[child], &last))
            break;
        m->heap[i] = m->heap[child];
    }
    m->heap[i] = last;
    return first;
}

static size_t merge(const struct dsr_vocabulary *v, const char *bytes, size_t n, uint32_t *out,
                    void *memory)
{
    struct merging m = {.v = v, .symbols = memory};
    m.heap = (struct pair *)(m.symbols + n);
    for (size_t i = 0; i < n; i++)
        m.symbols[i] =
            (struct symbol){v->byte_ids[(unsigned char)bytes[i]], i ? (uint32_t)i - 1 : UINT32_MAX,
                            i + 1 < n ? (uint32_t)i + 1 : UINT32_MAX};
    for (size_t i = 0; i + 1 < n; i++)
        push(&m, (uint32_t)i);
    while (m.n_heap) {
        struct pair p = pop(&m);
        struct symbol *left = &m.symbols[p.at];
        if (left->id != p.left || left->next == UINT32_MAX || m.symbols[left->next].id != p.right)
            continue;
        struct symbol *right = &m.symbols[left->next];
        left->id = p.id;
        right->id = DSR_NO_TOKEN; /* no pair is found for it any more */
        left->next = right->next;
        if (left->next != UINT32_MAX)
            m.symbols[left->next].prev = p.at;
        if (left->prev != UINT32_MAX)
            push(&m, left->prev);
        push(&m, p.at);
    }
    size_t count = 0;
    for (uint32_t i = 0; i != UINT32_MAX; i = m.symbols[i].next)
        out[count++] = m.symbols[i].id;
    return count;
}

size_t dsr_bpe_merge(const struct dsr_vocabulary *v, const char *bytes, size_t n, uint32_t *out,
                     struct dsr_bpe_work *work)
{
    /* a merge takes one pair away and brings at most two: three for each byte at the most */
    size_t size = n * (sizeof(struct symbol) + 3 * sizeof(struct pair));
    void *memory = n < UINT32_MAX ? dsr_bpe_room(work, size) : NULL;
    return memory ? merge(v, bytes, n, out, memory) : 0;
}
