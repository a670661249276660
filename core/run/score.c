/* Scores. Accuracy is the micro average over all questions asked: what was not answered counts as
 * not correct. */
#include "core/run/score.h"

#include "core/metric/candidate.h"
#include "core/run/outcome.h"

#include <math.h>

int dsr_score_init(struct dsr_score *score, const char *provider, const char *dataset,
                   const struct dsr_prices *prices, const char *currency)
{
    memset(score, 0, sizeof *score);
    score->provider = strdup(provider);
    score->dataset = strdup(dataset);
    score->cost = isnan(prices->input) || isnan(prices->output) ? NAN : 0;
    snprintf(score->currency, sizeof score->currency, "%s", currency);
    return score->provider && score->dataset ? 0 : DSR_ENOMEM;
}

static void tallies_free(struct dsr_tally **tallies, size_t *n)
{
    for (size_t i = 0; i < *n; i++)
        free((*tallies)[i].name);
    free(*tallies);
    *tallies = NULL;
    *n = 0;
}

void dsr_score_clear(struct dsr_score *score)
{
    tallies_free(&score->groups, &score->n_groups);
    tallies_free(&score->tags, &score->n_tags);
    dsr_outcomes_free(&score->outcomes);
    free(score->pass_at);
    free(score->provider);
    free(score->dataset);
    memset(score, 0, sizeof *score);
}

int dsr_score_expect(struct dsr_score *score, const char *item, int repeat, const char *group,
                     const json_t *tags)
{
    struct dsr_outcome *o = dsr_outcome_get(&score->outcomes, item, group, tags);
    struct dsr_try *t = o ? dsr_outcome_try(o, repeat) : NULL;
    if (!t)
        return DSR_ENOMEM;
    if (t->fate == DSR_FATE_NONE)
        t->fate = DSR_FATE_EXPECTED;
    return 0;
}

double dsr_answer_cost(const json_t *body, const struct dsr_prices *prices)
{
    int64_t input = dsr_json_int(body, "input_tokens_billed", -1);
    int64_t output = dsr_json_int(body, "output_tokens_billed", -1);
    if (json_object_get(body, "reused_from"))
        return 0;
    return dsr_cost(prices, input, output >= 0 ? output : dsr_json_int(body, "output_tokens", -1),
                    dsr_json_int(body, "cached_tokens_billed", -1));
}

static void add_usage(struct dsr_score *score, const json_t *body, const struct dsr_prices *prices)
{
    int64_t input = dsr_json_int(body, "input_tokens_billed", -1);
    int64_t output = dsr_json_int(body, "output_tokens_billed", -1);
    score->input_tokens += input > 0 ? input : 0;
    score->output_tokens += output > 0 ? output : dsr_json_int(body, "output_tokens", 0);
    score->cost += dsr_answer_cost(body, prices);
}

int dsr_score_put(struct dsr_score *score, const json_t *body, const struct dsr_prices *prices)
{
    enum dsr_fate fate = dsr_fate_of(body);
    struct dsr_outcome *o =
        dsr_outcome_get(&score->outcomes, dsr_json_string(body, "item", ""),
                        dsr_json_string(body, "group", NULL), json_object_get(body, "tags"));
    struct dsr_try *t = o ? dsr_outcome_try(o, (int)dsr_json_int(body, "repeat", 0)) : NULL;
    if (!t)
        return DSR_ENOMEM;
    bool again = t->fate >= DSR_FATE_CORRECT;
    if (again && fate < DSR_FATE_CORRECT)
        return 0;
    t->fate = fate;
    if (fate < DSR_FATE_CORRECT)
        return 0;
    if (!again) {
        add_usage(score, body, prices);
        score->reused += json_object_get(body, "reused_from") != NULL;
    }
    free(t->extracted);
    t->extracted = strdup(dsr_json_string(body, "extracted", ""));
    return t->extracted ? 0 : DSR_ENOMEM;
}

static struct dsr_tally *tally_of(struct dsr_tally **tallies, size_t *n, const char *name)
{
    for (size_t i = 0; i < *n; i++)
        if (!strcmp((*tallies)[i].name, name))
            return &(*tallies)[i];
    struct dsr_tally *grown = realloc(*tallies, (*n + 1) * sizeof *grown);
    if (!grown)
        return NULL;
    *tallies = grown;
    grown[*n] = (struct dsr_tally){.name = strdup(name), .macro = NAN};
    return grown[*n].name ? &grown[(*n)++] : NULL;
}

static bool is_asked(const struct dsr_score *s, enum dsr_fate fate)
{
    return fate > DSR_FATE_EXPECTED || (fate == DSR_FATE_EXPECTED && !s->over_budget);
}

