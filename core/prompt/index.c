/* Making, keeping and mapping the index of a file of records. */
#include "core/prompt/corpus.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC "dsrindex1"
#define FLAGS JSON_ALLOW_NUL
#define ONE_OF_MANY (FLAGS | JSON_DISABLE_EOF_CHECK) /* more may follow */
#define SMALL (1 << 20) /* bytes of a set whose index is not worth a file */

/* At the start of an index file; the entries follow. */
struct header {
    char magic[16];
    char purpose[64];
    uint64_t size; /* of the file of records, with the time of its last change */
    int64_t seconds, nanoseconds;
    uint64_t n;
};

struct maker {
    const char *path, *bytes;
    size_t size, at;
    struct dsr_index_entry *entries;
    size_t n, cap;
    size_t broken; /* records that are no JSON and were left out; the first is told */
    const struct dsr_host *host;
};

static int line_of(const struct maker *m, size_t at)
{
    int line = 1;
    for (size_t i = 0; i < at && i < m->size; i++)
        line += m->bytes[i] == '\n';
    return line;
}

static int fail(const struct maker *m, size_t at, struct dsr_error *err, const char *text)
{
    return dsr_error_file(err, DSR_ECONFIG, m->path, line_of(m, at), "%s", text);
}

static int add(struct maker *m, size_t at, size_t length, struct dsr_record_size size,
               struct dsr_error *err)
{
    if (length > UINT32_MAX)
        return fail(m, at, err, "a record of more than 4 GiB");
    if (m->n == m->cap) {
        size_t cap = m->cap ? 2 * m->cap : 1024;
        struct dsr_index_entry *entries = realloc(m->entries, cap * sizeof *entries);
        if (!entries)
            return dsr_error_nomem(err);
        m->entries = entries;
        m->cap = cap;
    }
    m->entries[m->n++] = (struct dsr_index_entry){at, (uint32_t)length, size};
    return 0;
}

/* Past blanks, and past what separates the elements of an array. */
static void skip(struct maker *m, const char *also)
{
    while (m->at < m->size && m->bytes[m->at] &&
           (strchr(" \t\r\n", m->bytes[m->at]) || strchr(also, m->bytes[m->at])))
        m->at++;
}

/* Past an object that Jansson refuses (a lone surrogate, say), by its braces; 0 when it has no end.
 */
static size_t end_of_broken(const struct maker *m)
{
    int depth = 0;
    bool quoted = false;
    for (size_t i = m->at; i < m->size; i++) {
        char c = m->bytes[i];
        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && (c == '{' || c == '}') && (depth += c == '{' ? 1 : -1) == 0)
            return i + 1;
    }
    return 0;
}

/* Large public sets hold a few such records; one of them must not make the set useless. */
static int leave_out(struct maker *m, const json_error_t *bad, struct dsr_error *err)
{
    size_t at = m->at + (size_t)bad->position;
    if (m->bytes[m->at] != '{')
        return fail(m, m->at, err, "expected a JSON object");
    size_t end = end_of_broken(m);
    if (!end)
        return fail(m, at, err, bad->text);
    if (!m->broken++)
        dsr_host_log(m->host, DSR_LOG_WARN, "%s:%d: left out, not valid JSON: %s", m->path,
                     line_of(m, at), bad->text);
    m->at = end;
    return 0;
}

static int take_record(struct maker *m, dsr_record_size_fn *measure, struct dsr_error *err)
{
    json_error_t bad;
    struct dsr_record_size size = {0, 0};
    const char *bytes = m->bytes + m->at;
    DSR_AUTO(json) json_t *record = json_loadb(bytes, m->size - m->at, ONE_OF_MANY, &bad);
    if (!record)
        return leave_out(m, &bad, err);
    size_t start = m->at, length = (size_t)bad.position;
    if (!json_is_object(record))
        return fail(m, start, err, "expected a JSON object");
    m->at += length;
    struct dsr_error why = {0};
    int rc = measure(record, &size, &why);
    if (rc == DSR_ENOTFOUND)
        return 0;
    return rc ? fail(m, start, err, why.message) : add(m, start, length, size, err);
}

/* One JSON array, or one object after another. */
static int take_all(struct maker *m, dsr_record_size_fn *measure, struct dsr_error *err)
{
    if (m->size >= 3 && !memcmp(m->bytes, "\xef\xbb\xbf", 3))
        m->at = 3;
    skip(m, "");
    bool array = m->at < m->size && m->bytes[m->at] == '[';
    m->at += array;
    for (;;) {
        skip(m, array ? "," : "");
        if (m->at == m->size)
            return array ? fail(m, m->at, err, "the array is not closed") : 0;
        if (array && m->bytes[m->at] == ']')
            return 0;
        int rc = take_record(m, measure, err);
        if (rc)
            return rc;
    }
}

static int make(struct dsr_index *index, size_t size, dsr_record_size_fn *measure,
                const struct dsr_host *host, struct dsr_error *err)
{
    struct maker m = {.path = index->path, .size = size, .host = host};
    if (!size)
        return 0;
    void *bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE, index->fd, 0);
    if (bytes == MAP_FAILED)
        return dsr_error_file(err, DSR_EIO, index->path, 0, "can't be mapped: %s", strerror(errno));
    madvise(bytes, size, MADV_SEQUENTIAL);
    m.bytes = bytes;
    int rc = take_all(&m, measure, err);
    munmap(bytes, size);
    if (m.broken > 1)
        dsr_host_log(host, DSR_LOG_WARN, "%s: %zu records are not valid JSON and were left out",
                     m.path, m.broken);
    index->entries = m.entries;
    index->n = m.n;
    return rc;
}

