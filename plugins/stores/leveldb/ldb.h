/* The LevelDB store: its keys, its figures by the hour, pictures of it. Keys are ordered so that a
 * question of the router is one range:
 *
 *     P/MODEL/PROVIDER/TIME/JOB/KEY   performance      B/...  benchmark
 *     a/JOB/PROVIDER/KEY              answers          e/...  events
 *     j/JOB                           jobs             m/open while a writer has it open
 *     R/h/MODEL/PROVIDER/HOUR         figures of an hour, R/d of 24 and R/m of 768 of them
 *     D/MODEL/PROVIDER/HOUR           the hour has results that its figures do not hold yet
 *     S/MODEL/PROVIDER/HOUR           figures of results that were given up
 *     U/P/...                         a result that is of a newer version, so in no figures
 *
 * TIME is in microseconds, HOUR in hours since 1970. '/' and '%' in models and providers are %2F
 * and %25. A record's value is {"v": 1, "kind", "job", "model", "provider", "key", "time_us",
 * "body"}. */
#ifndef DSR_LDB_H
#define DSR_LDB_H

#include <dsr/store.h>
#include <leveldb/c.h>

#define LDB_VERSION 1 /* of a record's value */
#define LDB_HOUR_US 3600000000
/* What figures are of, in hours. */
#define LDB_DAY 24
#define LDB_BLOCK 768
#define LDB_INDEX 11 /* bytes of "/HOUR" at the end of a key */

struct ldb_dirty; /* hours that this run has written to */

struct ldb {
    leveldb_t *db;
    leveldb_options_t *options;
    leveldb_writeoptions_t *writing; /* synchronous in the store itself */
    leveldb_readoptions_t *reading;
    leveldb_writebatch_t *batch;
    const struct dsr_host *host;
    char *path;
    char *picture; /* what a reader has open; NULL: the store itself */
    bool writer;
    struct ldb_dirty *dirty;
};

int ldb_nomem(struct dsr_error *err);
/* Turns LevelDB's message into ours, and frees it. */
int ldb_fail(const struct ldb *s, const char *what, char *message, struct dsr_error *err);
/* Writes a batch and clears it. */
int ldb_write(struct ldb *s, leveldb_writebatch_t *batch, struct dsr_error *err);

/* Ends a walk: returns rc, or what the iterator could not read. */
int ldb_iter_end(const struct ldb *s, leveldb_iterator_t *it, int rc, struct dsr_error *err);

/* keys.c: NULL when out of memory. A stem is "MODEL/PROVIDER". */
char *ldb_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *ldb_stem(const char *model, const char *provider);
/* "KIND/MODEL/PROVIDER/INDEX"; n bytes of stem. */
char *ldb_index_key(const char *kind, const char *stem, int n, int64_t index);
/* "KIND/MODEL/". */
char *ldb_model_prefix(const char *kind, const char *model);
char *ldb_record_key(const struct dsr_record *record);
int64_t ldb_hour(int64_t time_us);
bool ldb_begins(const char *key, size_t n, const char *prefix);
/* The number behind the last '/'. */
int64_t ldb_index(const char *key, size_t n);
/* The model or provider of a stem, as it was; malloc'd. */
char *ldb_part(const char *stem, int which);

/* scan.c: visits the records of a kind that match. */
int ldb_scan_kind(struct ldb *s, enum dsr_record_kind kind, const struct dsr_query *query,
                  dsr_visit_fn *visit, void *arg, struct dsr_error *err);
/* Visits a stored value as a record, if it matches. */
int ldb_visit_value(const char *bytes, size_t n, const struct dsr_query *query, dsr_visit_fn *visit,
                    void *arg, struct dsr_error *err);

/* Calls each at every result of an hour; n bytes of stem. Non-zero stops and is the result. */
typedef int ldb_each_fn(void *arg, leveldb_iterator_t *it, struct dsr_error *err);
int ldb_each_of_hour(struct ldb *s, const char *stem, int n, int64_t hour, ldb_each_fn *each,
                     void *arg, struct dsr_error *err);

/* roll.c: marks the hour of a result, in the batch; makes the figures of all marked hours. */
int ldb_mark(struct ldb *s, const struct dsr_record *record);
void ldb_marks_forget(struct ldb *s);
int ldb_roll(struct ldb *s, struct dsr_error *err);

/* sums.c */
int ldb_sums(void *state, const struct dsr_query *query, int64_t interval_us, dsr_visit_fn *visit,
             dsr_sum_fn *add, void *arg, struct dsr_error *err);

/* upkeep.c: brings results that an earlier version wrote to their present keys. */
int ldb_migrate(struct ldb *s, struct dsr_error *err);
int ldb_compact(void *state, int64_t keep_us, int64_t *removed, struct dsr_error *err);

/* picture.c: a picture of a folder, which another process may have open. Tables are never changed
 * once they are written, so links to them will do; the log and the manifest grow at their end,
 * where a half-written record is passed over. Returns the new folder (malloc'd), beside the other
 * one, or NULL with errno. It may be stale when files were replaced meanwhile: opening it then
 * fails, and another picture helps. */
char *ldb_picture(const char *folder);
void ldb_picture_remove(const char *folder);

#endif
