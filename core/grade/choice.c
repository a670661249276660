/* Grading multiple choice: every statement that commits to a letter is found, the last one counts,
 * and a statement with two letters commits to none. A text that names no letter may still name an
 * option by its words. */
#include "core/grade/normal.h"
#include "core/grade/pattern.h"

#include <ctype.h>
#include <dsr/evaluator.h>

/* A letter, dressed or not, that is no word: "B", "(B)", "[B]", "\boxed{B}", "option B". */
#define OPEN "[\\s\"'(\\[\\]{<:\\x01=>.-]*"
#define KIND "(?:(?:the\\s+)?(?:[Oo]ption|[Cc]hoice|[Ll]etter|[Aa]nswer)\\s*|选项|选择)?"
#define END                                                                                        \
    "(?![A-Za-z0-9+^=/*])(?!'[a-z])(?!-[A-Za-z0-9])"                                               \
    "(?!\\s+(?!and\\b|or\\b|because|since|as\\b|is\\b|which|with|due|for\\b|given|by\\b|but|not|"  \
    "seems|looks|would|fits|matches|was|in\\b|to\\b|here|on\\b|rather|instead|from|follows|after|" \
    "though|although|so\\b)[a-z])"
#define LETTER OPEN KIND OPEN "([A-J])" END

/* Words that commit: "the answer", "I choose", "the best option", "leaving" ... */
#define COMMITS                                                                                    \
    "\\b(?:answer|ans|choose|chose|choosing|pick(?:ed|ing)?|select(?:ed|ing)?|guess|final|"        \
    "go(?:ing)? with|went with|settled? on|settling on|opt(?:ing)? for|leav(?:es|ing)|left with|"  \
    "my (?:choice|selection)|conclusion|verdict|"                                                  \
    "(?:correct|right|best|final|chosen|my|true|valid|proper|likely|plausible|remaining|only) "    \
    "(?:option|choice|letter|one|selection|response))\\b"

/* What may stand between such a word and the letter. */
#define LINKS                                                                                      \
    "(?:(?:is|are|was|be|would be|should be|must be|will be|has to be|remains?|therefore|thus|"    \
    "hence|clearly|then|then is|to|as|becomes|being|here|for this question|to this question|"      \
    "to the question|in this case|now|i choose|i'd choose|seems to be|appears to be)\\b[\\s:,-]*)*"

static struct dsr_pattern patterns[] = {
    {"answer_statement",
     "(?i:" COMMITS
     ")[\\s:]*(?:[(\\[]?(?i:letter|option|choice|final)[)\\]]?)?[\\s:,\"'-]*(?i:" LINKS ")" LETTER,
     NULL},
    {"chinese_statement",
     "(?:答案|选项|选择|正确的?是|应该是|应当是|而是|应选|应该选|故选|因此选|所以选|可选|"
     "就选|改选|应为|选)"
     "(?:[\\s:,]*(?:应该|应当|应|只能|还是|仍然|为|是|选择|选|就是|就|的是|即|在于|项|定为|"
     "改为|更正为|确定为|的选项|字母))*" LETTER,
     NULL},
    {"is_correct",
     "(?:(?i:option|choice|answer)\\s*|选项\\s*)?"
     "[\"'(\\[\\x01]*\\b([A-J])[\"')\\]\\x02.]*\\s*(?:项|选项)?\\s*"
     "(?:(?i:(?:is|must be|should be|would be|has to be|remains|stands as) "
     "(?:therefore |thus |then |clearly |indeed |definitely )?(?:the )?(?:only )?"
     "(?:(?:correct|right|best|true|proper|valid)(?: (?:answer|option|choice|one|statement))?|"
     "answer|correct)\\b(?! (?:if|only|when)))|"
     "(?:是|为)?(?:唯一)?(?:正确|对的|符合题意|正确答案|答案))",
     NULL},
    {"boxed",
     "\\x01\\s*(?:(?i:answer|option|choice)\\s*[:=]?\\s*)?[(\\[\"']*([A-J])\\b(?![A-Za-z0-9'])",
     NULL},
    {"bare_line", "^[\\s#>\"'(\\[_-]*([A-J])[\\s\"')\\]_.:,!]*$", NULL},
    {"lettered_line", "^\\s*[(\\[]?([A-J])[)\\].:]\\s*\\S[^\\n]*\\s*\\z", NULL},
    {"reference",
     "(?i:\\b(?:which|that|this|it|and|so|hence|thus|therefore)"
     "(?:'s|\\s+(?:is|matches|corresponds to|gives|means|leaves|points to|makes it))?"
     "\\s+(?:option|choice|answer|letter)\\s*)" OPEN "([A-J])" END,
     NULL},
    {"lower_case_alone", "\\A\\s*[\"'(]?([a-j])[\"').]*\\s*\\z", NULL},
    {"lower_case_statement",
     "(?i:\\banswer\\b\\s*(?:is|:|=)\\s*(?:option\\s*|choice\\s*)?)"
     "[\"'(\\[\\x01]*([a-j])[\"')\\]\\x02.]*\\s*$",
     NULL},
};

