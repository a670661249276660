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

void dsr_pattern_each(const struct dsr_pattern *pattern, const char *text, size_t len,
                      dsr_match_fn *visit, void *arg)
{
    pcre2_match_data *data =
        pattern->code ? pcre2_match_data_create_from_pattern(pattern->code, NULL) : NULL;
    size_t at = 0;
    while (data && at <= len) {
        int rc =
            pcre2_match(pattern->code, (PCRE2_SPTR)text, len, at, PCRE2_NO_UTF_CHECK, data, NULL);
        if (rc < 1)
            break;
        const size_t *v = pcre2_get_ovector_pointer(data);
        if (rc > 1 && v[2] != PCRE2_UNSET)
            visit(arg, pattern, v);
        /* from the answer's end, so that statements that overlap are all seen */
        size_t next = rc > 1 && v[2] != PCRE2_UNSET ? v[3] : v[1];
        at = next > at ? next : at + dsr_utf8_len((const unsigned char *)text + at, len - at);
        if (at == len || next == 0)
            break;
    }
    pcre2_match_data_free(data);
}
