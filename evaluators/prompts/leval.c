/* L-Eval as long prompts: each record holds a document ("input") and questions about it
 * ("instructions"). file names one .jsonl or a folder of them. */
#include <dsr/promptgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void close_generator(void *state)
{
    dsr_corpus_close(state);
}

static int measure(const json_t *record, struct dsr_record_size *size, struct dsr_error *err)
{
    const json_t *input = json_object_get(record, "input");
    const json_t *instructions = json_object_get(record, "instructions");
    uint32_t longest = 0;
    size_t i;
    json_t *text;
    if (!json_is_string(input) || !json_array_size(instructions))
        return dsr_error_set(err, DSR_ECONFIG, "the record has no \"input\" or \"instructions\"");
    json_array_foreach(instructions, i, text)
    {
        if (!json_is_string(text))
            return dsr_error_set(err, DSR_ECONFIG, "an instruction is no string");
        int64_t n = dsr_estimate_tokens(json_string_value(text), json_string_length(text));
        longest = n > longest ? (uint32_t)n : longest;
    }
    size->least =
        (uint32_t)dsr_estimate_tokens(json_string_value(input), json_string_length(input));
    size->most = size->least + longest + 40;
    return 0;
}

static void *open_generator(const json_t *config, const char *path, const struct dsr_host *host,
                            struct dsr_error *err)
{
    (void)config;
    return dsr_corpus_open(path, "leval-1", measure, host, err);
}

static char *ask(const json_t *record, const json_t *question, long long wanted)
{
    char *text = NULL;
    int n = asprintf(&text,
                     "Read the document and answer the question; elaborate in %lld tokens.\n\n"
                     "Document:\n%s\n\nQuestion: %s",
                     wanted, json_string_value(json_object_get(record, "input")),
                     json_string_value(question));
    return n < 0 ? NULL : text;
}

static int take(void *arg, const json_t *record, const struct dsr_prompt_limits *limits,
                struct dsr_rng *rng, struct dsr_error *err)
{
    struct dsr_chat *chat = arg;
    const json_t *questions = json_object_get(record, "instructions");
    const json_t *question =
        json_array_get(questions, (size_t)dsr_rng_below(rng, json_array_size(questions)));
    char *text = ask(record, question,
                     limits->output_tokens ? limits->output_tokens : dsr_chat_max_tokens(chat));
    int rc = text ? dsr_prompt_put_text(limits, text, chat, err)
                  : dsr_error_set(err, DSR_ENOMEM, "out of memory");
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
    .name = "leval",
    .version = "1.1",
    .summary = "long documents of L-Eval with a question",
    .licence = "Apache-2.0",
    .ops = &ops,
};
