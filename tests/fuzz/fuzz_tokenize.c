/* libFuzzer target: any bytes are cut into pieces that make up the text, and each piece is encoded
 * as merging by definition encodes it. The vocabulary: all bytes, and merges of a few letters. */
#include "core/chat/vocabulary.h"

static const char *const merges[] = {"a a",   "b a",    "aa b", "e r",   "aa aa", "ba ba",
                                     "er er", "aab ba", "0 1",  "01 01", "er aa", "c aab"};

static struct dsr_vocabulary *make(void)
{
    struct dsr_vocabulary *v = NULL;
    json_t *vocab = json_object(), *list = json_array();
    unsigned next = 256, id = 0;
    for (unsigned b = 0; b < 256; b++) {
        bool visible = (b >= '!' && b <= '~') || (b >= 0xa1 && b <= 0xac) || b >= 0xae;
        unsigned c = visible ? b : next++;
        char text[3] = {(char)c};
        if (c >= 0x80) {
            text[0] = (char)(0xc0 | c >> 6);
            text[1] = (char)(0x80 | (c & 0x3f));
        }
        json_object_set_new(vocab, text, json_integer(id++));
    }
    for (size_t i = 0; i < DSR_COUNT(merges); i++) {
        size_t left = strcspn(merges[i], " ");
        DSR_AUTO(str) char *both = dsr_format("%.*s%s", (int)left, merges[i], merges[i] + left + 1);
        json_object_set_new(vocab, both, json_integer(id++));
        json_array_append_new(list, json_string(merges[i]));
    }
    json_t *json =
        json_pack("{s:{s:s, s:o, s:o}}", "model", "type", "BPE", "vocab", vocab, "merges", list);
    if (dsr_vocabulary_build(&v, json, "", NULL))
        abort();
    json_decref(json);
    return v;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static struct dsr_vocabulary *v;
    static struct dsr_bpe_work one, other;
    v = v ? v : make();
    const char *p = (const char *)bytes, *end = p + n;
    uint32_t *a = malloc((n + 1) * sizeof *a), *b = malloc((n + 1) * sizeof *b);
    while (p < end) {
        const char *stop = dsr_piece_end(v, p, end);
        if (stop <= p || stop > end)
            abort();
        size_t na = dsr_bpe(v, p, (size_t)(stop - p), a, &one);
        size_t nb = dsr_bpe_merge(v, p, (size_t)(stop - p), b, &other);
        if (!na || na != nb || memcmp(a, b, na * sizeof *a))
            abort();
        p = stop;
    }
    free(a);
    free(b);
    return 0;
}
