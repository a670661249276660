/* Making the tables out of tokenizer.json. */
#include "core/chat/vocabulary.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#define MAX_TOKENS (1u << 22)

static const char magic[16] = "dsr-tokens-3";

/* Byte-level BPE writes bytes as visible characters (GPT-2's bytes_to_unicode): those that are
 * visible as themselves, the others as U+0100 and on. */
static bool is_visible(unsigned b)
{
    return (b >= '!' && b <= '~') || (b >= 0xa1 && b <= 0xac) || (b >= 0xae && b <= 0xff);
}

static void fill_byte_table(int16_t byte_of[512])
{
    unsigned next = 256;
    for (unsigned i = 0; i < 512; i++)
        byte_of[i] = -1;
    for (unsigned b = 0; b < 256; b++)
        byte_of[is_visible(b) ? b : next++] = (int16_t)b;
}

/* The bytes that a token's text stands for; false when it is not written that way. */
static bool to_bytes(const int16_t byte_of[512], const char *text, struct dsr_buf *out)
{
    const unsigned char *s = (const unsigned char *)text;
    dsr_buf_reset(out);
    while (*s) {
        unsigned c = *s < 0x80 ? *s : (s[0] & 0x1fu) << 6 | (s[1] & 0x3fu);
        if (*s >= 0xe0 || c >= 512 || byte_of[c] < 0)
            return false;
        char byte = (char)byte_of[c];
        if (dsr_buf_add(out, &byte, 1))
            return false;
        s += *s < 0x80 ? 1 : 2;
    }
    return true;
}

uint32_t dsr_token_find(const struct dsr_vocabulary *v, const char *bytes, size_t n)
{
    const uint32_t *slots = dsr_vocabulary_part(v, v->tokens_at);
    uint32_t mask = v->n_token_slots - 1;
    for (uint64_t i = dsr_hash_bytes(bytes, n) & mask; slots[i] != DSR_NO_TOKEN;
         i = (i + 1) & mask) {
        size_t len;
        const char *token = dsr_token_bytes(v, slots[i] & ~DSR_WHOLE, &len);
        if (len == n && !memcmp(token, bytes, n))
            return slots[i];
    }
    return DSR_NO_TOKEN;
}

static uint32_t power_of_two(size_t n)
{
    uint32_t size = 16;
    while (size < n)
        size *= 2;
    return size;
}

/* The class of every character, by PCRE2's knowledge of Unicode. */
static int fill_classes(unsigned char *classes)
{
    int error;
    PCRE2_SIZE at;
    pcre2_code *code =
        pcre2_compile((PCRE2_SPTR) "(\\p{L})|(\\p{M})|(\\p{N})|([\\p{P}\\p{S}])",
                      PCRE2_ZERO_TERMINATED, PCRE2_UTF | PCRE2_ANCHORED, &error, &at, NULL);
    pcre2_match_data *data = code ? pcre2_match_data_create_from_pattern(code, NULL) : NULL;
    if (!data) {
        pcre2_code_free(code);
        return DSR_ENOMEM;
    }
    pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
    for (uint32_t c = 0; c < 0x110000; c++) {
        unsigned char s[4] = {(unsigned char)c};
        size_t n = 1;
        if (c >= 0x10000)
            s[0] = (unsigned char)(0xf0 | c >> 18), n = 4;
        else if (c >= 0x800)
            s[0] = (unsigned char)(0xe0 | c >> 12), n = 3;
        else if (c >= 0x80)
            s[0] = (unsigned char)(0xc0 | c >> 6), n = 2;
        for (size_t i = 1; i < n; i++)
            s[i] = (unsigned char)(0x80 | (c >> 6 * (n - 1 - i) & 0x3f));
        if (c >= 0xd800 && c < 0xe000)
            continue;
        int rc = pcre2_match(code, s, n, 0, PCRE2_NO_UTF_CHECK, data, NULL);
        if (rc > 1) /* the number of the group that took part */
            classes[c] = (unsigned char)(1u << (rc - 2));
    }
    pcre2_match_data_free(data);
    pcre2_code_free(code);
    return 0;
}

static void add_class(unsigned char *classes, uint32_t from, uint32_t to, unsigned class)
{
    for (uint32_t c = from; c <= to; c++)
        classes[c] |= (unsigned char)class;
}

