/* The store: what was put waits for commit, which writes it in one transaction, and again on a new
 * connection when the old one broke. Keys are unique, so that nothing is there twice. */
#include "plugins/stores/sql/sql.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PATIENCE_MS 60000 /* how long a lost database is waited for */
#define WRONG_TRIES 4
#define FIRST_WAIT_MS 100
#define LONGEST_WAIT_MS 5000

struct pending {
    struct dsr_record record; /* owns its strings and a reference to the body */
    struct pending *next;
};

struct store {
    struct db db;
    struct db_tables tables;
    struct pending *first, **last;
};

static void pending_free(struct pending *p)
{
    free((char *)p->record.job);
    free((char *)p->record.model);
    free((char *)p->record.provider);
    free((char *)p->record.key);
    json_decref(p->record.body);
    free(p);
}

static void forget(struct store *s)
{
    for (struct pending *p = s->first, *next; p; p = next) {
        next = p->next;
        pending_free(p);
    }
    s->first = NULL;
    s->last = &s->first;
}

static void store_free(struct store *s)
{
    forget(s);
    db_disconnect(&s->db);
    db_address_clear(&s->db.address);
    free(s);
}

static void *open_store(const char *path, enum dsr_store_mode mode, const struct dsr_host *host,
                        struct dsr_error *err)
{
    struct store *s = calloc(1, sizeof *s);
    if (!s) {
        dsr_error_set(err, DSR_ENOMEM, "out of memory");
        return NULL;
    }
    s->last = &s->first;
    s->db.host = host;
    int rc = db_address_parse(path, mode == DSR_STORE_WRITE, &s->db.address, err);
    if (!rc)
        rc = db_connect(&s->db, err);
    if (!rc && mode == DSR_STORE_WRITE)
        rc = db_prepare_tables(&s->db, err);
    if (!rc)
        rc = db_look(&s->db, &s->tables, err);
    if (!rc && !s->tables.perf && !s->tables.bench)
        rc = dsr_error_set(err, DSR_ESTORE,
                           "the database %s holds no results yet; dsr-run eval and perf fill it",
                           s->db.address.label);
    if (!rc)
        return s;
    store_free(s);
    return NULL;
}

static int put(void *state, const struct dsr_record *r, struct dsr_error *err)
{
    struct store *s = state;
    struct pending *p = calloc(1, sizeof *p);
    if (!p)
        return dsr_error_set(err, DSR_ENOMEM, "out of memory");
    p->record = *r;
    p->record.job = strdup(r->job);
    p->record.model = strdup(r->model);
    p->record.provider = strdup(r->provider);
    p->record.key = strdup(r->key);
    json_incref(r->body);
    if (!p->record.job || !p->record.model || !p->record.provider || !p->record.key) {
        pending_free(p);
        return dsr_error_set(err, DSR_ENOMEM, "out of memory");
    }
    *s->last = p;
    s->last = &p->next;
    return 0;
}

/* All that waits, in one transaction. */
static int write_all(struct store *s, struct dsr_error *err)
{
    struct dsr_error ignored;
    int rc = s->db.connected ? 0 : db_connect(&s->db, err);
    if (!rc)
        rc = db_begin(&s->db, err);
    for (const struct pending *p = s->first; p && !rc; p = p->next)
        rc = db_write(&s->db, &p->record, err);
    enum db_trouble trouble = s->db.trouble;
    if (!rc) {
        rc = db_end(&s->db, true, err);
        trouble = s->db.trouble;
    } else {
        db_end(&s->db, false, &ignored);
    }
    s->db.trouble = trouble;
    return rc;
}

static void sleep_ms(long ms)
{
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

static int commit(void *state, struct dsr_error *err)
{
    struct store *s = state;
    bool told = false;
    int wrong = 0;
    if (!s->first)
        return 0;
    for (long waited = 0, wait = FIRST_WAIT_MS;; wait = wait < LONGEST_WAIT_MS ? 2 * wait : wait) {
        s->db.trouble = DB_NONE;
        int rc = write_all(s, err);
        if (!rc) {
            forget(s);
            if (told)
                dsr_host_log(s->db.host, DSR_LOG_INFO, "the database is back; nothing is lost");
            return 0;
        }
        /* what seems no fault of the connection is tried some times, on new ones: drivers have many
         * words for a connection that breaks */
        wrong += s->db.trouble == DB_WRONG || s->db.trouble == DB_NONE;
        if (wrong == WRONG_TRIES || waited >= PATIENCE_MS)
            return rc;
        if (s->db.trouble == DB_LOST && !told) {
            dsr_host_log(s->db.host, DSR_LOG_WARN, "%s; trying again for %d s", err->message,
                         PATIENCE_MS / 1000);
            told = true;
        }
        if (s->db.trouble != DB_BUSY)
            db_disconnect(&s->db);
        sleep_ms(wait);
        waited += wait;
    }
}

static int scan(void *state, const struct dsr_query *q, dsr_visit_fn *visit, void *arg,
                struct dsr_error *err)
{
    struct store *s = state;
    int rc = commit(s, err);
    if (!rc && !s->db.connected)
        rc = db_connect(&s->db, err);
    return rc ? rc : db_scan(&s->db, &s->tables, q, visit, arg, err);
}

static int close_store(void *state, struct dsr_error *err)
{
    int rc = commit(state, err);
    store_free(state);
    return rc;
}

static const struct dsr_store_ops ops = {
    .size = sizeof ops,
    .open = open_store,
    .put = put,
    .commit = commit,
    .scan = scan,
    .close = close_store,
    .schemes = "mysql,mariadb,postgresql,postgres,sqlite,sqlite3",
};

const struct dsr_plugin dsr_plugin = {
    .abi = DSR_ABI,
    .size = sizeof dsr_plugin,
    .kind = DSR_KIND_STORE,
    .name = "sql",
    .version = "1.0",
    .summary = "results in MariaDB, PostgreSQL or SQLite, over ODBC",
    .licence = "Apache-2.0",
    .ops = &ops,
};
