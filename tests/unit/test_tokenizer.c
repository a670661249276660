/* core/chat: vocabulary.c, lexicon.c, encode.c, bpe.c, pretoken.c, tokenizer.c, on vocabularies
 * that the tests make. DeepSeek's own is run by tests/integration/tokenize.sh. */
#include "core/chat/tokenizer.h"
#include "core/chat/vocabulary.h"
#include "tests/unit/unit.h"

#include <unistd.h>

/* A byte as byte-level BPE writes it (GPT-2): itself when visible, else U+0100 and on. */
static void write_byte(unsigned b, struct dsr_buf *out)
{
    unsigned c = b, next = 256;
    for (unsigned i = 0; i < 256; i++) {
        bool visible = (i >= '!' && i <= '~') || (i >= 0xa1 && i <= 0xac) || i >= 0xae;
        if (i == b && !visible)
            c = next;
        next += !visible;
    }
    char utf8[3] = {(char)c};
    if (c >= 0x80) {
        utf8[0] = (char)(0xc0 | c >> 6);
        utf8[1] = (char)(0x80 | (c & 0x3f));
    }
    dsr_buf_adds(out, utf8);
}

/* All bytes, then n merges of random tokens so far that are made of a, b and c. */
static json_t *random_tokenizer(struct dsr_rng *rng, int n)
{
    json_t *vocab = json_object(), *merges = json_array();
    char texts[400][64] = {"a", "b", "c"};
    int known = 3;
    struct dsr_buf byte = {0};
    for (unsigned b = 0; b < 256; b++) {
        dsr_buf_reset(&byte);
        write_byte(b, &byte);
        json_object_set_new(vocab, byte.data, json_integer(b));
    }
    for (int i = 0; i < n; i++) {
        const char *left = texts[dsr_rng_below(rng, (uint64_t)known)];
        const char *right = texts[dsr_rng_below(rng, (uint64_t)known)];
        DSR_AUTO(str) char *both = dsr_format("%s%s", left, right);
        if (strlen(both) >= 60 || json_object_get(vocab, both))
            continue;
        json_array_append_new(merges, json_sprintf("%s %s", left, right));
        json_object_set_new(vocab, both, json_integer(256 + known));
        snprintf(texts[known++], 64, "%s", both);
    }
    dsr_buf_clear(&byte);
    return json_pack("{s:{s:s, s:o, s:o}, s:[{s:i, s:s}]}", "model", "type", "BPE", "vocab", vocab,
                     "merges", merges, "added_tokens", "id", 1000, "content", "<|x|>");
}

START_TEST(encoding_is_merging_by_definition)
{
    struct dsr_rng rng;
    struct dsr_error err = {0};
    struct dsr_vocabulary *v;
    struct dsr_bpe_work one = {0}, other = {0};
    dsr_rng_init(&rng, 5, (uint64_t)_i);
    json_t *json = random_tokenizer(&rng, 3 + _i * 4);
    ck_assert_msg(!dsr_vocabulary_build(&v, json, "x", &err), "%s", err.message);
    ck_assert_uint_eq(v->ordered, 1);
    for (int k = 0; k < 400; k++) {
        char text[200];
        uint32_t a[200], b[200];
        size_t n = 1 + (size_t)dsr_rng_below(&rng, k < 300 ? 20 : 199);
        for (size_t i = 0; i < n; i++)
            text[i] = (char)('a' + dsr_rng_below(&rng, 1 + (uint64_t)k % 3));
        size_t na = dsr_bpe(v, text, n, a, &one), nb = dsr_bpe_merge(v, text, n, b, &other);
        ck_assert_msg(na == nb && !memcmp(a, b, na * sizeof *a), "%.*s", (int)n, text);
    }
    free(one.memory);
    free(other.memory);
    free(v);
    json_decref(json);
}
END_TEST

/* Expected pieces: DeepSeek's patterns by hand. */
static const struct {
    const char *text;
    const char *pieces[8];
} splits[] = {
    {"Hello world", {"Hello", " world"}},
    {"a  b", {"a", " ", " b"}},
    {"a  1", {"a", "  ", "1"}},
    {"12345", {"123", "45"}},
    {"a\r\n\r\n  b", {"a", "\r\n\r\n", " ", " b"}},
    {"x = -1;\n", {"x", " =", " -", "1", ";\n"}},
    {"(foo)", {"(foo", ")"}},
    {"你好world", {"你好", "world"}},
    {"ok  \n  ", {"ok", "  \n", "  "}},
    {"don't", {"don", "'t"}},
    {"\x01\x01 a", {"\x01\x01", " a"}},
    {"\xc2\x85\xc2\x85x", {"\xc2\x85", "\xc2\x85x"}},
    {"é٣4", {"é", "٣4"}},
    {"\xff\xfe", {"\xff\xfe"}},
};

