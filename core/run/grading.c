/* The queue of answers that wait for their grade. */
#include "core/run/grading.h"

struct work {
    uv_work_t work;
    struct dsr_grading *grading;
    const struct dsr_evaluator_ops *ops;
    json_t *body;
    void *user;
    int rc;
    struct dsr_error err;
    struct work *next;
};

struct dsr_grading {
    uv_loop_t *loop;
    const struct dsr_tokenizer *tokenizer;
    const char *grader;
    dsr_graded_fn *graded;
    void *arg;
    struct work *queue, **tail;
    unsigned active, most;
};

/* What the grader reads: the answer, or for OpenCompass's rules what that harness stores. */
static int graded_text(const json_t *body, const char *grader, struct dsr_buf *text)
{
    const json_t *reasoning = json_object_get(body, "reasoning");
    const json_t *answer = json_object_get(body, "answer");
    size_t n = json_string_length(answer);
    int rc = 0;
    if (!strcmp(grader, "opencompass") && json_string_length(reasoning)) {
        rc = dsr_buf_add(text, json_string_value(reasoning), json_string_length(reasoning));
        if (!rc && n)
            rc = dsr_buf_adds(text, "</think>");
    }
    return rc ? rc : dsr_buf_add(text, n ? json_string_value(answer) : "", n);
}

int dsr_grade_body(const struct dsr_evaluator_ops *ops, const char *grader, json_t *body,
                   struct dsr_error *err)
{
    struct dsr_buf text = {0};
    struct dsr_grade verdict = {0};
    int rc = graded_text(body, grader, &text);
    const json_t *options = json_object_get(body, "options");
    struct dsr_answer answer = {.gold = dsr_json_string(body, "gold", ""),
                                .options = json_is_array(options) ? options : NULL,
                                .answer = text.data,
                                .answer_len = text.len,
                                .mode = grader};
    rc = rc ? dsr_error_nomem(err) : ops->grade(&answer, &verdict, err);
    dsr_buf_clear(&text);
    if (rc)
        return rc;
    json_object_set_new(body, "correct", json_boolean(verdict.correct));
    json_object_set_new(body, "score", json_real(verdict.score));
    json_object_set_new(body, "extracted",
                        dsr_json_text(verdict.extracted, strlen(verdict.extracted)));
    json_object_set_new(body, "rule", json_string(verdict.rule));
    json_object_set_new(body, "grader", json_string(grader));
    return 0;
}

int dsr_count_body(const struct dsr_tokenizer *tokenizer, json_t *body)
{
    static const char *const members[] = {"reasoning", "answer"};
    int64_t counts[2];
    for (size_t i = 0; i < 2; i++) {
        const json_t *text = json_object_get(body, members[i]);
        counts[i] =
            dsr_token_count(tokenizer, json_string_length(text) ? json_string_value(text) : "",
                            json_string_length(text));
        if (counts[i] < 0)
            return DSR_ENOMEM;
    }
    json_object_set_new(body, "reasoning_tokens", json_integer(counts[0]));
    json_object_set_new(body, "output_tokens", json_integer(counts[0] + counts[1]));
    json_object_set_new(body, "token_source", json_string("tokenizer"));
    return 0;
}

struct dsr_grading *dsr_grading_new(uv_loop_t *loop, const struct dsr_tokenizer *tokenizer,
                                    const char *grader, dsr_graded_fn *graded, void *arg)
{
    struct dsr_grading *g = calloc(1, sizeof *g);
    if (!g)
        return NULL;
    g->loop = loop;
    g->tokenizer = tokenizer;
    g->grader = grader;
    g->graded = graded;
    g->arg = arg;
    g->tail = &g->queue;
    g->most = uv_available_parallelism();
    return g;
}

static void pump(struct dsr_grading *g);

static void run(uv_work_t *work)
{
    struct work *w = work->data;
    if (w->grading->tokenizer && dsr_count_body(w->grading->tokenizer, w->body))
        w->rc = dsr_error_nomem(&w->err);
    if (!w->rc && w->ops)
        w->rc = dsr_grade_body(w->ops, w->grading->grader, w->body, &w->err);
}

static void done(uv_work_t *work, int status)
{
    struct work *w = work->data;
    struct dsr_grading *g = w->grading;
    (void)status;
    g->active--;
    g->graded(g->arg, w->user, w->body, w->rc, &w->err);
    free(w);
    pump(g);
}

static void pump(struct dsr_grading *g)
{
    while (g->queue && g->active < g->most) {
        struct work *w = g->queue;
        g->queue = w->next;
        if (!g->queue)
            g->tail = &g->queue;
        g->active++;
        if (uv_queue_work(g->loop, &w->work, run, done)) {
            run(&w->work);
            done(&w->work, 0);
        }
    }
}

int dsr_grading_submit(struct dsr_grading *g, const struct dsr_evaluator_ops *ops, json_t *body,
                       void *user)
{
    struct work *w = calloc(1, sizeof *w);
    if (!w)
        return DSR_ENOMEM;
    w->work.data = w;
    w->grading = g;
    w->ops = ops;
    w->body = body;
    w->user = user;
    *g->tail = w;
    g->tail = &w->next;
    pump(g);
    return 0;
}

void dsr_grading_wait(struct dsr_grading *g)
{
    while (g->active)
        uv_run(g->loop, UV_RUN_ONCE);
}

void dsr_grading_drop(struct dsr_grading *g, void (*drop)(void *user))
{
    struct work **at = &g->queue;
    while (*at) {
        struct work *w = *at;
        if (!w->ops || !dsr_evaluator_runs_programs(w->ops)) {
            at = &w->next;
            continue;
        }
        *at = w->next;
        drop(w->user);
        json_decref(w->body);
        free(w);
    }
    g->tail = at;
}

void dsr_grading_free(struct dsr_grading *g)
{
    free(g);
}
