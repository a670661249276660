/* Texts to tokens: added tokens, pieces, and chats. */
#include "core/chat/tokenizer.h"
#include "core/chat/tokenfile.h"
#include "core/chat/vocabulary.h"

struct added {
    const char *text;
    size_t len;
    uint32_t id;
};

struct dsr_tokenizer {
    struct dsr_tokenfile file;
    enum dsr_token_flavor flavor;
    struct added *added; /* longest first */
    size_t n_added;
    bool starts[256]; /* first bytes of added tokens */
};

#define THINK "<think>"
#define END_THINK "</think>"
#define ID_THINK 128798
#define ID_END_THINK 128799

void dsr_ids_clear(struct dsr_ids *ids)
{
    free(ids->list);
    memset(ids, 0, sizeof *ids);
}

static int room_for(struct dsr_ids *ids, size_t n)
{
    if (ids->n + n <= ids->cap)
        return 0;
    size_t cap = ids->cap ? ids->cap : 256;
    while (cap < ids->n + n)
        cap *= 2;
    uint32_t *list = realloc(ids->list, cap * sizeof *list);
    if (!list)
        return DSR_ENOMEM;
    ids->list = list;
    ids->cap = cap;
    return 0;
}

static int longer_first(const void *a, const void *b)
{
    const struct added *x = a, *y = b;
    return (x->len < y->len) - (x->len > y->len);
}

static int list_added(struct dsr_tokenizer *t)
{
    const struct dsr_vocabulary *v = t->file.vocabulary;
    const uint32_t *ids = dsr_vocabulary_part(v, v->added_at);
    t->added = calloc(v->n_added + 1, sizeof *t->added);
    if (!t->added)
        return DSR_ENOMEM;
    for (uint32_t i = 0; i < v->n_added; i++) {
        struct added *a = &t->added[t->n_added];
        a->id = ids[i];
        a->text = ids[i] < v->n_tokens ? dsr_token_bytes(v, ids[i], &a->len) : NULL;
        if (t->flavor == DSR_FLAVOR_R1 && (a->id == ID_THINK || a->id == ID_END_THINK)) {
            a->text = a->id == ID_THINK ? THINK : END_THINK;
            a->len = strlen(a->text);
        }
        if (!a->text || !a->len)
            continue;
        t->starts[(unsigned char)a->text[0]] = true;
        t->n_added++;
    }
    qsort(t->added, t->n_added, sizeof *t->added, longer_first);
    return 0;
}

int dsr_tokenizer_open(struct dsr_tokenizer **tokenizer, const char *path, const char *cache_folder,
                       enum dsr_token_flavor flavor, struct dsr_error *err)
{
    struct dsr_tokenizer *t = calloc(1, sizeof *t);
    *tokenizer = NULL;
    if (!t)
        return dsr_error_nomem(err);
    t->flavor = flavor;
    int rc = dsr_tokenfile_open(&t->file, path, cache_folder, err);
    if (!rc && list_added(t))
        rc = dsr_error_nomem(err);
    if (rc)
        dsr_tokenizer_close(t);
    else
        *tokenizer = t;
    return rc;
}

void dsr_tokenizer_close(struct dsr_tokenizer *t)
{
    if (!t)
        return;
    dsr_tokenfile_close(&t->file);
    free(t->added);
    free(t);
}

static int add_piece(const struct dsr_vocabulary *v, const char *piece, size_t n,
                     struct dsr_ids *ids, struct dsr_bpe_work *work)
{
    uint32_t id = dsr_token_find(v, piece, n);
    if (id != DSR_NO_TOKEN && id & DSR_WHOLE) {
        if (room_for(ids, 1))
            return DSR_ENOMEM;
        ids->list[ids->n++] = id & ~DSR_WHOLE;
        return 0;
    }
    if (room_for(ids, n))
        return DSR_ENOMEM;
    size_t count = dsr_bpe(v, piece, n, ids->list + ids->n, work);
    ids->n += count;
    return count ? 0 : DSR_ENOMEM;
}

static int add_plain(const struct dsr_vocabulary *v, const char *p, const char *end,
                     struct dsr_ids *ids, struct dsr_bpe_work *work)
{
    while (p < end) {
        const char *stop = dsr_piece_end(v, p, end);
        if (add_piece(v, p, (size_t)(stop - p), ids, work))
            return DSR_ENOMEM;
        p = stop;
    }
    return 0;
}

