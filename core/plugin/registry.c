/* The search path, and the files found along it. */
#include "core/plugin/registry.h"

#include <dirent.h>
#include <errno.h>
#include <ltdl.h>
#include <sys/stat.h>

struct dsr_registry {
    const struct dsr_host *host;
    char **folders; /* in the order of search */
    size_t n_folders;
    struct dsr_loaded *files;
    lt_dlhandle *handles; /* beside files */
    size_t n_files;
};

/* Folders inside a folder of the search path, and the place in a build tree. */
static const struct {
    enum dsr_kind kind;
    const char *installed, *built;
} places[] = {
    {DSR_KIND_PROVIDER, "providers", "plugins/providers/.libs"},
    {DSR_KIND_EVALUATOR, "evaluators", "evaluators/.libs"},
    {DSR_KIND_PROMPTGEN, "prompts", "evaluators/prompts/.libs"},
    {DSR_KIND_ROUTER, "routers", "plugins/routers/.libs"},
    {DSR_KIND_STORE, "stores", "plugins/stores/.libs"},
};

/* Takes over folder; one that does not exist, or is there already, is forgotten. */
static void add_folder(struct dsr_registry *r, char *folder)
{
    char **folders = NULL;
    bool known = !folder || !dsr_path_exists(folder);
    for (size_t i = 0; i < r->n_folders && !known; i++)
        known = !strcmp(r->folders[i], folder);
    if (!known)
        folders = realloc(r->folders, (r->n_folders + 1) * sizeof *folders);
    if (!folders) {
        free(folder);
        return;
    }
    r->folders = folders;
    r->folders[r->n_folders++] = folder;
}

static void add_tree(struct dsr_registry *r, const char *folder)
{
    for (size_t i = 0; i < DSR_COUNT(places); i++)
        add_folder(r, dsr_path_join(folder, places[i].installed));
    add_folder(r, strdup(folder));
}

static void add_path_variable(struct dsr_registry *r)
{
    const char *value = getenv("DSR_PLUGIN_PATH");
    DSR_AUTO(str) char *copy = value ? strdup(value) : NULL;
    char *save = NULL;
    for (char *word = copy ? strtok_r(copy, ":", &save) : NULL; word;
         word = strtok_r(NULL, ":", &save))
        add_tree(r, word);
}

struct dsr_registry *dsr_registry_new(const struct dsr_layout *layout, char *const *folders,
                                      size_t n_folders, const struct dsr_host *host)
{
    struct dsr_registry *r = calloc(1, sizeof *r);
    const char *home = getenv("HOME");
    if (!r || lt_dlinit()) {
        free(r);
        return NULL;
    }
    r->host = host;
    for (size_t i = 0; i < n_folders; i++)
        add_tree(r, folders[i]);
    add_path_variable(r);
    DSR_AUTO(str) char *own = dsr_format("%s/.local/lib/dsr", home ? home : "");
    if (own && home)
        add_tree(r, own);
    for (size_t i = 0; i < DSR_COUNT(places) && layout->build_dir; i++)
        add_folder(r, dsr_path_join(layout->build_dir, places[i].built));
    if (layout->plugin_dir)
        add_tree(r, layout->plugin_dir);
    return r;
}

void dsr_registry_free(struct dsr_registry *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->n_files; i++) {
        if (r->handles[i])
            lt_dlclose(r->handles[i]);
        free(r->files[i].file);
        free(r->files[i].reason);
    }
    for (size_t i = 0; i < r->n_folders; i++)
        free(r->folders[i]);
    free(r->folders);
    free(r->files);
    free(r->handles);
    lt_dlexit();
    free(r);
}

static struct dsr_loaded *add_file(struct dsr_registry *r, const char *file)
{
    struct dsr_loaded *files = realloc(r->files, (r->n_files + 1) * sizeof *files);
    if (!files)
        return NULL;
    r->files = files;
    lt_dlhandle *handles = realloc(r->handles, (r->n_files + 1) * sizeof(lt_dlhandle));
    if (!handles)
        return NULL;
    r->handles = handles;
    handles[r->n_files] = NULL;
    files[r->n_files] = (struct dsr_loaded){.file = strdup(file)};
    return files[r->n_files].file ? &files[r->n_files++] : NULL;
}

static const char *access_flaw(const char *folder, const char *file)
{
    struct stat st;
    if (stat(folder, &st))
        return strerror(errno);
    if (st.st_mode & S_IWOTH)
        return "its folder can be written by everybody; chmod o-w it";
    if (stat(file, &st))
        return strerror(errno);
    if (!S_ISREG(st.st_mode))
        return "it is not a regular file";
    if (st.st_mode & S_IWOTH)
        return "it can be written by everybody; chmod o-w it";
    return NULL;
}

static const char *duplicate_flaw(const struct dsr_registry *r, const struct dsr_plugin *plugin,
                                  char *text, size_t size)
{
    for (size_t i = 0; i < r->n_files; i++) {
        const struct dsr_plugin *other = r->files[i].plugin;
        if (other && other->kind == plugin->kind && !strcmp(other->name, plugin->name)) {
            snprintf(text, size, "a %s \"%s\" was already loaded from %s",
                     dsr_kind_name(plugin->kind), plugin->name, r->files[i].file);
            return text;
        }
    }
    return NULL;
}

