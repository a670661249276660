/* What Jansson leaves to its callers: broken UTF-8, unknown numbers, files of many objects. */
#include "base.h"

#include <errno.h>
#include <math.h>

size_t dsr_utf8_len(const unsigned char *s, size_t n)
{
    if (!n)
        return 0;
    if (s[0] < 0x80)
        return 1;
    size_t len = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    if (s[0] < 0xc2 || s[0] > 0xf4 || n < len)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    /* overlong forms, surrogates and what lies beyond U+10FFFF (RFC 3629, section 4) */
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
        (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
        return 0;
    return len;
}

json_t *dsr_json_text(const char *bytes, size_t n)
{
    json_t *whole = json_stringn(bytes ? bytes : "", n);
    if (whole)
        return whole;
    struct dsr_buf buf = {0};
    for (size_t i = 0; i < n;) {
        size_t len = dsr_utf8_len((const unsigned char *)bytes + i, n - i);
        if (dsr_buf_add(&buf, len ? bytes + i : "\xef\xbf\xbd", len ? len : 3))
            break;
        i += len ? len : 1;
    }
    json_t *json = json_stringn(buf.data ? buf.data : "", buf.len);
    dsr_buf_clear(&buf);
    return json;
}

json_t *dsr_json_real(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

double dsr_json_number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

const char *dsr_json_string(const json_t *object, const char *key, const char *fallback)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : fallback;
}

int64_t dsr_json_int(const json_t *object, const char *key, int64_t fallback)
{
    const json_t *value = json_object_get(object, key);
    return json_is_integer(value) ? json_integer_value(value) : fallback;
}

/* What the visitor finds wrong is told with the place where it stands. */
static int visit_at(dsr_json_row_fn *visit, void *arg, json_t *object, const char *path, int line,
                    struct dsr_error *err)
{
    int rc = visit(arg, object, line, err);
    if (rc < 0 && err && !err->file[0]) {
        snprintf(err->file, sizeof err->file, "%s", path);
        err->line = line;
    }
    return rc;
}

static int read_array(FILE *file, const char *path, size_t flags, dsr_json_row_fn *visit, void *arg,
                      struct dsr_error *err)
{
    json_error_t bad;
    DSR_AUTO(json) json_t *array = json_loadf(file, flags, &bad);
    if (!array)
        return dsr_error_file(err, DSR_ECONFIG, path, bad.line, "not valid JSON: %s", bad.text);
    size_t i;
    json_t *object;
    json_array_foreach(array, i, object)
    {
        if (!json_is_object(object))
            return dsr_error_file(err, DSR_ECONFIG, path, 0, "element %zu is not an object", i);
        int rc = visit_at(visit, arg, object, path, 0, err);
        if (rc)
            return rc;
    }
    return 0;
}

static int read_line(char *line, size_t n, int number, const char *path, size_t flags,
                     dsr_json_row_fn *visit, void *arg, struct dsr_error *err)
{
    json_error_t bad;
    size_t start = strspn(line, " \t\r\n");
    if (number == 1 && n >= 3 && !memcmp(line, "\xef\xbb\xbf", 3))
        start = 3;
    if (start >= n)
        return 0;
    DSR_AUTO(json) json_t *object = json_loadb(line + start, n - start, flags, &bad);
    if (!json_is_object(object))
        return dsr_error_file(err, DSR_ECONFIG, path, number, "expected a JSON object%s%s",
                              object ? "" : ": ", object ? "" : bad.text);
    return visit_at(visit, arg, object, path, number, err);
}

int dsr_jsonl_read_stream(FILE *file, const char *path, size_t flags, dsr_json_row_fn *visit,
                          void *arg, struct dsr_error *err)
{
    DSR_AUTO(str) char *line = NULL;
    size_t cap = 0;
    ssize_t n;
    int number = 0, rc = 0, first;
    do {
        first = fgetc(file);
        number += first == '\n';
    } while (first == ' ' || first == '\n' || first == '\r' || first == '\t');
    ungetc(first, file); /* not rewind: the file may be a pipe */
    if (first == '[')
        return read_array(file, path, flags, visit, arg, err);
    while (!rc && (n = getline(&line, &cap, file)) >= 0)
        rc = read_line(line, (size_t)n, ++number, path, flags, visit, arg, err);
    if (!rc && ferror(file))
        return dsr_error_file(err, DSR_EIO, path, number, "can't be read: %s", strerror(errno));
    return rc;
}

int dsr_jsonl_read(const char *path, dsr_json_row_fn *visit, void *arg, struct dsr_error *err)
{
    DSR_AUTO(file) FILE *file = fopen(path, "r");
    if (!file)
        return dsr_error_file(err, DSR_ECONFIG, path, 0, "can't be read: %s", strerror(errno));
    return dsr_jsonl_read_stream(file, path, 0, visit, arg, err);
}
