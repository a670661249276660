/* Tallies of one provider on one dataset. Accuracy is the micro average over all questions asked:
 * what was not answered counts as not correct. */
#include "core/run/score.h"

#include "core/metric/candidate.h"
#include "core/metric/stats.h"

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

void dsr_score_clear(struct dsr_score *score)
{
    for (size_t i = 0; i < score->n_groups; i++)
        free(score->groups[i].name);
    free(score->groups);
    free(score->provider);
    free(score->dataset);
    memset(score, 0, sizeof *score);
}

static struct dsr_tally *group_of(struct dsr_score *score, const char *name)
{
    for (size_t i = 0; i < score->n_groups; i++)
        if (!strcmp(score->groups[i].name, name))
            return &score->groups[i];
    struct dsr_tally *groups = realloc(score->groups, (score->n_groups + 1) * sizeof *groups);
    if (!groups)
        return NULL;
    score->groups = groups;
    groups[score->n_groups] = (struct dsr_tally){.name = strdup(name)};
    return groups[score->n_groups].name ? &groups[score->n_groups++] : NULL;
}

/* Adds to the total and, if there is one, to the group. */
static int count(struct dsr_score *score, const char *group, int64_t asked, int64_t answered,
                 int64_t correct, int64_t errors)
{
    struct dsr_tally *tallies[] = {&score->total, group ? group_of(score, group) : NULL};
    if (group && !tallies[1])
        return DSR_ENOMEM;
    for (size_t i = 0; i < 2; i++) {
        struct dsr_tally *t = tallies[i];
        if (!t)
            continue;
        t->asked += asked;
        t->answered += answered;
        t->correct += correct;
        t->errors += errors;
    }
    return 0;
}

int dsr_score_ask(struct dsr_score *score, const char *group)
{
    return count(score, group, 1, 0, 0, 0);
}

int dsr_score_error(struct dsr_score *score, const char *group)
{
    return count(score, group, 0, 0, 0, 1);
}

int dsr_score_answer(struct dsr_score *score, const char *group, const json_t *body,
                     const struct dsr_prices *prices)
{
    int64_t input = dsr_json_int(body, "input_tokens_billed", -1);
    int64_t output = dsr_json_int(body, "output_tokens_billed", -1);
    score->input_tokens += input > 0 ? input : 0;
    score->output_tokens += output > 0 ? output : dsr_json_int(body, "output_tokens", 0);
    score->cost += dsr_cost(prices, input, output, dsr_json_int(body, "cached_tokens_billed", -1));
    return count(score, group, 0, 1, json_is_true(json_object_get(body, "correct")), 0);
}

double dsr_tally_accuracy(const struct dsr_tally *tally)
{
    return tally->answered ? 100.0 * (double)tally->correct / (double)tally->asked : NAN;
}

double dsr_score_macro(const struct dsr_score *score)
{
    double sum = 0;
    for (size_t i = 0; i < score->n_groups; i++)
        if (score->groups[i].asked)
            sum += 100.0 * (double)score->groups[i].correct / (double)score->groups[i].asked;
    return score->n_groups && score->total.answered ? sum / (double)score->n_groups : NAN;
}

json_t *dsr_score_groups(const struct dsr_score *score)
{
    json_t *groups = json_object();
    for (size_t i = 0; groups && i < score->n_groups; i++) {
        const struct dsr_tally *t = &score->groups[i];
        json_object_set_new(groups, t->name,
                            json_pack("{s:I, s:I, s:o}", "asked", (json_int_t)t->asked, "correct",
                                      (json_int_t)t->correct, "accuracy",
                                      dsr_json_real(dsr_tally_accuracy(t))));
    }
    return groups;
}

json_t *dsr_score_record(const struct dsr_score *score, const char *model, const char *benchmark,
                         const char *grader, int64_t start_us)
{
    char start[DSR_TIME_SIZE];
    dsr_time_format(start_us, start);
    const struct dsr_tally *t = &score->total;
    return json_pack("{s:s, s:s, s:s, s:s, s:b, s:s, s:s, s:o, s:s, s:I, s:I, s:I, s:I, s:o, s:s}",
                     "provider", score->provider, "model", model, "benchmark", benchmark, "dataset",
                     score->dataset, "success", t->answered > 0, "metric", "accuracy", "stat",
                     "average", "value", dsr_json_real(dsr_tally_accuracy(t)), "start_time", start,
                     "asked", (json_int_t)t->asked, "answered", (json_int_t)t->answered, "correct",
                     (json_int_t)t->correct, "errors", (json_int_t)t->errors, "groups",
                     dsr_score_groups(score), "grader", grader);
}
