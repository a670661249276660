/* The record of each request in a file of the user's. */
#ifndef DSR_EXPORT_H
#define DSR_EXPORT_H

#include "core/base/base.h"

struct dsr_export;

/* The name ends in .jsonl or .csv. more: adds to it; else a file that is there is replaced. */
int dsr_export_open(struct dsr_export **out, const char *path, bool more, struct dsr_error *err);
/* body: a performance record. */
void dsr_export_put(struct dsr_export *out, const char *job, const char *key, const json_t *body);
/* Tells what could not be written. NULL is allowed. */
int dsr_export_close(struct dsr_export *out, struct dsr_error *err);

#endif
