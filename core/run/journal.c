/* One batch at a time is on the pool: what comes meanwhile makes the next one (group commit). */
#include "core/run/journal.h"

struct entry {
    struct dsr_record record; /* owns its strings and body */
    struct entry *next;
};

struct dsr_journal {
    uv_loop_t *loop;
    struct dsr_store stores[2];
    size_t n_stores;
    struct entry *queue, **tail;
    struct entry *batch; /* on the pool; the loop's thread does not touch it */
    uv_work_t work;
    bool busy;
    int failed;
    struct dsr_error err; /* of the pool while busy */
    void (*on_failure)(void *arg);
    void *arg;
};

/* The store that answers to a scheme, or NULL; all plugins have been loaded. */
static const struct dsr_store_ops *find_by_scheme(const struct dsr_registry *registry,
                                                  const char *scheme)
{
    size_t n;
    const struct dsr_loaded *files = dsr_registry_list(registry, &n);
    for (size_t i = 0; i < n; i++) {
        const struct dsr_plugin *plugin = files[i].plugin;
        const struct dsr_store_ops *ops =
            plugin && plugin->kind == DSR_KIND_STORE ? plugin->ops : NULL;
        if (ops && ops->size > offsetof(struct dsr_store_ops, schemes) && ops->schemes &&
            dsr_list_has(ops->schemes, scheme))
            return ops;
    }
    return NULL;
}

int dsr_store_open(struct dsr_store *store, struct dsr_registry *registry, const char *name,
                   const char *path, enum dsr_store_mode mode, const struct dsr_host *host,
                   struct dsr_error *err)
{
    memset(store, 0, sizeof *store);
    store->ops = dsr_registry_ops(registry, DSR_KIND_STORE, name, err);
    bool by_scheme = !store->ops && (store->ops = find_by_scheme(registry, name));
    DSR_AUTO(str) char *place = by_scheme ? dsr_format("%s:%s", name, path) : strdup(path);
    if (!store->ops)
        return err->code;
    if (!place)
        return dsr_error_nomem(err);
    store->state = store->ops->open(place, mode, host, err);
    if (!store->state)
        return err->code;
    store->name = strdup(name);
    return 0;
}

int dsr_results_open(struct dsr_store *store, struct dsr_registry *registry,
                     const struct dsr_settings *settings, const char *csv_folder,
                     enum dsr_store_mode mode, struct dsr_error *err)
{
    return dsr_store_open(store, registry, csv_folder ? "csv" : settings->store_name,
                          csv_folder ? csv_folder : settings->store_path, mode, settings->host,
                          err);
}

int dsr_store_close(struct dsr_store *store, struct dsr_error *err)
{
    int rc = store->state ? store->ops->close(store->state, err) : 0;
    free(store->name);
    memset(store, 0, sizeof *store);
    return rc;
}

static int open_stores(struct dsr_journal *j, const struct dsr_settings *settings,
                       struct dsr_registry *registry, const char *output, struct dsr_error *err)
{
    bool both = !strcmp(output, "both");
    const struct {
        bool wanted;
        const char *name, *path;
    } stores[] = {
        {both || !strcmp(output, "db"), settings->store_name, settings->store_path},
        {both || !strcmp(output, "csv"), "csv", settings->log_dir},
    };
    for (size_t i = 0; i < DSR_COUNT(stores); i++) {
        if (!stores[i].wanted)
            continue;
        int rc = dsr_store_open(&j->stores[j->n_stores], registry, stores[i].name, stores[i].path,
                                DSR_STORE_WRITE, settings->host, err);
        if (rc)
            return rc;
        j->n_stores++;
    }
    return j->n_stores
               ? 0
               : dsr_error_set(err, DSR_EUSAGE, "--output is db, csv or both, not \"%s\"", output);
}

int dsr_journal_open(struct dsr_journal **journal, uv_loop_t *loop,
                     const struct dsr_settings *settings, struct dsr_registry *registry,
                     const char *output, void (*on_failure)(void *), void *arg,
                     struct dsr_error *err)
{
    struct dsr_journal *j = calloc(1, sizeof *j);
    struct dsr_error ignored;
    *journal = NULL;
    if (!j)
        return dsr_error_nomem(err);
    j->loop = loop;
    j->tail = &j->queue;
    j->on_failure = on_failure;
    j->arg = arg;
    j->work.data = j;
    int rc = open_stores(j, settings, registry, output, err);
    if (rc) {
        for (size_t i = 0; i < j->n_stores; i++)
            dsr_store_close(&j->stores[i], &ignored);
        free(j);
        return rc;
    }
    *journal = j;
    return 0;
}

static void entry_free(struct entry *e)
{
    const char *texts[] = {e->record.job, e->record.model, e->record.provider, e->record.key};
    for (size_t i = 0; i < DSR_COUNT(texts); i++)
        free((char *)texts[i]);
    json_decref(e->record.body);
    free(e);
}

static void write_batch(uv_work_t *work)
{
    struct dsr_journal *j = work->data;
    for (struct entry *e = j->batch; e && !j->failed; e = e->next)
        for (size_t i = 0; i < j->n_stores && !j->failed; i++)
            j->failed = j->stores[i].ops->put(j->stores[i].state, &e->record, &j->err);
    for (size_t i = 0; i < j->n_stores && !j->failed; i++)
        j->failed = j->stores[i].ops->commit(j->stores[i].state, &j->err);
}

static void start_batch(struct dsr_journal *j);

static void after_batch(uv_work_t *work, int status)
{
    struct dsr_journal *j = work->data;
    (void)status;
    for (struct entry *e = j->batch, *next; e; e = next) {
        next = e->next;
        entry_free(e);
    }
    j->batch = NULL;
    j->busy = false;
    if (j->failed && j->on_failure) {
        void (*on_failure)(void *) = j->on_failure;
        j->on_failure = NULL;
        on_failure(j->arg);
    }
    start_batch(j);
}

static void start_batch(struct dsr_journal *j)
{
    if (j->busy || !j->queue)
        return;
    j->batch = j->queue;
    j->queue = NULL;
    j->tail = &j->queue;
    j->busy = true;
    if (!uv_queue_work(j->loop, &j->work, write_batch, after_batch))
        return;
    write_batch(&j->work);
    after_batch(&j->work, 0);
}

int dsr_journal_put(struct dsr_journal *j, const struct dsr_record *record)
{
    struct entry *e = calloc(1, sizeof *e);
    if (!e || !record->body) {
        free(e);
        json_decref(record->body);
        return DSR_ENOMEM;
    }
    e->record = *record;
    e->record.job = strdup(record->job);
    e->record.model = strdup(record->model);
    e->record.provider = strdup(record->provider);
    e->record.key = strdup(record->key);
    if (!e->record.job || !e->record.model || !e->record.provider || !e->record.key) {
        entry_free(e);
        return DSR_ENOMEM;
    }
    *j->tail = e;
    j->tail = &e->next;
    start_batch(j);
    return 0;
}

struct dsr_store *dsr_journal_store(struct dsr_journal *j)
{
    return &j->stores[0];
}

int dsr_journal_close(struct dsr_journal *j, struct dsr_error *err)
{
    if (!j)
        return 0;
    j->on_failure = NULL;
    while (j->busy)
        uv_run(j->loop, UV_RUN_ONCE);
    int rc = j->failed;
    if (rc)
        *err = j->err;
    for (size_t i = 0; i < j->n_stores; i++) {
        struct dsr_error closing;
        int bad = dsr_store_close(&j->stores[i], &closing);
        if (bad && !rc) {
            rc = bad;
            *err = closing;
        }
    }
    free(j);
    return rc;
}
