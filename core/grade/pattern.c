/* Compiling and running the graders' expressions. */
#include "core/grade/pattern.h"

void dsr_patterns_compile(struct dsr_pattern *patterns, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int error;
        PCRE2_SIZE offset;
        patterns[i].code = pcre2_compile((PCRE2_SPTR)patterns[i].source, PCRE2_ZERO_TERMINATED,
                                         PCRE2_UTF | PCRE2_MULTILINE, &error, &offset, NULL);
        if (patterns[i].code)
            pcre2_jit_compile(patterns[i].code, PCRE2_JIT_COMPLETE);
    }
}

static void each(const struct dsr_pattern *pattern, pcre2_match_data *data, const char *text,
                 size_t len, dsr_match_fn *visit, void *arg)
{
    for (size_t at = 0; at < len;) {
        int rc =
            pcre2_match(pattern->code, (PCRE2_SPTR)text, len, at, PCRE2_NO_UTF_CHECK, data, NULL);
        if (rc < 1)
            break;
        const size_t *v = pcre2_get_ovector_pointer(data);
        bool grouped = rc > 1 && v[2] != PCRE2_UNSET;
        if (grouped)
            visit(arg, pattern, v);
        /* from the answer's end, so that statements that overlap are all seen */
        size_t next = grouped ? v[3] : v[1];
        at = next > at ? next : at + dsr_utf8_len((const unsigned char *)text + at, len - at);
    }
}

void dsr_patterns_each(const struct dsr_pattern *patterns, size_t n, const char *text, size_t len,
                       dsr_match_fn *visit, void *arg)
{
    pcre2_match_data *data = pcre2_match_data_create(8, NULL);
    for (size_t i = 0; i < n && data; i++)
        if (patterns[i].code)
            each(&patterns[i], data, text, len, visit, arg);
    pcre2_match_data_free(data);
}
