/* JSON lines: the record as it is stored. CSV: its plain values. */
#include "core/run/export.h"

#include <csv.h>
#include <errno.h>

static const char *const columns[] = {"job",
                                      "key",
                                      "provider",
                                      "model",
                                      "prompt_type",
                                      "start_time",
                                      "end_time",
                                      "success",
                                      "error",
                                      "http_status",
                                      "ttft",
                                      "ttfa",
                                      "total_time",
                                      "queue_s",
                                      "ttft_due",
                                      "total_due",
                                      "dns_s",
                                      "connect_s",
                                      "tls_s",
                                      "input_tokens",
                                      "output_tokens",
                                      "reasoning_tokens",
                                      "input_tokens_billed",
                                      "output_tokens_billed",
                                      "cached_tokens_billed",
                                      "token_source",
                                      "finish_reason"};

struct dsr_export {
    FILE *file;
    char *path;
    bool csv;
};

static bool ends_in(const char *path, const char *end)
{
    size_t n = strlen(path), m = strlen(end);
    return n > m && !strcmp(path + n - m, end);
}

static void put_header(struct dsr_export *out)
{
    for (size_t i = 0; i < DSR_COUNT(columns); i++)
        fprintf(out->file, "%s%s", i ? "," : "", columns[i]);
    fputs("\r\n", out->file);
}

int dsr_export_open(struct dsr_export **result, const char *path, bool more, struct dsr_error *err)
{
    bool csv = ends_in(path, ".csv");
    if (!csv && !ends_in(path, ".jsonl"))
        return dsr_error_set(err, DSR_EUSAGE, "--export: \"%s\" ends neither in .jsonl nor in .csv",
                             path);
    struct dsr_export *out = calloc(1, sizeof *out);
    if (!out || !(out->path = strdup(path))) {
        free(out);
        return dsr_error_nomem(err);
    }
    out->csv = csv;
    out->file = fopen(path, more ? "ae" : "we");
    if (!out->file) {
        free(out->path);
        free(out);
        return dsr_error_file(err, DSR_EUSAGE, path, 0, "can't be written: %s", strerror(errno));
    }
    if (csv && !more)
        put_header(out);
    *result = out;
    return 0;
}

static void put_cell(FILE *file, const json_t *value)
{
    const char *text = json_string_value(value);
    DSR_AUTO(str) char *safe = text ? dsr_format("%s%s", dsr_csv_guard(text), text) : NULL;
    if (safe)
        csv_fwrite(file, safe, strlen(safe));
    else if (json_is_real(value))
        fprintf(file, "%.9g", json_real_value(value));
    else if (json_is_integer(value))
        fprintf(file, "%lld", (long long)json_integer_value(value));
    else if (json_is_boolean(value))
        fputs(json_is_true(value) ? "true" : "false", file);
}

void dsr_export_put(struct dsr_export *out, const char *job, const char *key, const json_t *body)
{
    DSR_AUTO(json) json_t *record = json_pack("{s:s, s:s}", "job", job, "key", key);
    json_object_update(record, (json_t *)body);
    if (!out->csv) {
        json_dumpf(record, out->file, JSON_COMPACT | JSON_REAL_PRECISION(12));
        fputc('\n', out->file);
        return;
    }
    for (size_t i = 0; i < DSR_COUNT(columns); i++) {
        if (i)
            fputc(',', out->file);
        put_cell(out->file, json_object_get(record, columns[i]));
    }
    fputs("\r\n", out->file);
}

int dsr_export_close(struct dsr_export *out, struct dsr_error *err)
{
    if (!out)
        return 0;
    bool bad = ferror(out->file) != 0;
    bad = fclose(out->file) || bad;
    int rc = bad ? dsr_error_file(err, DSR_EIO, out->path, 0, "can't be written") : 0;
    free(out->path);
    free(out);
    return rc;
}
