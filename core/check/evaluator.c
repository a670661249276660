/* Steps for evaluators. */
#include "core/check/check.h"

#include <dsr/evaluator.h>

#define MOST 200 /* items that are looked at */

struct opening {
    const struct dsr_evaluator_ops *ops;
    const json_t *config;
    const char *path;
    const struct dsr_host *host;
    bool opened;
};

static bool cycle(void *arg)
{
    struct opening *o = arg;
    struct dsr_error err = {0};
    struct dsr_item item = {0};
    void *state = o->ops->open(o->config, o->path, o->host, &err);
    o->opened = state != NULL;
    if (!state)
        return true;
    if (o->ops->count(state) && !o->ops->item(state, 0, &item, &err))
        dsr_item_clear(&item);
    o->ops->close(state);
    return true;
}

static struct opening opening_of(const struct dsr_check *c)
{
    return (struct opening){c->ops, c->input->entry, c->input->path, c->host, false};
}

static bool opens(struct dsr_check *c)
{
    const struct dsr_evaluator_ops *ops = c->ops;
    struct dsr_error err = {0};
    void *state = ops->open(c->input->entry, c->input->path, c->host, &err);
    if (!state && c->input->given)
        return dsr_check_fail(c, "open failed: %s", err.message);
    if (!state)
        return dsr_check_told(c, &err) && dsr_check_skip(c, "it needs a set; name one with --file");
    size_t n = ops->count(state);
    ops->close(state);
    return n ? true : dsr_check_fail(c, "the set has no item, and open did not say so");
}

static bool refuses_bad_sets(struct dsr_check *c)
{
    const struct dsr_evaluator_ops *ops = c->ops;
    return dsr_check_bad_sets(c, ops->open, ops->close);
}

static bool keeps_memory(struct dsr_check *c)
{
    struct opening o = opening_of(c);
    double growth = dsr_check_growth(cycle, &o);
    return growth == 0 ? true
                       : dsr_check_fail(c, "open and close lose %.0f bytes each time", growth);
}

static bool items_are_sound(struct dsr_check *c)
{
    const struct dsr_evaluator_ops *ops = c->ops;
    struct dsr_error err = {0};
    void *state = ops->open(c->input->entry, c->input->path, c->host, &err);
    if (!state)
        return dsr_check_skip(c, "no set");
    bool ok = true;
    DSR_AUTO(json) json_t *ids = json_object();
    for (size_t i = 0, n = ops->count(state); ok && i < n && i < MOST; i++) {
        struct dsr_item item = {0};
        if (ops->item(state, i, &item, &err))
            ok = dsr_check_fail(c, "item %zu: %s", i, err.message);
        else if (!item.id || !item.gold || !json_array_size(item.messages))
            ok = dsr_check_fail(c, "item %zu lacks its id, gold or messages", i);
        else if (json_object_get(ids, item.id))
            ok = dsr_check_fail(c, "two items have the id \"%s\"", item.id);
        if (ok)
            json_object_set_new(ids, item.id, json_true());
        dsr_item_clear(&item);
    }
    ops->close(state);
    return ok;
}

struct grading {
    const struct dsr_evaluator_ops *ops;
    void *state;
    size_t n;
    char *large;
};

static const char *const answers[] = {
    "", "A", "ANSWER: B", "42", "\\boxed{7}", "\xff\xfe", "</think>", "<think>open", "no answer"};

/* Grades everything twice and compares. */
static bool grade_all(void *arg)
{
    struct grading *g = arg;
    for (size_t i = 0; i < g->n && i < MOST; i++) {
        struct dsr_item item = {0};
        struct dsr_error err = {0};
        if (g->ops->item(g->state, i, &item, &err))
            return false;
        for (size_t k = 0; k <= DSR_COUNT(answers); k++) {
            const char *text = k < DSR_COUNT(answers) ? answers[k] : g->large;
            struct dsr_answer answer = {item.gold, item.options, text, strlen(text), "dsr"};
            struct dsr_grade a = {0}, b = {0};
            if (g->ops->runs_programs && k)
                continue;
            int first = g->ops->grade(&answer, &a, &err), second = g->ops->grade(&answer, &b, &err);
            if (first != second || a.correct != b.correct || strcmp(a.extracted, b.extracted)) {
                dsr_item_clear(&item);
                return false;
            }
        }
        dsr_item_clear(&item);
    }
    return true;
}

static bool is_thread_safe(struct dsr_check *c)
{
    struct grading g = {.ops = c->ops};
    struct dsr_error err = {0};
    g.state = g.ops->open(c->input->entry, c->input->path, c->host, &err);
    if (!g.state)
        return dsr_check_skip(c, "no set");
    g.n = g.ops->count(g.state);
    g.large = malloc(1 << 16);
    memset(g.large, 'x', (1 << 16) - 1);
    g.large[(1 << 16) - 1] = '\0';
    bool ok = dsr_check_threads(grade_all, &g);
    free(g.large);
    g.ops->close(g.state);
    return ok ? true : dsr_check_fail(c, "item or grade gave other results on another thread");
}

static bool refuses_a_mode(struct dsr_check *c)
{
    const struct dsr_evaluator_ops *ops = c->ops;
    struct dsr_answer answer = {"A", NULL, "A", 1, "no-such-mode"};
    struct dsr_grade grade = {0};
    struct dsr_error err = {0};
    return ops->grade(&answer, &grade, &err) < 0
               ? true
               : dsr_check_fail(c, "grade took the mode \"no-such-mode\" (see dsr_grade_mode)");
}

const struct dsr_check_step dsr_check_evaluator[] = {
    {"it opens its set", opens},
    {"bad sets are refused with a reason", refuses_bad_sets},
    {"open and close keep no memory", keeps_memory},
    {"items are whole, their ids unique", items_are_sound},
    {"item and grade are the same on all threads", is_thread_safe},
    {"a mode that is not known is refused", refuses_a_mode},
    {0},
};
