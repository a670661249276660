/* Pairing the answers of two providers to the same questions. */
#include "core/run/compare.h"
#include "core/run/score.h"

#include <math.h>
#include <uthash.h>

/* One side of the comparison. */
struct side {
    char provider[64], job[37];
    int64_t time_us; /* of the job */
    struct dsr_score score;
};

struct finding {
    const char *dataset;
    struct side *sides;
};

/* The newest benchmark record of each side names its job. */
static int take_figure(void *arg, const struct dsr_record *record, struct dsr_error *err)
{
    struct finding *f = arg;
    (void)err;
    if (record->kind != DSR_RECORD_BENCHMARK ||
        strcmp(dsr_json_string(record->body, "dataset", ""), f->dataset))
        return 0;
    for (size_t i = 0; i < 2; i++)
        if (!strcmp(f->sides[i].provider, record->provider) &&
            record->time_us >= f->sides[i].time_us) {
            f->sides[i].time_us = record->time_us;
            snprintf(f->sides[i].job, sizeof f->sides[i].job, "%s", record->job);
        }
    return 0;
}

struct reading {
    struct side *side;
    const char *dataset;
};

static int take_answer(void *arg, const struct dsr_record *record, struct dsr_error *err)
{
    static const struct dsr_prices none = {NAN, NAN, NAN};
    struct reading *r = arg;
    if (record->kind != DSR_RECORD_ANSWER || strcmp(record->provider, r->side->provider) ||
        strcmp(dsr_json_string(record->body, "dataset", ""), r->dataset))
        return 0;
    return dsr_score_put(&r->side->score, record->body, &none) ? dsr_error_nomem(err) : 0;
}

static int read_side(const struct dsr_comparing *c, struct side *side, struct dsr_error *err)
{
    struct reading reading = {side, c->dataset};
    struct dsr_query query = {.size = sizeof query,
                              .kind = DSR_RECORD_ANSWER,
                              .job = side->job,
                              .provider = side->provider};
    if (!side->job[0])
        return dsr_error_set(err, DSR_EUSAGE,
                             "no whole run of %s on %s is stored; dsr-run eval makes one, --job "
                             "names one",
                             side->provider, c->dataset);
    int rc = c->scan(c->store, &query, take_answer, &reading, err);
    if (!rc && dsr_score_seal(&side->score))
        rc = dsr_error_nomem(err);
    if (!rc && !side->score.answered)
        rc = dsr_error_set(err, DSR_EUSAGE, "job %s holds no answer of %s to %s", side->job,
                           side->provider, c->dataset);
    return rc;
}

static int read_sides(const struct dsr_comparing *c, struct side *sides, struct dsr_error *err)
{
    struct finding finding = {.dataset = c->dataset, .sides = sides};
    struct dsr_query query = {
        .size = sizeof query, .kind = DSR_RECORD_BENCHMARK, .model = c->model};
    int rc = 0;
    for (size_t i = 0; i < 2 && c->job; i++)
        snprintf(sides[i].job, sizeof sides[i].job, "%s", c->job);
    if (!c->job)
        rc = c->scan(c->store, &query, take_figure, &finding, err);
    for (size_t i = 0; i < 2 && !rc; i++)
        rc = read_side(c, &sides[i], err);
    return rc;
}

struct counted { /* one question of the first side */
    const char *item;
    int64_t answered, correct;
    UT_hash_handle hh;
};

struct matching {
    struct counted *first;
    int64_t k, *a, *b;
    size_t n, left_out;
    bool failed;
};

static void take_first(void *arg, const char *item, int64_t answered, int64_t correct)
{
    struct matching *m = arg;
    struct counted *c = calloc(1, sizeof *c);
    m->failed |= !c;
    if (!c)
        return;
    c->item = item;
    c->answered = answered;
    c->correct = correct;
    HASH_ADD_KEYPTR(hh, m->first, c->item, strlen(c->item), c);
}

/* Questions that either did not answer as often are left out. */
static void take_second(void *arg, const char *item, int64_t answered, int64_t correct)
{
    struct matching *m = arg;
    struct counted *c;
    HASH_FIND_STR(m->first, item, c);
    if (!c || c->answered < m->k || answered < m->k)
        return;
    m->a[m->n] = c->correct;
    m->b[m->n++] = correct;
}

static int pair_up(const struct side *sides, uint64_t seed, struct dsr_pairing *pairing,
                   struct matching *m, struct dsr_error *err)
{
    const struct dsr_score *a = &sides[0].score, *b = &sides[1].score;
    size_t most = a->questions > b->questions ? a->questions : b->questions;
    memset(m, 0, sizeof *m);
    m->k = a->repeats < b->repeats ? a->repeats : b->repeats;
    m->a = calloc(most + 1, sizeof *m->a);
    m->b = calloc(most + 1, sizeof *m->b);
    m->failed = !m->a || !m->b;
    if (!m->failed)
        dsr_score_each(a, (int)m->k, take_first, m);
    if (!m->failed)
        dsr_score_each(b, (int)m->k, take_second, m);
    m->left_out = most - m->n;
    if (m->failed || dsr_pair(m->a, m->b, m->n, m->k, seed, pairing))
        return dsr_error_nomem(err);
    return m->n ? 0
                : dsr_error_set(err, DSR_EUSAGE, "%s and %s answered no question both",
                                sides[0].provider, sides[1].provider);
}

