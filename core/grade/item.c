/* What evaluators share beside graders: items, the choice of grader, the answer after the
 * reasoning. */
#include "core/base/base.h"

#include <dsr/evaluator.h>

void dsr_item_clear(struct dsr_item *item)
{
    free(item->id);
    free(item->group);
    free(item->gold);
    json_decref(item->messages);
    json_decref(item->options);
    json_decref(item->tags);
    memset(item, 0, sizeof *item);
}

bool dsr_evaluator_runs_programs(const struct dsr_evaluator_ops *ops)
{
    size_t end = offsetof(struct dsr_evaluator_ops, runs_programs) + sizeof ops->runs_programs;
    return ops->size >= end && ops->runs_programs;
}

const char *dsr_answer_after_think(const char *text, size_t len, size_t *answer_len)
{
    static const char close[] = "</think>";
    const char *end = text + len, *last = dsr_find_last(text, end, close);
    const char *start = last ? last + sizeof close - 1 : text;
    const char *open = dsr_find(start, end, "<think>");
    if (open) { /* opened and never closed: all that follows is reasoning */
        *answer_len = (size_t)(open - start);
        return start;
    }
    *answer_len = (size_t)(end - start);
    return start;
}

int dsr_grade_mode(const struct dsr_answer *answer, bool *own, struct dsr_error *err)
{
    *own = !strcmp(answer->mode, "dsr");
    if (*own || !strcmp(answer->mode, "opencompass"))
        return 0;
    return dsr_error_set(err, DSR_EINVAL, "no grader \"%s\"; there are: dsr, opencompass",
                         answer->mode);
}

int dsr_grade_by_mode(const struct dsr_answer *answer, struct dsr_grade *grade, dsr_grader_fn *own,
                      dsr_grader_fn *opencompass, struct dsr_error *err)
{
    bool is_own;
    int rc = dsr_grade_mode(answer, &is_own, err);
    if (!rc)
        (is_own ? own : opencompass)(answer, grade);
    return rc;
}
