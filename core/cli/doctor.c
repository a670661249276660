/* dsr-run doctor */
#include "core/cli/cli.h"
#include "core/run/journal.h"

struct args {
    struct dsr_globals *globals;
    const char *model;
    bool online;
};

enum { OPT_ONLINE = 256 };

static const struct argp_option options[] = {
    {"online", OPT_ONLINE, NULL, 0, "ask each provider for one token", 0},
    {"model", 'm', "MODEL", 0, "model code (default: the first of perf_models in cron.json)", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct args *a = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = a->globals;
        return 0;
    case OPT_ONLINE:
        a->online = true;
        return 0;
    case 'm':
        a->model = arg;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* Findings, for a table or JSON. */
struct report {
    json_t *checks;
    bool bad;
};

static void note(struct report *r, const char *status, const char *what, const char *detail)
{
    r->bad |= !strcmp(status, "error");
    json_array_append_new(r->checks, json_pack("{s:s, s:s, s:o}", "status", status, "check", what,
                                               "detail", dsr_json_text(detail, strlen(detail))));
}

static void check_files(struct report *r, const struct dsr_settings *s)
{
    const struct dsr_doc *docs[] = {&s->cron,    &s->keys,   &s->db,       &s->currency,
                                    &s->prompts, &s->models, &s->services, &s->datasets};
    note(r, "ok", "config folder", s->layout.config_dir);
    note(r, "ok", "data folder", s->layout.data_dir);
    for (size_t i = 0; i < DSR_COUNT(docs); i++)
        if (docs[i]->root)
            note(r, "ok", "file", docs[i]->path);
}

static void check_store(struct report *r, struct dsr_ctx *ctx)
{
    struct dsr_store store;
    struct dsr_error err;
    char text[2048];
    int rc = dsr_results_open(&store, ctx->registry, &ctx->settings, NULL, DSR_STORE_WRITE, &err);
    if (!rc)
        rc = dsr_store_close(&store, &err);
    DSR_AUTO(str)
    char *label = dsr_store_label(ctx->settings.store_name, ctx->settings.store_path);
    if (rc)
        dsr_error_text(&err, text, sizeof text);
    note(r, rc ? "error" : "ok", "store", rc || !label ? text : label);
}

static void check_plugins(struct report *r, struct dsr_ctx *ctx)
{
    size_t n, loaded = 0;
    dsr_registry_load_all(ctx->registry);
    const struct dsr_loaded *files = dsr_registry_list(ctx->registry, &n);
    char text[2048];
    for (size_t i = 0; i < n; i++) {
        loaded += files[i].plugin != NULL;
        snprintf(text, sizeof text, "%s: %s", files[i].file,
                 files[i].reason ? files[i].reason : "");
        if (!files[i].plugin)
            note(r, "warning", "plugin refused", text);
    }
    snprintf(text, sizeof text, "%zu loaded", loaded);
    note(r, loaded ? "ok" : "error", "plugins", text);
}

static void check_datasets(struct report *r, const struct dsr_settings *s)
{
    const char *name;
    json_t *entry;
    json_object_foreach(s->datasets.root, name, entry)
    {
        const json_t *found;
        DSR_AUTO(str) char *path = NULL;
        struct dsr_error err;
        if (dsr_dataset_find(s, name, &found, &path, &err))
            note(r, "warning", name, err.message);
        else
            note(r, "ok", name, path ? path : "no file needed");
    }
}

static void check_services(struct report *r, struct dsr_ctx *ctx, const char *model)
{
    struct dsr_service **services;
    size_t n;
    struct dsr_error err;
    char text[2048];
    if (dsr_services_load(&ctx->settings, model, NULL, &services, &n, &err)) {
        note(r, "error", "services", err.message);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const struct dsr_service *s = services[i];
        const char *until = dsr_json_string(s->json, "until", "");
        int64_t end;
        if (!dsr_registry_ops(ctx->registry, DSR_KIND_PROVIDER, s->plugin, &err))
            note(r, "error", s->code, err.message);
        else if (s->unusable)
            note(r, "warning", s->code, s->unusable);
        else if (*until && !dsr_time_parse(until, 0, &end) && end < dsr_clock_wall_us()) {
            snprintf(text, sizeof text, "the provider ended this service on %s", until);
            note(r, "warning", s->code, text);
        } else
            note(r, "ok", s->code, s->base_url);
    }
    dsr_services_free(services, n);
}

struct online {
    struct report *report;
    struct dsr_session session;
};

static void on_answer(void *arg, const struct dsr_task *task, const struct dsr_exchange *x)
{
    struct online *o = arg;
    char text[512];
    const char *code = o->session.fleet.services[task->lane]->code;
    if (!x->fault.name[0])
        snprintf(text, sizeof text, "answers; first token after %.2f s",
                 (double)(x->stream.first_token_ns - x->sent_ns) / 1e9);
    else
        snprintf(text, sizeof text, "%s: %s", x->fault.name, x->fault.message);
    note(o->report, x->fault.name[0] ? "error" : "ok", code, text);
}

/* One token from each provider: costs next to nothing, and shows key, address and model. */
static int check_online(struct report *r, struct dsr_ctx *ctx, const char *model,
                        struct dsr_error *err)
{
    static const struct dsr_sched_handler handler = {.on_final = on_answer};
    struct dsr_sched_options plan = {.concurrency = 1, .max_tries = 1};
    struct online o = {.report = r};
    struct dsr_error closing;
    int rc = dsr_session_open(&o.session, ctx, model, NULL, "db", NULL, err);
    if (rc)
        return rc;
    rc = dsr_session_plan(&o.session, &plan, &handler, &o, err);
    for (size_t lane = 0; lane < o.session.fleet.n && !rc; lane++) {
        struct dsr_chat *chat = dsr_chat_new(NULL);
        if (chat && !dsr_chat_add(chat, "user", "Hi", 2)) {
            chat->max_tokens = 1;
            rc = dsr_sched_add(o.session.sched, lane, chat, NULL, 0);
        }
    }
    if (!rc)
        dsr_session_run(&o.session);
    dsr_session_close(&o.session, &closing);
    return rc;
}

static void print(const struct report *r, enum dsr_format format)
{
    static const char *const columns[] = {"STATUS", "CHECK", "DETAIL"};
    size_t i;
    json_t *check;
    if (format == DSR_FORMAT_JSON) {
        json_t *root =
            json_pack("{s:i, s:b, s:O}", "schema", 1, "ok", !r->bad, "checks", r->checks);
        dsr_print_json(root);
        json_decref(root);
        return;
    }
    struct dsr_table *table = dsr_table_new(columns, 3, format);
    json_array_foreach(r->checks, i, check)
    {
        const char *cells[] = {dsr_json_string(check, "status", ""),
                               dsr_json_string(check, "check", ""),
                               dsr_json_string(check, "detail", "")};
        dsr_table_row(table, cells);
    }
    dsr_table_print(table);
}

static int work(struct dsr_ctx *ctx, void *args, int *status, struct dsr_error *err)
{
    const struct args *a = args;
    struct report report = {.checks = json_array()};
    const char *model = dsr_settings_model(&ctx->settings, a->model, err);
    int rc = model ? 0 : err->code;
    if (!rc) {
        check_files(&report, &ctx->settings);
        check_plugins(&report, ctx);
        check_store(&report, ctx);
        check_datasets(&report, &ctx->settings);
        check_services(&report, ctx, model);
        if (a->online)
            rc = check_online(&report, ctx, model, err);
    }
    *status = report.bad;
    if (!rc)
        print(&report, a->globals->format);
    json_decref(report.checks);
    return rc;
}

int dsr_cmd_doctor(struct dsr_globals *globals, int argc, char **argv)
{
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .doc = "Checks configuration files, keys, plugins, datasets and the store. Exit status: 0 "
               "all is well, 1 something is wrong, 2 a file can't be used.",
        .children = dsr_globals_child,
    };
    struct args a = {.globals = globals};
    return dsr_command_run(&argp, 0, argc, argv, globals, &a, work);
}
