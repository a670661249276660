/* Log-linear histogram with pages on demand. */
#include "core/metric/histogram.h"

#include <math.h>

#define BLOCK 1024u /* buckets of a power of two */
#define PAGE DSR_HIST_PAGE

/* Block 0 and 1 hold 0..2047 exactly; block b > 1 holds [2^(9+b), 2^(10+b)) in steps of 2^(b-1). */
static size_t index_of(uint64_t value)
{
    if (value < 2 * BLOCK)
        return (size_t)value;
    unsigned shift = 63u - (unsigned)__builtin_clzll(value) - 10u;
    size_t index = (size_t)(shift + 1) * BLOCK + (size_t)((value >> shift) - BLOCK);
    size_t last = DSR_HIST_PAGES * PAGE - 1;
    return index < last ? index : last;
}

/* The middle of a bucket. */
static double value_of(size_t index)
{
    if (index < 2 * BLOCK)
        return (double)index;
    unsigned shift = (unsigned)(index / BLOCK) - 1;
    uint64_t low = (uint64_t)(index % BLOCK + BLOCK) << shift;
    return (double)low + (double)((1ull << shift) - 1) / 2.0;
}

/* The page that holds an index; NULL when out of memory. */
static struct dsr_hist_page *page_of(struct dsr_hist *hist, size_t index)
{
    struct dsr_hist_page **page = &hist->pages[index / PAGE];
    if (!*page && (*page = calloc(1, sizeof **page)))
        hist->n_pages++;
    return *page;
}

int dsr_hist_add_many(struct dsr_hist *hist, uint64_t value, uint32_t count)
{
    size_t index = index_of(value);
    struct dsr_hist_page *page = page_of(hist, index);
    if (!page)
        return DSR_ENOMEM;
    page->counts[index % PAGE] += count;
    page->n += count;
    if (!hist->n || value < hist->min)
        hist->min = value;
    if (!hist->n || value > hist->max)
        hist->max = value;
    hist->n += count;
    hist->sum += (double)value * count;
    return 0;
}

int dsr_hist_add(struct dsr_hist *hist, uint64_t value)
{
    return dsr_hist_add_many(hist, value, 1);
}

int dsr_hist_merge(struct dsr_hist *into, const struct dsr_hist *from)
{
    for (size_t p = 0; p < DSR_HIST_PAGES; p++) {
        if (!from->pages[p])
            continue;
        struct dsr_hist_page *page = page_of(into, p * PAGE);
        if (!page)
            return DSR_ENOMEM;
        for (size_t i = 0; i < PAGE; i++)
            page->counts[i] += from->pages[p]->counts[i];
        page->n += from->pages[p]->n;
    }
    if (from->n && (!into->n || from->min < into->min))
        into->min = from->min;
    if (from->n && (!into->n || from->max > into->max))
        into->max = from->max;
    into->n += from->n;
    into->sum += from->sum;
    return 0;
}

void dsr_hist_reset(struct dsr_hist *hist)
{
    for (size_t p = 0; p < DSR_HIST_PAGES; p++)
        if (hist->pages[p])
            memset(hist->pages[p], 0, sizeof *hist->pages[p]);
    hist->n = hist->min = hist->max = 0;
    hist->sum = 0;
}

void dsr_hist_clear(struct dsr_hist *hist)
{
    for (size_t p = 0; p < DSR_HIST_PAGES && hist->n_pages; p++)
        if (hist->pages[p]) {
            free(hist->pages[p]);
            hist->pages[p] = NULL;
            hist->n_pages--;
        }
    hist->n = hist->min = hist->max = 0;
    hist->sum = 0;
}

/* The value of rank r (0-based) and of rank r + 1. */
static void ranks(const struct dsr_hist *hist, uint64_t r, double value[2])
{
    uint64_t seen = 0;
    int found = 0;
    for (size_t p = 0; p < DSR_HIST_PAGES && found < 2; p++) {
        const struct dsr_hist_page *page = hist->pages[p];
        if (!page || seen + page->n <= r) {
            seen += page ? page->n : 0;
            continue;
        }
        for (size_t i = 0; i < PAGE && found < 2; i++) {
            seen += page->counts[i];
            while (found < 2 && page->counts[i] && seen > r + (uint64_t)found)
                value[found++] = value_of(p * PAGE + i);
        }
    }
    if (found == 1)
        value[1] = value[0];
}

