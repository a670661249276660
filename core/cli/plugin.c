/* dsr-run plugin new: a project from a template */
#include "core/cli/cli.h"

#include <dirent.h>
#include <sys/stat.h>

struct args {
    struct dsr_globals *globals;
    const char *kind, *name, *folder;
    bool new, cxx;
};

enum { OPT_KIND = 256, OPT_FOLDER, OPT_CXX };

static const struct argp_option options[] = {
    {"kind", OPT_KIND, "KIND", 0, "provider, evaluator, promptgen, router or store", 0},
    {"folder", OPT_FOLDER, "DIR", 0, "where the project goes (default: ./NAME)", 0},
    {"cxx", OPT_CXX, NULL, 0, "in C++", 0},
    {0},
};

static bool kind_is_known(const char *kind)
{
    for (int k = DSR_KIND_PROVIDER; k <= DSR_KIND_STORE; k++)
        if (!strcmp(kind, dsr_kind_name((enum dsr_kind)k)))
            return true;
    return false;
}

static error_t parse_word(char *arg, struct argp_state *state, struct args *a)
{
    if (!a->new && !strcmp(arg, "new")) {
        a->new = true;
        return 0;
    }
    if (!a->new || a->name)
        return ARGP_ERR_UNKNOWN;
    if (!dsr_plugin_name_is_sound(arg) || arg[0] < 'a' || arg[0] > 'z')
        argp_error(state,
                   "a plugin's name is made of a-z, 0-9, '_' and '-', and begins with a "
                   "letter: not \"%s\"",
                   arg);
    a->name = arg;
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
    case OPT_KIND:
        if (!kind_is_known(arg))
            argp_error(state,
                       "--kind is provider, evaluator, promptgen, router or store, not \"%s\"",
                       arg);
        a->kind = arg;
        return 0;
    case OPT_FOLDER:
        a->folder = arg;
        return 0;
    case OPT_CXX:
        a->cxx = true;
        return 0;
    case ARGP_KEY_END:
        if (!a->name || !a->kind)
            argp_error(state, "which one? plugin new --kind KIND NAME");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* Replaces @NAME@ and the like. */
static int fill(struct dsr_buf *out, const char *text, const char *end, const struct args *a)
{
    const char *const values[][2] = {{"@NAME@", a->name},
                                     {"@KIND@", a->kind},
                                     {"@EXT@", a->cxx ? "cc" : "c"},
                                     {"@CC@", a->cxx ? "CXX" : "CC"},
                                     {"@FLAGS@", a->cxx ? "CXXFLAGS" : "CFLAGS"}};
    int rc = 0;
    while (text < end && !rc) {
        size_t i = 0;
        while (i < DSR_COUNT(values) && !dsr_begins(text, end, values[i][0]))
            i++;
        bool known = i < DSR_COUNT(values);
        rc = known ? dsr_buf_adds(out, values[i][1]) : dsr_buf_add(out, text, 1);
        text += known ? strlen(values[i][0]) : 1;
    }
    return rc;
}

/* "plugin.c" becomes NAME.c or NAME.cc; the others keep their names. Nothing is overwritten. */
static int write_file(const struct args *a, const char *from, const char *file,
                      struct dsr_error *err)
{
    bool source = !strcmp(file, "plugin.c");
    DSR_AUTO(str) char *template = dsr_path_join(from, file);
    DSR_AUTO(str)
    char *name = source ? dsr_format("%s.%s", a->name, a->cxx ? "cc" : "c") : strdup(file);
    DSR_AUTO(str) char *path = name ? dsr_path_join(a->folder, name) : NULL;
    struct dsr_mapping map;
    struct dsr_buf filled = {0};
    if (!template || !path)
        return dsr_error_nomem(err);
    if (dsr_file_map(template, &map))
        return dsr_error_file(err, DSR_EIO, template, 0, "can't be read: %s", strerror(errno));
    int rc = fill(&filled, map.data, (const char *)map.data + map.size, a);
    dsr_file_unmap(&map);
    if (rc) {
        dsr_buf_clear(&filled);
        return dsr_error_nomem(err);
    }
    FILE *out = fopen(path, "wxe");
    bool ok = out && fwrite(filled.data, 1, filled.len, out) == filled.len;
    ok = out && !fclose(out) && ok;
    if (ok && !strcmp(file, "test.sh"))
        ok = !chmod(path, 0755);
    dsr_buf_clear(&filled);
    return ok ? 0
              : dsr_error_file(err, DSR_EUSAGE, path, 0, "can't be written: %s", strerror(errno));
}

static int write_folder(const struct args *a, const char *from, struct dsr_error *err)
{
    struct dirent **list = NULL;
    int n = scandir(from, &list, NULL, alphasort), rc = 0;
    if (n < 0)
        return dsr_error_file(err, DSR_EIO, from, 0, "the templates are not there: %s",
                              strerror(errno));
    for (int i = 0; i < n; i++) {
        if (list[i]->d_name[0] != '.' && !rc)
            rc = write_file(a, from, list[i]->d_name, err);
        free(list[i]);
    }
    free(list);
    return rc;
}

static int work(struct dsr_ctx *ctx, void *args, int *status, struct dsr_error *err)
{
    struct args *a = args;
    const char *builtin = ctx->settings.layout.builtin_dir;
    DSR_AUTO(str) char *common = dsr_format("%s/templates/common", builtin);
    DSR_AUTO(str) char *own = dsr_format("%s/templates/%s", builtin, a->kind);
    (void)status;
    if (!a->folder)
        a->folder = a->name;
    if (!common || !own)
        return dsr_error_nomem(err);
    if (mkdir(a->folder, 0777))
        return dsr_error_file(err, DSR_EUSAGE, a->folder, 0, "can't be made: %s", strerror(errno));
    int rc = write_folder(a, common, err);
    if (!rc)
        rc = write_folder(a, own, err);
    if (!rc && !ctx->quiet)
        fprintf(stderr, "dsr-run: wrote %s: go there, and make, make check, make install\n",
                a->folder);
    return rc;
}

int dsr_cmd_plugin(struct dsr_globals *globals, int argc, char **argv)
{
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .args_doc = "new NAME",
        .doc = "Writes a small project that makes a plugin: its source, a Makefile (by pkg-config "
               "dsr), a test, a README. It builds and runs as it is. The guide is plugins.md in "
               "the documentation folder.",
        .children = dsr_globals_child,
    };
    struct args a = {.globals = globals};
    return dsr_command_run(&argp, 0, argc, argv, globals, &a, work);
}
