/* The index of one file of JSON records: where each begins, and how many tokens it holds. It is
 * made once, kept in a file beside the set (or in the state folder, where that can't be written),
 * and mapped from then on. */
#ifndef DSR_CORPUS_H
#define DSR_CORPUS_H

#include "core/base/base.h"

#include <dsr/promptgen.h>

struct dsr_index_entry {
    uint64_t offset;
    uint32_t length;
    struct dsr_record_size size;
};

struct dsr_index {
    char *path; /* of the file of records */
    int fd;     /* the same, open */
    const struct dsr_index_entry *entries;
    size_t n;
    struct dsr_mapping map; /* what entries stand in; none when they are malloc'd */
};

/* measure and purpose as of dsr_corpus_open. */
int dsr_index_open(struct dsr_index *index, const char *path, const char *purpose,
                   dsr_record_size_fn *measure, const struct dsr_host *host, struct dsr_error *err);
void dsr_index_close(struct dsr_index *index);
/* Reads and parses a record. NULL with err when the file was changed meanwhile. */
json_t *dsr_index_load(const struct dsr_index *index, size_t i, struct dsr_error *err);

#endif