static const struct added *added_at(const struct dsr_tokenizer *t, const char *p, const char *end)
{
    for (size_t i = 0; i < t->n_added; i++)
        if (t->added[i].len <= (size_t)(end - p) && t->added[i].text[1] == p[1] &&
            !memcmp(t->added[i].text, p, t->added[i].len))
            return &t->added[i];
    return NULL;
}

int dsr_tokenize(const struct dsr_tokenizer *t, const char *text, size_t len, struct dsr_ids *ids)
{
    const struct dsr_vocabulary *v = t->file.vocabulary;
    const char *end = text + len, *plain = text;
    struct dsr_bpe_work work = {0};
    int rc = 0;
    for (const char *p = text; p < end && !rc;) {
        const struct added *a =
            t->starts[(unsigned char)*p] && end - p > 1 ? added_at(t, p, end) : NULL;
        if (!a) {
            p++;
            continue;
        }
        rc = add_plain(v, plain, p, ids, &work);
        if (!rc)
            rc = room_for(ids, 1);
        if (!rc)
            ids->list[ids->n++] = a->id;
        p += a->len;
        plain = p;
    }
    if (!rc)
        rc = add_plain(v, plain, end, ids, &work);
    free(work.memory);
    return rc;
}

int64_t dsr_chat_token_count(const struct dsr_tokenizer *t, const json_t *messages)
{
    struct dsr_ids ids = {0};
    int64_t n = dsr_tokenize_chat(t, messages, true, &ids) ? -1 : (int64_t)ids.n;
    dsr_ids_clear(&ids);
    return n;
}

int64_t dsr_token_count(const struct dsr_tokenizer *t, const char *text, size_t len)
{
    struct dsr_ids ids = {0};
    int64_t n = dsr_tokenize(t, text, len, &ids) ? -1 : (int64_t)ids.n;
    dsr_ids_clear(&ids);
    return n;
}

/* Appends a message's text; of an earlier answer R1's layout leaves what follows its reasoning. */
static int add_content(struct dsr_buf *out, const json_t *message, bool cut)
{
    const json_t *content = json_object_get(message, "content");
    const char *text = json_string_value(content), *end = text + json_string_length(content);
    const char *last = cut ? dsr_find_last(text, end, END_THINK) : NULL;
    const char *start = last ? last + strlen(END_THINK) : text;
    return dsr_buf_add(out, start, (size_t)(end - start));
}

static bool is_role(const json_t *message, const char *role)
{
    return !strcmp(dsr_json_string(message, "role", ""), role);
}

static bool is_message(const json_t *message)
{
    return json_is_string(json_object_get(message, "content")) &&
           (is_role(message, "system") || is_role(message, "user") ||
            is_role(message, "assistant"));
}

/* BOS, system texts joined by a blank line, then the turns, nothing between the parts. */
static int render(const json_t *messages, bool think, bool generation, struct dsr_buf *out)
{
    size_t i;
    json_t *message;
    bool first = true;
    int rc = dsr_buf_adds(out, "<｜begin▁of▁sentence｜>");
    json_array_foreach((json_t *)messages, i, message)
    {
        if (!is_message(message))
            return DSR_EINVAL;
        if (!is_role(message, "system"))
            continue;
        rc |= dsr_buf_adds(out, first ? "" : "\n\n") | add_content(out, message, false);
        first = false;
    }
    json_array_foreach((json_t *)messages, i, message)
    {
        if (is_role(message, "user"))
            rc |= dsr_buf_adds(out, "<｜User｜>") | add_content(out, message, false);
        else if (is_role(message, "assistant"))
            rc |= dsr_buf_adds(out, "<｜Assistant｜>") | add_content(out, message, think) |
                  dsr_buf_adds(out, "<｜end▁of▁sentence｜>");
    }
    if (generation)
        rc |= dsr_buf_adds(out, think ? "<｜Assistant｜><think>\n" : "<｜Assistant｜>");
    return rc ? DSR_ENOMEM : 0;
}

int dsr_tokenize_chat(const struct dsr_tokenizer *t, const json_t *messages, bool generation,
                      struct dsr_ids *ids)
{
    struct dsr_buf text = {0};
    int rc = render(messages, t->flavor == DSR_FLAVOR_R1, generation, &text);
    if (!rc)
        rc = dsr_tokenize(t, text.data, text.len, ids);
    dsr_buf_clear(&text);
    return rc;
}
