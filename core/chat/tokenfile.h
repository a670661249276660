/* tokenizer.json and the compiled form of it that is kept for the next time. */
#ifndef DSR_TOKENFILE_H
#define DSR_TOKENFILE_H

#include "core/base/base.h"

struct dsr_vocabulary;
struct dsr_tokenfile {
    const struct dsr_vocabulary *vocabulary;
    struct dsr_mapping map; /* of a cache file; none: the block is malloc'd */
};

int dsr_tokenfile_open(struct dsr_tokenfile *file, const char *path, const char *cache_folder,
                       struct dsr_error *err);
void dsr_tokenfile_close(struct dsr_tokenfile *file);

#endif
