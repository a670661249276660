/* dsr-run db */
#include "core/cli/cli.h"
#include "core/run/copy.h"

struct args {
    struct dsr_globals *globals;
    const char *action, *keep;
    const char *words[2];
    size_t n;
};

/* How many words each takes. */
static const struct action {
    const char *name;
    size_t words;
} actions[] = {{"init", 0},   {"verify", 0}, {"copy", 2},
               {"export", 1}, {"import", 1}, {"compact", 0}};

enum { OPT_KEEP = 256 };
static const struct argp_option options[] = {
    {"keep", OPT_KEEP, "AGE", 0,
     "compact: give up results, answers and events older than this: 90d", 0},
    {0}};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct args *a = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = a->globals;
        return 0;
    case OPT_KEEP:
        a->keep = arg;
        return 0;
    case ARGP_KEY_ARG:
        if (!a->action) {
            a->action = arg;
            return 0;
        }
        if (a->n == DSR_COUNT(a->words))
            return ARGP_ERR_UNKNOWN;
        a->words[a->n++] = arg;
        return 0;
    case ARGP_KEY_END:
        for (size_t i = 0; a->action && i < DSR_COUNT(actions); i++)
            if (!strcmp(actions[i].name, a->action) && actions[i].words == a->n) {
                if (a->keep && strcmp(a->action, "compact"))
                    argp_error(state, "--keep goes with compact");
                return 0;
            }
        argp_error(state, "db init, verify, copy FROM TO, export FILE, import FILE or compact?");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void print(const struct dsr_copy *copy, enum dsr_format format)
{
    static const char *const columns[] = {"RECORDS", "FOUND", "COPIED"};
    if (format == DSR_FORMAT_JSON) {
        json_t *records = json_object();
        for (int k = DSR_RECORD_JOB; k <= DSR_RECORD_EVENT; k++)
            json_object_set_new(records, dsr_record_name((enum dsr_record_kind)k),
                                json_pack("{s:I, s:I}", "found", (json_int_t)copy->found[k],
                                          "copied", (json_int_t)copy->copied[k]));
        json_t *root = json_pack("{s:i, s:o, s:I}", "schema", 1, "records", records, "unknown",
                                 (json_int_t)copy->unknown);
        dsr_print_json(root);
        json_decref(root);
        return;
    }
    struct dsr_table *table = dsr_table_new(columns, DSR_COUNT(columns), format);
    for (int k = DSR_RECORD_JOB; table && k <= DSR_RECORD_EVENT; k++) {
        char b[2][32];
        const char *cells[] = {dsr_record_name((enum dsr_record_kind)k),
                               dsr_cell(b[0], 32, (double)copy->found[k], 0),
                               dsr_cell(b[1], 32, (double)copy->copied[k], 0)};
        dsr_table_row(table, cells);
    }
    dsr_table_print(table);
}

static int close_both(struct dsr_store *from, struct dsr_store *to, int rc, struct dsr_error *err)
{
    struct dsr_error second;
    int closed = dsr_store_close(to, rc ? &second : err);
    rc = rc ? rc : closed;
    dsr_store_close(from, &second);
    return rc;
}

static int copy_stores(struct dsr_ctx *ctx, const char *from_place, const char *to_place,
                       struct dsr_copy *copy, struct dsr_error *err)
{
    struct dsr_store from = {0}, to = {0};
    if (!strcmp(from_place, to_place))
        return dsr_error_set(err, DSR_EUSAGE, "a store can't be copied to itself");
    int rc =
        dsr_store_open_at(&from, ctx->registry, &ctx->settings, from_place, DSR_STORE_READ, err);
    if (!rc)
        rc = dsr_store_open_at(&to, ctx->registry, &ctx->settings, to_place, DSR_STORE_WRITE, err);
    if (!rc)
        rc = dsr_copy_store(&from, &to, ctx->host, copy, err);
    return close_both(&from, &to, rc, err);
}

/* A file of JSON lines, "-", or else a folder of CSV files. */
static bool is_lines(const char *place)
{
    size_t n = strlen(place);
    return !strcmp(place, "-") || (n > 6 && !strcmp(place + n - 6, ".jsonl"));
}

static int export_lines(struct dsr_ctx *ctx, const char *place, struct dsr_copy *copy,
                        struct dsr_error *err)
{
    struct dsr_store from = {0}, none = {0};
    int rc = dsr_store_open_at(&from, ctx->registry, &ctx->settings, "db", DSR_STORE_READ, err);
    bool out = !strcmp(place, "-");
    FILE *file = rc ? NULL : out ? stdout : fopen(place, "we");
    if (!rc && !file)
        rc = dsr_error_file(err, DSR_EUSAGE, place, 0, "can't be written: %s", strerror(errno));
    if (!rc)
        rc = dsr_copy_to_file(&from, file, copy, err);
    if (file && !out && fclose(file) && !rc)
        rc = dsr_error_file(err, DSR_EIO, place, 0, "can't be written: %s", strerror(errno));
    return close_both(&from, &none, rc, err);
}

