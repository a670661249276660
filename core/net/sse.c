/* The SSE decoder: lines, then fields, then events. */
#include "core/net/sse.h"

#define MAX_EVENT (16 << 20)

void dsr_sse_reset(struct dsr_sse *sse)
{
    dsr_buf_reset(&sse->line);
    dsr_buf_reset(&sse->data);
    sse->type[0] = '\0';
    sse->has_data = sse->begun = sse->skip_lf = false;
}

void dsr_sse_clear(struct dsr_sse *sse)
{
    dsr_buf_clear(&sse->line);
    dsr_buf_clear(&sse->data);
    memset(sse, 0, sizeof *sse);
}

static int dispatch(struct dsr_sse *sse, dsr_sse_fn *on_event, void *arg)
{
    int rc = 0;
    if (sse->has_data)
        rc = on_event(arg, sse->type[0] ? sse->type : "message", sse->data.data, sse->data.len);
    dsr_buf_reset(&sse->data);
    sse->type[0] = '\0';
    sse->has_data = false;
    return rc;
}

static int add_data(struct dsr_sse *sse, const char *text, size_t n)
{
    if (sse->data.len + n > MAX_EVENT)
        return DSR_EINVAL;
    if (sse->has_data && dsr_buf_add(&sse->data, "\n", 1))
        return DSR_ENOMEM;
    sse->has_data = true;
    return dsr_buf_add(&sse->data, text, n);
}

static int take_line(struct dsr_sse *sse, const char *line, size_t n, dsr_sse_fn *on_event,
                     void *arg)
{
    if (!sse->begun) {
        sse->begun = true;
        if (n >= 3 && !memcmp(line, "\xef\xbb\xbf", 3)) {
            line += 3;
            n -= 3;
        }
    }
    if (!n)
        return dispatch(sse, on_event, arg);
    if (line[0] == '{') /* an error object that some gateways write without "data:" */
        return add_data(sse, line, n);
    const char *colon = memchr(line, ':', n);
    size_t name = colon ? (size_t)(colon - line) : n;
    size_t skip = colon ? name + 1 : n;
    if (skip < n && line[skip] == ' ')
        skip++;
    if (name == 4 && !memcmp(line, "data", 4))
        return add_data(sse, line + skip, n - skip);
    if (name == 5 && !memcmp(line, "event", 5) && n - skip < sizeof sse->type)
        snprintf(sse->type, sizeof sse->type, "%.*s", (int)(n - skip), line + skip);
    return 0;
}

int dsr_sse_feed(struct dsr_sse *sse, const char *bytes, size_t n, dsr_sse_fn *on_event, void *arg)
{
    const char *p = bytes, *end = bytes + n;
    while (p < end) {
        if (sse->skip_lf) {
            sse->skip_lf = false;
            if (*p == '\n') {
                p++;
                continue;
            }
        }
        const char *lf = memchr(p, '\n', (size_t)(end - p));
        const char *stop = lf ? lf : end;
        const char *cr = memchr(p, '\r', (size_t)(stop - p));
        if (cr)
            stop = cr;
        if (stop == end) {
            if (sse->line.len + (size_t)(end - p) > MAX_EVENT)
                return DSR_EINVAL;
            return dsr_buf_add(&sse->line, p, (size_t)(end - p));
        }
        sse->skip_lf = stop == cr;
        int rc;
        if (sse->line.len) {
            rc = dsr_buf_add(&sse->line, p, (size_t)(stop - p));
            if (!rc)
                rc = take_line(sse, sse->line.data, sse->line.len, on_event, arg);
            dsr_buf_reset(&sse->line);
        } else {
            rc = take_line(sse, p, (size_t)(stop - p), on_event, arg);
        }
        if (rc)
            return rc;
        p = stop + 1;
    }
    return 0;
}

int dsr_sse_end(struct dsr_sse *sse, dsr_sse_fn *on_event, void *arg)
{
    int rc = 0;
    if (sse->line.len)
        rc = take_line(sse, sse->line.data, sse->line.len, on_event, arg);
    return rc ? rc : dispatch(sse, on_event, arg);
}
