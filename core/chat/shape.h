/* The events of one stream differ in a single text, as a rule: what stands before it and behind it
 * is the same from the first to the last. Once an event was parsed, the next of its shape need not
 * be: its text is what stands between. */
#ifndef DSR_SHAPE_H
#define DSR_SHAPE_H

#include "core/base/base.h"

struct dsr_shape {
    struct dsr_buf event; /* one of this shape */
    size_t head, tail; /* bytes before the text (its quote included) and from its closing quote */
    const char *key;   /* whose value the text is; NULL: no shape is known */
};

void dsr_shape_reset(struct dsr_shape *shape); /* keeps the memory */
void dsr_shape_clear(struct dsr_shape *shape);
/* Learns from an event that is valid JSON and in which only the value of "key" (static) may differ
 * from one event to the next: text, n bytes. Learns nothing unless "key" stands there once, with
 * just that text. */
void dsr_shape_learn(struct dsr_shape *shape, const char *event, size_t len, const char *key,
                     const char *text, size_t n);
/* The text of an event of this shape that needs no unescaping; NULL for any other event. */
const char *dsr_shape_text(const struct dsr_shape *shape, const char *event, size_t len, size_t *n);

#endif
