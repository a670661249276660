/* Steps for prompt generators. */
#include "core/chat/chat.h"
#include "core/check/check.h"

#include <dsr/promptgen.h>

#define PROMPTS 20

static const struct dsr_prompt_limits wide = {.size = sizeof wide, .max_input_tokens = 1000000};

/* The texts of some prompts of a fresh state, joined; NULL with err when there are none. */
static char *texts(const struct dsr_check *c, uint64_t seed, const struct dsr_prompt_limits *limits,
                   struct dsr_error *err)
{
    const struct dsr_promptgen_ops *ops = c->ops;
    void *state = ops->open(c->input->entry, c->input->path, c->host, err);
    if (!state)
        return NULL;
    DSR_AUTO(json) json_t *all = json_array();
    int rc = 0;
    for (uint64_t i = 0; i < PROMPTS && !rc; i++) {
        struct dsr_rng rng;
        struct dsr_chat *chat = dsr_chat_new(NULL);
        dsr_rng_init(&rng, seed, i);
        rc = ops->generate(state, limits, &rng, chat, err);
        json_array_append(all, chat->messages);
        dsr_chat_free(chat);
    }
    ops->close(state);
    return rc ? NULL : json_dumps(all, JSON_COMPACT);
}

static bool opens(struct dsr_check *c)
{
    const struct dsr_promptgen_ops *ops = c->ops;
    struct dsr_error err = {0};
    void *state = ops->open(c->input->entry, c->input->path, c->host, &err);
    if (state)
        ops->close(state);
    else if (c->input->given)
        return dsr_check_fail(c, "open failed: %s", err.message);
    return state ||
           (dsr_check_told(c, &err) &&
            dsr_check_skip(c, "it needs a set or options; name them with --file, --options"));
}

static bool refuses_bad_sets(struct dsr_check *c)
{
    const struct dsr_promptgen_ops *ops = c->ops;
    return dsr_check_bad_sets(c, ops->open, ops->close);
}

static bool repeats(struct dsr_check *c)
{
    struct dsr_error err = {0};
    DSR_AUTO(str) char *a = texts(c, 1, &wide, &err);
    DSR_AUTO(str) char *b = texts(c, 1, &wide, &err);
    if (!a || !b)
        return c->input->given ? dsr_check_fail(c, "generate failed: %s", err.message)
                               : dsr_check_skip(c, "no set");
    if (strstr(a, "[]"))
        return dsr_check_fail(c, "a prompt has no message");
    return !strcmp(a, b) ? true
                         : dsr_check_fail(c, "the same seed gave other prompts; take all "
                                             "chance from rng, and no time or counter");
}

/* What can't be fulfilled is told, not overlooked. */
static bool keeps_limits(struct dsr_check *c)
{
    const struct dsr_prompt_limits narrow = {.size = sizeof narrow,
                                             .min_input_tokens = 30,
                                             .max_input_tokens = 400,
                                             .output_tokens = 50};
    const struct dsr_promptgen_ops *ops = c->ops;
    struct dsr_error err = {0};
    void *state = ops->open(c->input->entry, c->input->path, c->host, &err);
    if (!state)
        return dsr_check_skip(c, "no set");
    bool ok = true;
    for (uint64_t i = 0; i < PROMPTS && ok; i++) {
        struct dsr_rng rng;
        struct dsr_chat *chat = dsr_chat_new(NULL);
        dsr_rng_init(&rng, 5, i);
        int rc = ops->generate(state, &narrow, &rng, chat, &err);
        int64_t n = dsr_prompt_tokens(&narrow, chat->messages);
        if (!rc && (n < narrow.min_input_tokens || n > narrow.max_input_tokens))
            ok = dsr_check_fail(c, "a prompt of %lld tokens where 30 to 400 were wanted",
                                (long long)n);
        else if (rc && rc != DSR_ENOTFOUND)
            ok = dsr_check_fail(c, "limits give the error %d (%s), not DSR_ENOTFOUND", rc,
                                err.message);
        dsr_chat_free(chat);
    }
    ops->close(state);
    return ok;
}

static bool cycle(void *arg)
{
    struct dsr_error err = {0};
    free(texts(arg, 3, &wide, &err));
    return true;
}

static bool keeps_memory(struct dsr_check *c)
{
    double growth = dsr_check_growth(cycle, c);
    return growth < 8
               ? true
               : dsr_check_fail(c, "open, generate and close lose %.0f bytes each time", growth);
}

const struct dsr_check_step dsr_check_promptgen[] = {
    {"it opens", opens},
    {"bad sets are refused with a reason", refuses_bad_sets},
    {"one seed gives the same prompts", repeats},
    {"the limits of tokens are kept", keeps_limits},
    {"open, generate and close keep no memory", keeps_memory},
    {0},
};
