/* Figures as bytes: counts, token sources, errors, then one histogram after the other, each with
 * its length before it, so that those not wanted are passed over. All numbers are of seven bits a
 * byte. */
#include "core/metric/figures.h"

#define VERSION 1

static void counts_of(struct dsr_figures *f, int64_t *counts[7])
{
    int64_t *all[] = {&f->requests, &f->succeeded, &f->output_tokens, &f->priced,
                      &f->input,    &f->cached,    &f->output};
    memcpy(counts, all, sizeof all);
}

static void gaps_of(struct dsr_figures *f, uint64_t *gaps[4])
{
    uint64_t *all[] = {&f->gaps.requests, &f->gaps.xx, &f->gaps.nn, &f->gaps.xn};
    memcpy(gaps, all, sizeof all);
}

static int put_text(struct dsr_buf *out, const char *text)
{
    return dsr_buf_add_number(out, strlen(text)) | dsr_buf_adds(out, text);
}

static int put_hist(struct dsr_buf *out, const struct dsr_hist *hist, struct dsr_buf *bytes)
{
    dsr_buf_reset(bytes);
    return dsr_hist_encode(hist, bytes) | dsr_buf_add_number(out, bytes->len) |
           dsr_buf_add(out, bytes->data ? bytes->data : "", bytes->len);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorted, so that it does not matter which came first. */
static int put_errors(struct dsr_buf *out, const json_t *errors)
{
    size_t n = json_object_size(errors), i = 0;
    const char **names = malloc((n + 1) * sizeof *names), *name;
    json_t *count;
    int rc = names ? dsr_buf_add_number(out, n) : DSR_ENOMEM;
    json_object_foreach((json_t *)errors, name, count)
    {
        if (names)
            names[i++] = name;
    }
    if (names)
        qsort(names, n, sizeof *names, by_name);
    for (i = 0; i < n && !rc; i++) {
        count = json_object_get(errors, names[i]);
        rc = put_text(out, names[i]) | dsr_buf_add_number(out, (uint64_t)json_integer_value(count));
    }
    free(names);
    return rc;
}

int dsr_figures_encode(struct dsr_figures *f, char **bytes, size_t *n)
{
    struct dsr_buf out = {0}, hist = {0};
    int64_t *counts[7];
    uint64_t *gaps[4];
    int rc = dsr_figures_sum_up(f) | dsr_buf_add_number(&out, VERSION);
    counts_of(f, counts);
    gaps_of(f, gaps);
    for (size_t i = 0; i < DSR_COUNT(counts); i++)
        rc |= dsr_buf_add_number(&out, (uint64_t)*counts[i]);
    for (size_t i = 0; i < DSR_COUNT(gaps); i++)
        rc |= dsr_buf_add_number(&out, *gaps[i]);
    rc |= put_text(&out, f->token_source) | put_errors(&out, f->errors);
    for (size_t i = 0; i < DSR_M_SAMPLES && !rc; i++)
        rc = put_hist(&out, &f->hists[i], &hist);
    if (!rc)
        rc = put_hist(&out, &f->itl, &hist);
    dsr_buf_clear(&hist);
    if (rc)
        dsr_buf_clear(&out);
    *bytes = out.data;
    *n = out.len;
    return rc ? DSR_ENOMEM : 0;
}

/* malloc'd; NULL with *rc. */
static char *take_text(struct dsr_reader *in, int *rc)
{
    uint64_t n = dsr_reader_number(in);
    const char *bytes = dsr_reader_bytes(in, n);
    char *text = bytes ? strndup(bytes, n) : NULL;
    if (!text)
        *rc = bytes ? DSR_ENOMEM : DSR_EINVAL;
    return text;
}

static int take_errors(struct dsr_figures *f, struct dsr_reader *in)
{
    int rc = 0;
    for (uint64_t left = dsr_reader_number(in); left && !rc; left--) {
        DSR_AUTO(str) char *name = take_text(in, &rc);
        uint64_t count = dsr_reader_number(in);
        if (!rc && (in->bad || count > INT64_MAX / 2))
            rc = DSR_EINVAL;
        if (!rc)
            rc = dsr_figures_error(f, name, (int64_t)count);
    }
    return rc;
}

static int take_hist(struct dsr_hist *hist, struct dsr_reader *in, bool wanted)
{
    uint64_t n = dsr_reader_number(in);
    const char *bytes = dsr_reader_bytes(in, n);
    struct dsr_reader part = {.at = bytes, .end = bytes + n};
    if (!bytes)
        return DSR_EINVAL;
    return wanted ? dsr_hist_decode(hist, &part) : 0;
}

int dsr_figures_merge(struct dsr_figures *f, const char *bytes, size_t n)
{
    struct dsr_reader in = {.at = bytes, .end = bytes + n};
    int64_t *counts[7];
    uint64_t *gaps[4];
    int rc = dsr_figures_sum_up(f);
    if (!rc && dsr_reader_number(&in) != VERSION)
        rc = DSR_EINVAL;
    counts_of(f, counts);
    gaps_of(f, gaps);
    for (size_t i = 0; i < DSR_COUNT(counts) && !rc; i++) {
        uint64_t count = dsr_reader_number(&in);
        if (count > INT64_MAX / 2)
            rc = DSR_EINVAL;
        else
            *counts[i] += (int64_t)count;
    }
    for (size_t i = 0; i < DSR_COUNT(gaps); i++)
        *gaps[i] += dsr_reader_number(&in);
    DSR_AUTO(str) char *source = rc ? NULL : take_text(&in, &rc);
    if (!rc) {
        dsr_figures_source(f, source);
        rc = take_errors(f, &in);
    }
    for (size_t i = 0; i < DSR_M_SAMPLES && !rc; i++)
        rc = take_hist(&f->hists[i], &in, f->want >> i & 1);
    if (!rc)
        rc = take_hist(&f->itl, &in, f->want & DSR_WANT_ITL);
    return !rc && (in.bad || in.at != in.end) ? DSR_EINVAL : rc;
}

int dsr_figures_take(struct dsr_figures *f, const char *bytes, size_t n, struct dsr_error *err)
{
    switch (dsr_figures_merge(f, bytes, n)) {
    case 0:
        return 0;
    case DSR_ENOMEM:
        return dsr_error_nomem(err);
    default:
        return dsr_error_set(err, DSR_ESTORE,
                             "sums of the store are damaged or of a newer version; "
                             "`dsr-run db compact` makes them anew");
    }
}

int dsr_figures_visit(void *figures, const struct dsr_record *record, struct dsr_error *err)
{
    return record->kind == DSR_RECORD_PERF && dsr_figures_add(figures, record->body)
               ? dsr_error_nomem(err)
               : 0;
}

bool dsr_store_sums(const struct dsr_store_ops *ops)
{
    return ops->size > offsetof(struct dsr_store_ops, sums) && ops->sums;
}
