/* What OpenCompass's AIME default (Math-Verify with LaTeX extraction) makes of an answer, as far as
 * integers go: the last box, else the last formula; plain text and other boxes are not read. Boxes
 * that stand bare on one line are taken for a set, which equals no integer. */
#include "core/base/base.h"

#include <ctype.h>
#include <dsr/evaluator.h>

struct span {
    const char *start, *end;
};

/* The braces that open at p ("{"): what is inside, or an empty span when they never close. */
static struct span braces(const char *p, const char *end)
{
    int depth = 0;
    for (const char *q = p; q < end; q++) {
        depth += (*q == '{') - (*q == '}');
        if (!depth)
            return (struct span){p + 1, q};
    }
    return (struct span){end, end};
}

/* The last \boxed{...}; merged tells that another stands bare before it on its line. */
static bool last_box(const char *text, const char *end, struct span *box, bool *merged)
{
    static const char name[] = "\\boxed{";
    const char *p = text;
    bool found = false;
    *merged = false;
    while ((p = dsr_find(p, end, name))) {
        struct span next = braces(p + sizeof name - 2, end);
        p += sizeof name - 1;
        if (next.start == end)
            continue;
        bool apart = !found || next.start < box->end;
        for (const char *q = box->end; !apart && q < next.start; q++)
            apart = *q == '\n' || *q == '$';
        *merged = !apart;
        *box = next;
        found = true;
    }
    return found;
}

static bool last_formula(const char *text, const char *end, struct span *formula)
{
    static const char *const marks[][2] = {
        {"$$", "$$"}, {"\\[", "\\]"}, {"\\(", "\\)"}, {"$", "$"}};
    const char *p = text;
    bool found = false;
    while (p < end) {
        while (p < end && *p != '$' && *p != '\\')
            p++;
        size_t i = 0;
        while (i < DSR_COUNT(marks) && !dsr_begins(p, end, marks[i][0]))
            i++;
        const char *start = i < DSR_COUNT(marks) ? p + strlen(marks[i][0]) : NULL;
        const char *stop = start ? dsr_find(start, end, marks[i][1]) : NULL;
        if (stop) {
            *formula = (struct span){start, stop};
            found = true;
        }
        p = stop ? stop + strlen(marks[i][1]) : p + 1;
    }
    return found;
}

/* Drops spacing and dressing commands and braces; what is left is compared as an integer. */
static void flatten(struct span s, char *out, size_t size)
{
    static const char *const dropped[] = {"\\text",   "\\mathrm", "\\mathbf", "\\textbf", "\\left",
                                          "\\right",  "\\circ",   "\\,",      "\\;",      "\\!",
                                          "\\%",      "\\$",      "^",        "{",        "}",
                                          "\\degree", "$",        " ",        "\n"};
    size_t n = 0;
    for (const char *p = s.start; p < s.end && n + 1 < size;) {
        size_t skip = 0;
        for (size_t i = 0; i < DSR_COUNT(dropped) && !skip; i++)
            skip = dsr_begins(p, s.end, dropped[i]);
        if (!skip)
            out[n++] = *p++;
        p += skip;
    }
    out[n] = '\0';
}

/* Digits, with commas of thousands, and at most letters behind; "3^4 = 81" is an equation of
 * numbers and is not read, "m+n = 81" is. */
static bool read_number(struct span s, char *digits, size_t size)
{
    char flat[256];
    flatten(s, flat, sizeof flat);
    char *equals = strrchr(flat, '=');
    if (equals) {
        *equals = '\0';
        if (!flat[strspn(flat, "0123456789+-*()/")])
            return false;
    }
    const char *p = equals ? equals + 1 : flat;
    size_t n = 0;
    for (; isdigit((unsigned char)*p) || (*p == ',' && isdigit((unsigned char)p[1])); p++)
        if (*p != ',' && n + 1 < size && (n || *p != '0' || !isdigit((unsigned char)p[1])))
            digits[n++] = *p;
    digits[n] = '\0';
    if (p[0] == '.' && p[1] == '0')
        p += 1 + strspn(p + 1, "0");
    while (isalpha((unsigned char)*p))
        p++;
    return n && !*p;
}

void dsr_grade_latex_integer(const struct dsr_answer *answer, struct dsr_grade *grade)
{
    const char *text = answer->answer, *end = text + answer->answer_len;
    struct span found = {text, text}, gold = {answer->gold, answer->gold + strlen(answer->gold)};
    char digits[128], wanted[128];
    bool merged = false, box = last_box(text, end, &found, &merged);
    memset(grade, 0, sizeof *grade);
    snprintf(grade->rule, sizeof grade->rule, "none");
    if (!box && !last_formula(text, end, &found))
        return;
    snprintf(grade->rule, sizeof grade->rule,
             merged ? "merged_boxes"
             : box  ? "last_box"
                    : "last_formula");
    flatten(found, grade->extracted, sizeof grade->extracted);
    grade->correct = !merged && read_number(found, digits, sizeof digits) &&
                     read_number(gold, wanted, sizeof wanted) && !strcmp(digits, wanted);
    grade->score = grade->correct;
}
