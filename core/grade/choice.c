/* Grading multiple choice: every statement that commits to a letter is found, the last one counts,
 * and a statement with two letters commits to none. A text that names no letter may still name an
 * option by its words. */
#include "core/grade/hint.h"
#include "core/grade/normal.h"
#include "core/grade/pattern.h"

#include <ctype.h>
#include <dsr/evaluator.h>

/* A letter, dressed or not, that is no word: "B", "(B)", "[B]", "\boxed{B}", "option B". */
#define OPEN "[\\s\"'(\\[\\]{<:\\x01=>.-]{0,16}" /* bounded, so that "((((" costs no square */
#define KIND "(?:(?:the\\s+)?(?:[Oo]ption|[Cc]hoice|[Ll]etter|[Aa]nswer)\\s*|选项|选择)?"
#define END                                                                                          \
    "(?![A-Za-z0-9+^=/*])(?!'[a-z])(?!-[A-Za-z0-9])"                                                 \
    "(?![ \\t]+(?!and\\b|or\\b|because|since|as\\b|is\\b|which|with|due|for\\b|given|by\\b|but|not|" \
    "seems|looks|would|fits|matches|was|in\\b|to\\b|here|on\\b|rather|instead|from|follows|after|"   \
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
    "to the question|in this case|now|i choose|i'd choose|seems to be|appears to be|"              \
    "actually|really|in fact|indeed|definitely|certainly|simply|just|most likely|likely|probably|" \
    "obviously|of course)\\b[\\s:,-]*)*"

static struct dsr_pattern patterns[] = {
    {"answer_statement",
     "(?i:" COMMITS
     ")[\\s:]*(?:[(\\[]?(?i:letter|option|choice|final)[)\\]]?)?[\\s:,\"'-]*(?i:" LINKS ")" LETTER,
     NULL},
    {"chinese_statement",
     "(?:答案|(?:正确|最佳|所选|应选)选项|选项(?=\\s*[:是为])|选择|正确的?是|应该是|应当是|"
     "而是|应选|应该选|故选|因此选|所以选|可选|就选|改选|应为|选(?!项))"
     "(?:[\\s:,]*(?:应该|应当|应|只能|还是|仍然|为|是|选择|选|就是|就|的是|即|在于|项|定为|"
     "改为|更正为|确定为|的选项|字母))*" LETTER,
     NULL},
    {"is_correct",
     "(?:(?i:option|choice|answer)\\s*|选项\\s*)?"
     "[\"'(\\[\\x01]{0,8}\\b([A-J])[\"')\\]\\x02.]*\\s*(?:项|选项)?\\s*"
     "(?:(?i:(?:is|must be|should be|would be|has to be|remains|stands as) "
     "(?:therefore |thus |then |clearly |indeed |definitely )?(?:the )?(?:only )?"
     "(?:(?:correct|right|best|true|proper|valid)(?: (?:answer|option|choice|one|statement))?|"
     "answer|correct)\\b(?! (?:if|only|when)))|"
     "(?:是|为)?(?:唯一)?(?:正确|对的|符合题意|正确答案|答案))",
     NULL},
    {"boxed",
     "\\x01\\s*(?:(?i:answer|option|choice)\\s*[:=]?\\s*)?[(\\[\"']{0,8}([A-J])\\b(?![A-Za-z0-9'])",
     NULL},
    {"bare_line", "^[\\s#>\"'(\\[_-]*([A-J])[\\s\"')\\]_.:,!]*$", NULL},
    {"lettered_line", "^\\s*[(\\[]?([A-J])[)\\].:]\\s*\\S[^\\n]*\\s*\\z", NULL},
    {"reference",
     "(?i:\\b(?:which|that|this|it|and|so|hence|thus|therefore)"
     "(?:'s|\\s+(?:is|matches|corresponds to|gives|means|leaves|points to|makes it))?"
     "\\s+(?:option|choice|answer|letter)\\s*)" OPEN "([A-J])" END,
     NULL},
    {"lower_case_alone", "\\A\\s*[\"'(]?([a-j])[\"').]{0,8}\\s*\\z", NULL},
    {"lower_case_statement",
     "(?i:\\banswer\\b\\s*(?:is|:|=)\\s*(?:option\\s*|choice\\s*)?)"
     "[\"'(\\[\\x01]{0,8}([a-j])[\"')\\]\\x02.]*\\s*$",
     NULL},
};

