/* What the pages show: figures of a model, in a currency, since a time; made once, then immutable
 * and shared by all threads until newer results are there. */
#ifndef DSR_WEB_DATA_H
#define DSR_WEB_DATA_H

#include "core/metric/snapshot.h"
#include "core/run/session.h"

#define DSR_VIEW_ANSWERS 16
#define DSR_HOUR_US 3600000000
#define DSR_DAY_US (24 * DSR_HOUR_US)

struct dsr_view {
    char *model, *currency;
    int days; /* results of the last days; 0: all */
    struct dsr_snapshot snapshot;
    int64_t made_us;
    /* the rest belongs to data.c */
    struct dsr_view *next;
    int uses;
    uint64_t generation;
    struct dsr_buf questions[DSR_VIEW_ANSWERS], answers[DSR_VIEW_ANSWERS];
    size_t n_answers; /* so far; the oldest gives way */
};

struct dsr_data;
struct dsr_data *dsr_data_new(struct dsr_ctx *ctx, struct dsr_error *err);
void dsr_data_free(struct dsr_data *data); /* NULL is allowed */
struct dsr_ctx *dsr_data_ctx(struct dsr_data *data);
const struct dsr_router_ops *dsr_data_router(const struct dsr_data *data);

/* A view, made when it is not there: model and currency NULL mean the usual ones. Give it back with
 * dsr_view_release. NULL with err: an unknown model (DSR_EUSAGE), a store that can't be read. */
struct dsr_view *dsr_data_view(struct dsr_data *data, const char *model, const char *currency,
                               int days, struct dsr_error *err);
void dsr_view_release(struct dsr_data *data, struct dsr_view *view);
/* An equal question about a view has an equal answer: it is remembered. True when it was there. */
bool dsr_view_recall(struct dsr_data *data, struct dsr_view *view, const char *question, size_t n,
                     struct dsr_buf *answer);
void dsr_view_remember(struct dsr_data *data, struct dsr_view *view, const char *question, size_t n,
                       const struct dsr_buf *answer);
/* When the store was written to: from now on views are made anew; those that were asked for lately
 * at once, in this thread, so that nobody has to wait. Readers are not stopped. */
void dsr_data_refresh(struct dsr_data *data);

/* Reads the store; one at a time. */
int dsr_data_scan(struct dsr_data *data, const struct dsr_query *query, dsr_visit_fn *visit,
                  void *arg, struct dsr_error *err);
/* As dsr_store_ops.sums; of a store without figures all records are visited. */
int dsr_data_sums(struct dsr_data *data, const struct dsr_query *query, int64_t interval_us,
                  dsr_visit_fn *visit, dsr_sum_fn *add, void *arg, struct dsr_error *err);

#endif
