/* Keys. */
#include "plugins/stores/leveldb/ldb.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *ldb_format(const char *format, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    int n = vasprintf(&text, format, args);
    va_end(args);
    return n < 0 ? NULL : text;
}

/* With '/' and '%' written out; NULL when out of memory. */
static char *escape(const char *name)
{
    char *text = malloc(3 * strlen(name) + 1), *out = text;
    for (; text && *name; name++) {
        if (*name == '/' || *name == '%')
            out += sprintf(out, "%%%02X", (unsigned)*name);
        else
            *out++ = *name;
    }
    if (text)
        *out = '\0';
    return text;
}

char *ldb_stem(const char *model, const char *provider)
{
    char *m = escape(model), *p = escape(provider);
    char *stem = m && p ? ldb_format("%s/%s", m, p) : NULL;
    free(m);
    free(p);
    return stem;
}

char *ldb_index_key(const char *kind, const char *stem, int n, int64_t index)
{
    return ldb_format("%s/%.*s/%010lld", kind, n, stem, (long long)index);
}

char *ldb_model_prefix(const char *kind, const char *model)
{
    char *stem = ldb_stem(model, "");
    char *prefix = stem ? ldb_format("%s/%s", kind, stem) : NULL;
    free(stem);
    return prefix;
}

char *ldb_part(const char *stem, int which)
{
    const char *slash = strchr(stem, '/');
    const char *at = which && slash ? slash + 1 : stem;
    const char *end = which || !slash ? at + strlen(at) : slash;
    char *text = malloc((size_t)(end - at) + 1), *out = text;
    while (text && at < end) {
        char code[3] = {at[0] == '%' ? at[1] : '\0', at[0] == '%' && at[1] ? at[2] : '\0', '\0'};
        *out++ = code[1] ? (char)strtol(code, NULL, 16) : *at;
        at += code[1] ? 3 : 1;
    }
    if (text)
        *out = '\0';
    return text;
}

char *ldb_record_key(const struct dsr_record *r)
{
    if (r->kind == DSR_RECORD_JOB)
        return ldb_format("j/%s", r->job);
    if (r->kind == DSR_RECORD_ANSWER || r->kind == DSR_RECORD_EVENT)
        return ldb_format("%c/%s/%s/%s", r->kind == DSR_RECORD_ANSWER ? 'a' : 'e', r->job,
                          r->provider, r->key);
    char *stem = ldb_stem(r->model, r->provider);
    char *key = stem ? ldb_format("%c/%s/%020lld/%s/%s", r->kind == DSR_RECORD_PERF ? 'P' : 'B',
                                  stem, (long long)r->time_us, r->job, r->key)
                     : NULL;
    free(stem);
    return key;
}

int64_t ldb_hour(int64_t time_us)
{
    return time_us > 0 ? time_us / LDB_HOUR_US : 0;
}

bool ldb_begins(const char *key, size_t n, const char *prefix)
{
    size_t m = strlen(prefix);
    return n >= m && !memcmp(key, prefix, m);
}

int64_t ldb_index(const char *key, size_t n)
{
    int64_t number = 0;
    size_t at = n;
    while (at && key[at - 1] != '/')
        at--;
    for (; at < n && key[at] >= '0' && key[at] <= '9' && number < INT64_MAX / 10; at++)
        number = number * 10 + (key[at] - '0');
    return number;
}
