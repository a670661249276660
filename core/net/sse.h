/* Server-sent events (WHATWG HTML, section 9.2), fed in any pieces. */
#ifndef DSR_SSE_H
#define DSR_SSE_H

#include "core/base/base.h"

struct dsr_sse {
    struct dsr_buf line; /* a line whose end has not come yet */
    struct dsr_buf data; /* the event's data so far */
    char type[32];
    bool has_data;
    bool begun;   /* past the byte order mark */
    bool skip_lf; /* the last line ended in CR; an LF that follows belongs to it */
};

/* data: len bytes and a NUL, may be changed. Non-zero stops the feed and is returned. */
typedef int dsr_sse_fn(void *arg, const char *type, char *data, size_t len);

void dsr_sse_reset(struct dsr_sse *sse); /* keeps the memory */
void dsr_sse_clear(struct dsr_sse *sse);
/* 0, DSR_ENOMEM, DSR_EINVAL for an event over 16 MiB, or what on_event returned. */
int dsr_sse_feed(struct dsr_sse *sse, const char *bytes, size_t n, dsr_sse_fn *on_event, void *arg);
/* The stream ended. An event whose blank line is missing is still delivered: many servers end with
 * a bare "data: [DONE]", against the letter of the standard. */
int dsr_sse_end(struct dsr_sse *sse, dsr_sse_fn *on_event, void *arg);

#endif