double dsr_hist_percentile(const struct dsr_hist *hist, double p)
{
    if (!hist->n)
        return NAN;
    double h = (double)(hist->n - 1) * p / 100.0, value[2] = {0, 0};
    ranks(hist, (uint64_t)h, value);
    double v = value[0] + (h - floor(h)) * (value[1] - value[0]);
    return fmin(fmax(v, (double)hist->min), (double)hist->max);
}

double dsr_hist_mean(const struct dsr_hist *hist)
{
    return hist->n ? hist->sum / (double)hist->n : NAN;
}

double dsr_hist_variance(const struct dsr_hist *hist)
{
    double mean = dsr_hist_mean(hist), squares = 0;
    for (size_t p = 0; p < DSR_HIST_PAGES && hist->n; p++) {
        for (size_t i = 0; hist->pages[p] && i < PAGE; i++) {
            double count = hist->pages[p]->counts[i],
                   off = count > 0 ? value_of(p * PAGE + i) - mean : 0;
            squares += count * off * off;
        }
    }
    return hist->n > 1 ? squares / (double)(hist->n - 1) : NAN;
}

json_t *dsr_hist_to_json(const struct dsr_hist *hist)
{
    json_t *json = json_array();
    for (size_t p = 0; json && p < DSR_HIST_PAGES; p++) {
        for (size_t i = 0; hist->pages[p] && i < PAGE; i++) {
            if (!hist->pages[p]->counts[i])
                continue;
            json_t *pair = json_pack("[I, I]", (json_int_t)value_of(p * PAGE + i),
                                     (json_int_t)hist->pages[p]->counts[i]);
            json_array_append_new(json, pair);
        }
    }
    return json;
}

int dsr_hist_from_json(struct dsr_hist *hist, const json_t *json)
{
    size_t i;
    json_t *pair;
    if (!json_is_array(json))
        return DSR_EINVAL;
    json_array_foreach((json_t *)json, i, pair)
    {
        json_int_t value = json_integer_value(json_array_get(pair, 0));
        json_int_t count = json_integer_value(json_array_get(pair, 1));
        if (value < 0 || count < 1 || count > UINT32_MAX)
            return DSR_EINVAL;
        if (dsr_hist_add_many(hist, (uint64_t)value, (uint32_t)count))
            return DSR_ENOMEM;
    }
    return 0;
}

int dsr_hist_encode(const struct dsr_hist *hist, struct dsr_buf *out)
{
    size_t last = 0;
    if (!hist->n)
        return 0;
    int rc = dsr_buf_add_number(out, (uint64_t)fmin(hist->sum, 9e18)) |
             dsr_buf_add_number(out, hist->min) | dsr_buf_add_number(out, hist->max);
    for (size_t p = 0; p < DSR_HIST_PAGES; p++) {
        for (size_t i = 0; hist->pages[p] && i < PAGE; i++) {
            if (!hist->pages[p]->counts[i])
                continue;
            rc |= dsr_buf_add_number(out, p * PAGE + i - last) |
                  dsr_buf_add_number(out, hist->pages[p]->counts[i]);
            last = p * PAGE + i;
        }
    }
    return rc ? DSR_ENOMEM : 0;
}

int dsr_hist_decode(struct dsr_hist *hist, struct dsr_reader *in)
{
    size_t index = 0;
    uint64_t n = 0;
    if (in->at == in->end)
        return 0;
    uint64_t sum = dsr_reader_number(in), min = dsr_reader_number(in), max = dsr_reader_number(in);
    while (in->at < in->end && !in->bad) {
        uint64_t step = dsr_reader_number(in), count = dsr_reader_number(in);
        index += step < DSR_HIST_PAGES * PAGE ? step : DSR_HIST_PAGES * PAGE;
        if (index >= DSR_HIST_PAGES * PAGE || count < 1 || count > UINT32_MAX)
            return DSR_EINVAL;
        struct dsr_hist_page *page = page_of(hist, index);
        if (!page)
            return DSR_ENOMEM;
        page->counts[index % PAGE] += (uint32_t)count;
        page->n += count;
        n += count;
    }
    if (in->bad || !n || min > max)
        return DSR_EINVAL;
    hist->min = hist->n && hist->min < min ? hist->min : min;
    hist->max = hist->n && hist->max > max ? hist->max : max;
    hist->n += n;
    hist->sum += (double)sum;
    return 0;
}
