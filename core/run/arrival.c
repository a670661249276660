/* Random and recorded arrivals. */
#include "core/run/arrival.h"

#include <math.h>

/* A gamma variate of this shape and mean 1 (Marsaglia and Tsang 2000; shapes below 1 by their
 * section 6). */
static double gamma_variate(struct dsr_rng *rng, double shape)
{
    double boost = shape < 1 ? pow(1.0 - dsr_rng_unit(rng), 1 / shape) : 1;
    double d = (shape < 1 ? shape + 1 : shape) - 1.0 / 3, c = 1 / sqrt(9 * d);
    for (;;) {
        double x = dsr_rng_normal(rng), v = 1 + c * x, u = 1.0 - dsr_rng_unit(rng);
        v = v * v * v;
        if (v > 0 && log(u) < x * x / 2 + d * (1 - v + log(v)))
            return d * v * boost / shape;
    }
}

double dsr_arrival_gap(struct dsr_rng *rng, double shape)
{
    if (isinf(shape))
        return 1;
    return shape == 1 ? -log(1.0 - dsr_rng_unit(rng)) : gamma_variate(rng, shape);
}

static double number_of(const json_t *object, const char *a, const char *b)
{
    const json_t *value = json_object_get(object, a) ?: json_object_get(object, b);
    return !value ? 0 : json_is_number(value) ? json_number_value(value) : NAN;
}

static const char *flaw(const json_t *object, const struct dsr_trace_entry *e)
{
    if (!json_object_get(object, "timestamp") && !json_object_get(object, "at"))
        return "expected \"timestamp\" in milliseconds, or \"at\" in seconds";
    if (!(e->at_s >= -1e12 && e->at_s <= 1e12))
        return "the time must be a number";
    if (e->input < 0 || e->output < 0)
        return "\"input_length\" and \"output_length\" must be numbers of tokens";
    if (e->messages && !json_array_size(e->messages))
        return "\"messages\" must be an array of {\"role\", \"content\"}";
    for (size_t i = 0; i < json_array_size(e->messages); i++) {
        const json_t *message = json_array_get(e->messages, i);
        if (!json_is_string(json_object_get(message, "role")) ||
            !json_is_string(json_object_get(message, "content")))
            return "a message needs \"role\" and \"content\" as texts";
    }
    return NULL;
}

static int64_t tokens(double value)
{
    return value >= 0 && value <= 1e8 ? (int64_t)value : -1;
}

static int take_line(void *arg, json_t *object, int line, struct dsr_error *err)
{
    struct dsr_trace *trace = arg;
    bool seconds = json_object_get(object, "timestamp") == NULL;
    struct dsr_trace_entry e = {
        .at_s = number_of(object, "timestamp", "at") / (seconds ? 1 : 1000),
        .input = tokens(number_of(object, "input_length", "input_tokens")),
        .output = tokens(number_of(object, "output_length", "output_tokens")),
        .messages = json_object_get(object, "messages"),
    };
    const char *wrong = flaw(object, &e);
    (void)line;
    if (wrong)
        return dsr_error_set(err, DSR_ECONFIG, "%s", wrong);
    if (!(trace->n & (trace->n - 1))) {
        struct dsr_trace_entry *list =
            realloc(trace->list, (trace->n ? 2 * trace->n : 1) * sizeof *list);
        if (!list)
            return dsr_error_nomem(err);
        trace->list = list;
    }
    json_incref(e.messages);
    trace->list[trace->n++] = e;
    return 0;
}

static int by_time(const void *a, const void *b)
{
    double x = ((const struct dsr_trace_entry *)a)->at_s;
    double y = ((const struct dsr_trace_entry *)b)->at_s;
    return (x > y) - (x < y);
}

int dsr_trace_load(struct dsr_trace *trace, const char *path, struct dsr_error *err)
{
    memset(trace, 0, sizeof *trace);
    int rc = dsr_jsonl_read(path, take_line, trace, err);
    if (!rc && !trace->n)
        rc = dsr_error_file(err, DSR_ECONFIG, path, 0, "holds no arrival");
    if (rc) {
        dsr_trace_clear(trace);
        return rc;
    }
    qsort(trace->list, trace->n, sizeof *trace->list, by_time);
    double first = trace->list[0].at_s;
    for (size_t i = 0; i < trace->n; i++)
        trace->list[i].at_s -= first;
    return 0;
}

void dsr_trace_clear(struct dsr_trace *trace)
{
    for (size_t i = 0; i < trace->n; i++)
        json_decref(trace->list[i].messages);
    free(trace->list);
    memset(trace, 0, sizeof *trace);
}
