/* Texts that decline to answer, in English and Chinese. */
#include "core/grade/normal.h"
#include "core/grade/pattern.h"

/* A refusal is said early and in few words; a long text without an answer is something else. */
#define MOST_BYTES 2000

static struct dsr_pattern patterns[] = {
    {"refusal",
     "(?i)(\\bI(?:'m| am) (?:sorry|afraid|unable|not able|not allowed)\\b|"
     "\\bI (?:can(?:not|'t| not)|won't|will not|must decline|decline|refuse|do not feel|"
     "don't feel)\\b|\\b(?:unable|not able|impossible|refuse) to (?:answer|determine|provide|help|"
     "assist|solve)\\b|\\bas an AI\\b|\\bcannot be (?:answered|determined|solved)\\b|"
     "\\b(?:don't|do not) know\\b)",
     NULL},
    {"refusal",
     "((?:抱歉|对不起|很遗憾)|(?:无法|不能|不便|不会|拒绝|没有办法|难以)(?:为您|为你|对此)?"
     "(?:回答|作答|提供|完成|解答|讨论|协助|给出|确定|判断)|作为(?:一个|一名)?(?:AI|人工智能)|"
     "我不(?:知道|清楚|确定))",
     NULL},
};

static void compile(void)
{
    dsr_patterns_compile(patterns, DSR_COUNT(patterns));
}

static void found(void *arg, const struct dsr_pattern *pattern, const size_t *ovector)
{
    (void)pattern;
    (void)ovector;
    *(bool *)arg = true;
}

bool dsr_is_refusal(const char *text, size_t len)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    bool refused = false;
    pthread_once(&once, compile);
    if (len <= MOST_BYTES)
        dsr_patterns_each(patterns, DSR_COUNT(patterns), text, len, found, &refused);
    return refused;
}
