/* dsr-run plugins */
#include "core/cli/cli.h"

static error_t parse(int key, char *arg, struct argp_state *state)
{
    (void)arg;
    if (key != ARGP_KEY_INIT)
        return ARGP_ERR_UNKNOWN;
    state->child_inputs[0] = state->input;
    return 0;
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

static int work(struct dsr_ctx *ctx, void *args, int *status, struct dsr_error *err)
{
    const struct dsr_globals *globals = args;
    size_t n;
    (void)status;
    (void)err;
    dsr_registry_load_all(ctx->registry);
    const struct dsr_loaded *files = dsr_registry_list(ctx->registry, &n);
    if (globals->format == DSR_FORMAT_JSON)
        print_json(files, n);
    else
        print_table(files, n, globals->format);
    return 0;
}

int dsr_cmd_plugins(struct dsr_globals *globals, int argc, char **argv)
{
    static const struct argp argp = {
        .parser = parse,
        .doc = "Loads every plugin along the search path (--plugin-dir, $DSR_PLUGIN_PATH, "
               "~/.local/lib/dsr, the installed folder) and lists what was loaded from where, and "
               "what was refused and why. Code in a plugin runs with your rights: a constructor "
               "that crashes takes the program with it.",
        .children = dsr_globals_child,
    };
    return dsr_command_run(&argp, 0, argc, argv, globals, globals, work);
}
