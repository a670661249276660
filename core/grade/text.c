/* Grading exact answers that are texts: the last box, else what the last answer statement says,
 * else the last line, compared with gold when case, blanks and dressing are taken off both. */
#include "core/grade/normal.h"
#include "core/grade/pattern.h"

#include <ctype.h>
#include <dsr/evaluator.h>

static struct dsr_pattern patterns[] = {
    {"boxed", "\\x01([^\\x01\\x02]*)\\x02", NULL},
    {"answer_statement",
     "(?i:\\b(?:answer|ans|result|solution)\\b)[\\s:,-]*"
     "(?:(?i:to (?:the|this) (?:problem|question)|is|are|was|be|would be|should be|must be|"
     "therefore|thus|hence|then|as)\\b[\\s:,]*|:\\s*)+([^\\n\\x01\\x02]+)",
     NULL},
    {"chinese_statement",
     "(?:答案|结果|得数)[\\s:,]*(?:应该|应|为|是|就是|即)*[\\s:,]*([^\\n\\x01\\x02]+)", NULL},
    {"last_line", "^[ \\t]*([^\\n]*[^\\s])\\s*\\z", NULL},
};
#define STATEMENTS 3 /* the rest serves texts without one */

static void compile(void)
{
    dsr_patterns_compile(patterns, DSR_COUNT(patterns));
}

struct found {
    size_t at, end;
    const char *rule;
};

static void take_match(void *arg, const struct dsr_pattern *pattern, const size_t *v)
{
    struct found *f = arg;
    if (f->rule && v[2] < f->at)
        return;
    f->at = v[2];
    f->end = v[3];
    f->rule = pattern->rule;
}

/* Lower case; blanks are single; quotes, boxes and a final full stop are gone. */
static void fold(const char *text, size_t n, char *out, size_t size)
{
    size_t k = 0;
    for (size_t i = 0; i < n && k + 1 < size; i++) {
        unsigned char c = (unsigned char)text[i];
        if (isspace(c) ? k && out[k - 1] != ' ' : !strchr("\"'{}\x01\x02", c) || !c)
            out[k++] = isspace(c) ? ' ' : (char)tolower(c);
    }
    while (k && strchr(" .,;:!", out[k - 1]))
        k--;
    out[k] = '\0';
}

struct reading {
    const struct dsr_answer *answer;
    struct dsr_grade *grade;
    char gold[sizeof((struct dsr_grade *)0)->extracted];
};

static bool read_text(void *arg, const char *text, size_t len, bool whole)
{
    const struct reading *r = arg;
    struct dsr_grade *grade = r->grade;
    struct found f = {0};
    dsr_patterns_each(patterns, STATEMENTS, text, len, take_match, &f);
    if (!f.rule && !whole)
        return false;
    if (!f.rule && dsr_is_refusal(text, len))
        f = (struct found){0, 0, "refusal"};
    if (!f.rule)
        dsr_patterns_each(patterns + STATEMENTS, DSR_COUNT(patterns) - STATEMENTS, text, len,
                          take_match, &f);
    fold(text + f.at, f.end - f.at, grade->extracted, sizeof grade->extracted);
    grade->correct = grade->extracted[0] && !strcmp(grade->extracted, r->gold);
    grade->score = grade->correct;
    snprintf(grade->rule, sizeof grade->rule, "%s", f.rule ? f.rule : "none");
    return true;
}

static void grade_text(const struct dsr_answer *answer, struct dsr_grade *grade)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct reading reading = {.answer = answer, .grade = grade};
    struct dsr_buf gold = {0};
    pthread_once(&once, compile);
    memset(grade, 0, sizeof *grade);
    if (!dsr_normalize(answer->gold, strlen(answer->gold), &gold)) {
        fold(gold.data, gold.len, reading.gold, sizeof reading.gold);
        dsr_read_back(answer->answer, answer->answer_len, read_text, &reading);
    }
    dsr_buf_clear(&gold);
}

void dsr_grade_exact(const struct dsr_answer *answer, struct dsr_grade *grade)
{
    const char *gold = answer->gold;
    if (json_is_array(answer->options))
        dsr_grade_choice(answer, grade);
    else if (dsr_integer_read(gold, strlen(gold)))
        dsr_grade_integer(answer, grade);
    else
        grade_text(answer, grade);
}
