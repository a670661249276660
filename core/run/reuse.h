/* Answers that were paid for already: equal requests to the same provider in earlier jobs. */
#ifndef DSR_REUSE_H
#define DSR_REUSE_H

#include "core/run/session.h"

/* Names a request: a UUID (version 5) of provider, address, model, messages, sampling and extras.
 * Equal requests have equal names. */
int dsr_request_name(const struct dsr_service *service, const struct dsr_chat *chat, char out[37]);

struct dsr_reuse;
/* Reads the model's answers since then, of other jobs than this one. */
int dsr_reuse_open(struct dsr_reuse **reuse, const struct dsr_store *store, const char *model,
                   int64_t since_us, const char *job, struct dsr_error *err);
/* An answer to this request that was not taken yet, as a new record body with "reused_from"; the
 * caller's. NULL: there is none. */
json_t *dsr_reuse_take(struct dsr_reuse *reuse, const char *request);
void dsr_reuse_close(struct dsr_reuse *reuse);

#endif