START_TEST(texts_are_split)
{
    struct dsr_rng rng;
    struct dsr_error err = {0};
    struct dsr_vocabulary *v;
    dsr_rng_init(&rng, 1, 1);
    json_t *json = random_tokenizer(&rng, 10);
    ck_assert_int_eq(dsr_vocabulary_build(&v, json, "x", &err), 0);
    const char *p = splits[_i].text, *end = p + strlen(p);
    for (size_t k = 0; p < end; k++) {
        const char *stop = dsr_piece_end(v, p, end), *wanted = splits[_i].pieces[k];
        ck_assert_msg(wanted && strlen(wanted) == (size_t)(stop - p) &&
                          !memcmp(p, wanted, (size_t)(stop - p)),
                      "piece %zu is \"%.*s\"", k, (int)(stop - p), p);
        p = stop;
    }
    free(v);
    json_decref(json);
}
END_TEST

static char *write_tokenizer(const json_t *json)
{
    char *path = dsr_format("tokenizer-%d.json", (int)getpid());
    ck_assert_int_eq(json_dump_file(json, path, 0), 0);
    return path;
}

START_TEST(a_compiled_file_is_used_and_checked)
{
    struct dsr_rng rng;
    struct dsr_error err = {0};
    struct dsr_tokenizer *t;
    struct dsr_ids first = {0}, ids = {0};
    static const char text[] = "abcabc <|x|>ccba";
    dsr_rng_init(&rng, 9, 9);
    json_t *json = random_tokenizer(&rng, 100);
    DSR_AUTO(str) char *path = write_tokenizer(json);
    DSR_AUTO(str) char *compiled = dsr_format("%s.compiled", path);
    for (int round = 0; round < 4; round++) {
        if (round == 2) { /* half of it */
            FILE *f = fopen(compiled, "r+");
            ck_assert(f && !ftruncate(fileno(f), 5000) && !fclose(f));
        }
        if (round == 3) { /* another file's */
            json_object_set_new(json, "other", json_true());
            ck_assert_int_eq(json_dump_file(json, path, 0), 0);
        }
        ck_assert_msg(!dsr_tokenizer_open(&t, path, NULL, DSR_FLAVOR_V3, &err), "%s", err.message);
        ids.n = 0;
        ck_assert_int_eq(dsr_tokenize(t, text, sizeof text - 1, &ids), 0);
        dsr_tokenizer_close(t);
        if (!round) {
            first = ids;
            memset(&ids, 0, sizeof ids);
            continue;
        }
        ck_assert_uint_eq(ids.n, first.n);
        ck_assert_mem_eq(ids.list, first.list, ids.n * sizeof *ids.list);
    }
    unlink(path);
    unlink(compiled);
    dsr_ids_clear(&ids);
    dsr_ids_clear(&first);
    json_decref(json);
}
END_TEST

static const char *const broken[] = {
    "{}",
    "[]",
    "{\"model\": {\"type\": \"Unigram\", \"vocab\": {}, \"merges\": []}}",
    "{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 0}, \"merges\": []}}",
    "{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": -1}, \"merges\": []}}",
    "{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 99999999}, \"merges\": []}}",
    "{\"model\": {\"type\": \"BPE\", \"vocab\": {}, \"merges\": []}, \"added_tokens\": [{\"id\": 1}]}"};

START_TEST(what_is_no_tokenizer_is_told)
{
    struct dsr_error err = {0};
    struct dsr_vocabulary *v;
    json_t *json = json_loads(broken[_i], 0, NULL);
    ck_assert_int_eq(dsr_vocabulary_build(&v, json, "t.json", &err), DSR_ECONFIG);
    ck_assert_str_eq(err.file, "t.json");
    json_decref(json);
}
END_TEST

/* A million of one letter, and of three: no square of it is done (the test would not end). */
START_TEST(long_pieces_take_no_square)
{
    struct dsr_rng rng;
    struct dsr_error err = {0};
    struct dsr_vocabulary *v;
    struct dsr_bpe_work work = {0};
    size_t n = 1000000;
    char *text = malloc(n);
    uint32_t *a = malloc(n * sizeof *a), *b = malloc(n * sizeof *b);
    dsr_rng_init(&rng, 3, 3);
    json_t *json = random_tokenizer(&rng, 200);
    ck_assert_int_eq(dsr_vocabulary_build(&v, json, "x", &err), 0);
    for (size_t i = 0; i < n; i++)
        text[i] = _i ? (char)('a' + dsr_rng_below(&rng, 3)) : 'a';
    size_t na = dsr_bpe(v, text, n, a, &work), nb = dsr_bpe_merge(v, text, n, b, &work);
    ck_assert_uint_eq(na, nb);
    ck_assert_mem_eq(a, b, na * sizeof *a);
    free(work.memory);
    free(text);
    free(a);
    free(b);
    free(v);
    json_decref(json);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tokenizer");
    TCase *tcase = tcase_create("tokenizer");
    tcase_set_timeout(tcase, 0);
    tcase_add_loop_test(tcase, encoding_is_merging_by_definition, 0, 60);
    tcase_add_loop_test(tcase, texts_are_split, 0, (int)DSR_COUNT(splits));
    tcase_add_test(tcase, a_compiled_file_is_used_and_checked);
    tcase_add_loop_test(tcase, what_is_no_tokenizer_is_told, 0, (int)DSR_COUNT(broken));
    tcase_add_loop_test(tcase, long_pieces_take_no_square, 0, 2);
    suite_add_tcase(suite, tcase);
    return unit_run(suite);
}
