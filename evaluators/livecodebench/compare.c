/* Which program an answer holds, and whether what it printed is right. */
#include "lcb.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct span {
    const char *start, *end;
};

static struct span line_at(const char *p, const char *end)
{
    const char *stop = p < end ? memchr(p, '\n', (size_t)(end - p)) : NULL;
    return (struct span){p, stop ? stop : end};
}

static bool is_fence(struct span line)
{
    return memmem(line.start, (size_t)(line.end - line.start), "```", 3) != NULL;
}

static bool is_python(struct span fence)
{
    const char *p = memmem(fence.start, (size_t)(fence.end - fence.start), "```", 3);
    return p && (!strncasecmp(p + 3, "py", 2) || !strncasecmp(p + 3, "python", 6));
}

bool lcb_code_find(const char *text, size_t len, bool first, const char **code, size_t *code_len)
{
    const char *end = text + len;
    bool found = false, python = false, open = false, tagged = false;
    struct span block = {text, text};
    for (struct span line = line_at(text, end);; line = line_at(line.end + 1, end)) {
        if (is_fence(line) && !open) {
            open = true;
            tagged = is_python(line);
            block.start = line.end < end ? line.end + 1 : end;
        } else if (is_fence(line)) {
            open = false;
            block.end = line.start > block.start ? line.start - 1 : block.start;
            if (first || tagged || !python) { /* a block of another kind does not replace Python */
                *code = block.start;
                *code_len = (size_t)(block.end - block.start);
                found = true;
                python |= tagged;
            }
            if (first)
                return true;
        }
        if (line.end >= end)
            return found;
    }
}

static struct span trimmed(struct span s)
{
    while (s.start < s.end && isspace((unsigned char)*s.start))
        s.start++;
    while (s.end > s.start && isspace((unsigned char)s.end[-1]))
        s.end--;
    return s;
}

/* A decimal number taken apart: its digits without zeros at either end, and the power of ten by
 * which the first one counts. */
struct decimal {
    bool negative;
    struct span digits; /* may hold a point */
    size_t n;           /* of them that count, point aside */
    long power;
};

static bool read_decimal(struct span s, struct decimal *d)
{
    const char *p = s.start, *point = NULL, *first = NULL, *last = NULL;
    bool any = false;
    d->negative = p < s.end && *p == '-';
    p += p < s.end && (*p == '-' || *p == '+');
    for (; p < s.end && (isdigit((unsigned char)*p) || (*p == '.' && !point)); p++) {
        point = *p == '.' ? p : point;
        any |= *p != '.';
        if (*p >= '1' && *p <= '9') {
            first = first ? first : p;
            last = p;
        }
    }
    const char *stop = p;
    long exponent = 0;
    if (any && p < s.end && (*p == 'e' || *p == 'E')) {
        char *after;
        exponent = strtol(p + 1, &after, 10);
        if (after == p + 1 || after > s.end || isspace((unsigned char)p[1]))
            return false;
        p = after;
    }
    if (!any || p != s.end)
        return false;
    d->digits = first ? (struct span){first, last + 1} : (struct span){stop, stop};
    d->n = first ? (size_t)(last + 1 - first) - (point && point > first && point < last) : 0;
    const char *ones = point ? point : stop;
    d->power = 0;
    if (first)
        d->power = exponent + (long)(ones - first) - (first < ones);
    return true;
}

static bool decimals_equal(const struct decimal *a, const struct decimal *b)
{
    const char *p = a->digits.start, *q = b->digits.start;
    if (a->n != b->n || (a->n && (a->negative != b->negative || a->power != b->power)))
        return false;
    for (size_t i = 0; i < a->n; i++) {
        p += *p == '.';
        q += *q == '.';
        if (*p++ != *q++)
            return false;
    }
    return true;
}

static struct span next_word(struct span *rest)
{
    *rest = trimmed(*rest);
    struct span word = {rest->start, rest->start};
    while (word.end < rest->end && !isspace((unsigned char)*word.end))
        word.end++;
    rest->start = word.end;
    return word;
}

/* Both lines are decimal numbers, equal one by one. */
static bool numbers_equal(struct span a, struct span b)
{
    struct decimal x, y;
    for (;;) {
        struct span one = next_word(&a), other = next_word(&b);
        if (one.start == one.end || other.start == other.end)
            return one.start == one.end && other.start == other.end;
        if (!read_decimal(one, &x) || !read_decimal(other, &y) || !decimals_equal(&x, &y))
            return false;
    }
}

bool lcb_output_equal(const char *output, const char *expected)
{
    struct span a = trimmed((struct span){output, output + strlen(output)});
    struct span b = trimmed((struct span){expected, expected + strlen(expected)});
    for (;;) {
        struct span one = trimmed(line_at(a.start, a.end)),
                    other = trimmed(line_at(b.start, b.end));
        size_t n = (size_t)(one.end - one.start);
        bool same = n == (size_t)(other.end - other.start) && !memcmp(one.start, other.start, n);
        if (!same && !numbers_equal(one, other))
            return false;
        const char *end_a = line_at(a.start, a.end).end, *end_b = line_at(b.start, b.end).end;
        if (end_a == a.end || end_b == b.end)
            return end_a == a.end && end_b == b.end;
        a.start = end_a + 1;
        b.start = end_b + 1;
    }
}

static double number_of(const json_t *value)
{
    return json_is_boolean(value) ? json_is_true(value) : json_number_value(value);
}

static bool values_equal(const json_t *a, const json_t *b)
{
    size_t i;
    json_t *item;
    if (json_is_integer(a) && json_is_integer(b))
        return json_integer_value(a) == json_integer_value(b);
    if ((json_is_number(a) || json_is_boolean(a)) && (json_is_number(b) || json_is_boolean(b)))
        return number_of(a) == number_of(b);
    if (!json_is_array(a) || !json_is_array(b))
        return json_equal(a, b);
    if (json_array_size(a) != json_array_size(b))
        return false;
    json_array_foreach((json_t *)a, i, item)
    {
        if (!values_equal(item, json_array_get(b, i)))
            return false;
    }
    return true;
}

bool lcb_value_equal(const char *output, const char *expected)
{
    json_t *a = json_loads(output, JSON_DECODE_ANY, NULL);
    json_t *b = json_loads(expected, JSON_DECODE_ANY, NULL);
    bool equal = a && b ? values_equal(a, b) : !strcmp(output, expected);
    json_decref(a);
    json_decref(b);
    return equal;
}
