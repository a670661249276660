/* Reading, compiling, keeping. */
#include "core/chat/tokenfile.h"
#include "core/chat/vocabulary.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct mapping {
    void *data;
    size_t size;
};

static int map_file(const char *path, struct mapping *m)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    m->data = MAP_FAILED;
    if (fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size > 0) {
        m->size = (size_t)st.st_size;
        m->data = mmap(NULL, m->size, PROT_READ, MAP_PRIVATE, fd, 0);
    } else if (fd >= 0) {
        errno = EINVAL;
    }
    int bad = errno;
    if (fd >= 0)
        close(fd);
    errno = bad;
    return m->data == MAP_FAILED ? DSR_EIO : 0;
}

/* "FOLDER/tokenizer.json" -> "FOLDER/tokenizer.json.compiled", or the same in another folder, told
 * apart by the hash. */
static char *cache_path(const char *path, const char *folder, const unsigned char sha256[32])
{
    char name[17];
    if (!folder)
        return dsr_format("%s.compiled", path);
    for (size_t i = 0; i < 8; i++)
        snprintf(name + 2 * i, 3, "%02x", sha256[i]);
    return dsr_format("%s/tokenizer-%s.compiled", folder, name);
}

static bool take_cached(struct dsr_tokenfile *file, const char *path,
                        const unsigned char sha256[32])
{
    struct mapping m;
    if (!path || map_file(path, &m))
        return false;
    const struct dsr_vocabulary *v = m.data;
    if (dsr_vocabulary_is_sound(v, m.size) && !memcmp(v->sha256, sha256, 32)) {
        file->vocabulary = v;
        file->mapped = m.data;
        file->size = m.size;
        return true;
    }
    munmap(m.data, m.size);
    return false;
}

/* Written whole under another name first, so that nobody maps half of it. */
static bool keep(const struct dsr_vocabulary *v, const char *path)
{
    DSR_AUTO(str) char *part = path ? dsr_format("%s.%d", path, (int)getpid()) : NULL;
    FILE *out = part ? fopen(part, "wxe") : NULL;
    if (!out)
        return false;
    bool ok = fwrite(v, 1, v->size, out) == v->size;
    ok = !fclose(out) && ok && !rename(part, path);
    if (!ok)
        unlink(part);
    return ok;
}

static int compile(struct dsr_tokenfile *file, const char *path, const struct mapping *m,
                   const unsigned char sha256[32], struct dsr_error *err)
{
    json_error_t bad;
    struct dsr_vocabulary *v;
    DSR_AUTO(json) json_t *json = json_loadb(m->data, m->size, 0, &bad);
    if (!json)
        return dsr_error_file(err, DSR_ECONFIG, path, bad.line, "not valid JSON: %s", bad.text);
    int rc = dsr_vocabulary_build(&v, json, path, err);
    if (rc)
        return rc;
    memcpy(v->sha256, sha256, 32);
    file->vocabulary = v;
    return 0;
}

int dsr_tokenfile_open(struct dsr_tokenfile *file, const char *path, const char *cache_folder,
                       struct dsr_error *err)
{
    struct mapping m;
    unsigned char sha256[32];
    memset(file, 0, sizeof *file);
    if (map_file(path, &m))
        return dsr_error_file(err, DSR_ECONFIG, path, 0, "can't be read: %s", strerror(errno));
    int rc = 0;
    if (!EVP_Digest(m.data, m.size, sha256, NULL, EVP_sha256(), NULL))
        rc = dsr_error_nomem(err);
    DSR_AUTO(str) char *beside = cache_path(path, NULL, sha256);
    DSR_AUTO(str) char *elsewhere = cache_folder ? cache_path(path, cache_folder, sha256) : NULL;
    if (!rc && !take_cached(file, beside, sha256) && !take_cached(file, elsewhere, sha256)) {
        rc = compile(file, path, &m, sha256, err);
        if (!rc && !keep(file->vocabulary, beside) && cache_folder &&
            !dsr_folder_make(cache_folder, NULL))
            keep(file->vocabulary, elsewhere);
    }
    munmap(m.data, m.size);
    return rc;
}

void dsr_tokenfile_close(struct dsr_tokenfile *file)
{
    if (file->mapped)
        munmap(file->mapped, file->size);
    else
        free((void *)file->vocabulary);
    memset(file, 0, sizeof *file);
}