static void set_header(struct header *h, const struct stat *st, const char *purpose, size_t n)
{
    memset(h, 0, sizeof *h);
    memcpy(h->magic, MAGIC, sizeof MAGIC);
    snprintf(h->purpose, sizeof h->purpose, "%s", purpose);
    h->size = (uint64_t)st->st_size;
    h->seconds = st->st_mtim.tv_sec;
    h->nanoseconds = st->st_mtim.tv_nsec;
    h->n = n;
}

static bool is_sound(const struct header *h, size_t mapped)
{
    const struct dsr_index_entry *entries = (const void *)(h + 1);
    if (h->n > (mapped - sizeof *h) / sizeof *entries)
        return false;
    for (size_t i = 0; i < h->n; i++)
        if (entries[i].offset > h->size || entries[i].length > h->size - entries[i].offset)
            return false;
    return true;
}

static bool map_kept(struct dsr_index *index, const char *path, const struct stat *of,
                     const char *purpose)
{
    struct header wanted;
    struct dsr_mapping map;
    if (!path || dsr_file_map(path, &map))
        return false;
    const struct header *h = map.data;
    if (map.size >= sizeof *h) {
        set_header(&wanted, of, purpose, h->n);
        if (!memcmp(h, &wanted, sizeof wanted) && is_sound(h, map.size)) {
            index->map = map;
            index->entries = (const void *)(h + 1);
            index->n = h->n;
            return true;
        }
    }
    dsr_file_unmap(&map);
    return false;
}

static bool keep(const struct dsr_index *index, const char *path, const struct stat *of,
                 const char *purpose)
{
    struct header h;
    set_header(&h, of, purpose, index->n);
    const struct dsr_bytes parts[] = {{&h, sizeof h},
                                      {index->entries, index->n * sizeof *index->entries}};
    return path && dsr_file_put(path, parts, DSR_COUNT(parts));
}

/* In the state folder the name tells files apart by the hash of their path. */
static char *path_elsewhere(const char *path, const char *folder, const char *purpose)
{
    unsigned char sha256[32];
    char name[17];
    DSR_AUTO(str) char *whole = realpath(path, NULL);
    if (!whole || !folder || dsr_sha256(whole, strlen(whole), sha256))
        return NULL;
    dsr_hex(sha256, 8, name);
    return dsr_format("%s/%s-%s.index", folder, name, purpose);
}

static int find(struct dsr_index *index, const char *purpose, dsr_record_size_fn *measure,
                const struct dsr_host *host, struct dsr_error *err)
{
    struct stat st;
    const char *state = dsr_host_state(host);
    DSR_AUTO(str) char *folder = state ? dsr_path_join(state, "indexes") : NULL;
    DSR_AUTO(str) char *beside = dsr_format("%s.%s.index", index->path, purpose);
    DSR_AUTO(str) char *elsewhere = path_elsewhere(index->path, folder, purpose);
    if (fstat(index->fd, &st) || !S_ISREG(st.st_mode))
        return dsr_error_file(err, DSR_ECONFIG, index->path, 0, "is not a regular file");
    if (st.st_size < SMALL)
        return make(index, (size_t)st.st_size, measure, host, err);
    if (map_kept(index, beside, &st, purpose) || map_kept(index, elsewhere, &st, purpose))
        return 0;
    if (st.st_size > 20 * SMALL)
        dsr_host_log(host, DSR_LOG_INFO, "indexing %s (%lld MB), once", index->path,
                     (long long)st.st_size >> 20);
    int rc = make(index, (size_t)st.st_size, measure, host, err);
    if (!rc && !keep(index, beside, &st, purpose) && elsewhere && !dsr_folder_make(folder, NULL))
        keep(index, elsewhere, &st, purpose);
    return rc;
}

int dsr_index_open(struct dsr_index *index, const char *path, const char *purpose,
                   dsr_record_size_fn *measure, const struct dsr_host *host, struct dsr_error *err)
{
    memset(index, 0, sizeof *index);
    index->path = strdup(path);
    index->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    int rc = index->path ? 0 : dsr_error_nomem(err);
    if (!rc && index->fd < 0)
        rc = dsr_error_file(err, DSR_ECONFIG, path, 0, "can't be read: %s", strerror(errno));
    if (!rc)
        rc = find(index, purpose, measure, host, err);
    if (rc)
        dsr_index_close(index);
    return rc;
}

void dsr_index_close(struct dsr_index *index)
{
    if (index->map.data)
        dsr_file_unmap(&index->map);
    else
        free((void *)index->entries);
    if (index->fd >= 0)
        close(index->fd);
    free(index->path);
    memset(index, 0, sizeof *index);
    index->fd = -1;
}

json_t *dsr_index_load(const struct dsr_index *index, size_t i, struct dsr_error *err)
{
    const struct dsr_index_entry *e = &index->entries[i];
    DSR_AUTO(str) char *bytes = malloc((size_t)e->length + 1);
    ssize_t n = bytes ? pread(index->fd, bytes, e->length, (off_t)e->offset) : -1;
    json_t *record = n == (ssize_t)e->length ? json_loadb(bytes, e->length, FLAGS, NULL) : NULL;
    if (!json_is_object(record)) {
        json_decref(record);
        dsr_error_file(err, DSR_ECONFIG, index->path, 0,
                       "was changed while it was read: the record at byte %llu is gone",
                       (unsigned long long)e->offset);
        return NULL;
    }
    return record;
}
