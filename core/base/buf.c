/* Growing byte strings. */
#include "base.h"

#include <stdarg.h>

int dsr_buf_reserve(struct dsr_buf *buf, size_t n)
{
    if (n >= SIZE_MAX / 2 - buf->len)
        return DSR_ENOMEM;
    size_t need = buf->len + n + 1;
    if (need <= buf->cap)
        return 0;
    size_t cap = buf->cap ? buf->cap : 64;
    while (cap < need)
        cap *= 2;
    char *data = realloc(buf->data, cap);
    if (!data)
        return DSR_ENOMEM;
    buf->data = data;
    buf->cap = cap;
    return 0;
}

int dsr_buf_add(struct dsr_buf *buf, const char *bytes, size_t n)
{
    if (dsr_buf_reserve(buf, n))
        return DSR_ENOMEM;
    if (n)
        memcpy(buf->data + buf->len, bytes, n);
    buf->len += n;
    buf->data[buf->len] = '\0';
    return 0;
}

int dsr_buf_adds(struct dsr_buf *buf, const char *text)
{
    return dsr_buf_add(buf, text, strlen(text));
}

int dsr_buf_addf(struct dsr_buf *buf, const char *format, ...)
{
    va_list ap;
    char *text = NULL;
    va_start(ap, format);
    int n = vasprintf(&text, format, ap);
    va_end(ap);
    if (n < 0)
        return DSR_ENOMEM;
    int rc = dsr_buf_add(buf, text, (size_t)n);
    free(text);
    return rc;
}

void dsr_buf_reset(struct dsr_buf *buf)
{
    buf->len = 0;
    if (buf->data)
        buf->data[0] = '\0';
}

void dsr_buf_clear(struct dsr_buf *buf)
{
    free(buf->data);
    memset(buf, 0, sizeof *buf);
}

void dsr_text_hide(char *text, const char *secret)
{
    size_t n = secret ? strlen(secret) : 0;
    for (char *p = text; n >= 4 && (p = strstr(p, secret));) {
        memcpy(p, "***", 3);
        memmove(p + 3, p + n, strlen(p + n) + 1);
    }
}

char *dsr_format(const char *format, ...)
{
    va_list ap;
    char *text = NULL;
    va_start(ap, format);
    int n = vasprintf(&text, format, ap);
    va_end(ap);
    return n < 0 ? NULL : text;
}

int dsr_buf_add_number(struct dsr_buf *buf, uint64_t number)
{
    char bytes[10];
    size_t n = 0;
    for (; number > 127; number >>= 7)
        bytes[n++] = (char)(number | 128);
    bytes[n++] = (char)number;
    return dsr_buf_add(buf, bytes, n);
}

uint64_t dsr_reader_number(struct dsr_reader *r)
{
    uint64_t number = 0;
    for (unsigned shift = 0; r->at < r->end && shift < 64; shift += 7) {
        unsigned char byte = (unsigned char)*r->at++;
        number |= (uint64_t)(byte & 127) << shift;
        if (byte < 128 && (shift < 63 || byte < 2))
            return number;
    }
    r->bad = true;
    return 0;
}

const char *dsr_reader_bytes(struct dsr_reader *r, uint64_t n)
{
    const char *bytes = r->at;
    if (n > (uint64_t)(r->end - r->at)) {
        r->bad = true;
        return NULL;
    }
    r->at += n;
    return bytes;
}
