/* Links and copies. */
#include "plugins/stores/leveldb/ldb.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define OLD_S 86400

static bool ends_in(const char *name, const char *end)
{
    size_t n = strlen(name), m = strlen(end);
    return n > m && !strcmp(name + n - m, end);
}

static bool copy_file(int from, int to, const char *name)
{
    int in = openat(from, name, O_RDONLY | O_CLOEXEC);
    int out = in < 0 ? -1 : openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    ssize_t n = 1;
    while (out >= 0 && n > 0)
        n = sendfile(out, in, NULL, 1 << 20);
    if (in >= 0)
        close(in);
    if (out >= 0)
        close(out);
    return out >= 0 && n == 0;
}

/* The manifest tells which tables there are: it is taken first, so that they are there. */
static bool take_all(int from, int to)
{
    static const char *const wanted[] = {"CURRENT", "MANIFEST-", ".log", ".ldb", ".sst"};
    bool ok = true;
    for (size_t k = 0; k < sizeof wanted / sizeof wanted[0]; k++) {
        int fd = dup(from);
        DIR *list = fd < 0 ? NULL : fdopendir(fd);
        if (!list)
            return false;
        rewinddir(list);
        for (const struct dirent *e; (e = readdir(list));) {
            bool table = k > 2;
            bool match = k < 2 ? !strncmp(e->d_name, wanted[k], strlen(wanted[k]))
                               : ends_in(e->d_name, wanted[k]);
            if (!match)
                continue;
            if (!table || linkat(from, e->d_name, to, e->d_name, 0))
                ok &= copy_file(from, to, e->d_name) || errno == ENOENT;
        }
        closedir(list);
    }
    return ok;
}

/* Pictures that a killed reader left behind. */
static void remove_old(const char *folder)
{
    const char *slash = strrchr(folder, '/'), *name = slash ? slash + 1 : folder;
    char *parent = slash ? strndup(folder, (size_t)(slash - folder + 1)) : strdup(".");
    DIR *list = parent ? opendir(parent) : NULL;
    size_t n = strlen(name);
    struct stat st;
    for (const struct dirent *e; list && (e = readdir(list));) {
        char *path = NULL;
        if (strncmp(e->d_name, name, n) || strncmp(e->d_name + n, ".reading-", 9) ||
            fstatat(dirfd(list), e->d_name, &st, 0) || time(NULL) - st.st_mtime < OLD_S ||
            asprintf(&path, "%s/%s", parent, e->d_name) < 0)
            continue;
        ldb_picture_remove(path);
        free(path);
    }
    if (list)
        closedir(list);
    free(parent);
}

char *ldb_picture(const char *folder)
{
    char *path = NULL;
    remove_old(folder);
    if (asprintf(&path, "%s.reading-XXXXXX", folder) < 0)
        return NULL;
    int from = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int to = from >= 0 && mkdtemp(path) ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    bool ok = to >= 0 && take_all(from, to);
    int bad = errno;
    if (from >= 0)
        close(from);
    if (to >= 0)
        close(to);
    if (ok)
        return path;
    if (to >= 0)
        ldb_picture_remove(path);
    free(path);
    errno = bad;
    return NULL;
}

void ldb_picture_remove(const char *folder)
{
    DIR *list = opendir(folder);
    for (const struct dirent *e; list && (e = readdir(list));)
        unlinkat(dirfd(list), e->d_name, 0);
    if (list)
        closedir(list);
    rmdir(folder);
}
