/* The figures of an eval job, as eval, regrade and merge print them. */
#include "core/cli/cli.h"

#include <math.h>

/* Prices of all providers are told in one currency. */
static json_t *score_json(const struct dsr_score *s)
{
    json_t *json = json_pack(
        "{s:s, s:s, s:I, s:I, s:I, s:I, s:o, s:[o, o], s:o, s:o, s:o, s:o}", "provider",
        s->provider, "dataset", s->dataset, "asked", (json_int_t)s->asked, "answered",
        (json_int_t)s->answered, "correct", (json_int_t)s->correct, "errors", (json_int_t)s->errors,
        "accuracy", dsr_json_real(dsr_score_accuracy(s)), "ci95",
        dsr_json_real(100 * s->share.ci.lo), dsr_json_real(100 * s->share.ci.hi), "stderr",
        dsr_json_real(100 * s->share.error), "macro_accuracy", dsr_json_real(s->macro), "groups",
        dsr_score_groups(s), "categories", dsr_score_tags(s));
    json_t *more = json_pack("{s:I, s:I, s:I, s:I, s:I, s:b, s:i, s:o, s:o, s:I, s:I, s:o, s:s}",
                             "wrong", (json_int_t)s->wrong, "truncated", (json_int_t)s->truncated,
                             "refused", (json_int_t)s->refused, "empty", (json_int_t)s->empty,
                             "reused", (json_int_t)s->reused, "over_budget", s->over_budget,
                             "repeats", s->repeats, "pass_at", dsr_score_pass_at(s), "maj_at",
                             dsr_json_real(s->maj_at), "input_tokens", (json_int_t)s->input_tokens,
                             "output_tokens", (json_int_t)s->output_tokens, "cost",
                             dsr_json_real(s->cost), "currency", s->currency);
    json_object_update(json, more);
    json_decref(more);
    return json;
}

static void print_json(const struct dsr_eval_result *r)
{
    json_t *results = json_array();
    for (size_t i = 0; i < r->n; i++)
        json_array_append_new(results, score_json(&r->scores[i]));
    json_t *root = json_pack("{s:i, s:s, s:s, s:s, s:o}", "schema", 1, "job", r->job, "model",
                             r->model, "grader", r->grader, "results", results);
    dsr_print_json(root);
    json_decref(root);
}

static void print_table(const struct dsr_eval_result *r, enum dsr_format format)
{
    static const char *const columns[] = {"PROVIDER", "DATASET", "ASKED", "CORRECT", "WRONG",
                                          "TRUNC",    "REFUSED", "EMPTY", "ERRORS",  "ACC",
                                          "LO95",     "HI95",    "MACRO", "COST",    "CURRENCY"};
    struct dsr_table *table = dsr_table_new(columns, DSR_COUNT(columns), format);
    for (size_t i = 0; table && i < r->n; i++) {
        const struct dsr_score *s = &r->scores[i];
        char b[12][32];
        const char *cells[] = {s->provider,
                               s->dataset,
                               dsr_cell(b[0], 32, (double)s->asked, 0),
                               dsr_cell(b[1], 32, (double)s->correct, 0),
                               dsr_cell(b[2], 32, (double)s->wrong, 0),
                               dsr_cell(b[3], 32, (double)s->truncated, 0),
                               dsr_cell(b[4], 32, (double)s->refused, 0),
                               dsr_cell(b[5], 32, (double)s->empty, 0),
                               dsr_cell(b[6], 32, (double)s->errors, 0),
                               dsr_cell(b[7], 32, dsr_score_accuracy(s), 1),
                               dsr_cell(b[8], 32, 100 * s->share.ci.lo, 1),
                               dsr_cell(b[9], 32, 100 * s->share.ci.hi, 1),
                               dsr_cell(b[10], 32, s->macro, 1),
                               dsr_cell(b[11], 32, s->cost, 4),
                               s->currency};
        dsr_table_row(table, cells);
    }
    dsr_table_print(table);
}

/* What a table has no column for: repeats and stopped providers. */
static void print_notes(const struct dsr_eval_result *r)
{
    for (size_t i = 0; i < r->n; i++) {
        const struct dsr_score *s = &r->scores[i];
        if (s->repeats > 1)
            printf("%s, %s: avg@%d %.1f (standard error %.1f), pass@%d %.1f, maj@%d %.1f\n",
                   s->provider, s->dataset, s->repeats, dsr_score_accuracy(s), 100 * s->share.error,
                   s->repeats, s->pass_at[s->repeats - 1], s->repeats, s->maj_at);
        if (s->over_budget)
            printf("%s, %s: stopped by its budget; only what was asked is counted\n", s->provider,
                   s->dataset);
    }
}

int dsr_result_print(const struct dsr_eval_result *r, enum dsr_format format)
{
    if (format == DSR_FORMAT_JSON)
        print_json(r);
    else
        print_table(r, format);
    if (format == DSR_FORMAT_TABLE)
        print_notes(r);
    if (r->interrupted)
        return 130;
    for (size_t i = 0; i < r->n; i++)
        if (r->scores[i].answered < r->scores[i].asked)
            return 1;
    return r->n ? 0 : 1;
}
