/* Store plugins: where results live. */
#ifndef DSR_STORE_H
#define DSR_STORE_H

#include <dsr/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

enum dsr_record_kind {
    DSR_RECORD_JOB = 1,
    DSR_RECORD_PERF = 2,
    DSR_RECORD_BENCHMARK = 3,
    DSR_RECORD_ANSWER = 4,
    DSR_RECORD_EVENT = 5,
    DSR_RECORD_UNKNOWN = 100 /* scan only: written by a newer version, body holds what it is */
};

/* One record. Strings and body are borrowed for the call.
 *   job       UUID of the run
 *   model     model code, "" for job records of no model
 *   provider  provider code, "" for records of no provider
 *   key       unique among the records of its kind, job and provider: dataset/item/repeat for an
 *             answer, a sequence number for a performance result; writing it again replaces it
 *   time_us   when it happened, microseconds since 1970 UTC
 *   body      JSON object with the values (docs: dsr-run(1), RECORDS) */
struct dsr_record {
    enum dsr_record_kind kind;
    const char *job, *model, *provider, *key;
    int64_t time_us;
    json_t *body;
};

/* What a scan is to visit; NULL and 0 mean any. times: since <= time_us < until. */
struct dsr_query {
    size_t size;
    enum dsr_record_kind kind;
    const char *job, *model, *provider;
    int64_t since_us, until_us;
};

/* Whether a record has the job, model, provider and time that a query asks for (the kind is not
 * looked at). Thread-safe. */
DSR_API bool dsr_query_fits(const struct dsr_query *query, const struct dsr_record *record);

/* Non-zero stops the scan and becomes its result. */
typedef int dsr_visit_fn(void *arg, const struct dsr_record *record, struct dsr_error *err);

/* Takes the figures (dsr/figures.h) of a provider's performance results from time_us on. Non-zero
 * stops and becomes the result. */
typedef int dsr_sum_fn(void *arg, const char *provider, int64_t time_us, const char *bytes,
                       size_t n, struct dsr_error *err);

enum dsr_store_mode { DSR_STORE_READ, DSR_STORE_WRITE };

struct dsr_store_ops {
    size_t size; /* sizeof(struct dsr_store_ops) */
    /* uri: what follows the scheme, "/absolute/dir" or "relative/dir". WRITE creates what is
     * missing, waits for another process that writes (unless several may write), which it tells by
     * dsr_host_log, and proves by a test write that
     * there is room; all errors are DSR_ESTORE. What a crash left half written is set aside and
     * reported through dsr_host_log. Mandatory. */
    void *(*open)(const char *path, enum dsr_store_mode mode, const struct dsr_host *host,
                  struct dsr_error *err);
    /* Adds a record. Not safe against a crash before commit. Mandatory. */
    int (*put)(void *state, const struct dsr_record *record, struct dsr_error *err);
    /* Makes all records put so far durable. Mandatory. */
    int (*commit)(void *state, struct dsr_error *err);
    /* Visits matching records, performance and benchmark records of a provider oldest first. What
     * it can't read it hands over as DSR_RECORD_UNKNOWN, never drops. Mandatory. */
    int (*scan)(void *state, const struct dsr_query *query, dsr_visit_fn *visit, void *arg,
                struct dsr_error *err);
    /* Commits and frees the state. Mandatory. */
    int (*close)(void *state, struct dsr_error *err);
    /* Schemes of addresses that the store answers to besides its name, comma-separated: "mysql,
     * sqlite" without blanks. It is then opened with "SCHEME:" before the path, which may be
     * "user:password@host:port/database". NULL: none. */
    const char *schemes;
    /* The performance results that a query asks for (its model is named, its kind and job are not
     * looked at), summed up: add gets figures, visit gets the records that no figures hold, each
     * result is in one of them. No figures reach over one of the times since_us + k interval_us;
     * interval_us 0: there is only one interval, until_us 0: it has no end. Those of a provider
     * come oldest first. NULL: the store has no figures, and scan tells the same. */
    int (*sums)(void *state, const struct dsr_query *query, int64_t interval_us,
                dsr_visit_fn *visit, dsr_sum_fn *add, void *arg, struct dsr_error *err);
    /* Makes the store small: results, answers and events of before keep_us (0: none) are given up,
     * of results the figures are kept. removed: how many records that were. NULL: the store can't.
     */
    int (*compact)(void *state, int64_t keep_us, int64_t *removed, struct dsr_error *err);
};
/* put, commit, scan and close of one state never run at the same time, but may run on different
 * threads of libuv's pool. */

#ifdef __cplusplus
}
#endif
#endif
