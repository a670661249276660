/* Small things that every room uses: owned strings, buffers, times, paths. */
#ifndef DSR_BASE_H
#define DSR_BASE_H

#include <dsr/types.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Scope-bound owners: DSR_AUTO(str) char *s = NULL; frees when the scope ends. */
#define DSR_AUTO(kind) __attribute__((cleanup(dsr_auto_##kind)))
static inline void dsr_auto_str(char **s)
{
    free(*s);
}
static inline void dsr_auto_json(json_t **json)
{
    json_decref(*json);
}
static inline void dsr_auto_file(FILE **file)
{
    if (*file)
        fclose(*file);
}

#define DSR_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Puts "what: " in front of the message and keeps the rest; returns err->code. */
int dsr_error_wrap(struct dsr_error *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
int dsr_error_nomem(struct dsr_error *err);
int dsr_error_file(struct dsr_error *err, int code, const char *file, int line, const char *format,
                   ...) __attribute__((format(printf, 5, 6)));
/* "file:line: "place": message" into text. */
void dsr_error_text(const struct dsr_error *err, char *text, size_t size);

/* A growing byte string, always NUL-terminated when data is not NULL. */
struct dsr_buf {
    char *data;
    size_t len, cap;
};
int dsr_buf_add(struct dsr_buf *buf, const char *bytes, size_t n);
int dsr_buf_adds(struct dsr_buf *buf, const char *text);
int dsr_buf_addf(struct dsr_buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
int dsr_buf_reserve(struct dsr_buf *buf, size_t n); /* room for n bytes more and the NUL */
/* A number of seven bits a byte, the lowest first (LEB128). */
int dsr_buf_add_number(struct dsr_buf *buf, uint64_t number);
void dsr_buf_reset(struct dsr_buf *buf); /* keeps the memory */
void dsr_buf_clear(struct dsr_buf *buf); /* frees the memory */

/* Reads what dsr_buf_add_number wrote. Past the end, or of more than 64 bits: 0, and bad is set. */
struct dsr_reader {
    const char *at, *end;
    bool bad;
};
uint64_t dsr_reader_number(struct dsr_reader *reader);
/* The next n bytes; NULL, and bad is set, when there are fewer. */
const char *dsr_reader_bytes(struct dsr_reader *reader, uint64_t n);

/* How many bytes of [p, end) the word takes when the text begins with it, else 0. */
static inline size_t dsr_begins(const char *p, const char *end, const char *word)
{
    size_t n = strlen(word);
    return (size_t)(end - p) >= n && !memcmp(p, word, n) ? n : 0;
}
/* Where the word first stands in [p, end), or NULL. */
static inline const char *dsr_find(const char *p, const char *end, const char *word)
{
    return p < end ? memmem(p, (size_t)(end - p), word, strlen(word)) : NULL;
}
/* Where the word last stands in [p, end), or NULL. */
static inline const char *dsr_find_last(const char *p, const char *end, const char *word)
{
    const char *stop = end, *at;
    while (p < stop && (at = (const char *)memrchr(p, word[0], (size_t)(stop - p)))) {
        if (dsr_begins(at, end, word))
            return at;
        stop = at;
    }
    return NULL;
}
/* Replaces each secret of at least 4 bytes by "***", in place; a shorter one, or NULL, is let be.
 */
void dsr_text_hide(char *text, const char *secret);

/* malloc'd printf; NULL when out of memory. */
char *dsr_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Length of the valid UTF-8 sequence at s (1..4), or 0 if it is none. */
size_t dsr_utf8_len(const unsigned char *s, size_t n);
/* A JSON string of bytes that may hold invalid UTF-8 (each bad byte becomes U+FFFD). */
json_t *dsr_json_text(const char *bytes, size_t n);
/* A JSON number, or null for NaN and infinities. */
json_t *dsr_json_real(double value);
/* The member as a double, NaN when absent or not a number. */
double dsr_json_number(const json_t *object, const char *key);
/* The member's text, or fallback. */
const char *dsr_json_string(const json_t *object, const char *key, const char *fallback);
int64_t dsr_json_int(const json_t *object, const char *key, int64_t fallback);
/* dsr_jsonl_read from an open file; path is for errors, flags are Jansson's. */
int dsr_jsonl_read_stream(FILE *file, const char *path, size_t flags, dsr_json_row_fn *visit,
                          void *arg, struct dsr_error *err);

char *dsr_path_join(const char *folder, const char *name);
/* path itself when absolute, else relative to the folder of file. */
char *dsr_path_beside(const char *file, const char *path);
char *dsr_path_folder(const char *path);
bool dsr_path_exists(const char *path);

/* A file's bytes, read-only. */
struct dsr_mapping {
    void *data; /* NULL: nothing is mapped */
    size_t size;
};
/* DSR_EIO with errno when it can't be mapped, is no regular file, or is empty; map is then let be.
 */
int dsr_file_map(const char *path, struct dsr_mapping *map);
void dsr_file_unmap(struct dsr_mapping *map);
struct dsr_bytes {
    const void *data;
    size_t size;
};
/* Writes a file of these parts: under another name first, so that nobody reads half of it. */
bool dsr_file_put(const char *path, const struct dsr_bytes *parts, size_t n);
/* DSR_ENOMEM on failure. */
int dsr_sha256(const void *bytes, size_t n, unsigned char out[32]);
/* 2 n hexadecimal digits and a NUL. */
void dsr_hex(const unsigned char *bytes, size_t n, char *out);

/* A new random UUID, 37 bytes with the NUL. */
void dsr_uuid(char out[37]);

/* What is to stand before a text in a CSV file for people: "'" where a spreadsheet would take the
 * text for a formula, else "". Numbers are let be. */
const char *dsr_csv_guard(const char *text);

/* The comma-separated list holds the word. */
bool dsr_list_has(const char *list, const char *word);

/* The log behind dsr_host_log. file may be NULL; level is what standard error shows. */
struct dsr_host *dsr_host_new(enum dsr_level level, const char *program);
void dsr_host_free(struct dsr_host *host);
/* Opens FOLDER/dsr.log for all levels up to INFO; a failure is only a warning. */
void dsr_host_log_to(struct dsr_host *host, const char *folder);
/* Called around a line written to standard error, so that a live display can step aside. */
void dsr_host_on_line(struct dsr_host *host, void (*hook)(void *arg, bool before), void *arg);
/* Names of benchmark metrics beside the built-in table; an array of strings, borrowed. */
void dsr_host_add_metric(struct dsr_host *host, const char *name);
const json_t *dsr_host_metrics(const struct dsr_host *host);
/* The folder of dsr_host_state; copied. */
int dsr_host_set_state(struct dsr_host *host, const char *folder);
/* What answers dsr_host_ask (dsr/promptgen.h). ask and arg outlive the host's use; name, which
 * tells the model, is copied. */
struct dsr_writer {
    int (*ask)(void *arg, const char *const questions[], size_t n,
               int (*written)(void *, const char *, const char *, struct dsr_error *),
               void *written_arg, struct dsr_error *err);
    void *arg;
    char *name;
};
int dsr_host_set_writer(struct dsr_host *host, const struct dsr_writer *writer);
/* What tells prices: input, output and cached tokens of a provider's model, in one currency; false
 * when it doesn't know. Called from any thread; arg outlives the host's use. */
void dsr_host_on_price(struct dsr_host *host,
                       bool (*tell)(void *arg, const char *model, const char *provider,
                                    double prices[3]),
                       void *arg);
bool dsr_host_prices(const struct dsr_host *host, const char *model, const char *provider,
                     double prices[3]);
/* Replaces this secret by "***" in every line logged from now on. */
void dsr_host_hide(struct dsr_host *host, const char *secret);

#endif
