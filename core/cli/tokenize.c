/* dsr-run tokenize */
#include "core/chat/tokenizer.h"
#include "core/cli/cli.h"
#include "core/run/yardstick.h"

#include <errno.h>

struct args {
    struct dsr_globals *globals;
    const char *model, *file, *input;
    bool chat;
};

enum { OPT_TOKENIZER = 256, OPT_INPUT, OPT_CHAT };

static const struct argp_option options[] = {
    {"model", 'm', "MODEL", 0, "model code (default: the first of perf_models in cron.json)", 0},
    {"tokenizer", OPT_TOKENIZER, "FILE", 0, "a tokenizer.json instead of the model's", 0},
    {"input", OPT_INPUT, "FILE", 0, "a text, or lines of {\"text\"} or {\"messages\"}", 0},
    {"chat", OPT_CHAT, NULL, 0, "take texts as a user's turn, in the model's chat layout", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct args *a = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = a->globals;
        return 0;
    case 'm':
        a->model = arg;
        return 0;
    case OPT_TOKENIZER:
        a->file = arg;
        return 0;
    case OPT_INPUT:
        a->input = arg;
        return 0;
    case OPT_CHAT:
        a->chat = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

struct tokenizing {
    const struct args *args;
    const struct dsr_tokenizer *tokenizer;
    struct dsr_ids ids;
};

static void print_ids(const struct dsr_ids *ids)
{
    printf("{\"n\":%zu,\"ids\":[", ids->n);
    for (size_t i = 0; i < ids->n; i++)
        printf("%s%u", i ? "," : "", ids->list[i]);
    puts("]}");
}

static int tokenize_text(struct tokenizing *t, const json_t *text, struct dsr_error *err)
{
    int rc;
    t->ids.n = 0;
    if (t->args->chat) {
        DSR_AUTO(json)
        json_t *messages = json_pack("[{s:s, s:O}]", "role", "user", "content", text);
        rc = dsr_tokenize_chat(t->tokenizer, messages, true, &t->ids);
    } else {
        rc = dsr_tokenize(t->tokenizer, json_string_value(text), json_string_length(text), &t->ids);
    }
    if (rc)
        return dsr_error_nomem(err);
    print_ids(&t->ids);
    return 0;
}

static int tokenize_line(void *arg, json_t *object, int line, struct dsr_error *err)
{
    struct tokenizing *t = arg;
    const json_t *text = json_object_get(object, "text");
    const json_t *messages = json_object_get(object, "messages");
    (void)line;
    if (json_is_string(text))
        return tokenize_text(t, text, err);
    t->ids.n = 0;
    int rc = json_is_array(messages) ? dsr_tokenize_chat(t->tokenizer, messages, true, &t->ids)
                                     : DSR_EINVAL;
    if (rc == DSR_ENOMEM)
        return dsr_error_nomem(err);
    if (rc)
        return dsr_error_set(
            err, DSR_ECONFIG,
            "expected \"text\", or \"messages\" of {\"role\",\"content\"} with the "
            "roles system, user and assistant");
    print_ids(&t->ids);
    return 0;
}

/* All of a file or pipe as one text. */
static int tokenize_whole(struct tokenizing *t, FILE *in, struct dsr_error *err)
{
    struct dsr_buf text = {0};
    size_t n;
    int rc = 0;
    do {
        rc = dsr_buf_reserve(&text, 1 << 16);
        n = rc ? 0 : fread(text.data + text.len, 1, 1 << 16, in);
        text.len += n;
    } while (n);
    if (rc || ferror(in))
        rc = dsr_error_file(err, DSR_EIO, t->args->input, 0, "can't be read: %s", strerror(errno));
    DSR_AUTO(json) json_t *json = rc ? NULL : dsr_json_text(text.data, text.len);
    if (!rc)
        rc = json ? tokenize_text(t, json, err) : dsr_error_nomem(err);
    dsr_buf_clear(&text);
    return rc;
}

/* Lines of JSON begin with a brace; anything else is a text. */
static int tokenize_input(struct tokenizing *t, struct dsr_error *err)
{
    FILE *in = fopen(t->args->input, "r");
    if (!in)
        return dsr_error_file(err, DSR_ECONFIG, t->args->input, 0, "can't be read: %s",
                              strerror(errno));
    int first = fgetc(in);
    ungetc(first, in);
    int rc = first == '{'
                 ? dsr_jsonl_read_stream(in, t->args->input, JSON_ALLOW_NUL, tokenize_line, t, err)
                 : tokenize_whole(t, in, err);
    fclose(in);
    return rc;
}

static int work(struct dsr_ctx *ctx, void *args, int *status, struct dsr_error *err)
{
    const struct args *a = args;
    struct dsr_tokenizer *tokenizer = NULL;
    bool known = a->model && dsr_settings_model_json(&ctx->settings, a->model);
    const char *model = known ? a->model : dsr_settings_model(&ctx->settings, a->model, err);
    int rc =
        model ? dsr_yardstick_open(&tokenizer, &ctx->settings, model, a->file, err) : err->code;
    struct tokenizing t = {.args = a, .tokenizer = tokenizer};
    (void)status;
    if (!rc)
        rc = tokenize_input(&t, err);
    dsr_ids_clear(&t.ids);
    dsr_tokenizer_close(tokenizer);
    return rc;
}

int dsr_cmd_tokenize(struct dsr_globals *globals, int argc, char **argv)
{
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .doc =
            "Counts tokens with the model's own tokenizer: a text, or JSON lines of {\"text\"} or "
            "{\"messages\"} (in the model's chat layout, with what makes it answer), from a file "
            "or standard input; a line {\"n\",\"ids\"} each out. Exit status: 0 done, 2 usage or "
            "configuration.",
        .children = dsr_globals_child,
    };
    struct args a = {.globals = globals, .input = "/dev/stdin"};
    return dsr_command_run(&argp, 0, argc, argv, globals, &a, work);
}