/* Blanks are those of Unicode's White_Space, U+0085 too. */
static void add_own_classes(unsigned char *classes)
{
    static const uint32_t blanks[][2] = {
        {9, 13},          {0x20, 0x20},     {0x85, 0x85},     {0xa0, 0xa0},     {0x1680, 0x1680},
        {0x2000, 0x200a}, {0x2028, 0x2029}, {0x202f, 0x202f}, {0x205f, 0x205f}, {0x3000, 0x3000}};
    for (size_t i = 0; i < DSR_COUNT(blanks); i++)
        add_class(classes, blanks[i][0], blanks[i][1], DSR_CHAR_WS);
    add_class(classes, 0x4e00, 0x9fa5, DSR_CHAR_CJK);
    add_class(classes, 0x3040, 0x30ff, DSR_CHAR_CJK);
    classes['\r'] |= DSR_CHAR_NL;
    classes['\n'] |= DSR_CHAR_NL;
}

/* Block numbers, then the blocks that differ; appended to out. */
static int add_class_blocks(struct dsr_buf *out)
{
    unsigned char *classes = calloc(0x110000, 1);
    uint16_t numbers[0x1100], n = 0;
    struct dsr_buf blocks = {0};
    int rc = classes ? fill_classes(classes) : DSR_ENOMEM;
    if (!rc)
        add_own_classes(classes);
    for (size_t i = 0; i < 0x1100 && !rc; i++) {
        const char *block = (const char *)classes + i * 256;
        uint16_t k = 0;
        while (k < n && memcmp(blocks.data + k * 256u, block, 256))
            k++;
        if (k == n) {
            rc = dsr_buf_add(&blocks, block, 256);
            n++;
        }
        numbers[i] = k;
    }
    if (!rc)
        rc = dsr_buf_add(out, (const char *)numbers, sizeof numbers);
    if (!rc)
        rc = dsr_buf_add(out, blocks.data, blocks.len);
    dsr_buf_clear(&blocks);
    free(classes);
    return rc;
}

struct building {
    const json_t *vocab, *merges, *added;
    const char *path;
    struct dsr_error *err;
    struct dsr_buf out; /* the block */
    uint32_t n_tokens;
    const char **texts; /* by id; borrowed from the JSON */
    bool *is_added;
};

static struct dsr_vocabulary *block(struct building *b)
{
    return (struct dsr_vocabulary *)(void *)b->out.data;
}

/* Room for n bytes of fill, aligned; where it begins. */
static uint64_t reserve(struct building *b, size_t n, int fill)
{
    size_t at = (b->out.len + 15) / 16 * 16;
    if (dsr_buf_reserve(&b->out, at - b->out.len + n))
        return 0;
    memset(b->out.data + b->out.len, 0, at - b->out.len);
    memset(b->out.data + at, fill, n);
    b->out.len = at + n;
    return at;
}

static int fail(struct building *b, const char *what)
{
    return dsr_error_file(b->err, DSR_ECONFIG, b->path, 0,
                          "%s; a byte-level BPE tokenizer.json such as DeepSeek's is expected",
                          what);
}

static int read_shape(struct building *b, const json_t *json)
{
    const json_t *model = json_object_get(json, "model");
    size_t i;
    json_t *token;
    const char *text;
    json_int_t most = -1;
    b->vocab = json_object_get(model, "vocab");
    b->merges = json_object_get(model, "merges");
    b->added = json_object_get(json, "added_tokens");
    if (strcmp(dsr_json_string(model, "type", ""), "BPE") || !json_is_object(b->vocab) ||
        !json_is_array(b->merges))
        return fail(b, "there is no model of type BPE with \"vocab\" and \"merges\"");
    json_object_foreach((json_t *)b->vocab, text, token)
    {
        json_int_t id = json_is_integer(token) ? json_integer_value(token) : -1;
        if (id < 0 || id >= MAX_TOKENS)
            return fail(b, "an id in \"vocab\" is none");
        most = id > most ? id : most;
    }
    json_array_foreach(b->added, i, token)
    {
        json_int_t id = dsr_json_int(token, "id", -1);
        if (id < 0 || id >= MAX_TOKENS || !*dsr_json_string(token, "content", ""))
            return fail(b, "an added token lacks its \"id\" or \"content\"");
        most = id > most ? id : most;
    }
    b->n_tokens = (uint32_t)(most + 1);
    b->texts = calloc(b->n_tokens + 1, sizeof *b->texts);
    b->is_added = calloc(b->n_tokens + 1, sizeof *b->is_added);
    if (!b->texts || !b->is_added)
        return dsr_error_nomem(b->err);
    json_object_foreach((json_t *)b->vocab, text, token) b->texts[json_integer_value(token)] = text;
    json_array_foreach(b->added, i, token)
    {
        b->texts[dsr_json_int(token, "id", 0)] = dsr_json_string(token, "content", "");
        b->is_added[dsr_json_int(token, "id", 0)] = true;
    }
    return 0;
}

