/* The rules of OpenCompass, to reproduce figures that were published with them, faults and all.
 * Read from its source at a5acc4bb (2026-08-19); they see the reasoning too. */
#include "core/base/base.h"

#include <ctype.h>
#include <dsr/evaluator.h>
#include <strings.h>
#include <wctype.h>

static void set(const struct dsr_answer *answer, struct dsr_grade *grade, const char *letter,
                size_t n, const char *rule)
{
    memset(grade, 0, sizeof *grade);
    snprintf(grade->extracted, sizeof grade->extracted, "%.*s", (int)n, letter);
    grade->correct = n && !strcmp(grade->extracted, answer->gold);
    grade->score = grade->correct;
    snprintf(grade->rule, sizeof grade->rule, "%s", n ? rule : "none");
}

/* Blanks as Python's \s has them, of those that occur in texts. */
static size_t skip_blanks(const char *p, const char *end)
{
    static const char *const wide[] = {"\u00a0", "\u3000", "\u2009", "\u202f", "\u2003"};
    const char *start = p;
    for (;;) {
        size_t n = p < end && isspace((unsigned char)*p) ? 1 : 0;
        for (size_t i = 0; i < DSR_COUNT(wide) && !n; i++)
            n = dsr_begins(p, end, wide[i]);
        if (!n)
            return (size_t)(p - start);
        p += n;
    }
}

/* Blanks before p, down to start, skipped backwards. */
static const char *back_over_blanks(const char *start, const char *p)
{
    static const size_t lengths[] = {1, 2, 3};
    for (bool moved = true; moved;) {
        moved = false;
        for (size_t i = 0; i < DSR_COUNT(lengths) && !moved; i++)
            if ((size_t)(p - start) >= lengths[i] && skip_blanks(p - lengths[i], p) == lengths[i]) {
                p -= lengths[i];
                moved = true;
            }
    }
    return p;
}

/* Each match has one colon, and the first match the first such colon. */
void dsr_grade_first_answer(const struct dsr_answer *answer, struct dsr_grade *grade)
{
    const char *text = answer->answer, *end = text + answer->answer_len, *colon = text;
    while (colon < end && (colon = memchr(colon, ':', (size_t)(end - colon)))) {
        const char *word = back_over_blanks(text, colon), *q = ++colon;
        if (word - text < 6 || strncasecmp(word - 6, "answer", 6))
            continue;
        q += skip_blanks(q, end);
        if (q < end && strchr("ABCDabcd", *q) && *q) {
            set(answer, grade, q, 1, "first_answer_pattern");
            return;
        }
    }
    set(answer, grade, "", 0, "");
}

static wint_t decode(const unsigned char *s, size_t len)
{
    wint_t c = len == 1 ? s[0] : s[0] & (0xffu >> (len + 1));
    for (size_t i = 1; i < len; i++)
        c = (c << 6) | (s[i] & 0x3fu);
    return c;
}

void dsr_grade_first_capital(const struct dsr_answer *answer, struct dsr_grade *grade)
{
    const char *p = answer->answer, *end = p + answer->answer_len;
    while (p < end) {
        /* lead bytes of U+4000 to U+9FFF: no letter there has a case */
        if ((unsigned char)*p >= 0xe4 && (unsigned char)*p <= 0xe9 && end - p >= 3) {
            p += 3;
            continue;
        }
        if ((unsigned char)*p < 0x80 && (*p < 'A' || *p > 'Z')) {
            p++;
            continue;
        }
        size_t len = dsr_utf8_len((const unsigned char *)p, (size_t)(end - p));
        if (len && iswupper(decode((const unsigned char *)p, len))) {
            set(answer, grade, p, len, "first_capital");
            return;
        }
        p += len ? len : 1;
    }
    set(answer, grade, "", 0, "");
}