static lt_dlhandle open_local(const char *file)
{
    lt_dladvise advise;
    if (lt_dladvise_init(&advise))
        return NULL;
    lt_dladvise_local(&advise);
    lt_dlhandle handle = lt_dlopenadvise(file, advise);
    lt_dladvise_destroy(&advise);
    return handle;
}

static void load_file(struct dsr_registry *r, const char *folder, const char *file)
{
    char text[1024];
    for (size_t i = 0; i < r->n_files; i++)
        if (!strcmp(r->files[i].file, file))
            return;
    const char *flaw = access_flaw(folder, file);
    lt_dlhandle handle = flaw ? NULL : open_local(file);
    const struct dsr_plugin *plugin = NULL;
    if (!flaw && !handle) {
        snprintf(text, sizeof text, "it can't be loaded: %s", lt_dlerror());
        flaw = text;
    }
    if (!flaw && !(plugin = lt_dlsym(handle, "dsr_plugin")))
        flaw = "it exports no symbol \"dsr_plugin\"";
    if (!flaw)
        flaw = dsr_plugin_flaw(plugin, text, sizeof text);
    if (!flaw)
        flaw = duplicate_flaw(r, plugin, text, sizeof text);
    struct dsr_loaded *entry = add_file(r, file);
    if (!entry || flaw) {
        if (handle)
            lt_dlclose(handle);
        if (entry)
            entry->reason = strdup(flaw);
        return;
    }
    entry->plugin = plugin;
    r->handles[r->n_files - 1] = handle;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void load_folder(struct dsr_registry *r, const char *folder)
{
    DIR *dir = opendir(folder);
    char **names = NULL;
    size_t n = 0;
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        size_t len = strlen(entry->d_name);
        if (len < 4 || strcmp(entry->d_name + len - 3, ".so"))
            continue;
        char **more = realloc(names, (n + 1) * sizeof *names);
        if (!more)
            break;
        names = more;
        if ((names[n] = dsr_path_join(folder, entry->d_name)))
            n++;
    }
    if (dir)
        closedir(dir);
    if (n)
        qsort(names, n, sizeof *names, by_name);
    for (size_t i = 0; i < n; i++) {
        load_file(r, folder, names[i]);
        free(names[i]);
    }
    free(names);
}

void dsr_registry_load_file(struct dsr_registry *r, const char *file)
{
    DSR_AUTO(str) char *folder = strdup(file);
    char *slash = folder ? strrchr(folder, '/') : NULL;
    if (slash)
        *slash = '\0';
    load_file(r, slash ? (*folder ? folder : "/") : ".", file);
}

void dsr_registry_load_all(struct dsr_registry *r)
{
    for (size_t i = 0; i < r->n_folders; i++)
        load_folder(r, r->folders[i]);
}

static const void *find_loaded(const struct dsr_registry *r, enum dsr_kind kind, const char *name)
{
    for (size_t i = 0; i < r->n_files; i++) {
        const struct dsr_plugin *plugin = r->files[i].plugin;
        if (plugin && plugin->kind == kind && !strcmp(plugin->name, name))
            return plugin->ops;
    }
    return NULL;
}

/* Loads NAME.so along the path until one of the kind is found: a command opens only what it needs.
 */
static const void *load_named(struct dsr_registry *r, enum dsr_kind kind, const char *name)
{
    const void *ops = find_loaded(r, kind, name);
    for (size_t i = 0; i < r->n_folders && !ops; i++) {
        DSR_AUTO(str) char *file = dsr_format("%s/%s.so", r->folders[i], name);
        if (!file || !dsr_path_exists(file))
            continue;
        load_file(r, r->folders[i], file);
        ops = find_loaded(r, kind, name);
    }
    return ops;
}

const void *dsr_registry_ops(struct dsr_registry *r, enum dsr_kind kind, const char *name,
                             struct dsr_error *err)
{
    const void *ops = load_named(r, kind, name);
    if (!ops) {
        dsr_registry_load_all(r);
        ops = find_loaded(r, kind, name);
    }
    if (ops)
        return ops;
    for (size_t i = 0; i < r->n_files; i++) {
        const char *base = strrchr(r->files[i].file, '/');
        size_t n = strlen(name);
        if (r->files[i].reason && base && !strncmp(base + 1, name, n) &&
            !strcmp(base + 1 + n, ".so")) {
            dsr_error_file(err, DSR_EPLUGIN, r->files[i].file, 0, "the %s plugin was refused: %s",
                           dsr_kind_name(kind), r->files[i].reason);
            return NULL;
        }
    }
    dsr_error_set(err, DSR_EPLUGIN, "no %s plugin named \"%s\"; `dsr-run plugins` lists them",
                  dsr_kind_name(kind), name);
    return NULL;
}

const struct dsr_loaded *dsr_registry_list(const struct dsr_registry *r, size_t *n)
{
    *n = r->n_files;
    return r->files;
}