/* The bytes of all tokens, and where each begins. */
static int add_tokens(struct building *b)
{
    int16_t byte_of[512];
    struct dsr_buf bytes = {0}, all = {0};
    uint32_t *at = malloc((b->n_tokens + 1) * sizeof *at);
    int rc = at ? 0 : DSR_ENOMEM;
    fill_byte_table(byte_of);
    for (uint32_t id = 0; id < b->n_tokens && !rc; id++) {
        const char *text = b->texts[id] ? b->texts[id] : "";
        at[id] = (uint32_t)all.len;
        bool plain = b->is_added[id] || !to_bytes(byte_of, text, &bytes);
        rc = plain ? dsr_buf_adds(&all, text)
                   : dsr_buf_add(&all, bytes.data ? bytes.data : "", bytes.len);
    }
    if (!rc) {
        at[b->n_tokens] = (uint32_t)all.len;
        uint64_t token_at = reserve(b, (b->n_tokens + 1) * sizeof *at, 0);
        uint64_t bytes_at = reserve(b, all.len + 8, 0);
        rc = token_at && bytes_at ? 0 : DSR_ENOMEM;
        if (!rc) {
            block(b)->token_at = token_at;
            block(b)->bytes_at = bytes_at;
            memcpy(b->out.data + token_at, at, (b->n_tokens + 1) * sizeof *at);
            memcpy(b->out.data + bytes_at, all.data ? all.data : "", all.len);
        }
    }
    free(at);
    dsr_buf_clear(&bytes);
    dsr_buf_clear(&all);
    return rc ? dsr_error_nomem(b->err) : 0;
}

/* The hash of tokens by their bytes; added ones are found by other means. */
static int add_token_slots(struct building *b)
{
    uint32_t n = power_of_two(2 * (size_t)b->n_tokens);
    uint64_t at = reserve(b, n * sizeof(uint32_t), 0xff);
    if (!at)
        return dsr_error_nomem(b->err);
    struct dsr_vocabulary *v = block(b);
    uint32_t *slots = (uint32_t *)(void *)(b->out.data + at);
    v->tokens_at = at;
    v->n_token_slots = n;
    for (uint32_t id = 0; id < b->n_tokens; id++) {
        size_t len;
        const char *bytes = dsr_token_bytes(v, id, &len);
        if (b->is_added[id] || !len || dsr_token_find(v, bytes, len) != DSR_NO_TOKEN)
            continue;
        uint64_t i = dsr_hash_bytes(bytes, len) & (n - 1);
        while (slots[i] != DSR_NO_TOKEN)
            i = (i + 1) & (n - 1);
        slots[i] = id;
    }
    for (unsigned byte = 0; byte < 256; byte++) {
        char c = (char)byte;
        v->byte_ids[byte] = dsr_token_find(v, &c, 1);
        if (v->byte_ids[byte] == DSR_NO_TOKEN)
            return fail(b, "not every byte is a token");
    }
    return 0;
}

/* "left right", or ["left", "right"]. */
static bool read_merge(const struct building *b, const json_t *entry, struct dsr_buf *text,
                       uint32_t ids[3])
{
    const char *whole = json_string_value(entry), *space = whole ? strchr(whole, ' ') : NULL;
    const char *left = json_string_value(json_array_get(entry, 0));
    const char *right = json_string_value(json_array_get(entry, 1));
    dsr_buf_reset(text);
    if (space && (dsr_buf_add(text, whole, (size_t)(space - whole)) || dsr_buf_add(text, "", 1)))
        return false;
    if (space) {
        right = space + 1;
        left = text->data;
    }
    if (!left || !right)
        return false;
    DSR_AUTO(str) char *both = dsr_format("%s%s", left, right);
    const json_t *found[3] = {json_object_get(b->vocab, left), json_object_get(b->vocab, right),
                              both ? json_object_get(b->vocab, both) : NULL};
    for (size_t i = 0; i < 3; i++) {
        if (!json_is_integer(found[i]))
            return false;
        ids[i] = (uint32_t)json_integer_value(found[i]);
    }
    return true;
}

