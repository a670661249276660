/* Questions and their repeats. */
#include "core/run/outcome.h"

#include <ctype.h>

#define MAX_REPEATS 100000

struct dsr_outcome *dsr_outcome_get(struct dsr_outcome **outcomes, const char *item,
                                    const char *group, const json_t *tags)
{
    struct dsr_outcome *o;
    HASH_FIND_STR(*outcomes, item, o);
    if (o)
        return o;
    o = calloc(1, sizeof *o);
    if (!o || !(o->item = strdup(item)) || (group && !(o->group = strdup(group)))) {
        if (o)
            free(o->item);
        free(o);
        return NULL;
    }
    o->tags = json_incref((json_t *)tags);
    HASH_ADD_KEYPTR(hh, *outcomes, o->item, strlen(o->item), o);
    return o;
}

struct dsr_try *dsr_outcome_try(struct dsr_outcome *o, int repeat)
{
    if (repeat < 0 || repeat >= MAX_REPEATS)
        return NULL;
    if (repeat >= o->n) {
        struct dsr_try *tries = realloc(o->tries, (size_t)(repeat + 1) * sizeof *tries);
        if (!tries)
            return NULL;
        memset(tries + o->n, 0, (size_t)(repeat + 1 - o->n) * sizeof *tries);
        o->tries = tries;
        o->n = repeat + 1;
    }
    return &o->tries[repeat];
}

void dsr_outcomes_free(struct dsr_outcome **outcomes)
{
    struct dsr_outcome *o, *next;
    HASH_ITER(hh, *outcomes, o, next)
    {
        HASH_DEL(*outcomes, o);
        for (int i = 0; i < o->n; i++)
            free(o->tries[i].extracted);
        free(o->tries);
        free(o->item);
        free(o->group);
        json_decref(o->tags);
        free(o);
    }
}

static bool is_blank(const char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    return !*text;
}

enum dsr_fate dsr_fate_of(const json_t *body)
{
    const json_t *correct = json_object_get(body, "correct");
    const char *finish = dsr_json_string(body, "finish_reason", "");
    if (json_is_string(json_object_get(body, "error")))
        return DSR_FATE_ERROR;
    if (!json_is_boolean(correct))
        return DSR_FATE_EXPECTED;
    if (json_is_true(correct))
        return DSR_FATE_CORRECT;
    if (!strcmp(finish, "length"))
        return DSR_FATE_TRUNCATED;
    if (!strcmp(finish, "content_filter") || !strcmp(dsr_json_string(body, "rule", ""), "refusal"))
        return DSR_FATE_REFUSED;
    return is_blank(dsr_json_string(body, "answer", "")) ? DSR_FATE_EMPTY : DSR_FATE_WRONG;
}

bool dsr_outcome_majority(const struct dsr_outcome *o)
{
    int most = 0;
    bool right = false;
    for (int i = 0; i < o->n; i++) {
        int votes = 0;
        if (!o->tries[i].extracted || !o->tries[i].extracted[0])
            continue;
        for (int j = 0; j < o->n; j++)
            votes += o->tries[j].extracted && !strcmp(o->tries[i].extracted, o->tries[j].extracted);
        if (votes > most) {
            most = votes;
            right = o->tries[i].fate == DSR_FATE_CORRECT;
        }
    }
    return right;
}
