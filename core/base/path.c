/* Paths, folders, identifiers and lists. */
#include "base.h"

#include <errno.h>
#include <sys/stat.h>
#include <uuid/uuid.h>

char *dsr_path_join(const char *folder, const char *name)
{
    size_t n = strlen(folder);
    return dsr_format("%s%s%s", folder, n && folder[n - 1] == '/' ? "" : "/", name);
}

char *dsr_path_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return strdup(".");
    return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

char *dsr_path_beside(const char *file, const char *path)
{
    if (path[0] == '/')
        return strdup(path);
    DSR_AUTO(str) char *folder = dsr_path_folder(file);
    return folder ? dsr_path_join(folder, path) : NULL;
}

bool dsr_path_exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0;
}

int dsr_folder_make(const char *path, struct dsr_error *err)
{
    DSR_AUTO(str) char *copy = strdup(path);
    if (!copy)
        return dsr_error_nomem(err);
    for (char *p = copy + 1;; p++) {
        if (*p && *p != '/')
            continue;
        char kept = *p;
        *p = '\0';
        if (mkdir(copy, 0700) && errno != EEXIST)
            return dsr_error_set(err, DSR_ESTORE, "can't make the folder %s: %s", copy,
                                 strerror(errno));
        *p = kept;
        if (!kept)
            break;
    }
    struct stat st;
    if (stat(path, &st) || !S_ISDIR(st.st_mode))
        return dsr_error_set(err, DSR_ESTORE, "%s is not a folder", path);
    return 0;
}

void dsr_uuid(char out[37])
{
    uuid_t id;
    uuid_generate_random(id);
    uuid_unparse_lower(id, out);
}

void dsr_uuid_of(const char *text, size_t n, char out[37])
{
    uuid_t id;
    uuid_generate_sha1(id, *uuid_get_template("oid"), text, n);
    uuid_unparse_lower(id, out);
}

bool dsr_list_has(const char *list, const char *word)
{
    size_t n = strlen(word);
    for (const char *p = list; p; p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL)
        if (!strncmp(p, word, n) && (p[n] == ',' || !p[n]))
            return true;
    return false;
}
