/* The journal: results go to the stores on the thread pool, in batches, in order. */
#ifndef DSR_JOURNAL_H
#define DSR_JOURNAL_H

#include "core/config/settings.h"
#include "core/plugin/registry.h"

#include <dsr/store.h>
#include <uv.h>

/* A store plugin opened. */
struct dsr_store {
    const struct dsr_store_ops *ops;
    void *state;
    char *name;
};
int dsr_store_open(struct dsr_store *store, struct dsr_registry *registry, const char *name,
                   const char *path, enum dsr_store_mode mode, const struct dsr_host *host,
                   struct dsr_error *err);
/* The store of db.json, or the CSV files of a folder when one is named. */
int dsr_results_open(struct dsr_store *store, struct dsr_registry *registry,
                     const struct dsr_settings *settings, const char *csv_folder,
                     enum dsr_store_mode mode, struct dsr_error *err);
int dsr_store_close(struct dsr_store *store, struct dsr_error *err);

struct dsr_journal;
/* output: "db", "csv" or "both". Opens, locks and test-writes every store before it returns.
 * on_failure comes once, on the loop's thread, when a write fails. */
int dsr_journal_open(struct dsr_journal **journal, uv_loop_t *loop,
                     const struct dsr_settings *settings, struct dsr_registry *registry,
                     const char *output, void (*on_failure)(void *arg), void *arg,
                     struct dsr_error *err);
/* Queues a record; body is taken over, the strings are copied. Loop's thread. */
int dsr_journal_put(struct dsr_journal *journal, const struct dsr_record *record);
/* The store that can be read back: the first one. */
struct dsr_store *dsr_journal_store(struct dsr_journal *journal);
/* Waits for all writes (runs the loop), closes the stores. The first failure, if any. */
int dsr_journal_close(struct dsr_journal *journal, struct dsr_error *err);

#endif
