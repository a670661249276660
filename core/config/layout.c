/* Finds configuration, data and plugins. A program that still stands in its build tree uses what
 * is there; an installed one uses the folders fixed by configure, moved along when the whole tree
 * was staged elsewhere (DESTDIR). */
#include "config.h"
#include "core/config/layout.h"

#include <unistd.h>

/* The folder of the running program, without libtool's ".libs". */
static char *program_folder(bool *libtool)
{
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    *libtool = false;
    if (n <= 0)
        return strdup(BINDIR);
    path[n] = '\0';
    char *slash = strrchr(path, '/');
    *slash = '\0';
    n = slash - path;
    if (n > 6 && !strcmp(path + n - 6, "/.libs")) {
        *libtool = true;
        path[n - 6] = '\0';
    }
    return strdup(path);
}

static char *build_tree(const char *folder)
{
    DSR_AUTO(str) char *status = dsr_path_join(folder, "config.status");
    return status && dsr_path_exists(status) ? strdup(folder) : NULL;
}

/* What stands before BINDIR in the program's folder: "" or the DESTDIR it was staged in. */
static char *stage_prefix(const char *folder)
{
    size_t n = strlen(folder), m = strlen(BINDIR);
    return n >= m && !strcmp(folder + n - m, BINDIR) ? strndup(folder, n - m) : strdup("");
}

static char *user_folder(const char *variable, const char *under_home, const char *name)
{
    const char *base = getenv(variable), *home = getenv("HOME");
    if (base && base[0] == '/')
        return dsr_path_join(base, name);
    return dsr_format("%s/%s/%s", home && home[0] ? home : "/tmp", under_home, name);
}

static char *find_config(const struct dsr_layout *layout, const char *stage)
{
    DSR_AUTO(str) char *own = user_folder("XDG_CONFIG_HOME", ".config", "dsr");
    if (own && dsr_path_exists(own))
        return strdup(own);
    return layout->build_dir ? dsr_path_join(layout->build_dir, "config")
                             : dsr_format("%s%s/dsr", stage, SYSCONFDIR);
}

int dsr_layout_find(struct dsr_layout *layout, const char *config, const char *data,
                    struct dsr_error *err)
{
    bool libtool;
    memset(layout, 0, sizeof *layout);
    DSR_AUTO(str) char *folder = program_folder(&libtool);
    DSR_AUTO(str) char *stage = folder ? stage_prefix(folder) : NULL;
    if (!stage)
        return dsr_error_nomem(err);
    layout->build_dir = build_tree(folder);
    layout->config_dir = config ? strdup(config) : find_config(layout, stage);
    layout->builtin_dir = layout->build_dir ? dsr_path_join(layout->build_dir, "data")
                                            : dsr_format("%s%s", stage, PKGDATADIR);
    layout->plugin_dir = layout->build_dir ? NULL : dsr_format("%s%s", stage, PKGLIBDIR);
    layout->data_dir = strdup(data ? data : layout->builtin_dir ? layout->builtin_dir : "");
    layout->state_dir = user_folder("XDG_STATE_HOME", ".local/state", "dsr");
    if (!layout->config_dir || !layout->builtin_dir || !layout->data_dir || !layout->state_dir)
        return dsr_error_nomem(err);
    if (config && !dsr_path_exists(config))
        return dsr_error_file(err, DSR_EUSAGE, config, 0, "the --config folder does not exist");
    if (data && !dsr_path_exists(data))
        return dsr_error_file(err, DSR_EUSAGE, data, 0, "the --data folder does not exist");
    return 0;
}

void dsr_layout_clear(struct dsr_layout *layout)
{
    free(layout->build_dir);
    free(layout->config_dir);
    free(layout->data_dir);
    free(layout->builtin_dir);
    free(layout->plugin_dir);
    free(layout->state_dir);
    memset(layout, 0, sizeof *layout);
}

char *dsr_layout_data_file(const struct dsr_layout *layout, const char *name)
{
    char *own = dsr_path_join(layout->data_dir, name);
    if (own && dsr_path_exists(own))
        return own;
    free(own);
    return dsr_path_join(layout->builtin_dir, name);
}