/* Weaker statements, for texts without one of those above. */
static struct dsr_pattern fallbacks[] = {
    {"conclusion",
     "(?:^|[.:;,]\\s*|\\s)(?i:so|hence|thus|therefore|conclude|:)[,:\\s]*"
     "(?:(?i:it is|it's|it must be|that is)\\s*)?"
     "[(\\[\"'\\x01]{0,8}([A-J])[)\\]\"'\\x02]*[.!]?\\s*$",
     NULL},
    {"arrow", "^\\s*:\\s*[(\\[]?([A-J])[)\\].]?\\s*$", NULL},
    {"it_is",
     "(?i:\\bit(?:'s| is| must be| has to be| should be))\\s+(?:(?i:option|choice)\\s+)?"
     "[(\\[]?([A-J])(?=[)\\]]?(?:\\s+(?:that|which|because|since)\\b|[.,;]|\\s*$))",
     NULL},
    {"it_is", "\\b([A-J])[)\\]]?\\s+it\\s+is\\b", NULL},
    {"is_more",
     "\\b([A-J])[)\\]\"]?\\s+is\\s+(?i:(?:clearly|much|far|by far)\\s+)?(?i:more|better|"
     "the most|the best|best|most)\\b",
     NULL},
    {"lower_case_is_correct",
     "(?i:option|choice|answer)\\s+[(\\[\"]?([a-j])[)\\]\"]?\\s+"
     "(?i:is\\s+(?:the\\s+)?(?:only\\s+)?(?:correct|right|best|true))\\b",
     NULL},
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
    if (dsr_letter_is_denied(f->text, v[2]) || (f->rule && v[2] < f->at))
        return;
    f->at = v[2];
    f->letter = doubled(f, v) ? '\0' : (char)toupper((unsigned char)f->text[v[2]]);
    f->rule = f->letter ? pattern->rule : "two_letters";
}

struct choosing {
    const struct dsr_answer *answer;
    struct dsr_grade *grade;
};

static void hint(struct found *f, char letter, const char *rule)
{
    f->letter = letter;
    f->rule = letter ? rule : NULL;
}

/* What a text without any statement may still say. */
static void read_weaker(struct found *f, const json_t *options)
{
    if (json_is_array(options))
        hint(f, dsr_hint_option_text(f->text, f->len, options), "option_text");
    for (size_t i = 0; i < DSR_COUNT(fallbacks) && !f->rule; i++)
        dsr_patterns_each(&fallbacks[i], 1, f->text, f->len, take_match, f);
    if (f->rule)
        return;
    char lettered = dsr_hint_lettered_line(f->text);
    if (lettered != '?')
        hint(f, lettered, "only_lettered_line");
    if (!f->rule && dsr_is_refusal(f->text, f->len))
        f->rule = "refusal";
    if (!f->rule && !lettered)
        hint(f, dsr_hint_last_letter(f->text, f->len), "last_letter");
}

static bool choose(void *arg, const char *text, size_t len, bool whole)
{
    struct choosing *c = arg;
    struct found f = {.text = text, .len = len};
    const char *gold = c->answer->gold;
    dsr_patterns_each(patterns, DSR_COUNT(patterns), text, len, take_match, &f);
    if (!f.rule && !whole)
        return false;
    if (!f.rule)
        read_weaker(&f, c->answer->options);
    c->grade->extracted[0] = f.letter;
    c->grade->correct = f.letter && gold[0] == f.letter && !gold[1];
    c->grade->score = c->grade->correct;
    snprintf(c->grade->rule, sizeof c->grade->rule, "%s", f.rule ? f.rule : "none");
    return true;
}

void dsr_grade_choice(const struct dsr_answer *answer, struct dsr_grade *grade)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct choosing choosing = {answer, grade};
    pthread_once(&once, compile);
    memset(grade, 0, sizeof *grade);
    dsr_read_back(answer->answer, answer->answer_len, choose, &choosing);
}