/* Weaker statements, for texts without one of those above. */
static struct dsr_pattern fallbacks[] = {
    {"conclusion",
     "(?:^|[.:;,]\\s*|\\s)(?i:so|hence|thus|therefore|conclude|:)[,:\\s]*"
     "(?:(?i:it is|it's|it must be|that is)\\s*)?"
     "[(\\[\"'\\x01]*([A-J])[)\\]\"'\\x02]*[.!]?\\s*$",
     NULL},
    {"arrow", "^\\s*:\\s*[(\\[]?([A-J])[)\\].]?\\s*$", NULL},
    {"it_is",
     "(?i:\\bit(?:'s| is| must be| has to be| should be))\\s+(?:(?i:option|choice)\\s+)?"
     "[(\\[]?([A-J])(?=[)\\]]?(?:\\s+(?:that|which|because|since)\\b|[.,;]|\\s*$))",
     NULL},
    {"it_is", "\\b([A-J])[)\\]]?\\s+it\\s+is\\b", NULL},
    {"option_fits",
     "(?i:option|choice|answer)\\s*[(\\[\"]?([A-J])[)\\]\"]?\\s+"
     "(?i:gives|matches|fits|satisfies|yields|agrees|works|provides|describes|states|has)\\b"
     "(?![^\\n.]*\\b(?i:not|wrong|incorrect|never|too)\\b)",
     NULL},
    {"chinese_belief",
     "(?:认为|觉得|判断|确定|得出|那么|所以|因此|故|可知|只有)"
     "(?:[\\s:,]*(?:应该|应|是|为|选|选择|答案|选项))*[\\s(\\[:\"]*([A-J])" END,
     NULL},
};

static void compile(void)
{
    dsr_patterns_compile(patterns, DSR_COUNT(patterns));
    dsr_patterns_compile(fallbacks, DSR_COUNT(fallbacks));
}

struct found {
    const char *text;
    size_t len;
    size_t at; /* of the last letter committed to */
    char letter;
    const char *rule;
};

/* "not B": stands a denial before the letter, in the same clause? */
static bool denied(const struct found *f, const size_t *v)
{
    static const char *const words[] = {" not ",  "n't ",     "不是",      "不选", "非",
                                        "never ", "rule out", "cannot be", "排除"};
    size_t from = v[2] > 20 ? v[2] - 20 : 0;
    char before[24] = "";
    memcpy(before, f->text + from, v[2] - from);
    for (size_t n = strlen(before); n; n--)
        if (strchr(".,;\n", before[n - 1])) {
            memmove(before, before + n, strlen(before + n) + 1);
            break;
        }
    for (size_t i = 0; i < DSR_COUNT(words); i++)
        if (strstr(before, words[i]))
            return true;
    return false;
}

/* A second letter that is joined to the first: "A or B", "A/C", "AC", "A、C", "A和C". */
static bool doubled(const struct found *f, const size_t *v)
{
    static const char *const joints[] = {"or", "and", "和", "或", "与", "及", "/", ",", "&"};
    const char *p = f->text + v[3], *end = f->text + f->len;
    while (p < end && strchr(" \"')]\x02", *p) && *p)
        p++;
    for (size_t i = 0; i < DSR_COUNT(joints); i++) {
        size_t n = strlen(joints[i]);
        if ((size_t)(end - p) <= n || memcmp(p, joints[i], n))
            continue;
        const char *q = p + n;
        while (q < end && strchr(" \"'([\x01", *q) && *q)
            q++;
        return q < end && *q >= 'A' && *q <= 'J' &&
               (q + 1 == end || !isalnum((unsigned char)q[1])) && *q != f->text[v[2]];
    }
    return false;
}

