/* Views, by what they show. */
#include "core/web/data.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>

#define PROBES 20     /* of a database, before all is read again */
#define MOST_VIEWS 64 /* kept; more are made and dropped */

struct dsr_data {
    struct dsr_ctx *ctx;
    const struct dsr_router_ops *router;
    pthread_mutex_t lock;  /* guards the list of views */
    pthread_mutex_t store; /* guards the store: one reads at a time */
    struct dsr_store open; /* state NULL: it is not open now */
    int64_t open_at;       /* when it was last written to, before it was opened */
    struct dsr_view *views;
    size_t n;
    uint64_t generation;
    /* of the refreshing thread */
    int64_t written;                    /* the store, before it was last read */
    int64_t latest_since, latest, left; /* of a database: see looks_unchanged */
};

struct dsr_data *dsr_data_new(struct dsr_ctx *ctx, struct dsr_error *err)
{
    const struct dsr_router_ops *router =
        dsr_registry_ops(ctx->registry, DSR_KIND_ROUTER, "requirement", err);
    struct dsr_data *d = router ? calloc(1, sizeof *d) : NULL;
    if (!d) {
        if (router)
            dsr_error_nomem(err);
        return NULL;
    }
    d->router = router;
    d->ctx = ctx;
    d->generation = 1;
    pthread_mutex_init(&d->lock, NULL);
    pthread_mutex_init(&d->store, NULL);
    return d;
}

