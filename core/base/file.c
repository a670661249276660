/* Files that are mapped, and files that are there whole or not at all. */
#include "base.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int dsr_file_map(const char *path, struct dsr_mapping *map)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    void *data = MAP_FAILED;
    if (fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size > 0)
        data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    else if (fd >= 0)
        errno = EINVAL;
    int bad = errno;
    if (fd >= 0)
        close(fd);
    errno = bad;
    if (data == MAP_FAILED)
        return DSR_EIO;
    *map = (struct dsr_mapping){data, (size_t)st.st_size};
    return 0;
}

void dsr_file_unmap(struct dsr_mapping *map)
{
    if (map->data)
        munmap(map->data, map->size);
    *map = (struct dsr_mapping){NULL, 0};
}

bool dsr_file_put(const char *path, const struct dsr_bytes *parts, size_t n)
{
    DSR_AUTO(str) char *other = dsr_format("%s.%d", path, (int)getpid());
    FILE *out = other ? fopen(other, "wxe") : NULL;
    if (!out)
        return false;
    bool ok = true;
    for (size_t i = 0; i < n; i++)
        ok =
            ok && (!parts[i].size || fwrite(parts[i].data, 1, parts[i].size, out) == parts[i].size);
    ok = !fclose(out) && ok && !rename(other, path);
    if (!ok)
        unlink(other);
    return ok;
}

int dsr_sha256(const void *bytes, size_t n, unsigned char out[32])
{
    return EVP_Digest(bytes, n, out, NULL, EVP_sha256(), NULL) ? 0 : DSR_ENOMEM;
}

void dsr_hex(const unsigned char *bytes, size_t n, char *out)
{
    for (size_t i = 0; i < n; i++)
        snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}