static void matching_clear(struct matching *m)
{
    struct counted *c, *next;
    HASH_ITER(hh, m->first, c, next)
    {
        HASH_DEL(m->first, c);
        free(c);
    }
    free(m->a);
    free(m->b);
}

static double share(const int64_t *correct, const struct matching *m)
{
    double sum = 0;
    for (size_t i = 0; i < m->n; i++)
        sum += (double)correct[i];
    return 100 * sum / (double)m->n / (double)m->k;
}

/* Who, by how much, how sure, and what it would take to know. */
static char *sentence(const char *dataset, const struct side *sides, const struct dsr_pairing *p,
                      const struct matching *m)
{
    struct dsr_buf text = {0};
    bool first = p->difference >= 0;
    const char *better = sides[first ? 0 : 1].provider, *other = sides[first ? 1 : 0].provider;
    double lo = 100 * (first ? p->ci.lo : -p->ci.hi), hi = 100 * (first ? p->ci.hi : -p->ci.lo);
    double by = 100 * fabs(p->difference);
    if (p->difference == 0)
        dsr_buf_addf(&text, "%s and %s did equally well on %s: %.1f%% of %zu questions each",
                     better, other, dataset, share(m->a, m), m->n);
    else
        dsr_buf_addf(&text,
                     "%s %s better than %s on %s: %.1f%% against %.1f%% of %zu questions, "
                     "%.1f points more",
                     better, p->p < 0.05 ? "is" : "was", other, dataset,
                     share(first ? m->a : m->b, m), share(first ? m->b : m->a, m), m->n, by);
    dsr_buf_addf(&text, " (95%% interval %.1f to %.1f, p = %.4f). ", lo, hi, p->p);
    if (p->p < 0.05)
        dsr_buf_adds(&text, "That is unlikely to be chance.");
    else if (isnan(p->needed))
        dsr_buf_adds(&text, "No difference is to be seen.");
    else
        dsr_buf_addf(&text,
                     "That may be chance: to tell a difference of this size, about %.0f questions "
                     "would be needed.",
                     p->needed);
    return text.data;
}

static json_t *side_json(const struct side *side, double accuracy)
{
    return json_pack("{s:s, s:s, s:o}", "provider", side->provider, "job", side->job, "accuracy",
                     dsr_json_real(accuracy));
}

static json_t *comparison_json(const char *dataset, const struct side *sides,
                               const struct dsr_pairing *p, const struct matching *m,
                               const char *text)
{
    return json_pack(
        "{s:i, s:s, s:[o, o], s:I, s:I, s:I, s:I, s:I, s:o, s:[o, o], s:o, s:s, s:o, s:s}",
        "schema", 1, "dataset", dataset, "sides", side_json(&sides[0], share(m->a, m)),
        side_json(&sides[1], share(m->b, m)), "questions", (json_int_t)m->n, "left_out",
        (json_int_t)m->left_out, "repeats", (json_int_t)m->k, "only_first", (json_int_t)p->only_a,
        "only_second", (json_int_t)p->only_b, "difference", dsr_json_real(100 * p->difference),
        "ci95", dsr_json_real(100 * p->ci.lo), dsr_json_real(100 * p->ci.hi), "p",
        dsr_json_real(p->p), "test", m->k == 1 ? "mcnemar_exact" : "sign_flip_exact",
        "questions_needed", dsr_json_real(p->needed), "sentence", text);
}

int dsr_compare(const struct dsr_comparing *c, json_t **found, struct dsr_error *err)
{
    struct side sides[2] = {0};
    struct dsr_pairing pairing;
    struct matching matching = {0};
    const char *comma = strchr(c->providers, ',');
    *found = NULL;
    if (!comma || strchr(comma + 1, ','))
        return dsr_error_set(err, DSR_EUSAGE, "two providers are compared: A,B");
    snprintf(sides[0].provider, sizeof sides[0].provider, "%.*s", (int)(comma - c->providers),
             c->providers);
    snprintf(sides[1].provider, sizeof sides[1].provider, "%s", comma + 1);
    int rc = read_sides(c, sides, err);
    if (!rc)
        rc = pair_up(sides, c->seed, &pairing, &matching, err);
    if (!rc) {
        DSR_AUTO(str) char *text = sentence(c->dataset, sides, &pairing, &matching);
        *found = comparison_json(c->dataset, sides, &pairing, &matching, text ? text : "");
        rc = *found ? 0 : dsr_error_nomem(err);
    }
    matching_clear(&matching);
    dsr_score_clear(&sides[0].score);
    dsr_score_clear(&sides[1].score);
    return rc;
}
