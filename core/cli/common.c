/* Opening the context, telling errors, reading option values. */
#include "core/cli/cli.h"
#include "core/run/writer.h"

#include <math.h>

int dsr_ctx_open(struct dsr_ctx *ctx, const struct dsr_globals *globals, struct dsr_error *err)
{
    memset(ctx, 0, sizeof *ctx);
    enum dsr_level level = globals->verbose ? DSR_LOG_DEBUG
                           : globals->quiet ? DSR_LOG_WARN
                                            : DSR_LOG_INFO;
    ctx->quiet = globals->quiet;
    ctx->host = dsr_host_new(level, "dsr-run");
    if (!ctx->host)
        return dsr_error_nomem(err);
    int rc = dsr_settings_load(&ctx->settings, globals->config, globals->data, ctx->host, err);
    dsr_host_on_price(ctx->host, dsr_service_tell_price, &ctx->settings);
    if (!rc && dsr_host_set_state(ctx->host, ctx->settings.layout.state_dir))
        rc = dsr_error_nomem(err);
    if (!rc)
        rc = dsr_writer_offer(ctx, err);
    if (!rc && globals->store)
        rc = dsr_settings_set_store(&ctx->settings, globals->store, ctx->host, err);
    if (!rc) {
        ctx->registry = dsr_registry_new(&ctx->settings.layout, globals->plugin_dirs,
                                         globals->n_plugin_dirs, ctx->host);
        if (!ctx->registry)
            rc = dsr_error_nomem(err);
    }
    if (rc)
        dsr_ctx_close(ctx);
    return rc;
}

void dsr_ctx_close(struct dsr_ctx *ctx)
{
    dsr_registry_free(ctx->registry);
    dsr_settings_clear(&ctx->settings);
    dsr_host_free(ctx->host);
    memset(ctx, 0, sizeof *ctx);
}

static int exit_status(int code)
{
    switch (code) {
    case DSR_EUSAGE:
    case DSR_ECONFIG:
    case DSR_EPLUGIN:
    case DSR_EINVAL:
    case DSR_ENOTFOUND:
        return 2;
    case DSR_ESTORE:
        return 3;
    default:
        return 1;
    }
}

int dsr_fail(const struct dsr_globals *globals, const struct dsr_error *err)
{
    static const char *const names[] = {"ok",     "usage", "config",  "store",    "memory",
                                        "plugin", "io",    "invalid", "not_found"};
    char text[2048];
    dsr_error_text(err, text, sizeof text);
    fprintf(stderr, "dsr-run: error: %s\n", text);
    if (globals->format == DSR_FORMAT_JSON) {
        size_t code = (size_t)-err->code;
        json_t *error =
            json_pack("{s:s, s:o}", "code", code < DSR_COUNT(names) ? names[code] : "unknown",
                      "message", dsr_json_text(err->message, strlen(err->message)));
        if (err->file[0])
            json_object_set_new(error, "file", dsr_json_text(err->file, strlen(err->file)));
        if (err->line)
            json_object_set_new(error, "line", json_integer(err->line));
        json_t *root = json_pack("{s:i, s:o}", "schema", 1, "error", error);
        dsr_print_json(root);
        json_decref(root);
    }
    return exit_status(err->code);
}

long dsr_arg_long(struct argp_state *state, const char *option, const char *text, long min,
                  long max)
{
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (errno || end == text || *end || value < min || value > max)
        argp_error(state, "--%s: \"%s\" is not a whole number of %ld..%ld", option, text, min, max);
    return value;
}

double dsr_arg_double(struct argp_state *state, const char *option, const char *text, double min,
                      double max)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || !(value >= min) || !(value <= max))
        argp_error(state, "--%s: \"%s\" is not a number of %g..%g", option, text, min, max);
    return value;
}

enum dsr_format dsr_arg_format(struct argp_state *state, const char *text)
{
    if (!strcmp(text, "table"))
        return DSR_FORMAT_TABLE;
    if (!strcmp(text, "csv"))
        return DSR_FORMAT_CSV;
    if (strcmp(text, "json"))
        argp_error(state, "--format is table, json or csv, not \"%s\"", text);
    return DSR_FORMAT_JSON;
}

void dsr_print_json(const json_t *json)
{
    json_dumpf(json, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
    putchar('\n');
}

const char *dsr_cell(char *buf, size_t size, double value, int digits)
{
    if (!isfinite(value))
        return NULL;
    snprintf(buf, size, "%.*f", digits, value);
    return buf;
}

const char *dsr_arg_grader(struct argp_state *state, const char *text)
{
    if (strcmp(text, "dsr") && strcmp(text, "opencompass"))
        argp_error(state, "--grader is dsr or opencompass, not \"%s\"", text);
    return text;
}

int64_t dsr_arg_time(struct argp_state *state, const char *option, const char *text)
{
    int64_t us = 0;
    if (dsr_time_parse(text, dsr_clock_wall_us(), &us))
        argp_error(state, "--%s: \"%s\" is no time such as 2026-01-31, RFC 3339, or 7d, 12h, 30m",
                   option, text);
    return us;
}

void dsr_job_name(const char *text, char job[37])
{
    bool uuid = strlen(text) == 36 && strspn(text, "0123456789abcdefABCDEF-") == 36;
    if (uuid)
        snprintf(job, 37, "%s", text);
    else
        dsr_uuid_of(text, strlen(text), job);
}

int dsr_command_run(const struct argp *argp, unsigned flags, int argc, char **argv,
                    const struct dsr_globals *globals, void *args, dsr_work_fn *work)
{
    struct dsr_ctx ctx;
    struct dsr_error err = {0};
    int status = 0;
    argp_parse(argp, argc, argv, flags, NULL, args);
    if (dsr_ctx_open(&ctx, globals, &err))
        return dsr_fail(globals, &err);
    if (work(&ctx, args, &status, &err))
        status = dsr_fail(globals, &err);
    dsr_ctx_close(&ctx);
    return status;
}
