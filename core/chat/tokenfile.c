/* Reading, compiling, keeping. */
#include "core/chat/tokenfile.h"
#include "core/chat/vocabulary.h"

#include <errno.h>

/* "FOLDER/tokenizer.json" -> "FOLDER/tokenizer.json.compiled", or the same in another folder, told
 * apart by the hash. */
static char *cache_path(const char *path, const char *folder, const unsigned char sha256[32])
{
    char name[17];
    if (!folder)
        return dsr_format("%s.compiled", path);
    dsr_hex(sha256, 8, name);
    return dsr_format("%s/tokenizer-%s.compiled", folder, name);
}

static bool take_cached(struct dsr_tokenfile *file, const char *path,
                        const unsigned char sha256[32])
{
    struct dsr_mapping map;
    if (!path || dsr_file_map(path, &map))
        return false;
    const struct dsr_vocabulary *v = map.data;
    if (dsr_vocabulary_is_sound(v, map.size) && !memcmp(v->sha256, sha256, 32)) {
        file->vocabulary = v;
        file->map = map;
        return true;
    }
    dsr_file_unmap(&map);
    return false;
}

static bool keep(const struct dsr_vocabulary *v, const char *path)
{
    const struct dsr_bytes bytes = {v, v->size};
    return path && dsr_file_put(path, &bytes, 1);
}

static int compile(struct dsr_tokenfile *file, const char *path, const struct dsr_mapping *m,
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
    struct dsr_mapping m;
    unsigned char sha256[32];
    memset(file, 0, sizeof *file);
    if (dsr_file_map(path, &m))
        return dsr_error_file(err, DSR_ECONFIG, path, 0, "can't be read: %s", strerror(errno));
    int rc = dsr_sha256(m.data, m.size, sha256) ? dsr_error_nomem(err) : 0;
    DSR_AUTO(str) char *beside = cache_path(path, NULL, sha256);
    DSR_AUTO(str) char *elsewhere = cache_folder ? cache_path(path, cache_folder, sha256) : NULL;
    if (!rc && !take_cached(file, beside, sha256) && !take_cached(file, elsewhere, sha256)) {
        rc = compile(file, path, &m, sha256, err);
        if (!rc && !keep(file->vocabulary, beside) && cache_folder &&
            !dsr_folder_make(cache_folder, NULL))
            keep(file->vocabulary, elsewhere);
    }
    dsr_file_unmap(&m);
    return rc;
}

void dsr_tokenfile_close(struct dsr_tokenfile *file)
{
    if (file->map.data)
        dsr_file_unmap(&file->map);
    else
        free((void *)file->vocabulary);
    memset(file, 0, sizeof *file);
}