static int add_merges(struct building *b)
{
    size_t n = json_array_size(b->merges), rank;
    uint32_t slots = power_of_two(2 * n);
    uint64_t at = reserve(b, slots * sizeof(struct dsr_merge), 0xff);
    struct dsr_buf text = {0};
    json_t *entry;
    if (!at)
        return dsr_error_nomem(b->err);
    block(b)->merges_at = at;
    block(b)->n_merge_slots = slots;
    struct dsr_merge *table = (struct dsr_merge *)(void *)(b->out.data + at);
    int rc = 0;
    json_array_foreach((json_t *)b->merges, rank, entry)
    {
        uint32_t ids[3];
        if (!read_merge(b, entry, &text, ids)) {
            rc = fail(b, "an entry of \"merges\" is no pair of tokens whose union is one");
            break;
        }
        if (dsr_merge_find(block(b), ids[0], ids[1]))
            continue;
        uint64_t i = dsr_hash_pair(ids[0], ids[1]) & (slots - 1);
        while (table[i].id != DSR_NO_TOKEN)
            i = (i + 1) & (slots - 1);
        table[i] = (struct dsr_merge){ids[0], ids[1], (uint32_t)rank, ids[2]};
    }
    dsr_buf_clear(&text);
    return rc;
}

static int add_added(struct building *b)
{
    size_t n = json_array_size(b->added), i;
    json_t *token;
    uint64_t at = reserve(b, (n + 1) * sizeof(uint32_t), 0);
    if (!at)
        return dsr_error_nomem(b->err);
    block(b)->added_at = at;
    block(b)->n_added = (uint32_t)n;
    json_array_foreach(b->added, i, token)((uint32_t *)(void *)(b->out.data + at))[i] =
        (uint32_t)dsr_json_int(token, "id", 0);
    return 0;
}

int dsr_vocabulary_build(struct dsr_vocabulary **vocabulary, const json_t *json, const char *path,
                         struct dsr_error *err)
{
    struct building b = {.path = path, .err = err};
    int rc = read_shape(&b, json);
    if (!rc) {
        reserve(&b, sizeof(struct dsr_vocabulary), 0);
        rc = b.out.data ? 0 : dsr_error_nomem(err);
    }
    if (!rc) {
        memcpy(block(&b)->magic, magic, sizeof magic);
        block(&b)->n_tokens = b.n_tokens;
        rc = add_tokens(&b);
    }
    rc = rc ? rc : add_token_slots(&b);
    rc = rc ? rc : add_merges(&b);
    rc = rc ? rc : add_added(&b);
    if (!rc) {
        uint64_t at = reserve(&b, 0, 0);
        rc = at && !add_class_blocks(&b.out) ? 0 : dsr_error_nomem(err);
        block(&b)->classes_at = at;
        block(&b)->size = b.out.len;
    }
    free(b.texts);
    free(b.is_added);
    if (rc)
        dsr_buf_clear(&b.out);
    *vocabulary = rc ? NULL : block(&b);
    if (!rc && dsr_lexicon_build(vocabulary)) {
        free(*vocabulary);
        *vocabulary = NULL;
        rc = dsr_error_nomem(err);
    }
    return rc;
}

bool dsr_vocabulary_is_sound(const struct dsr_vocabulary *v, size_t size)
{
    if (size < sizeof *v || memcmp(v->magic, magic, sizeof magic) || v->size != size ||
        v->n_tokens > MAX_TOKENS || v->n_token_slots < 16 || v->n_merge_slots < 16 ||
        v->n_added > MAX_TOKENS || v->n_token_slots & (v->n_token_slots - 1) ||
        v->n_merge_slots & (v->n_merge_slots - 1) || v->n_trie_slots < 16 ||
        v->n_trie_slots & (v->n_trie_slots - 1))
        return false;
    const struct {
        uint64_t at, n;
    } parts[] = {{v->token_at, (v->n_tokens + 1ull) * 4},
                 {v->bytes_at, 8},
                 {v->tokens_at, v->n_token_slots * 4ull},
                 {v->merges_at, v->n_merge_slots * 16ull},
                 {v->added_at, v->n_added * 4ull},
                 {v->classes_at, 0x1100 * 2 + 256},
                 {v->split_at, v->n_tokens * (uint64_t)sizeof(struct dsr_split)},
                 {v->trie_at, v->n_trie_slots * 8ull},
                 {v->twos_at, 65536 * 4ull}};
    for (size_t i = 0; i < DSR_COUNT(parts); i++)
        if (parts[i].at % 16 || parts[i].at > size || parts[i].n > size - parts[i].at)
            return false;
    return true;
}
