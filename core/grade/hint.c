/* Hints: weaker than statements, read from the end of the text. */
#include "core/grade/hint.h"
#include "core/grade/normal.h"

#include <ctype.h>

#define LAST_LETTER 'H' /* "I" is a word */

static bool is_choice(char c)
{
    return c >= 'A' && c <= 'J';
}

bool dsr_letter_is_denied(const char *text, size_t at)
{
    static const char *const words[] = {" not ",  "n't ",     "不是",      "不选", "非",
                                        "never ", "rule out", "cannot be", "排除"};
    size_t from = at > 20 ? at - 20 : 0;
    char before[24] = "";
    memcpy(before, text + from, at - from);
    const char *clause = before;
    for (const char *p = before; *p; p++) /* what stands before another letter speaks of that one */
        if (strchr(".,;\n", *p) || (is_choice(*p) && !isalpha((unsigned char)p[1]) &&
                                    (p == before || !isalpha((unsigned char)p[-1]))))
            clause = p + 1;
    for (size_t i = 0; i < DSR_COUNT(words); i++)
        if (strstr(clause, words[i]))
            return true;
    return false;
}

struct span {
    const char *start, *end;
};

static struct span trimmed(const char *start, const char *end)
{
    while (end > start && isspace((unsigned char)end[-1]))
        end--;
    while (start < end && isspace((unsigned char)*start))
        start++;
    return (struct span){start, end};
}

static struct span last_line(const char *text, size_t len)
{
    struct span all = trimmed(text, text + len);
    const char *start = all.end;
    while (start > all.start && start[-1] != '\n')
        start--;
    return trimmed(start, all.end);
}

/* Lower case, blanks and punctuation gone: how option texts are compared. */
static void fold(const char *text, size_t n, struct dsr_buf *out)
{
    if (dsr_normalize(text, n, out))
        return;
    char *p = out->data, *to = p;
    for (; *p; p++)
        if (!isspace((unsigned char)*p) && !strchr("\"'.,;:()[]{}\x01\x02_-", *p))
            *to++ = (char)tolower((unsigned char)*p);
    *to = '\0';
    out->len = (size_t)(to - out->data);
}

char dsr_hint_option_text(const char *text, size_t len, const json_t *options)
{
    struct span line = last_line(text, len);
    struct dsr_buf said = {0}, option = {0};
    char letter = 0;
    size_t i, best = 0;
    json_t *words;
    fold(line.start, (size_t)(line.end - line.start), &said);
    json_array_foreach((json_t *)options, i, words)
    {
        if (!json_is_string(words) || i >= 10)
            continue;
        fold(json_string_value(words), json_string_length(words), &option);
        if (!option.len || option.len > said.len || option.len <= best)
            continue;
        if (!strcmp(said.data + said.len - option.len, option.data)) {
            best = option.len;
            letter = (char)('A' + i);
        }
    }
    dsr_buf_clear(&said);
    dsr_buf_clear(&option);
    return letter;
}

char dsr_hint_lettered_line(const char *text)
{
    char letter = 0;
    for (const char *p = text; p; p = strchr(p, '\n') ? strchr(p, '\n') + 1 : NULL) {
        const char *q = p + strspn(p, " \t([");
        bool lettered = is_choice(*q) && q[1] && strchr(".):", q[1]);
        if (lettered && letter && letter != *q)
            return '?';
        letter = lettered ? *q : letter;
    }
    return letter;
}

/* A letter that is no word, no symbol in a formula and no initial of one. */
static bool stands_alone(struct span s, const char *p)
{
    char before = p > s.start ? p[-1] : ' ', after = p + 1 < s.end ? p[1] : ' ';
    if (*p < 'A' || *p > LAST_LETTER || isalnum((unsigned char)before) ||
        isalnum((unsigned char)after) || strchr("+^=/*_", after) || strchr("+^/*_", before))
        return false;
    if ((after == '\'' || after == '-') && p + 2 < s.end && isalpha((unsigned char)p[2]))
        return false;
    if (*p != 'A' || after != ' ' || p + 2 >= s.end || !islower((unsigned char)p[2]))
        return true;
    /* "A gas expands", but "A is", "A or B" */
    return dsr_begins(p + 2, s.end, "is ") || dsr_begins(p + 2, s.end, "it ") ||
           dsr_begins(p + 2, s.end, "or ") || dsr_begins(p + 2, s.end, "and ");
}

/* A line that only begins to think, or was cut. */
static bool is_open(struct span s, const char *last)
{
    static const char *const starts[] = {"let",    "first",  "consider",   "if",   "suppose",
                                         "assume", "now",    "looking at", "让",   "先",
                                         "首先",   "考虑",   "如果",       "假设", "看",
                                         "分析",   "接下来", "下面",       "然后", "再"};
    char c = s.end[-1];
    for (size_t i = 0; i < DSR_COUNT(starts); i++) {
        size_t n = strlen(starts[i]);
        if ((size_t)(s.end - s.start) > n && !strncasecmp(s.start, starts[i], n) &&
            !isalpha((unsigned char)s.start[n]))
            return true;
    }
    if (strchr(".!", c))
        return false;
    for (const char *p = last + 1; p < s.end; p++)
        if (isalnum((unsigned char)*p) || (unsigned char)*p >= 0x80)
            return true;
    return strchr(",?", c) != NULL;
}

/* The last sentence of the line that has words after its start. */
static struct span last_sentence(struct span line)
{
    const char *end = line.end;
    while (end > line.start && !isalnum((unsigned char)end[-1]) && (unsigned char)end[-1] < 0x80)
        end--;
    for (const char *p = end; p > line.start + 1; p--)
        if (strchr(".!?", p[-1]) && p < line.end && !isalnum((unsigned char)*p))
            return trimmed(p, line.end);
    return line;
}

/* "option B: decreases", one of a list. */
static bool heads_a_list(struct span line, struct span s, const char *p)
{
    if (p + 1 >= s.end || p[1] != ':')
        return false;
    for (const char *q = line.start; q < s.start; q++)
        if (stands_alone(line, q) && q + 1 < line.end && q[1] == ':')
            return true;
    return false;
}

char dsr_hint_last_letter(const char *text, size_t len)
{
    struct span line = last_line(text, len), s = last_sentence(line);
    const char *last = NULL;
    for (const char *p = s.start; p < s.end; p++) {
        if (!stands_alone(s, p) || dsr_letter_is_denied(text, (size_t)(p - text)) ||
            heads_a_list(line, s, p))
            continue;
        if (last && *last != *p)
            return 0;
        last = p;
    }
    return last && !is_open(s, last) ? *last : 0;
}
