/* @NAME@: a prompt about one of the "topics" of its options. See dsr/promptgen.h. */
#include <dsr/promptgen.h>
#include <stdio.h>
#include <stdlib.h>

struct generator {
    json_t *topics; /* array of texts */
};

static void close_generator(void *state)
{
    struct generator *g = (struct generator *)state;
    json_decref(g->topics);
    free(g);
}

static void *open_generator(const json_t *config, const char *path, const struct dsr_host *host,
                            struct dsr_error *err)
{
    json_t *topics = json_object_get(json_object_get(config, "options"), "topics");
    (void)path;
    (void)host;
    for (size_t i = 0; i < json_array_size(topics); i++) {
        if (!json_is_string(json_array_get(topics, i))) {
            dsr_error_at(err, DSR_ECONFIG, "/options/topics", "topic %zu is no text", i);
            return NULL;
        }
    }
    if (!json_array_size(topics)) {
        dsr_error_at(err, DSR_ECONFIG, "/options", "\"topics\" must be an array of texts");
        return NULL;
    }
    struct generator *g = (struct generator *)calloc(1, sizeof *g);
    if (!g) {
        dsr_error_set(err, DSR_ENOMEM, "out of memory");
        return NULL;
    }
    g->topics = json_incref(topics);
    return g;
}

/* All chance comes from rng: one seed, the same prompts for every provider. */
static int generate(void *state, const struct dsr_prompt_limits *limits, struct dsr_rng *rng,
                    struct dsr_chat *chat, struct dsr_error *err)
{
    const struct generator *g = (const struct generator *)state;
    size_t n = json_array_size(g->topics);
    const json_t *topic = json_array_get(g->topics, (size_t)dsr_rng_below(rng, n));
    char *text = NULL;
    if (asprintf(&text,
                 "Tell me %d things about %s that few people know, and explain for each of them "
                 "how it was found out and why it matters.",
                 2 + (int)dsr_rng_below(rng, 4), json_string_value(topic)) < 0)
        return dsr_error_set(err, DSR_ENOMEM, "out of memory");
    int rc = dsr_prompt_put_text(limits, text, chat, err);
    free(text);
    return rc == DSR_ENOTFOUND
               ? dsr_error_set(err, rc, "its prompts have about 40 tokens, other lengths were asked")
               : rc;
}

static const struct dsr_promptgen_ops ops = {
    sizeof ops, open_generator, generate, close_generator,
};

const struct dsr_plugin dsr_plugin = {
    DSR_ABI, sizeof dsr_plugin, DSR_KIND_PROMPTGEN, "@NAME@", "0.1", "prompts of @NAME@",
    "Apache-2.0", &ops,
};
