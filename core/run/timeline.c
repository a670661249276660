/* Steps of a run. */
#include "core/run/timeline.h"

#define FIRST_STEP_NS 1000000000u

void dsr_timeline_init(struct dsr_timeline *t, uint64_t start_ns)
{
    memset(t, 0, sizeof *t);
    t->start_ns = start_ns;
    t->step_ns = FIRST_STEP_NS;
}

/* Two steps become one. */
static void fold(double *values)
{
    for (size_t i = 0; i < DSR_TIMELINE_STEPS; i++)
        values[i] = i < DSR_TIMELINE_STEPS / 2 ? values[2 * i] + values[2 * i + 1] : 0;
}

static void make_room(struct dsr_timeline *t, uint64_t end)
{
    while (end / t->step_ns >= DSR_TIMELINE_STEPS) {
        fold(t->tokens);
        fold(t->busy);
        t->step_ns *= 2;
        t->n = (t->n + 1) / 2;
    }
    if (t->n < end / t->step_ns + 1)
        t->n = end / t->step_ns + 1;
}

/* Puts the amount into the steps between two times, each by what it has of that time. */
static void spread(struct dsr_timeline *t, double *values, uint64_t from_ns, uint64_t to_ns,
                   double amount)
{
    if (from_ns < t->start_ns || to_ns < from_ns)
        return;
    uint64_t from = from_ns - t->start_ns, to = to_ns - t->start_ns;
    make_room(t, to);
    for (uint64_t i = from / t->step_ns; i <= to / t->step_ns; i++) {
        uint64_t begin = i * t->step_ns, end = begin + t->step_ns;
        uint64_t part = (to < end ? to : end) - (from > begin ? from : begin);
        values[i] += to > from ? amount * (double)part / (double)(to - from) : amount;
    }
}

void dsr_timeline_tokens(struct dsr_timeline *t, uint64_t from_ns, uint64_t to_ns, double tokens)
{
    spread(t, t->tokens, from_ns, to_ns, tokens);
}

void dsr_timeline_request(struct dsr_timeline *t, uint64_t from_ns, uint64_t to_ns)
{
    spread(t, t->busy, from_ns, to_ns, (double)(to_ns - from_ns) / 1e9);
}

json_t *dsr_timeline_json(const struct dsr_timeline *t)
{
    double step_s = (double)t->step_ns / 1e9;
    json_t *tokens = json_array(), *busy = json_array();
    for (size_t i = 0; i < t->n; i++) {
        json_array_append_new(tokens, json_real(t->tokens[i] / step_s));
        json_array_append_new(busy, json_real(t->busy[i] / step_s));
    }
    return json_pack("{s:f, s:o, s:o}", "step_s", step_s, "tokens_per_s", tokens, "in_flight",
                     busy);
}
