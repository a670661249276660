/* dsr-run plugins, plugins check */
#include "core/check/check.h"
#include "core/cli/cli.h"

struct args {
    struct dsr_globals *globals;
    bool check;
    const char *so, *file;
    json_t *options;
};

enum { OPT_FILE = 256, OPT_OPTIONS };

static const struct argp_option options[] = {
    {"file", OPT_FILE, "PATH", 0, "check: the set that an evaluator or a prompt generator opens",
     0},
    {"options", OPT_OPTIONS, "JSON", 0,
     "check: its options, a router's policy, a provider's service entry", 0},
    {0},
};

static error_t parse_word(char *arg, struct argp_state *state, struct args *a)
{
    if (!a->check && !strcmp(arg, "check"))
        a->check = true;
    else if (a->check && !a->so)
        a->so = arg;
    else
        return ARGP_ERR_UNKNOWN;
    (void)state;
    return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct args *a = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = a->globals;
        return 0;
    case ARGP_KEY_ARG:
        return parse_word(arg, state, a);
    case OPT_FILE:
        a->file = arg;
        return 0;
    case OPT_OPTIONS: {
        json_error_t bad;
        json_decref(a->options);
        a->options = json_loads(arg, 0, &bad);
        if (!json_is_object(a->options))
            argp_error(state, "--options is no JSON object: %s", a->options ? arg : bad.text);
        return 0;
    }
    case ARGP_KEY_END:
        if (a->check && !a->so)
            argp_error(state, "check which file? plugins check FILE.so");
        if (!a->check && (a->file || a->options))
            argp_error(state, "--file and --options are for plugins check");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void print_json(const struct dsr_loaded *files, size_t n)
{
    json_t *loaded = json_array(), *refused = json_array();
    for (size_t i = 0; i < n; i++) {
        const struct dsr_plugin *p = files[i].plugin;
        if (p)
            json_array_append_new(loaded, json_pack("{s:s, s:s, s:s, s:i, s:s, s:s}", "kind",
                                                    dsr_kind_name(p->kind), "name", p->name,
                                                    "version", p->version, "abi", (int)p->abi,
                                                    "file", files[i].file, "summary", p->summary));
        else
            json_array_append_new(refused, json_pack("{s:s, s:s}", "file", files[i].file, "reason",
                                                     files[i].reason ? files[i].reason : ""));
    }
    json_t *root = json_pack("{s:i, s:o, s:o}", "schema", 1, "loaded", loaded, "refused", refused);
    dsr_print_json(root);
    json_decref(root);
}

static void print_table(const struct dsr_loaded *files, size_t n, enum dsr_format format)
{
    static const char *const columns[] = {"KIND", "NAME", "VERSION", "FILE", "SUMMARY"};
    struct dsr_table *table = dsr_table_new(columns, DSR_COUNT(columns), format);
    for (size_t i = 0; table && i < n; i++) {
        const struct dsr_plugin *p = files[i].plugin;
        const char *loaded[] = {p ? dsr_kind_name(p->kind) : "refused", p ? p->name : NULL,
                                p ? p->version : NULL, files[i].file,
                                p ? p->summary : files[i].reason};
        dsr_table_row(table, loaded);
    }
    dsr_table_print(table);
}

/* Steps as they come: [{"check","result","detail"}]. */
static void take_step(void *arg, const char *name, enum dsr_check_result result, const char *detail)
{
    static const char *const words[] = {"ok", "failed", "skipped"};
    json_array_append_new(arg, json_pack("{s:s, s:s, s:o}", "check", name, "result", words[result],
                                         "detail", dsr_json_text(detail, strlen(detail))));
}

static void print_steps(const json_t *steps, enum dsr_format format)
{
    static const char *const columns[] = {"RESULT", "CHECK", "DETAIL"};
    struct dsr_table *table = dsr_table_new(columns, DSR_COUNT(columns), format);
    for (size_t i = 0; table && i < json_array_size(steps); i++) {
        const json_t *step = json_array_get(steps, i);
        const char *cells[] = {dsr_json_string(step, "result", ""),
                               dsr_json_string(step, "check", ""),
                               dsr_json_string(step, "detail", "")};
        dsr_table_row(table, cells);
    }
    dsr_table_print(table);
}

static int check(struct dsr_ctx *ctx, const struct args *a, int *status, struct dsr_error *err)
{
    DSR_AUTO(json) json_t *steps = json_array();
    DSR_AUTO(json) json_t *given = a->options ? json_incref(a->options) : json_object();
    DSR_AUTO(json) json_t *entry = json_pack("{s:O}", "options", given);
    const struct dsr_check_input input = {entry, given, a->file, a->file || a->options};
    struct dsr_check_found found;
    int rc = dsr_check_plugin(a->so, &input, ctx->host, &found, take_step, steps, err);
    if (rc)
        return rc;
    for (size_t i = 0; i < json_array_size(steps); i++)
        if (!strcmp(dsr_json_string(json_array_get(steps, i), "result", ""), "failed"))
            *status = 1;
    if (a->globals->format != DSR_FORMAT_JSON) {
        if (a->globals->format == DSR_FORMAT_TABLE && found.kind[0])
            printf("%s \"%s\" in %s\n", found.kind, found.name, a->so);
        print_steps(steps, a->globals->format);
        return 0;
    }
    json_t *root = json_pack("{s:i, s:s, s:s, s:s, s:b, s:O}", "schema", 1, "file", a->so, "kind",
                             found.kind, "name", found.name, "passed", !*status, "checks", steps);
    dsr_print_json(root);
    json_decref(root);
    return 0;
}

static int work(struct dsr_ctx *ctx, void *args, int *status, struct dsr_error *err)
{
    const struct args *a = args;
    size_t n;
    if (a->check)
        return check(ctx, a, status, err);
    dsr_registry_load_all(ctx->registry);
    const struct dsr_loaded *files = dsr_registry_list(ctx->registry, &n);
    if (a->globals->format == DSR_FORMAT_JSON)
        print_json(files, n);
    else
        print_table(files, n, a->globals->format);
    return 0;
}

int dsr_cmd_plugins(struct dsr_globals *globals, int argc, char **argv)
{
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .args_doc = "\ncheck FILE.so",
        .doc = "Loads every plugin along the search path (--plugin-dir, $DSR_PLUGIN_PATH, "
               "~/.local/lib/dsr, the installed folder) and lists what was loaded from where, and "
               "what was refused and why. Code in a plugin runs with your rights: a constructor "
               "that crashes takes the program with it.\n\nWith check: uses one file in a process "
               "of its own as its contract says it may be used (opened again and again, with bad "
               "input, from several threads) and reports what it does. Exit status: 0 all passed, "
               "1 something failed.",
        .children = dsr_globals_child,
    };
    struct args a = {.globals = globals};
    int status = dsr_command_run(&argp, 0, argc, argv, globals, &a, work);
    json_decref(a.options);
    return status;
}
