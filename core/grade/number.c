/* Grading integer answers: a box or an answer statement commits to a value, the last one counts.
 * What is committed must be an integer; "16\pi", "1/2" and "204.5" are read as what they are, and
 * are not correct. */
#include "core/grade/normal.h"
#include "core/grade/pattern.h"

#include <ctype.h>
#include <dsr/evaluator.h>

/* A number, or an equation that ends with one: "204", "1 024", "m+n = 200 + 4 = 204". */
#define VALUE                                                                                      \
    "[\\s\"'(\\[<:\\x01=~-]{0,16}"                                                                 \
    "((?:[^\\n\\x01\\x02]{0,200}?=\\s*)?"                                                          \
    "[+-]?[$¥€£]?(?:\\d{1,3}(?: \\d{3})+(?![\\d.,])|\\d[^\\s<\\x01\\x02]*)"                    \
    "(?:(?:\\s*[-+*/×·]\\s*(?:[\\d.]+|[a-zA-Z]\\b))*\\s*=\\s*[^\\s=<]+)*)"

static struct dsr_pattern patterns[] = {
    {"boxed", "\\x01([^\\x01\\x02]*)\\x02", NULL},
    {"answer_statement",
     "(?i:\\b(?:answer|ans|result|solution|value|total|final answer)\\b)[\\s:,-]*"
     "(?:(?i:to (?:the|this) (?:problem|question)|is|are|was|be|would be|should be|must be|"
     "will be|therefore|thus|hence|then|indeed|equals?|comes? out to|turns out to be|"
     "works out to|as|now|remains)\\b[\\s:,]*)+" VALUE,
     NULL},
    {"answer_colon", "(?i:\\b(?:answer|ans|result)\\b)[\"']?\\s*[:=>]+" VALUE, NULL},
    {"chinese_statement",
     "(?:答案|结果|最终结果|得数)"
     "(?:[\\s:,]*(?:应该|应当|应|为|是|就是|即|等于|改为|更正为))*" VALUE,
     NULL},
};

static struct dsr_pattern fallbacks[] = {
    {"value_is_answer",
     "(\\d[\\d,{}]*)\\s+is\\s+(?:the|our|my)\\s+(?i:final\\s+)?(?i:answer|result)", NULL},
    {"said_value",
     "(?i:\\b(?:there (?:are|is)|equals?|gives|is|are|get|obtain|find)\\b|=|\\\\equiv|≡|为|是|有|共|得)\\s*"
     "(?i:(?:exactly|precisely|only|a total of|equal to)\\s+)?\\x01?"
     "(\\d[\\d,{}]*(?:\\.\\d+)?)(?![\\d/^!*])"
     "(?=[^\\n\\p{L}]*\\s*\\z|[^\\n]*[.!)\\]}]\\s*\\z)",
     NULL},
    {"value_alone", "\\A[^\\p{L}\\d\\n]{0,10}(\\d[\\d,{}]*)(?![\\d.,/^!*]*\\d)[^\\d\\n]{0,30}\\z",
     NULL},
    {"last_line_value", "^[^\\n]*?([+-]?\\d[\\d,]*(?:\\.\\d+)?)[\\s.\"')\\]!]*\\z", NULL},
    {"only_value_of_last_line", "^[^\\d\\n]*(\\d[\\d,]*)(?![\\d.,]*\\d)[^\\d\\n]*[.!]\\s*\\z",
     NULL},
};

static void compile(void)
{
    dsr_patterns_compile(patterns, DSR_COUNT(patterns));
    dsr_patterns_compile(fallbacks, DSR_COUNT(fallbacks));
}

struct found {
    const char *text;
    size_t at, end; /* of the value committed to */
    const char *rule;
};

/* "116 or 117": another value is joined to the one that ends at p. */
static bool is_joined(const char *p)
{
    static const char *const joints[] = {"or ", "and ", ", ", "或", "和"};
    p += strspn(p, " ");
    for (size_t i = 0; i < DSR_COUNT(joints); i++)
        if (!strncmp(p, joints[i], strlen(joints[i])) &&
            isdigit((unsigned char)p[strlen(joints[i])]))
            return true;
    return false;
}

static void take_match(void *arg, const struct dsr_pattern *pattern, const size_t *v)
{
    struct found *f = arg;
    if (f->rule && v[2] < f->at)
        return;
    f->at = v[2];
    f->end = v[3];
    f->rule = is_joined(f->text + v[3]) ? "two_values" : pattern->rule;
}

/* Drops what may stand around a number: blanks, braces of thousands, a final full stop. */
static void squeeze(const char *text, size_t n, char *out, size_t size)
{
    size_t k = 0;
    for (size_t i = 0; i < n && k + 1 < size; i++)
        if (!isspace((unsigned char)text[i]) && !strchr("{}\"'()[]", text[i]))
            out[k++] = text[i];
    while (k && strchr(".,;:!", out[k - 1]))
        k--;
    out[k] = '\0';
}

