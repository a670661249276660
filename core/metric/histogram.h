/* A log-linear histogram in the manner of HdrHistogram (Gil Tene): every value is kept to three
 * significant digits (buckets of 1/1024 of their power of two). Pages of counts are allocated as
 * values fall into them, so that a stream of steady gaps takes a few KiB. */
#ifndef DSR_HISTOGRAM_H
#define DSR_HISTOGRAM_H

#include "core/base/base.h"

#define DSR_HIST_PAGE 128  /* buckets that are allocated together */
#define DSR_HIST_PAGES 224 /* values up to 2^37 - 1 */

struct dsr_hist_page {
    uint64_t n; /* sum of the counts */
    uint32_t counts[DSR_HIST_PAGE];
};

struct dsr_hist {
    struct dsr_hist_page *pages[DSR_HIST_PAGES];
    size_t n_pages; /* that there are */
    uint64_t n;
    uint64_t min, max;
    double sum;
};

int dsr_hist_add(struct dsr_hist *hist, uint64_t value);
int dsr_hist_add_many(struct dsr_hist *hist, uint64_t value, uint32_t count);
int dsr_hist_merge(struct dsr_hist *into, const struct dsr_hist *from);
void dsr_hist_reset(struct dsr_hist *hist); /* keeps the memory */
void dsr_hist_clear(struct dsr_hist *hist);
/* The p-th percentile (0..100) by linear interpolation between closest ranks; NaN when empty. */
double dsr_hist_percentile(const struct dsr_hist *hist, double p);
double dsr_hist_mean(const struct dsr_hist *hist);
double dsr_hist_variance(const struct dsr_hist *hist); /* of the sample (n - 1); NaN when n < 2 */
/* [[value, count]...] in rising order, and back (DSR_EINVAL for anything else). */
json_t *dsr_hist_to_json(const struct dsr_hist *hist);
int dsr_hist_from_json(struct dsr_hist *hist, const json_t *json);
/* As numbers of seven bits a byte: sum, least, greatest value, then each bucket's distance from the
 * one before it and its count. Nothing when empty. */
int dsr_hist_encode(const struct dsr_hist *hist, struct dsr_buf *bytes);
/* Adds such bytes. DSR_EINVAL for anything else: the histogram is then of no more use. */
int dsr_hist_decode(struct dsr_hist *hist, struct dsr_reader *bytes);

#endif
