/* dsr-run eval --estimate */
#include "core/cli/cli.h"
#include "core/run/estimate.h"

#include <math.h>

static void print_json(const struct dsr_estimate *list, size_t n)
{
    json_t *all = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(
            all, json_pack("{s:s, s:s, s:I, s:o, s:o, s:o, s:s, s:s}", "provider", list[i].provider,
                           "dataset", list[i].dataset, "requests", (json_int_t)list[i].requests,
                           "input_tokens", dsr_json_real(round(list[i].input_tokens)),
                           "output_tokens", dsr_json_real(round(list[i].output_tokens)), "cost",
                           dsr_json_real(list[i].cost), "currency", "CNY", "basis", list[i].basis));
    json_t *root = json_pack("{s:i, s:o}", "schema", 1, "estimates", all);
    dsr_print_json(root);
    json_decref(root);
}

static void print_table(const struct dsr_estimate *list, size_t n, enum dsr_format format)
{
    static const char *const columns[] = {"PROVIDER",      "DATASET", "REQUESTS", "INPUT_TOKENS",
                                          "OUTPUT_TOKENS", "COST",    "CURRENCY", "BASIS"};
    struct dsr_table *table = dsr_table_new(columns, DSR_COUNT(columns), format);
    for (size_t i = 0; table && i < n; i++) {
        char b[4][32];
        const char *cells[] = {list[i].provider,
                               list[i].dataset,
                               dsr_cell(b[0], 32, (double)list[i].requests, 0),
                               dsr_cell(b[1], 32, list[i].input_tokens, 0),
                               dsr_cell(b[2], 32, list[i].output_tokens, 0),
                               dsr_cell(b[3], 32, list[i].cost, 2),
                               "CNY",
                               list[i].basis};
        dsr_table_row(table, cells);
    }
    dsr_table_print(table);
}

int dsr_estimate_print(struct dsr_ctx *ctx, const struct dsr_eval_options *options,
                       enum dsr_format format, struct dsr_error *err)
{
    struct dsr_estimate *list;
    size_t n;
    int rc = dsr_eval_estimate(ctx, options, &list, &n, err);
    if (!rc && format == DSR_FORMAT_JSON)
        print_json(list, n);
    else if (!rc)
        print_table(list, n, format);
    dsr_estimates_free(list, n);
    return rc;
}
