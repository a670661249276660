/* Filling and showing errors. */
#include "base.h"

#include <stdarg.h>

static int set(struct dsr_error *err, int code, const char *pointer, const char *format, va_list ap)
{
    if (!err)
        return code;
    memset(err, 0, sizeof *err);
    err->code = code;
    if (pointer)
        snprintf(err->pointer, sizeof err->pointer, "%s", pointer);
    vsnprintf(err->message, sizeof err->message, format, ap);
    return code;
}

int dsr_error_set(struct dsr_error *err, int code, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    set(err, code, NULL, format, ap);
    va_end(ap);
    return code;
}

int dsr_error_at(struct dsr_error *err, int code, const char *pointer, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    set(err, code, pointer, format, ap);
    va_end(ap);
    return code;
}

int dsr_error_file(struct dsr_error *err, int code, const char *file, int line, const char *format,
                   ...)
{
    va_list ap;
    va_start(ap, format);
    set(err, code, NULL, format, ap);
    va_end(ap);
    if (err) {
        snprintf(err->file, sizeof err->file, "%s", file);
        err->line = line;
    }
    return code;
}

int dsr_error_nomem(struct dsr_error *err)
{
    return dsr_error_set(err, DSR_ENOMEM, "out of memory");
}

int dsr_error_wrap(struct dsr_error *err, const char *format, ...)
{
    char text[sizeof err->message];
    va_list ap;
    va_start(ap, format);
    int n = vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    if (n >= 0 && (size_t)n < sizeof text - 3)
        snprintf(text + n, sizeof text - (size_t)n, ": %s", err->message);
    memcpy(err->message, text, sizeof text);
    return err->code;
}

void dsr_error_text(const struct dsr_error *err, char *text, size_t size)
{
    struct dsr_buf buf = {0};
    if (err->file[0] && err->line > 0)
        dsr_buf_addf(&buf, "%s:%d: ", err->file, err->line);
    else if (err->file[0])
        dsr_buf_addf(&buf, "%s: ", err->file);
    if (err->pointer[0])
        dsr_buf_addf(&buf, "\"%s\": ", err->pointer[0] == '/' ? err->pointer + 1 : err->pointer);
    dsr_buf_adds(&buf, err->message);
    snprintf(text, size, "%s", buf.data ? buf.data : err->message);
    dsr_buf_clear(&buf);
}
