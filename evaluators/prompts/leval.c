/* L-Eval as long prompts: each line holds a document ("input") and questions about it
 * ("instructions"). file names one .jsonl or a folder of them. */
#include <dirent.h>
#include <dsr/promptgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define TRIES 200

struct generator {
    json_t *list; /* {"input", "instructions"} */
};

static void close_generator(void *state)
{
    struct generator *g = state;
    json_decref(g->list);
    free(g);
}

static int take_object(void *arg, json_t *object, int line, struct dsr_error *err)
{
    struct generator *g = arg;
    json_t *input = json_object_get(object, "input");
    json_t *instructions = json_object_get(object, "instructions");
    size_t i;
    json_t *text;
    if (!json_is_string(input) || !json_array_size(instructions))
        return dsr_error_set(err, DSR_ECONFIG, "line %d has no \"input\" or \"instructions\"",
                             line);
    json_array_foreach(instructions, i, text)
    {
        if (!json_is_string(text))
            return dsr_error_set(err, DSR_ECONFIG, "line %d: an instruction is no string", line);
    }
    json_t *kept = json_pack("{s:O, s:O}", "input", input, "instructions", instructions);
    return !kept || json_array_append_new(g->list, kept)
               ? dsr_error_set(err, DSR_ENOMEM, "out of memory")
               : 0;
}

static int read_folder(struct generator *g, const char *path, struct dsr_error *err)
{
    struct dirent **list = NULL;
    int n = scandir(path, &list, NULL, alphasort), rc = 0;
    for (int i = 0; i < n; i++) {
        const char *dot = strrchr(list[i]->d_name, '.');
        char *file = NULL;
        if (dot && !strcmp(dot, ".jsonl") && !rc) {
            rc = asprintf(&file, "%s/%s", path, list[i]->d_name) < 0
                     ? dsr_error_set(err, DSR_ENOMEM, "out of memory")
                     : dsr_jsonl_read(file, take_object, g, err);
            free(file);
        }
        free(list[i]);
    }
    free(list);
    return rc;
}

static void *open_generator(const json_t *config, const char *path, const struct dsr_host *host,
                            struct dsr_error *err)
{
    struct stat st;
    (void)config;
    (void)host;
    if (!path) {
        dsr_error_set(err, DSR_ECONFIG, "the entry names no file");
        return NULL;
    }
    struct generator *g = calloc(1, sizeof *g);
    int rc = g && (g->list = json_array()) ? 0 : dsr_error_set(err, DSR_ENOMEM, "out of memory");
    if (!rc)
        rc = !stat(path, &st) && S_ISDIR(st.st_mode) ? read_folder(g, path, err)
                                                     : dsr_jsonl_read(path, take_object, g, err);
    if (!rc && !json_array_size(g->list))
        rc = dsr_error_set(err, DSR_ECONFIG, "%s holds no document", path);
    if (!rc)
        return g;
    if (g)
        close_generator(g);
    return NULL;
}

static int64_t tokens_of(const json_t *text)
{
    return dsr_estimate_tokens(json_string_value(text), json_string_length(text));
}

static int generate(void *state, const struct dsr_prompt_limits *limits, struct dsr_rng *rng,
                    struct dsr_chat *chat, struct dsr_error *err)
{
    const struct generator *g = state;
    for (int try = 0; try < TRIES; try++) {
        const json_t *doc =
            json_array_get(g->list, (size_t)dsr_rng_below(rng, json_array_size(g->list)));
        const json_t *input = json_object_get(doc, "input");
        const json_t *questions = json_object_get(doc, "instructions");
        const json_t *question =
            json_array_get(questions, (size_t)dsr_rng_below(rng, json_array_size(questions)));
        int64_t tokens = tokens_of(input) + tokens_of(question) + 40;
        if (!dsr_prompt_fits(limits, tokens))
            continue;
        int64_t wanted = limits->output_tokens ? limits->output_tokens : dsr_chat_max_tokens(chat);
        char *text = NULL;
        int n = asprintf(&text,
                         "Read the document and answer the question; elaborate in %lld "
                         "tokens.\n\nDocument:\n%s\n\nQuestion: %s",
                         (long long)wanted, json_string_value(input), json_string_value(question));
        int rc = n < 0 ? DSR_ENOMEM : dsr_chat_add(chat, "user", text, (size_t)n);
        free(n < 0 ? NULL : text);
        return rc ? dsr_error_set(err, rc, "out of memory") : 0;
    }
    return dsr_error_set(err, DSR_ENOTFOUND, "no document fits the limits of input tokens");
}

static const struct dsr_promptgen_ops ops = {
    .size = sizeof ops, .open = open_generator, .generate = generate, .close = close_generator};

const struct dsr_plugin dsr_plugin = {
    .abi = DSR_ABI,
    .size = sizeof dsr_plugin,
    .kind = DSR_KIND_PROMPTGEN,
    .name = "leval",
    .version = "1.0",
    .summary = "long documents of L-Eval with a question",
    .licence = "Apache-2.0",
    .ops = &ops,
};
