/* Asks one model some questions on a loop of its own, and waits. */
#include "core/run/writer.h"

#include <dsr/promptgen.h>
#include <signal.h>

#define MOST_TRIES 4

struct asking {
    uv_loop_t loop;
    uv_signal_t signals[2];
    struct dsr_net *net;
    struct dsr_fleet fleet;
    struct dsr_sched *sched;
    dsr_written_fn *written;
    void *arg;
    struct dsr_error *err;
    int rc;
};

/* There is no run yet that could be ended well, and what was written is kept: the default action.
 */
static void on_signal(uv_signal_t *handle, int number)
{
    (void)handle;
    signal(number, SIG_DFL);
    raise(number);
}

static void on_final(void *arg, const struct dsr_task *task, const struct dsr_exchange *x)
{
    struct asking *a = arg;
    char fault[sizeof x->fault.name + sizeof x->fault.message + 2];
    (void)task;
    if (a->rc)
        return;
    snprintf(fault, sizeof fault, "%s: %s", x->fault.name, x->fault.message);
    const char *answer = x->stream.answer.data ? x->stream.answer.data : "";
    bool ok = !x->fault.name[0];
    a->rc = a->written(a->arg, ok ? answer : NULL, ok ? NULL : fault, a->err);
}

/* Once it was said that no more are wanted, none is asked. */
static enum dsr_admission admit(void *arg, const struct dsr_task *task)
{
    const struct asking *a = arg;
    (void)task;
    return a->rc ? DSR_REFUSE : DSR_ADMIT;
}

static int add_questions(struct asking *a, const char *const questions[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct dsr_chat *chat = dsr_chat_new(NULL);
        if (!chat || dsr_chat_add(chat, "user", questions[i], strlen(questions[i]))) {
            dsr_chat_free(chat);
            return dsr_error_nomem(a->err);
        }
        dsr_chat_set_max_tokens(chat, a->fleet.services[0]->max_tokens);
        if (dsr_sched_add(a->sched, 0, chat, NULL, 0))
            return dsr_error_nomem(a->err);
    }
    return 0;
}

static int play(struct asking *a, struct dsr_ctx *ctx, const char *const questions[], size_t n)
{
    static const struct dsr_sched_handler handler = {.admit = admit, .on_final = on_final};
    struct dsr_sched_options options = {.max_workers = 32, .max_tries = MOST_TRIES};
    a->net = dsr_net_new(&a->loop, ctx->host, a->err);
    if (!a->net)
        return a->err->code;
    a->sched = dsr_sched_new(&a->loop, a->net, &a->fleet, &options, &handler, a);
    if (!a->sched)
        return dsr_error_nomem(a->err);
    int rc = add_questions(a, questions, n);
    if (rc)
        return rc;
    struct dsr_progress *progress =
        ctx->quiet ? NULL : dsr_progress_new(&a->loop, ctx->host, a->sched, &a->fleet);
    dsr_sched_start(a->sched);
    while (!dsr_sched_is_idle(a->sched))
        uv_run(&a->loop, UV_RUN_ONCE);
    dsr_progress_close(progress);
    return a->rc;
}

static int ask(void *arg, const char *const questions[], size_t n, dsr_written_fn *written,
               void *written_arg, struct dsr_error *err)
{
    struct dsr_ctx *ctx = arg;
    static const int numbers[2] = {SIGINT, SIGTERM};
    struct asking a = {.written = written, .arg = written_arg, .err = err};
    int rc = dsr_fleet_open_writer(&a.fleet, &ctx->settings, ctx->registry, err);
    if (rc)
        return rc;
    if (uv_loop_init(&a.loop)) {
        dsr_fleet_close(&a.fleet);
        return dsr_error_set(err, DSR_EIO, "no event loop: too many open files?");
    }
    for (size_t i = 0; i < 2; i++) {
        uv_signal_init(&a.loop, &a.signals[i]);
        uv_signal_start(&a.signals[i], on_signal, numbers[i]);
        uv_unref((uv_handle_t *)&a.signals[i]);
    }
    rc = play(&a, ctx, questions, n);
    dsr_sched_close(a.sched);
    dsr_net_close(a.net);
    for (size_t i = 0; i < 2; i++)
        uv_close((uv_handle_t *)&a.signals[i], NULL);
    uv_run(&a.loop, UV_RUN_DEFAULT);
    uv_loop_close(&a.loop);
    dsr_fleet_close(&a.fleet);
    return rc;
}

int dsr_writer_offer(struct dsr_ctx *ctx, struct dsr_error *err)
{
    const json_t *model = json_object_get(ctx->settings.prompts.root, "model");
    const char *url = dsr_json_string(model, "base_url", "");
    const char *name = dsr_json_string(model, "model", "");
    if (!*url || !*name)
        return 0;
    DSR_AUTO(str) char *who = dsr_format("%s %s", url, name);
    struct dsr_writer writer = {.ask = ask, .arg = ctx, .name = who};
    return who && !dsr_host_set_writer(ctx->host, &writer) ? 0 : dsr_error_nomem(err);
}