/* Digits with thousands separators: "1,000" is 1000, "1,00" is not a number. */
static bool read_integer(const char *text, const char **rest, char *digits, size_t size)
{
    size_t n = 0, group = 0;
    bool grouped = false;
    const char *p = text + (*text == '+');
    bool minus = *p == '-';
    p += minus;
    p += *p == '$';
    if (!isdigit((unsigned char)*p))
        return false;
    for (; isdigit((unsigned char)*p) || (*p == ',' && isdigit((unsigned char)p[1])); p++) {
        if (*p == ',') {
            if ((grouped && group != 3) || group > 3)
                return false;
            grouped = true;
            group = 0;
            continue;
        }
        group++;
        if (n + 2 < size && (n || *p != '0'))
            digits[n++] = *p;
    }
    if (grouped && group != 3)
        return false;
    if (!n)
        digits[n++] = '0';
    digits[n] = '\0';
    if (minus && strcmp(digits, "0"))
        memmove(digits + 1, digits, n + 1), digits[0] = '-';
    *rest = p;
    return true;
}

/* After the digits only a unit may follow: "°", "%", "cm", "degrees", "个". */
static bool is_unit(const char *rest)
{
    if (*rest == '.' && rest[1] == '0')
        rest += 1 + strspn(rest + 1, "0");
    if (!*rest || !strcmp(rest, "%") || !strncmp(rest, "\\%", 2))
        return true;
    if (!strncmp(rest, "^\\circ", 6) || !strncmp(rest, "\\degree", 7))
        return true;
    if ((unsigned char)*rest >= 0x80)
        return strncmp(rest, "π", 2) && strncmp(rest, "√", 3) && strncmp(rest, "×", 2);
    if (!isalpha((unsigned char)*rest))
        return false;
    size_t n = strspn(rest, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.");
    const char *power = rest + n; /* "cm^2" */
    bool whole = !*power || (*power == '^' && isdigit((unsigned char)power[1]) && !power[2]);
    return n > 1 && whole && strcmp(rest, "pi");
}

/* The integer that a committed text says, or false: then it is no integer. */
static bool read_value(const char *text, size_t n, char *digits, size_t size)
{
    char flat[256];
    const char *rest;
    squeeze(text, n, flat, sizeof flat);
    const char *equals = strrchr(flat, '=');
    const char *value = equals ? equals + 1 : flat;
    return read_integer(value, &rest, digits, size) && is_unit(rest);
}

struct counting {
    const struct dsr_answer *answer;
    struct dsr_grade *grade;
};

static void tell(const struct counting *c, const struct found *f)
{
    struct dsr_grade *grade = c->grade;
    const char *gold = c->answer->gold;
    char digits[128], wanted[128];
    size_t n = f->end - f->at;
    bool factorial = n && !strcmp(f->rule, "boxed") && f->text[f->end - 1] == '!';
    bool integer = strcmp(f->rule, "two_values") && !factorial &&
                   read_value(f->text + f->at, n, digits, sizeof digits);
    if (integer)
        snprintf(grade->extracted, sizeof grade->extracted, "%s", digits);
    else
        squeeze(f->text + f->at, n, grade->extracted, sizeof grade->extracted);
    grade->correct =
        integer && read_value(gold, strlen(gold), wanted, sizeof wanted) && !strcmp(digits, wanted);
    grade->score = grade->correct;
}

static bool count(void *arg, const char *text, size_t len, bool whole)
{
    const struct counting *c = arg;
    struct found f = {.text = text};
    dsr_patterns_each(patterns, DSR_COUNT(patterns), text, len, take_match, &f);
    if (!f.rule && !whole)
        return false;
    for (size_t i = 0; i < DSR_COUNT(fallbacks) && !f.rule; i++)
        dsr_patterns_each(&fallbacks[i], 1, text, len, take_match, &f);
    if (f.rule)
        tell(c, &f);
    else if (dsr_is_refusal(text, len))
        f.rule = "refusal";
    snprintf(c->grade->rule, sizeof c->grade->rule, "%s", f.rule ? f.rule : "none");
    return true;
}

bool dsr_integer_read(const char *text, size_t n)
{
    char digits[128];
    return read_value(text, n, digits, sizeof digits);
}

void dsr_grade_integer(const struct dsr_answer *answer, struct dsr_grade *grade)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct counting counting = {answer, grade};
    pthread_once(&once, compile);
    memset(grade, 0, sizeof *grade);
    snprintf(grade->rule, sizeof grade->rule, "none");
    dsr_read_back(answer->answer, answer->answer_len, count, &counting);
}
