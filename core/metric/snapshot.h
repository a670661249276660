/* All candidates of a model with what a store knows of them. */
#ifndef DSR_SNAPSHOT_H
#define DSR_SNAPSHOT_H

#include "core/metric/candidate.h"

#include <dsr/store.h>

struct dsr_snapshot {
    const struct dsr_settings *settings;
    struct dsr_service **services;
    struct dsr_candidate **list; /* beside services; sealed */
    size_t n;
    size_t unknown; /* records written by a newer version */
};

/* The services of the model (those without a key too: their figures count), prices in currency. */
int dsr_snapshot_init(struct dsr_snapshot *snapshot, const struct dsr_settings *settings,
                      const char *model, const char *currency, struct dsr_error *err);
/* Adds the performance and benchmark records of [since, until). */
int dsr_snapshot_read(struct dsr_snapshot *snapshot, const struct dsr_store_ops *ops, void *state,
                      const char *model, int64_t since_us, int64_t until_us, struct dsr_error *err);
void dsr_snapshot_seal(struct dsr_snapshot *snapshot);
void dsr_snapshot_clear(struct dsr_snapshot *snapshot);

#endif
