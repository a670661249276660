/* Records from one store to another, or to and from a file of JSON lines. */
#ifndef DSR_COPY_H
#define DSR_COPY_H

#include "core/run/journal.h"

#define DSR_RECORD_KINDS (DSR_RECORD_EVENT + 1)

/* By kind of record. unknown: those of a newer version, which were left where they are. */
struct dsr_copy {
    size_t found[DSR_RECORD_KINDS], copied[DSR_RECORD_KINDS], unknown;
};

/* "job", "performance", "benchmark", "answer", "event". */
const char *dsr_record_name(enum dsr_record_kind kind);

/* "db" (the store of db.json), an address such as sqlite:///file.db, or a folder that shows by its
 * files what it is. */
int dsr_store_open_at(struct dsr_store *store, struct dsr_registry *registry,
                      const struct dsr_settings *settings, const char *place,
                      enum dsr_store_mode mode, struct dsr_error *err);

/* Copies what the other store has not yet, so that a copy that was broken off goes on, and compares
 * the counts at the end. */
int dsr_copy_store(const struct dsr_store *from, const struct dsr_store *to,
                   const struct dsr_host *host, struct dsr_copy *copy, struct dsr_error *err);
/* Every record as a JSON object {"kind","job","model","provider","key","time_us","body"}. */
int dsr_copy_to_file(const struct dsr_store *from, FILE *file, struct dsr_copy *copy,
                     struct dsr_error *err);
int dsr_copy_from_file(const char *path, const struct dsr_store *to, const struct dsr_host *host,
                       struct dsr_copy *copy, struct dsr_error *err);
/* Only counts. */
int dsr_copy_count(const struct dsr_store *store, struct dsr_copy *copy, struct dsr_error *err);

#endif
