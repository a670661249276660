/* Tests out of a row of code_generation_lite: JSON texts, or base64 of zlib of a pickled one. */
#include "lcb.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define MOST_BYTES ((size_t)1 << 30) /* of one problem's tests, unpacked */

static uint64_t little_endian(const unsigned char *p, size_t n)
{
    uint64_t value = 0;
    for (size_t i = n; i; i--)
        value = value << 8 | p[i - 1];
    return value;
}

/* Opcodes of Python's pickletools: those that frame and remember, and the three for a text. */
int lcb_pickle_text(const unsigned char *p, size_t n, const char **text, size_t *len)
{
    const unsigned char *end = p + n;
    *text = NULL;
    while (p < end) {
        unsigned char opcode = *p++;
        size_t skip = 0, width = 0;
        switch (opcode) {
        case 0x80: /* PROTO */
        case 'q':  /* BINPUT */
            skip = 1;
            break;
        case 0x95: /* FRAME */
            skip = 8;
            break;
        case 'r': /* LONG_BINPUT */
            skip = 4;
            break;
        case 0x94: /* MEMOIZE */
            break;
        case 0x8c: /* SHORT_BINUNICODE */
            width = 1;
            break;
        case 'X': /* BINUNICODE */
            width = 4;
            break;
        case 0x8d: /* BINUNICODE8 */
            width = 8;
            break;
        case '.': /* STOP */
            return *text ? 0 : DSR_EINVAL;
        default:
            return DSR_EINVAL;
        }
        if ((size_t)(end - p) < skip + width || (width && *text))
            return DSR_EINVAL;
        if (width) {
            uint64_t size = little_endian(p, width);
            p += width;
            if (size > (uint64_t)(end - p))
                return DSR_EINVAL;
            *text = (const char *)p;
            *len = (size_t)size;
            skip = *len;
        }
        p += skip;
    }
    return DSR_EINVAL;
}

/* malloc'd; NULL when it is no base64. */
static unsigned char *from_base64(const char *text, size_t n, size_t *len)
{
    unsigned char *out = n < MOST_BYTES ? malloc(n / 4 * 3 + 4) : NULL;
    EVP_ENCODE_CTX *ctx = EVP_ENCODE_CTX_new();
    int part = 0, rest = 0;
    bool ok = out && ctx;
    if (ok) {
        EVP_DecodeInit(ctx);
        ok = EVP_DecodeUpdate(ctx, out, &part, (const unsigned char *)text, (int)n) >= 0 &&
             EVP_DecodeFinal(ctx, out + part, &rest) >= 0;
    }
    EVP_ENCODE_CTX_free(ctx);
    if (!ok) {
        free(out);
        return NULL;
    }
    *len = (size_t)(part + rest);
    return out;
}

/* malloc'd; NULL when it is no zlib stream, or too long. */
static unsigned char *unzipped(const unsigned char *data, size_t n, size_t *len)
{
    z_stream z = {.next_in = (unsigned char *)data, .avail_in = (uInt)n};
    size_t cap = 4 * n + 4096;
    unsigned char *out = malloc(cap);
    int rc = out && inflateInit(&z) == Z_OK ? Z_OK : Z_MEM_ERROR;
    while (rc == Z_OK && z.total_out < MOST_BYTES) {
        if (z.total_out == cap) {
            unsigned char *more = realloc(out, cap *= 2);
            if (!more)
                break;
            out = more;
        }
        z.next_out = out + z.total_out;
        z.avail_out = (uInt)(cap - z.total_out < (1u << 30) ? cap - z.total_out : (1u << 30));
        rc = inflate(&z, Z_NO_FLUSH);
    }
    *len = z.total_out;
    inflateEnd(&z);
    if (rc == Z_STREAM_END)
        return out;
    free(out);
    return NULL;
}

static json_t *unpack(const char *text, size_t n)
{
    size_t len, size, words;
    const char *json;
    unsigned char *zipped = from_base64(text, n, &len);
    unsigned char *pickle = zipped ? unzipped(zipped, len, &size) : NULL;
    json_t *cases = NULL;
    if (pickle && !lcb_pickle_text(pickle, size, &json, &words))
        cases = json_loadb(json, words, 0, NULL);
    free(zipped);
    free(pickle);
    return cases;
}

/* Appends the tests of one member: a JSON array, a text of one, or the packed form. */
static int add_cases(json_t *all, const json_t *value, const char *name, struct dsr_error *err)
{
    json_t *cases = NULL;
    const char *text = json_string_value(value);
    if (!value || json_is_null(value) || (text && !*text))
        return 0;
    if (json_is_array(value))
        cases = json_incref((json_t *)value);
    else if (text && text[strspn(text, " \t\r\n")] == '[')
        cases = json_loadb(text, json_string_length(value), 0, NULL);
    else if (text)
        cases = unpack(text, json_string_length(value));
    size_t i;
    json_t *test;
    bool ok = json_is_array(cases);
    json_array_foreach(cases, i, test) ok = ok && json_is_string(json_object_get(test, "input")) &&
                                            json_is_string(json_object_get(test, "output"));
    ok = ok && !json_array_extend(all, cases);
    json_decref(cases);
    return ok ? 0
              : dsr_error_set(err, DSR_EINVAL,
                              "\"%s\" is neither an array of tests {\"input\",\"output\"}, nor "
                              "base64 of a zlib stream of a pickled text of one",
                              name);
}

static char *function_of(const json_t *row)
{
    const char *name = json_string_value(json_object_get(row, "fn_name"));
    const json_t *metadata = json_object_get(row, "metadata");
    json_t *parsed = json_is_string(metadata) ? json_loads(json_string_value(metadata), 0, NULL)
                                              : json_incref((json_t *)metadata);
    if (!name)
        name = json_string_value(json_object_get(parsed, "func_name"));
    char *copy = name && *name ? strdup(name) : NULL;
    json_decref(parsed);
    return copy;
}

int lcb_tests_read(const json_t *row, struct lcb_tests *tests, struct dsr_error *err)
{
    static const char *const members[] = {"tests", "public_test_cases", "private_test_cases"};
    int rc = 0;
    tests->cases = json_array();
    tests->function = function_of(row);
    for (size_t i = 0; i < sizeof members / sizeof members[0] && !rc; i++)
        rc = add_cases(tests->cases, json_object_get(row, members[i]), members[i], err);
    if (!rc && !json_array_size(tests->cases))
        rc = dsr_error_set(err, DSR_EINVAL, "the problem has no tests");
    if (rc)
        lcb_tests_clear(tests);
    return rc;
}

void lcb_tests_clear(struct lcb_tests *tests)
{
    json_decref(tests->cases);
    free(tests->function);
    memset(tests, 0, sizeof *tests);
}