static int import_lines(struct dsr_ctx *ctx, const char *place, struct dsr_copy *copy,
                        struct dsr_error *err)
{
    struct dsr_store to = {0}, none = {0};
    int rc = dsr_store_open_at(&to, ctx->registry, &ctx->settings, "db", DSR_STORE_WRITE, err);
    if (!rc)
        rc = dsr_copy_from_file(strcmp(place, "-") ? place : "/dev/stdin", &to, ctx->host, copy,
                                err);
    return close_both(&none, &to, rc, err);
}

static int export_csv(struct dsr_ctx *ctx, const char *place, struct dsr_copy *copy,
                      struct dsr_error *err)
{
    DSR_AUTO(str) char *address = dsr_format("csv://%s%s", *place == '/' ? "//" : "/", place);
    return address ? copy_stores(ctx, "db", address, copy, err) : dsr_error_nomem(err);
}

/* Opens for writing, which makes what is missing, or for reading, and counts. */
static int look(struct dsr_ctx *ctx, enum dsr_store_mode mode, struct dsr_copy *copy,
                struct dsr_error *err)
{
    struct dsr_store store = {0}, none = {0};
    int rc = dsr_store_open_at(&store, ctx->registry, &ctx->settings, "db", mode, err);
    if (!rc)
        rc = dsr_copy_count(&store, copy, err);
    return close_both(&none, &store, rc, err);
}

static int read_keep(const char *age, int64_t *keep_us, struct dsr_error *err)
{
    int64_t now = dsr_clock_wall_us();
    *keep_us = 0;
    if (!age || (!dsr_time_parse(age, now, keep_us) && *keep_us > 0 && *keep_us <= now))
        return 0;
    return dsr_error_set(err, DSR_EUSAGE, "--keep: \"%s\" is no age such as 90d", age);
}

static int compact(struct dsr_ctx *ctx, const struct args *a, struct dsr_error *err)
{
    struct dsr_store store = {0}, none = {0};
    int64_t keep_us, removed = 0;
    int rc = read_keep(a->keep, &keep_us, err);
    if (!rc)
        rc = dsr_store_open_at(&store, ctx->registry, &ctx->settings, "db", DSR_STORE_WRITE, err);
    if (rc)
        return rc;
    if (store.ops->size > offsetof(struct dsr_store_ops, compact) && store.ops->compact)
        rc = store.ops->compact(store.state, keep_us, &removed, err);
    else
        rc = dsr_error_set(err, DSR_EUSAGE, "the store \"%s\" can't be compacted; leveldb can",
                           store.name);
    rc = close_both(&none, &store, rc, err);
    if (rc)
        return rc;
    if (a->globals->format == DSR_FORMAT_JSON)
        printf("{\"schema\": 1, \"removed\": %lld}\n", (long long)removed);
    else
        printf("%lld records were given up.\n", (long long)removed);
    return 0;
}

static int work(struct dsr_ctx *ctx, void *args, int *status, struct dsr_error *err)
{
    const struct args *a = args;
    struct dsr_copy copy = {0};
    const char *place = a->words[0];
    int rc;
    if (!strcmp(a->action, "compact"))
        return compact(ctx, a, err);
    if (!strcmp(a->action, "copy"))
        rc = copy_stores(ctx, place, a->words[1], &copy, err);
    else if (!strcmp(a->action, "export"))
        rc = is_lines(place) ? export_lines(ctx, place, &copy, err)
                             : export_csv(ctx, place, &copy, err);
    else if (!strcmp(a->action, "import"))
        rc = is_lines(place) ? import_lines(ctx, place, &copy, err)
                             : copy_stores(ctx, place, "db", &copy, err);
    else
        rc = look(ctx, !strcmp(a->action, "init") ? DSR_STORE_WRITE : DSR_STORE_READ, &copy, err);
    if (rc)
        return rc;
    bool to_stdout = !strcmp(a->action, "export") && !strcmp(place, "-");
    if (!to_stdout)
        print(&copy, a->globals->format);
    if (copy.unknown)
        dsr_host_log(ctx->host, DSR_LOG_WARN,
                     "%zu records can't be read: damaged, or of a newer version", copy.unknown);
    *status = copy.unknown > 0;
    return 0;
}

int dsr_cmd_db(struct dsr_globals *globals, int argc, char **argv)
{
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .args_doc = "init\nverify\ncopy FROM TO\nexport FILE\nimport FILE\ncompact",
        .doc = "Looks after the store of results. init makes what is missing, verify reads every "
               "record, copy brings all records of one store to another (a broken copy goes on "
               "where it was), export and import take a .jsonl file, - for standard output or "
               "input, or a folder of CSV files, compact makes the store small. A store is db "
               "(that of db.json, or --store), an address such as leveldb:///folder, "
               "csv:///folder, sqlite:///file.db, mysql://user:password@host/database, "
               "postgresql://..., or a folder. Exit status: 0 done, 1 some records could not be "
               "read, 2 usage, 3 storage.",
        .children = dsr_globals_child,
    };
    struct args a = {.globals = globals};
    return dsr_command_run(&argp, 0, argc, argv, globals, &a, work);
}
