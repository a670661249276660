/* dsr-run schedule */
#include "core/cli/cli.h"
#include "core/config/calendar.h"
#include "core/run/schedule.h"

struct args {
    struct dsr_globals *globals;
    const char *action, *name;
    int jitter_s;
};

enum { OPT_JITTER = 256 };

static const struct argp_option options[] = {
    {"jitter", OPT_JITTER, "S", 0, "of run: begin at some moment of the next S seconds", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct args *a = state->input;
    bool run = a->action && !strcmp(a->action, "run");
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = a->globals;
        return 0;
    case OPT_JITTER:
        a->jitter_s = (int)dsr_arg_long(state, "jitter", arg, 0, 86400);
        return 0;
    case ARGP_KEY_ARG:
        if (a->action && (!run || a->name))
            return ARGP_ERR_UNKNOWN;
        *(a->action ? &a->name : &a->action) = arg;
        return 0;
    case ARGP_KEY_END:
        if (!a->action || !dsr_list_has("install,list,remove,run", a->action) || run != !!a->name)
            argp_error(state, "schedule install, list, remove or run NAME?");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const json_t *jobs_of(const struct dsr_ctx *ctx)
{
    return json_object_get(ctx->settings.cron.root, "jobs");
}

static int list(struct dsr_ctx *ctx, enum dsr_format format)
{
    static const char *const columns[] = {"JOB", "CRON", "SYSTEMD", "COMMAND", "INSTALLED"};
    struct dsr_table *table =
        format == DSR_FORMAT_JSON ? NULL : dsr_table_new(columns, DSR_COUNT(columns), format);
    json_t *all = json_array(), *job;
    const char *name;
    json_object_foreach((json_t *)jobs_of(ctx), name, job)
    {
        struct dsr_buf calendar = {0};
        struct dsr_error ignored;
        const char *cron = dsr_json_string(job, "cron", "");
        const char *command = dsr_json_string(job, "command", "");
        bool installed = dsr_schedule_is_installed(name);
        dsr_calendar_of(cron, &calendar, &ignored);
        const char *cells[] = {name, cron, calendar.data, command, installed ? "yes" : "no"};
        if (table)
            dsr_table_row(table, cells);
        json_array_append_new(all, json_pack("{s:s, s:s, s:s?, s:s, s:b}", "job", name, "cron",
                                             cron, "calendar", calendar.data, "command", command,
                                             "installed", installed));
        dsr_buf_clear(&calendar);
    }
    json_t *root = json_pack("{s:i, s:o}", "schema", 1, "jobs", all);
    if (format == DSR_FORMAT_JSON)
        dsr_print_json(root);
    json_decref(root);
    if (table)
        dsr_table_print(table);
    return 0;
}

/* Where there is no systemd: lines for crontab -e. */
static int print_crontab(struct dsr_ctx *ctx, struct dsr_error *err)
{
    const char *name;
    json_t *job;
    dsr_host_log(ctx->host, DSR_LOG_INFO,
                 "no systemd of this user runs here: put these lines in by crontab -e");
    json_object_foreach((json_t *)jobs_of(ctx), name, job)
    {
        DSR_AUTO(str) char *command = dsr_schedule_command(ctx, name, true, err);
        if (!command)
            return err->code;
        printf("%s %s --jitter 60\n", dsr_json_string(job, "cron", ""), command);
    }
    return 0;
}

static int work(struct dsr_ctx *ctx, void *args, int *status, struct dsr_error *err)
{
    const struct args *a = args;
    size_t n = 0;
    if (!strcmp(a->action, "run"))
        return dsr_schedule_run(ctx, a->name, a->jitter_s, status, err);
    if (!strcmp(a->action, "list"))
        return list(ctx, a->globals->format);
    if (!strcmp(a->action, "install") && !json_object_size(jobs_of(ctx)))
        return dsr_error_set(err, DSR_ECONFIG, "cron.json names no \"jobs\"");
    if (!strcmp(a->action, "install") && !dsr_schedule_has_systemd())
        return print_crontab(ctx, err);
    bool install = !strcmp(a->action, "install");
    int rc = install ? dsr_schedule_install(ctx, &n, err) : 0;
    if (!install)
        n = dsr_schedule_remove();
    if (!rc)
        dsr_host_log(ctx->host, DSR_LOG_INFO, "%zu timers %s", n, install ? "run" : "removed");
    return rc;
}

int dsr_cmd_schedule(struct dsr_globals *globals, int argc, char **argv)
{
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .args_doc = "install\nlist\nremove\nrun NAME",
        .doc = "Regular runs: \"jobs\" of cron.json. install writes systemd user timers, or prints "
               "crontab lines where there is no systemd; run is what they start: one job at a "
               "time, logged in the log folder. Exit status: of run the job's, else 0 done, 1 "
               "failed, 2 usage or configuration.",
        .children = dsr_globals_child,
    };
    struct args a = {.globals = globals};
    return dsr_command_run(&argp, 0, argc, argv, globals, &a, work);
}