static int64_t changed_at(int folder, const char *name)
{
    struct stat st;
    if (fstatat(folder, name, &st, 0))
        return 0;
    return (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
}

/* When the store was last written to, as its files tell; 0: they don't (a database elsewhere). */
static int64_t written_at(const struct dsr_data *d)
{
    const char *path = d->ctx->settings.store_path;
    if (*path != '/')
        return 0;
    DIR *list = opendir(path);
    if (!list) { /* SQLite's file and its log */
        DSR_AUTO(str) char *log = dsr_format("%s-wal", path);
        int64_t file = changed_at(AT_FDCWD, path), of_log = log ? changed_at(AT_FDCWD, log) : 0;
        return file > of_log ? file : of_log;
    }
    int64_t newest = 0;
    for (const struct dirent *e; (e = readdir(list));) {
        int64_t at = e->d_name[0] == '.' ? 0 : changed_at(dirfd(list), e->d_name);
        newest = at > newest ? at : newest;
    }
    closedir(list);
    return newest;
}

static void close_store(struct dsr_data *d)
{
    struct dsr_error ignored;
    if (d->open.state)
        dsr_store_close(&d->open, &ignored);
}

static void view_free(struct dsr_view *v)
{
    dsr_snapshot_clear(&v->snapshot);
    for (size_t i = 0; i < DSR_VIEW_ANSWERS; i++) {
        dsr_buf_clear(&v->questions[i]);
        dsr_buf_clear(&v->answers[i]);
    }
    free(v->model);
    free(v->currency);
    free(v);
}

void dsr_data_free(struct dsr_data *d)
{
    if (!d)
        return;
    for (struct dsr_view *v = d->views, *next; v; v = next) {
        next = v->next;
        view_free(v);
    }
    close_store(d);
    pthread_mutex_destroy(&d->lock);
    pthread_mutex_destroy(&d->store);
    free(d);
}

struct dsr_ctx *dsr_data_ctx(struct dsr_data *d)
{
    return d->ctx;
}

const struct dsr_router_ops *dsr_data_router(const struct dsr_data *d)
{
    return d->router;
}

/* The store, for one thread at a time; it is to be given back. It stays open as long as nothing is
 * written to it. */
static int take_store(struct dsr_data *d, struct dsr_error *err)
{
    int rc = 0;
    pthread_mutex_lock(&d->store);
    int64_t written = written_at(d);
    if (!written || written != d->open_at)
        close_store(d);
    d->open_at = written;
    if (!d->open.state)
        rc = dsr_results_open(&d->open, d->ctx->registry, &d->ctx->settings, NULL, DSR_STORE_READ,
                              err);
    if (rc)
        pthread_mutex_unlock(&d->store);
    return rc;
}

/* rc: of what was done with it. */
static int give_back(struct dsr_data *d, int rc)
{
    if (rc || !d->open_at)
        close_store(d);
    pthread_mutex_unlock(&d->store);
    return rc;
}

int dsr_data_scan(struct dsr_data *d, const struct dsr_query *query, dsr_visit_fn *visit, void *arg,
                  struct dsr_error *err)
{
    int rc = take_store(d, err);
    return rc ? rc : give_back(d, d->open.ops->scan(d->open.state, query, visit, arg, err));
}

int dsr_data_sums(struct dsr_data *d, const struct dsr_query *query, int64_t interval_us,
                  dsr_visit_fn *visit, dsr_sum_fn *add, void *arg, struct dsr_error *err)
{
    int rc = take_store(d, err);
    if (rc)
        return rc;
    const struct dsr_store_ops *ops = d->open.ops;
    return give_back(d, dsr_store_sums(ops)
                            ? ops->sums(d->open.state, query, interval_us, visit, add, arg, err)
                            : ops->scan(d->open.state, query, visit, arg, err));
}

static int fill(struct dsr_data *d, struct dsr_view *v, struct dsr_error *err)
{
    int64_t since = v->days ? v->made_us - v->days * DSR_DAY_US : 0;
    since -= since % (v->days < 30 ? DSR_HOUR_US : DSR_DAY_US); /* what stores have sums of */
    int rc = take_store(d, err);
    return rc ? rc
              : give_back(d, dsr_snapshot_read(&v->snapshot, d->open.ops, d->open.state, v->model,
                                               since, 0, err));
}

static struct dsr_view *make(struct dsr_data *d, const char *model, const char *currency, int days,
                             uint64_t generation, struct dsr_error *err)
{
    struct dsr_view *v = calloc(1, sizeof *v);
    if (!v || !(v->model = strdup(model)) || !(v->currency = strdup(currency))) {
        if (v)
            view_free(v);
        dsr_error_nomem(err);
        return NULL;
    }
    v->days = days;
    v->generation = generation;
    v->made_us = dsr_clock_wall_us();
    int rc = dsr_snapshot_init(&v->snapshot, &d->ctx->settings, model, currency, err);
    if (!rc)
        rc = fill(d, v, err);
    if (rc) {
        view_free(v);
        return NULL;
    }
    dsr_snapshot_seal(&v->snapshot);
    return v;
}

static struct dsr_view *find(const struct dsr_data *d, const char *model, const char *currency,
                             int days)
{
    for (struct dsr_view *v = d->views; v; v = v->next)
        if (v->generation && v->days == days && !strcmp(v->model, model) &&
            !strcmp(v->currency, currency))
            return v;
    return NULL;
}

/* Takes away what nobody uses and is old, or beyond the number kept. Under the lock. */
static void sweep(struct dsr_data *d)
{
    for (struct dsr_view **at = &d->views; *at;) {
        struct dsr_view *v = *at;
        if (v->uses || (v->generation && d->n <= MOST_VIEWS)) {
            at = &v->next;
            continue;
        }
        *at = v->next;
        d->n--;
        view_free(v);
    }
}

/* Puts a view in the place of an older one. Under the lock. */
static void put(struct dsr_data *d, struct dsr_view *v)
{
    struct dsr_view *old = find(d, v->model, v->currency, v->days);
    if (old)
        old->generation = 0;
    v->next = d->views;
    d->views = v;
    d->n++;
    sweep(d);
}

static bool currency_is_known(const struct dsr_settings *s, const char *currency)
{
    return !strcmp(currency, "CNY") || json_object_get(s->currency.root, currency);
}

struct dsr_view *dsr_data_view(struct dsr_data *d, const char *model, const char *currency,
                               int days, struct dsr_error *err)
{
    const struct dsr_settings *s = &d->ctx->settings;
    currency = currency && *currency ? currency : "CNY";
    model = dsr_settings_model(s, model && *model ? model : NULL, err);
    if (!model || !currency_is_known(s, currency)) {
        if (model)
            dsr_error_set(err, DSR_EUSAGE, "no rate of the currency \"%.20s\" is configured",
                          currency);
        err->code = DSR_EUSAGE;
        return NULL;
    }
    pthread_mutex_lock(&d->lock);
    struct dsr_view *v = find(d, model, currency, days);
    if (v)
        v->uses++;
    uint64_t generation = d->generation;
    pthread_mutex_unlock(&d->lock);
    if (v)
        return v;
    v = make(d, model, currency, days, generation, err);
    if (!v)
        return NULL;
    pthread_mutex_lock(&d->lock);
    v->uses = 1;
    put(d, v);
    pthread_mutex_unlock(&d->lock);
    return v;
}

void dsr_view_release(struct dsr_data *d, struct dsr_view *view)
{
    pthread_mutex_lock(&d->lock);
    view->uses--;
    if (!view->generation)
        sweep(d);
    pthread_mutex_unlock(&d->lock);
}

bool dsr_view_recall(struct dsr_data *d, struct dsr_view *v, const char *question, size_t n,
                     struct dsr_buf *answer)
{
    bool found = false;
    pthread_mutex_lock(&d->lock);
    for (size_t i = 0; i < DSR_VIEW_ANSWERS && i < v->n_answers && !found; i++)
        found = v->questions[i].len == n && !memcmp(v->questions[i].data, question, n) &&
                !dsr_buf_add(answer, v->answers[i].data, v->answers[i].len);
    pthread_mutex_unlock(&d->lock);
    return found;
}

void dsr_view_remember(struct dsr_data *d, struct dsr_view *v, const char *question, size_t n,
                       const struct dsr_buf *answer)
{
    pthread_mutex_lock(&d->lock);
    size_t i = v->n_answers % DSR_VIEW_ANSWERS;
    dsr_buf_reset(&v->questions[i]);
    dsr_buf_reset(&v->answers[i]);
    if (!dsr_buf_add(&v->questions[i], question, n) &&
        !dsr_buf_add(&v->answers[i], answer->data, answer->len))
        v->n_answers++;
    pthread_mutex_unlock(&d->lock);
}

static int count_record(void *arg, const struct dsr_record *record, struct dsr_error *err)
{
    (void)record;
    (void)err;
    ++*(int64_t *)arg;
    return 0;
}

static int64_t count_latest(struct dsr_data *d)
{
    static const enum dsr_record_kind kinds[] = {DSR_RECORD_PERF, DSR_RECORD_BENCHMARK};
    int64_t n = 0;
    for (size_t i = 0; i < DSR_COUNT(kinds); i++) {
        struct dsr_query query = {
            .size = sizeof query, .kind = kinds[i], .since_us = d->latest_since};
        struct dsr_error ignored;
        if (dsr_data_scan(d, &query, count_record, &n, &ignored))
            return -1;
    }
    return n;
}

/* Files tell when they were written to. Of a database the latest results are counted, since reading
 * all of them may take long; older ones that were brought in are seen the next time all are read.
 */
static bool looks_unchanged(struct dsr_data *d)
{
    int64_t before = d->written;
    d->written = written_at(d);
    if (d->written)
        return d->written == before;
    if (d->left-- > 0 && count_latest(d) == d->latest)
        return true;
    d->left = PROBES;
    d->latest_since = dsr_clock_wall_us() - DSR_HOUR_US;
    d->latest = count_latest(d);
    return false;
}

void dsr_data_refresh(struct dsr_data *d)
{
    if (looks_unchanged(d))
        return;
    pthread_mutex_lock(&d->lock);
    uint64_t generation = ++d->generation;
    pthread_mutex_unlock(&d->lock);
    for (;;) {
        struct dsr_error err;
        pthread_mutex_lock(&d->lock);
        struct dsr_view *old = d->views;
        while (old && (!old->generation || old->generation >= generation))
            old = old->next;
        if (old)
            old->uses++;
        pthread_mutex_unlock(&d->lock);
        if (!old)
            return;
        struct dsr_view *v = make(d, old->model, old->currency, old->days, generation, &err);
        if (!v)
            dsr_host_log(d->ctx->host, DSR_LOG_WARN, "the figures stay as they are: %s",
                         err.message);
        pthread_mutex_lock(&d->lock);
        if (v)
            put(d, v);
        else
            old->generation = generation; /* not again in this round */
        old->uses--;
        sweep(d);
        pthread_mutex_unlock(&d->lock);
    }
}