/* Adds one question to the totals, and tells how often it was asked and rightly answered. */
static void count(struct dsr_score *s, const struct dsr_outcome *o, int64_t *asked,
                  int64_t *correct)
{
    int64_t *const counts[] = {
        [DSR_FATE_ERROR] = &s->errors,    [DSR_FATE_CORRECT] = &s->correct,
        [DSR_FATE_WRONG] = &s->wrong,     [DSR_FATE_TRUNCATED] = &s->truncated,
        [DSR_FATE_REFUSED] = &s->refused, [DSR_FATE_EMPTY] = &s->empty};
    *asked = *correct = 0;
    for (int i = 0; i < o->n; i++) {
        enum dsr_fate fate = o->tries[i].fate;
        *asked += is_asked(s, fate);
        *correct += fate == DSR_FATE_CORRECT;
        s->answered += fate >= DSR_FATE_CORRECT;
        if (fate >= DSR_FATE_ERROR)
            (*counts[fate])++;
    }
    s->asked += *asked;
    s->repeats = *asked > s->repeats ? (int)*asked : s->repeats;
}

static int count_tally(struct dsr_tally **tallies, size_t *n, const char *name, int64_t asked,
                       int64_t correct)
{
    struct dsr_tally *t = tally_of(tallies, n, name);
    if (!t)
        return DSR_ENOMEM;
    t->asked += asked;
    t->correct += correct;
    return 0;
}

static double accuracy(int64_t correct, int64_t asked)
{
    return asked ? 100.0 * (double)correct / (double)asked : NAN;
}

/* The mean accuracy of the groups, as OpenCompass averages C-Eval. */
static double macro(const struct dsr_tally *groups, size_t n)
{
    double sum = 0, asked = 0;
    for (size_t i = 0; i < n; i++)
        if (groups[i].asked) {
            sum += accuracy(groups[i].correct, groups[i].asked);
            asked++;
        }
    return asked > 0 ? sum / asked : NAN;
}

static bool has_tag(const struct dsr_outcome *o, const char *tag)
{
    size_t i;
    json_t *name;
    json_array_foreach(o->tags, i, name)
    {
        if (json_is_string(name) && !strcmp(json_string_value(name), tag))
            return true;
    }
    return false;
}

/* A tag's macro average is over the groups of its questions. */
static int seal_tag(const struct dsr_score *s, struct dsr_tally *tag)
{
    struct dsr_tally *groups = NULL;
    size_t n = 0;
    int rc = 0;
    for (const struct dsr_outcome *o = s->outcomes; o && !rc; o = o->hh.next) {
        if (!o->group || !has_tag(o, tag->name))
            continue;
        for (int i = 0; i < o->n && !rc; i++)
            rc = count_tally(&groups, &n, o->group, is_asked(s, o->tries[i].fate),
                             o->tries[i].fate == DSR_FATE_CORRECT);
    }
    tag->macro = macro(groups, n);
    tallies_free(&groups, &n);
    return rc;
}

static int count_groups(struct dsr_score *s, const struct dsr_outcome *o, int64_t asked,
                        int64_t correct)
{
    size_t i;
    json_t *name;
    int rc =
        o->group && asked ? count_tally(&s->groups, &s->n_groups, o->group, asked, correct) : 0;
    json_array_foreach(o->tags, i, name)
    {
        if (json_is_string(name) && asked && !rc)
            rc = count_tally(&s->tags, &s->n_tags, json_string_value(name), asked, correct);
    }
    return rc;
}

/* pass@k over the questions that were asked k times or more. */
static int seal_repeats(struct dsr_score *s, const int64_t *correct, const int64_t *asked, size_t n)
{
    s->pass_at = s->repeats ? malloc((size_t)s->repeats * sizeof *s->pass_at) : NULL;
    if (s->repeats && !s->pass_at)
        return DSR_ENOMEM;
    for (int k = 1; k <= s->repeats; k++) {
        double sum = 0, counted = 0;
        for (size_t i = 0; i < n; i++)
            if (asked[i] >= k) {
                sum += dsr_pass_at(asked[i], correct[i], k);
                counted++;
            }
        s->pass_at[k - 1] = counted > 0 ? 100 * sum / counted : NAN;
    }
    double right = 0;
    for (const struct dsr_outcome *o = s->outcomes; o; o = o->hh.next)
        right += dsr_outcome_majority(o);
    s->maj_at = n ? 100 * right / (double)n : NAN;
    return 0;
}

static void reset(struct dsr_score *s)
{
    tallies_free(&s->groups, &s->n_groups);
    tallies_free(&s->tags, &s->n_tags);
    free(s->pass_at);
    s->pass_at = NULL;
    s->repeats = 0;
    s->asked = s->answered = s->correct = s->errors = 0;
    s->wrong = s->truncated = s->refused = s->empty = 0;
}

