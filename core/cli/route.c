/* dsr-run route */
#include "core/cli/cli.h"
#include "core/metric/ranking.h"
#include "core/metric/snapshot.h"

struct args {
    struct dsr_globals *globals;
    const char *requirement, *router, *model, *currency, *since, *until, *data_dir;
    bool explain;
};

enum { OPT_ROUTER = 256, OPT_CURRENCY, OPT_SINCE, OPT_UNTIL, OPT_DATA_DIR, OPT_EXPLAIN };

static const struct argp_option options[] = {
    {"requirement", 'r', "FILE", 0, "filters and order (JSON)", 0},
    {"router", OPT_ROUTER, "NAME", 0, "router plugin (default requirement)", 0},
    {"model", 'm', "MODEL", 0, "model code (default: the first of perf_models in cron.json)", 0},
    {"currency", OPT_CURRENCY, "CODE", 0, "currency of prices and cost (default CNY)", 0},
    {"since", OPT_SINCE, "TIME", 0, "leave out older results: 2026-01-31, RFC 3339, or 7d", 0},
    {"until", OPT_UNTIL, "TIME", 0, "leave out results from this time on", 0},
    {"data-dir", OPT_DATA_DIR, "DIR", 0, "read perf_results.csv and benchmark_results.csv here", 0},
    {"explain", OPT_EXPLAIN, NULL, 0, "say why each provider was left out or placed", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct args *a = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = a->globals;
        return 0;
    case 'r':
        a->requirement = arg;
        return 0;
    case OPT_ROUTER:
        a->router = arg;
        return 0;
    case 'm':
        a->model = arg;
        return 0;
    case OPT_CURRENCY:
        a->currency = arg;
        return 0;
    case OPT_SINCE:
        a->since = arg;
        return 0;
    case OPT_UNTIL:
        a->until = arg;
        return 0;
    case OPT_DATA_DIR:
        a->data_dir = arg;
        return 0;
    case OPT_EXPLAIN:
        a->explain = true;
        return 0;
    case ARGP_KEY_END:
        if (!a->requirement)
            argp_error(state, "--requirement FILE is missing");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int parse_time(const char *option, const char *text, int64_t *us, struct dsr_error *err)
{
    *us = 0;
    if (!text || !dsr_time_parse(text, dsr_clock_wall_us(), us))
        return 0;
    return dsr_error_set(err, DSR_EUSAGE,
                         "--%s: \"%s\" is no time; write 2026-01-31, 2026-01-31T12:00:00Z or 7d",
                         option, text);
}

static int fill_snapshot(struct dsr_ctx *ctx, const struct args *a, const char *model,
                         struct dsr_snapshot *snapshot, struct dsr_error *err)
{
    int64_t since, until;
    struct dsr_store store;
    struct dsr_error closing;
    int rc = parse_time("since", a->since, &since, err);
    if (!rc)
        rc = parse_time("until", a->until, &until, err);
    if (!rc)
        rc = dsr_snapshot_init(snapshot, &ctx->settings, model, a->currency, err);
    if (rc)
        return rc;
    rc = dsr_results_open(&store, ctx->registry, &ctx->settings, a->data_dir, DSR_STORE_READ, err);
    if (!rc) {
        rc = dsr_snapshot_read(snapshot, store.ops, store.state, model, since, until, err);
        dsr_store_close(&store, &closing);
    }
    if (rc)
        dsr_snapshot_clear(snapshot);
    else
        dsr_snapshot_seal(snapshot);
    return rc;
}

static int rank(struct dsr_ctx *ctx, const struct args *a, const struct dsr_snapshot *snapshot,
                struct dsr_ranking *ranking, struct dsr_error *err)
{
    struct dsr_doc doc;
    int rc = dsr_doc_load(&doc, a->requirement, ctx->host, err);
    if (rc)
        return rc;
    const struct dsr_router_ops *ops =
        dsr_registry_ops(ctx->registry, DSR_KIND_ROUTER, a->router, err);
    rc = ops ? dsr_ranking_make(ranking, ops, doc.root, snapshot->list, snapshot->n, ctx->host, err)
             : err->code;
    if (ops && rc)
        dsr_doc_locate(&doc, err);
    dsr_doc_clear(&doc);
    return rc;
}

static void print_json(const struct args *a, const char *model, const struct dsr_snapshot *snapshot,
                       const struct dsr_ranking *r)
{
    DSR_AUTO(json) json_t *root = dsr_ranking_json(r, snapshot->list, model, a->currency);
    dsr_print_json(root);
}

/* "ttft avg 0.812" for each value that was used. */
static void describe(const json_t *used, struct dsr_buf *text)
{
    const char *metric, *stat;
    json_t *stats, *value;
    json_object_foreach((json_t *)used, metric, stats)
    {
        json_object_foreach(stats, stat, value)
        {
            dsr_buf_addf(text, "%s%s %s ", text->len ? ", " : "", metric, stat);
            if (json_is_number(value))
                dsr_buf_addf(text, "%.4g", json_number_value(value));
            else
                dsr_buf_adds(text, "unknown");
        }
    }
}

static void print_table(const struct args *a, const struct dsr_snapshot *snapshot,
                        const struct dsr_ranking *r)
{
    static const char *const columns[] = {"RANK", "PROVIDER", "NAME", "FIGURES"};
    struct dsr_table *table = dsr_table_new(columns, 4, a->globals->format);
    for (size_t k = 0; table && k < r->n_matched; k++) {
        size_t i = r->order[k];
        struct dsr_buf text = {0};
        char rank[16];
        snprintf(rank, sizeof rank, "%zu", k + 1);
        describe(r->used[i], &text);
        const char *cells[] = {rank, snapshot->list[i]->provider,
                               dsr_json_string(snapshot->services[i]->json, "name", ""), text.data};
        dsr_table_row(table, cells);
        dsr_buf_clear(&text);
    }
    dsr_table_print(table);
}

static void print_failed(const struct dsr_snapshot *snapshot, const struct dsr_ranking *r)
{
    for (size_t i = 0; i < r->n; i++) {
        size_t k;
        json_t *f;
        json_array_foreach(r->failed[i], k, f)
        {
            const char *bound = json_object_get(f, "min") ? "min" : "max";
            const json_t *value = json_object_get(f, "value");
            char number[32] = "unknown";
            if (json_is_number(value))
                snprintf(number, sizeof number, "%.4g", json_number_value(value));
            printf("%s is left out: %s (%s) is %s, %s is %.4g\n", snapshot->list[i]->provider,
                   dsr_json_string(f, "metric", ""), dsr_json_string(f, "stat", ""), number, bound,
                   dsr_json_number(f, bound));
        }
    }
}

static void print_why(const struct dsr_snapshot *snapshot, const struct dsr_ranking *r)
{
    for (size_t k = 0; k < r->n_matched; k++) {
        size_t i = r->order[k], j;
        json_t *text;
        json_array_foreach(r->why[i], j, text)
            printf("%s: %s\n", snapshot->list[i]->provider, json_string_value(text));
    }
    print_failed(snapshot, r);
}

static int work(struct dsr_ctx *ctx, void *args, int *status, struct dsr_error *err)
{
    const struct args *a = args;
    enum dsr_format format = a->globals->format;
    struct dsr_snapshot snapshot = {0};
    struct dsr_ranking ranking = {0};
    const char *model = dsr_settings_model(&ctx->settings, a->model, err);
    int rc = model ? fill_snapshot(ctx, a, model, &snapshot, err) : err->code;
    if (!rc)
        rc = rank(ctx, a, &snapshot, &ranking, err);
    if (!rc) {
        *status = ranking.n_matched ? 0 : 1;
        if (format == DSR_FORMAT_JSON)
            print_json(a, model, &snapshot, &ranking);
        else
            print_table(a, &snapshot, &ranking);
        if (a->explain && format == DSR_FORMAT_TABLE)
            print_why(&snapshot, &ranking);
        if (!ranking.n_matched)
            dsr_host_log(ctx->host, DSR_LOG_WARN, "no provider matches; --explain says why");
    }
    dsr_ranking_clear(&ranking);
    dsr_snapshot_clear(&snapshot);
    return rc;
}

int dsr_cmd_route(struct dsr_globals *globals, int argc, char **argv)
{
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .doc = "Ranks the providers of a model by a requirement file. Exit status: 0 done, 1 "
               "nothing matched, 2 usage or configuration, 3 storage.",
        .children = dsr_globals_child,
    };
    struct args a = {.globals = globals, .router = "requirement", .currency = "CNY"};
    return dsr_command_run(&argp, 0, argc, argv, globals, &a, work);
}