static void take_match(void *arg, const struct dsr_pattern *pattern, const size_t *v)
{
    struct found *f = arg;
    if (denied(f, v) || (f->rule && v[2] < f->at))
        return;
    f->at = v[2];
    f->letter = doubled(f, v) ? '\0' : (char)toupper((unsigned char)f->text[v[2]]);
    f->rule = f->letter ? pattern->rule : "two_letters";
}

/* Lower case, blanks and punctuation at the ends gone: how option texts are compared. */
static void fold(const char *text, size_t n, struct dsr_buf *out)
{
    dsr_normalize(text, n, out);
    char *p = out->data, *to = p;
    for (; *p; p++)
        if (!isspace((unsigned char)*p) && !strchr("\"'.,;:()[]{}\x01\x02_-", *p))
            *to++ = (char)tolower((unsigned char)*p);
    *to = '\0';
    out->len = (size_t)(to - out->data);
}

/* The one option whose words end the answer: whole last line, or at its end. */
static char option_by_text(const json_t *options, const char *line, size_t n)
{
    struct dsr_buf said = {0}, option = {0};
    char letter = '\0';
    size_t i, best = 0;
    json_t *text;
    fold(line, n, &said);
    json_array_foreach((json_t *)options, i, text)
    {
        if (!json_is_string(text))
            continue;
        fold(json_string_value(text), json_string_length(text), &option);
        if (!option.len || option.len > said.len || i >= 10)
            continue;
        if (!strcmp(said.data + said.len - option.len, option.data) && option.len > best) {
            best = option.len;
            letter = (char)('A' + i);
        }
    }
    dsr_buf_clear(&said);
    dsr_buf_clear(&option);
    return letter;
}

/* "D. the words of D" on a line of its own, when no other letter has such a line. */
static char only_lettered_line(const struct found *f)
{
    char letter = '\0';
    for (const char *p = f->text; p; p = strchr(p, '\n') ? strchr(p, '\n') + 1 : NULL) {
        const char *q = p + strspn(p, " \t([");
        bool lettered = *q >= 'A' && *q <= 'J' && q[1] && strchr(".):", q[1]);
        if (lettered && letter && letter != *q)
            return '\0';
        letter = lettered ? *q : letter;
    }
    return letter;
}

static void last_line(const struct found *f, const char **line, size_t *n)
{
    const char *end = f->text + f->len;
    while (end > f->text && isspace((unsigned char)end[-1]))
        end--;
    const char *start = end;
    while (start > f->text && start[-1] != '\n')
        start--;
    *line = start;
    *n = (size_t)(end - start);
}

void dsr_grade_choice(const struct dsr_answer *answer, struct dsr_grade *grade)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct dsr_buf text = {0};
    const char *line;
    size_t n;
    pthread_once(&once, compile);
    memset(grade, 0, sizeof *grade);
    if (dsr_normalize(answer->answer, answer->answer_len, &text))
        return;
    struct found f = {.text = text.data, .len = text.len};
    for (size_t i = 0; i < DSR_COUNT(patterns); i++)
        dsr_pattern_each(&patterns[i], f.text, f.len, take_match, &f);
    last_line(&f, &line, &n);
    if (!f.rule && json_is_array(answer->options)) {
        f.letter = option_by_text(answer->options, line, n);
        f.rule = f.letter ? "option_text" : NULL;
    }
    for (size_t i = 0; i < DSR_COUNT(fallbacks) && !f.rule; i++)
        dsr_pattern_each(&fallbacks[i], f.text, f.len, take_match, &f);
    if (!f.rule && (f.letter = only_lettered_line(&f)))
        f.rule = "only_lettered_line";
    grade->extracted[0] = f.letter;
    grade->correct = f.letter && answer->gold[0] == f.letter && !answer->gold[1];
    grade->score = grade->correct;
    snprintf(grade->rule, sizeof grade->rule, "%s", f.rule ? f.rule : "none");
    dsr_buf_clear(&text);
}