int dsr_score_seal(struct dsr_score *s)
{
    size_t n = 0, most = HASH_COUNT(s->outcomes);
    int64_t *correct = malloc((most + 1) * sizeof *correct);
    int64_t *asked = malloc((most + 1) * sizeof *asked);
    int rc = correct && asked ? 0 : DSR_ENOMEM;
    reset(s);
    for (const struct dsr_outcome *o = s->outcomes; o && !rc; o = o->hh.next) {
        count(s, o, &asked[n], &correct[n]);
        rc = count_groups(s, o, asked[n], correct[n]);
        n += asked[n] > 0;
    }
    for (size_t i = 0; i < s->n_tags && !rc; i++)
        rc = seal_tag(s, &s->tags[i]);
    if (!rc)
        rc = seal_repeats(s, correct, asked, n);
    s->questions = n;
    s->macro = s->answered ? macro(s->groups, s->n_groups) : NAN;
    s->share = dsr_share_clustered(correct, asked, rc || !s->answered ? 0 : n);
    free(correct);
    free(asked);
    return rc;
}

double dsr_score_accuracy(const struct dsr_score *s)
{
    return 100 * s->share.share;
}

static json_t *tallies_json(const struct dsr_tally *tallies, size_t n, bool tags)
{
    json_t *all = json_object();
    for (size_t i = 0; all && i < n; i++) {
        const struct dsr_tally *t = &tallies[i];
        json_t *one = json_pack("{s:I, s:I, s:o}", "asked", (json_int_t)t->asked, "correct",
                                (json_int_t)t->correct, "accuracy",
                                dsr_json_real(accuracy(t->correct, t->asked)));
        if (tags)
            json_object_set_new(one, "macro_accuracy", dsr_json_real(t->macro));
        json_object_set_new(all, t->name, one);
    }
    return all;
}

json_t *dsr_score_groups(const struct dsr_score *s)
{
    return tallies_json(s->groups, s->n_groups, false);
}

json_t *dsr_score_tags(const struct dsr_score *s)
{
    return tallies_json(s->tags, s->n_tags, true);
}

json_t *dsr_score_pass_at(const struct dsr_score *s)
{
    json_t *all = json_object();
    char key[16];
    for (int k = 1; s->repeats && k <= s->repeats;) {
        snprintf(key, sizeof key, "%d", k);
        json_object_set_new(all, key, dsr_json_real(s->pass_at[k - 1]));
        k = k < s->repeats && 2 * k > s->repeats ? s->repeats : 2 * k;
    }
    return all;
}

json_t *dsr_score_record(const struct dsr_score *s, const char *model, const char *benchmark,
                         const char *grader, int64_t start_us)
{
    char start[DSR_TIME_SIZE];
    dsr_time_format(start_us, start);
    json_t *body = json_pack("{s:s, s:s, s:s, s:s, s:b, s:s, s:s, s:o, s:s, s:o, s:s}", "provider",
                             s->provider, "model", model, "benchmark", benchmark, "dataset",
                             s->dataset, "success", s->answered > 0, "metric", "accuracy", "stat",
                             "average", "value", dsr_json_real(dsr_score_accuracy(s)), "start_time",
                             start, "groups", dsr_score_groups(s), "grader", grader);
    json_t *more = json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:i, s:o, s:o, s:I, s:I}", "asked",
        (json_int_t)s->asked, "answered", (json_int_t)s->answered, "correct",
        (json_int_t)s->correct, "errors", (json_int_t)s->errors, "wrong", (json_int_t)s->wrong,
        "truncated", (json_int_t)s->truncated, "refused", (json_int_t)s->refused, "empty",
        (json_int_t)s->empty, "questions", (json_int_t)s->questions, "effective",
        dsr_json_real(s->share.effective), "repeats", s->repeats, "pass_at", dsr_score_pass_at(s),
        "maj_at", dsr_json_real(s->maj_at), "input_tokens", (json_int_t)s->input_tokens,
        "output_tokens", (json_int_t)s->output_tokens);
    if (body)
        json_object_update(body, more);
    json_decref(more);
    return body;
}

void dsr_score_each(const struct dsr_score *s, int k, dsr_outcome_fn *visit, void *arg)
{
    for (const struct dsr_outcome *o = s->outcomes; o; o = o->hh.next) {
        int64_t answered = 0, correct = 0;
        for (int i = 0; i < o->n && answered < k; i++) {
            answered += o->tries[i].fate >= DSR_FATE_CORRECT;
            correct += o->tries[i].fate == DSR_FATE_CORRECT;
        }
        visit(arg, o->item, answered, correct);
    }
}
