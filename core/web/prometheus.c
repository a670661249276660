/* /metrics: the figures in Prometheus' text format. */
#include "core/web/server.h"

#include <math.h>
#include <microhttpd.h>

static const struct {
    const char *metric, *name, *help;
} exported[] = {
    {"ttft", "dsr_ttft_seconds", "Time to first token."},
    {"ttfa", "dsr_ttfa_seconds", "Time to the first token of the answer."},
    {"itl", "dsr_itl_seconds", "Gap between events with tokens."},
    {"total", "dsr_request_duration_seconds", "Time to the last token."},
    {"prefill", "dsr_prefill_tokens_per_second", "Input tokens by time to first token."},
    {"decode", "dsr_decode_tokens_per_second", "Output tokens by time after the first one."},
    {"otps", "dsr_output_tokens_per_second", "Output tokens by total time."},
    {"otpr", "dsr_output_tokens", "Output tokens of a request."},
    {"success", "dsr_success_ratio", "Share of requests that succeeded."},
    {"gpqa", "dsr_gpqa_percent", "Accuracy on GPQA."},
    {"aime2024", "dsr_aime2024_percent", "Accuracy on AIME 2024."},
    {"ceval", "dsr_ceval_percent", "Accuracy on C-Eval."},
    {"mmlu", "dsr_mmlu_percent", "Accuracy on MMLU."},
    {"livecodebench", "dsr_livecodebench_percent", "Accuracy on LiveCodeBench."},
    {"input_price", "dsr_input_price_per_million", "List price of input tokens."},
    {"output_price", "dsr_output_price_per_million", "List price of output tokens."},
};

static void add_label(struct dsr_buf *out, const char *name, const char *value)
{
    dsr_buf_addf(out, "%s=\"", name);
    for (; *value; value++) {
        char c[2] = {*value, 0};
        dsr_buf_adds(out, *value == '\n'   ? "\\n"
                          : *value == '"'  ? "\\\""
                          : *value == '\\' ? "\\\\"
                                           : c);
    }
    dsr_buf_adds(out, "\"");
}

static void add_sample(struct dsr_buf *out, const struct dsr_view *view, size_t i, size_t m,
                       const char *stat)
{
    double value = dsr_candidate_value(view->snapshot.list[i], exported[m].metric, stat);
    if (!isfinite(value))
        return;
    dsr_buf_addf(out, "%s{", exported[m].name);
    add_label(out, "model", view->model);
    dsr_buf_adds(out, ",");
    add_label(out, "provider", view->snapshot.list[i]->provider);
    dsr_buf_addf(out, ",stat=\"%s\"} %.12g\n", stat, value);
}

static void add_counts(struct dsr_buf *out, const struct dsr_view *view)
{
    dsr_buf_adds(out, "# HELP dsr_measured_requests Requests that the figures stand on.\n"
                      "# TYPE dsr_measured_requests gauge\n");
    for (size_t i = 0; i < view->snapshot.n; i++) {
        dsr_buf_adds(out, "dsr_measured_requests{");
        add_label(out, "model", view->model);
        dsr_buf_adds(out, ",");
        add_label(out, "provider", view->snapshot.list[i]->provider);
        dsr_buf_addf(out, "} %lld\n", (long long)view->snapshot.list[i]->figures.requests);
    }
}

void dsr_api_metrics_text(const struct dsr_request *request, struct dsr_reply *reply)
{
    static const char *const stats[] = {"avg", "median", "p90", "p99"};
    struct dsr_error err;
    struct dsr_view *view =
        dsr_data_view(request->data, dsr_request_value(request, "model"), NULL, 0, &err);
    struct dsr_buf *out = &reply->body;
    reply->type = "text/plain; version=0.0.4; charset=utf-8";
    dsr_buf_addf(out,
                 "# HELP dsr_http_requests_total Requests that this server answered.\n"
                 "# TYPE dsr_http_requests_total counter\ndsr_http_requests_total %llu\n"
                 "# HELP dsr_up Whether the results can be read.\n# TYPE dsr_up gauge\ndsr_up %d\n",
                 (unsigned long long)dsr_server_requests(), view != NULL);
    if (!view)
        return;
    for (size_t m = 0; m < DSR_COUNT(exported); m++) {
        bool many =
            strstr(exported[m].name, "second") != NULL || !strcmp(exported[m].metric, "otpr");
        dsr_buf_addf(out, "# HELP %s %s\n# TYPE %s gauge\n", exported[m].name, exported[m].help,
                     exported[m].name);
        for (size_t i = 0; i < view->snapshot.n; i++)
            for (size_t k = 0; k < (many ? DSR_COUNT(stats) : 1); k++)
                add_sample(out, view, i, m, stats[k]);
    }
    add_counts(out, view);
    dsr_view_release(request->data, view);
}
