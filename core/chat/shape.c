/* Learning a shape, and reading by it. */
#include "core/chat/shape.h"

void dsr_shape_reset(struct dsr_shape *shape)
{
    dsr_buf_reset(&shape->event);
    shape->key = NULL;
}

void dsr_shape_clear(struct dsr_shape *shape)
{
    dsr_buf_clear(&shape->event);
    shape->key = NULL;
}

/* Where the value of "key" begins, past its quote, if that member stands there once; else NULL. */
static const char *find_value(const char *event, size_t len, const char *key)
{
    char quoted[64];
    size_t n = (size_t)snprintf(quoted, sizeof quoted, "\"%s\"", key);
    const char *end = event + len, *at = memmem(event, len, quoted, n);
    if (!at || memmem(at + n, (size_t)(end - at) - n, quoted, n))
        return NULL;
    for (at += n; at < end && (*at == ':' || *at == ' '); at++)
        ;
    return at < end && *at == '"' ? at + 1 : NULL;
}

void dsr_shape_learn(struct dsr_shape *shape, const char *event, size_t len, const char *key,
                     const char *text, size_t n)
{
    const char *value = find_value(event, len, key);
    size_t left = value ? len - (size_t)(value - event) : 0;
    shape->key = NULL;
    if (left <= n || memcmp(value, text, n) || value[n] != '"' || memchr(text, '\\', n))
        return;
    dsr_buf_reset(&shape->event);
    if (dsr_buf_add(&shape->event, event, len))
        return;
    shape->head = (size_t)(value - event);
    shape->tail = left - n;
    shape->key = key;
}

/* What Jansson takes between two quotes as it stands: UTF-8 without quotes, backslashes, controls.
 */
static bool is_plain(const unsigned char *text, size_t n)
{
    for (size_t i = 0; i < n;) {
        size_t len = text[i] < 0x80 ? 1 : dsr_utf8_len(text + i, n - i);
        if (!len || text[i] < 0x20 || text[i] == '"' || text[i] == '\\')
            return false;
        i += len;
    }
    return true;
}

const char *dsr_shape_text(const struct dsr_shape *shape, const char *event, size_t len, size_t *n)
{
    if (!shape->key || len < shape->head + shape->tail)
        return NULL;
    const char *text = event + shape->head;
    const char *tail = shape->event.data + shape->event.len - shape->tail;
    *n = len - shape->head - shape->tail;
    if (memcmp(event, shape->event.data, shape->head) || memcmp(text + *n, tail, shape->tail))
        return NULL;
    return is_plain((const unsigned char *)text, *n) ? text : NULL;
}
