/* What evaluators share beside graders: items, and the answer after the reasoning. */
#include "core/base/base.h"

#include <dsr/evaluator.h>

void dsr_item_clear(struct dsr_item *item)
{
    free(item->id);
    free(item->group);
    free(item->gold);
    json_decref(item->messages);
    json_decref(item->options);
    memset(item, 0, sizeof *item);
}

const char *dsr_answer_after_think(const char *text, size_t len, size_t *answer_len)
{
    static const char close[] = "</think>";
    const char *end = text + len, *at, *last = NULL;
    for (at = text; (at = dsr_find(at, end, close)); at += sizeof close - 1)
        last = at + sizeof close - 1;
    const char *start = last ? last : text;
    const char *open = dsr_find(start, end, "<think>");
    if (open) { /* opened and never closed: all that follows is reasoning */
        *answer_len = (size_t)(open - start);
        return start;
    }
    *answer_len = (size_t)(end - start);
    return start;
}
