/* Regular expressions of the graders: compiled once, by PCRE2's JIT where it works. */
#ifndef DSR_PATTERN_H
#define DSR_PATTERN_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include "core/base/base.h"

#include <pcre2.h>
#include <pthread.h>

/* A statement by which an answer is committed. Group 1 is the answer. */
struct dsr_pattern {
    const char *rule; /* its name, for users */
    const char *source;
    pcre2_code *code; /* filled by dsr_patterns_compile, then read-only */
};

void dsr_patterns_compile(struct dsr_pattern *patterns, size_t n);

/* Calls visit for each match of each pattern: where group 1 (and the whole match) begins and ends.
 */
typedef void dsr_match_fn(void *arg, const struct dsr_pattern *pattern, const size_t *ovector);
void dsr_patterns_each(const struct dsr_pattern *patterns, size_t n, const char *text, size_t len,
                       dsr_match_fn *visit, void *arg);

#endif
