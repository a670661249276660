/* LongBench-v2 as long prompts: one JSON array of {"context", "question", "choice_A".."choice_D"},
 * contexts of thousands to millions of words (github.com/THUDM/LongBench). */
#include <dsr/promptgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const parts[] = {"context",  "question", "choice_A",
                                    "choice_B", "choice_C", "choice_D"};
enum { N_PARTS = sizeof parts / sizeof parts[0] };

static void close_generator(void *state)
{
    dsr_corpus_close(state);
}

static int measure(const json_t *record, struct dsr_record_size *size, struct dsr_error *err)
{
    int64_t tokens = 40;
    for (size_t i = 0; i < N_PARTS; i++) {
        const json_t *text = json_object_get(record, parts[i]);
        if (!json_is_string(text))
            return dsr_error_set(err, DSR_ECONFIG, "the record has no \"%s\"", parts[i]);
        tokens += dsr_estimate_tokens(json_string_value(text), json_string_length(text));
    }
    size->least = size->most = (uint32_t)tokens;
    return 0;
}

static void *open_generator(const json_t *config, const char *path, const struct dsr_host *host,
                            struct dsr_error *err)
{
    (void)config;
    return dsr_corpus_open(path, "longbench-1", measure, host, err);
}

static char *ask(const json_t *record)
{
    const char *text[N_PARTS];
    char *prompt = NULL;
    for (size_t i = 0; i < N_PARTS; i++)
        text[i] = json_string_value(json_object_get(record, parts[i]));
    int n = asprintf(&prompt,
                     "Read the text, then answer the question about it.\n\nText:\n%s\n\nQuestion: "
                     "%s\nA) %s\nB) %s\nC) %s\nD) %s\n\nGive the letter of the right choice and "
                     "say why.",
                     text[0], text[1], text[2], text[3], text[4], text[5]);
    return n < 0 ? NULL : prompt;
}

static int take(void *arg, const json_t *record, const struct dsr_prompt_limits *limits,
                struct dsr_rng *rng, struct dsr_error *err)
{
    char *text = ask(record);
    int rc = text ? dsr_prompt_put_text(limits, text, arg, err)
                  : dsr_error_set(err, DSR_ENOMEM, "out of memory");
    (void)rng;
    free(text);
    return rc;
}

static int generate(void *state, const struct dsr_prompt_limits *limits, struct dsr_rng *rng,
                    struct dsr_chat *chat, struct dsr_error *err)
{
    return dsr_corpus_draw(state, limits, rng, take, chat, err);
}

static const struct dsr_promptgen_ops ops = {
    .size = sizeof ops, .open = open_generator, .generate = generate, .close = close_generator};

const struct dsr_plugin dsr_plugin = {
    .abi = DSR_ABI,
    .size = sizeof dsr_plugin,
    .kind = DSR_KIND_PROMPTGEN,
    .name = "longbench",
    .version = "1.0",
    .summary = "long contexts of LongBench-v2 with a question",
    .licence = "Apache-2.0",
    .ops = &ops,
};
