/* Types and services that every plugin may use: errors, logging, clock, random numbers, chats.
 * Nothing here allocates behind the caller's back unless its comment says so. */
#ifndef DSR_TYPES_H
#define DSR_TYPES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DSR_API __attribute__((visibility("default")))

/* Error codes. Functions that can fail return 0 or one of these (all negative). */
enum dsr_err {
    DSR_OK = 0,
    DSR_EUSAGE = -1,  /* the command line is wrong: exit status 2 */
    DSR_ECONFIG = -2, /* a configuration file, dataset or requirement is wrong: exit status 2 */
    DSR_ESTORE = -3,  /* a store can't be opened, locked, read or written: exit status 3 */
    DSR_ENOMEM = -4,  /* allocation failed */
    DSR_EPLUGIN = -5, /* a plugin is missing or was refused: exit status 2 */
    DSR_EIO = -6,     /* a file or the network failed */
    DSR_EINVAL = -7,  /* the data handed in is not what the contract asks for */
    DSR_ENOTFOUND = -8
};

/* What went wrong, filled by the one who knows most, printed once at the top.
 *   code     one of enum dsr_err
 *   file     the input file concerned, or ""
 *   line     1-based line in that file, or 0 when unknown
 *   pointer  place inside a JSON document as "/key/0/key", or "" (the core turns it into a line)
 *   message  what is wrong and what to do about it; no final newline, never an API key */
struct dsr_error {
    int code;
    int line;
    char file[512];
    char pointer[256];
    char message[768];
};

/* Fills err (NULL is allowed) and returns code, so that callers can `return dsr_error_set(...)`. */
DSR_API int dsr_error_set(struct dsr_error *err, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* As above, and names the place inside the JSON object that the plugin was given. */
DSR_API int dsr_error_at(struct dsr_error *err, int code, const char *pointer, const char *format,
                         ...) __attribute__((format(printf, 4, 5)));

/* The host: handed to every open(); lives longer than any plugin state. Thread-safe. */
struct dsr_host;
enum dsr_level { DSR_LOG_ERROR, DSR_LOG_WARN, DSR_LOG_INFO, DSR_LOG_DEBUG };

/* Writes one line to the log (standard error and the log file). Never pass an API key. */
DSR_API void dsr_host_log(const struct dsr_host *host, enum dsr_level level, const char *format,
                          ...) __attribute__((format(printf, 3, 4)));

/* The folder where the program keeps what it made for itself; it may have to be made first. NULL
 * when there is none. Borrowed. */
DSR_API const char *dsr_host_state(const struct dsr_host *host);

/* Nanoseconds of CLOCK_MONOTONIC; the time base of every duration. Thread-safe. */
DSR_API uint64_t dsr_clock_ns(void);
/* Microseconds since 1970-01-01 UTC; for time stamps in records. Thread-safe. */
DSR_API int64_t dsr_clock_wall_us(void);

/* RFC 3339 UTC with microseconds, "2026-01-31T12:00:00.000000Z"; out holds DSR_TIME_SIZE bytes. */
#define DSR_TIME_SIZE 28
DSR_API void dsr_time_format(int64_t us, char out[DSR_TIME_SIZE]);
/* Reads "YYYY-MM-DD[(T| )hh:mm:ss[.ffffff][Z|+hh:mm]]" or a time ago such as "7d", "12h", "30m"
 * (before now_us). Times without a zone are UTC. Returns 0 or DSR_EINVAL. Thread-safe. */
DSR_API int dsr_time_parse(const char *text, int64_t now_us, int64_t *us);

/* Makes a folder and those above it (mode 0700). Returns 0 or DSR_ESTORE. */
DSR_API int dsr_folder_make(const char *path, struct dsr_error *err);

/* The UUID of a text (version 5: SHA-1, RFC 9562): equal texts have equal ones. Thread-safe. */
DSR_API void dsr_uuid_of(const char *text, size_t n, char out[37]);

/* A seeded generator (xoshiro256**, Blackman and Vigna 2018). Not thread-safe: one per thread. */
struct dsr_rng {
    uint64_t s[4];
};
/* Seeds from (seed, stream); different streams of one seed are independent. */
DSR_API void dsr_rng_init(struct dsr_rng *rng, uint64_t seed, uint64_t stream);
DSR_API uint64_t dsr_rng_u64(struct dsr_rng *rng);
/* Uniform in [0, n), without modulo bias; n == 0 gives 0. */
DSR_API uint64_t dsr_rng_below(struct dsr_rng *rng, uint64_t n);
/* Uniform in [0, 1), 53 bits. */
DSR_API double dsr_rng_unit(struct dsr_rng *rng);
/* Standard normal. */
DSR_API double dsr_rng_normal(struct dsr_rng *rng);

/* A chat: messages and limits of one request, not yet in any provider's dialect. */
struct dsr_chat;
/* Appends a message. role: "system", "user" or "assistant"; text: UTF-8 of len bytes, copied.
 * Invalid UTF-8 is replaced by U+FFFD. Returns 0 or DSR_ENOMEM. */
DSR_API int dsr_chat_add(struct dsr_chat *chat, const char *role, const char *text, size_t len);
/* Puts text in front of the first message. Returns 0, DSR_ENOMEM, or DSR_EINVAL without messages.
 */
DSR_API int dsr_chat_prepend(struct dsr_chat *chat, const char *text);
DSR_API void dsr_chat_set_max_tokens(struct dsr_chat *chat, int64_t max_tokens);
/* [{"role","content"}...]; borrowed, valid while the chat lives. */
DSR_API const json_t *dsr_chat_messages(const struct dsr_chat *chat);
/* Upper bound of output tokens asked for, or 0 for the provider's own default. */
DSR_API int64_t dsr_chat_max_tokens(const struct dsr_chat *chat);
/* Sampling parameters; NaN means "do not send". temperature 0..2, top_p 0..1. */
DSR_API double dsr_chat_temperature(const struct dsr_chat *chat);
DSR_API double dsr_chat_top_p(const struct dsr_chat *chat);
/* Whether the answer is to be streamed. */
DSR_API bool dsr_chat_stream(const struct dsr_chat *chat);

/* Reading RFC 4180 CSV files (libcsv underneath). row() gets n fields, each NUL-terminated and
 * borrowed for the call; line is where the row begins. A non-zero return stops and is returned.
 * A leading byte order mark is skipped. Errors name file and line. */
typedef int dsr_csv_row_fn(void *arg, char **fields, size_t n, int line, struct dsr_error *err);
DSR_API int dsr_csv_read(const char *path, dsr_csv_row_fn *row, void *arg, struct dsr_error *err);

/* Reads a dataset of JSON objects: one JSON array, or one object per line, whichever the file is.
 * visit() gets each object, borrowed. Errors name file and line. */
typedef int dsr_json_row_fn(void *arg, json_t *object, int line, struct dsr_error *err);
DSR_API int dsr_jsonl_read(const char *path, dsr_json_row_fn *visit, void *arg,
                           struct dsr_error *err);

#ifdef __cplusplus
}
#endif
#endif
