/* Records out of their tables: ours as they were written, the seed system's from their columns. */
#include "plugins/stores/sql/sql.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A second, which the seed's columns may have lost of a time. */
#define SLACK_US 1000000

struct reading {
    struct db *db;
    const struct dsr_query *query;
    dsr_visit_fn *visit;
    void *arg;
    bool own; /* there are tables of ours */
    struct db_text texts[DB_PERF_COLUMNS + 5];
};

static json_t *value_of(const char *text, enum db_type type)
{
    char *end, stamp[DSR_TIME_SIZE];
    int64_t us;
    if (!text)
        return json_null();
    if (type == DB_FLAG)
        return json_boolean(*text == '1' || *text == 't' || *text == 'T');
    if (type == DB_TIME) {
        if (dsr_time_parse(text, 0, &us))
            return json_string(text);
        dsr_time_format(us, stamp);
        return json_string(stamp);
    }
    if (type == DB_TEXT || type == DB_LONG) {
        json_t *string = *text ? json_string(text) : NULL;
        return string ? string : json_null();
    }
    double number = strtod(text, &end);
    if (end == text || *end)
        return json_null();
    return type == DB_INT ? json_integer((json_int_t)number) : json_real(number);
}

static json_t *body_of_row(const struct db_column *columns, size_t n, const char *const *values)
{
    json_t *body = json_object();
    for (size_t i = 0; i < n; i++)
        json_object_set_new(body, columns[i].key, value_of(values[i], columns[i].type));
    const char *results = json_string_value(json_object_get(body, "results_json"));
    json_t *counts = results ? json_loads(results, 0, NULL) : NULL;
    if (json_is_object(counts))
        json_object_update_missing(body, counts);
    json_decref(counts);
    return body;
}

/* Visits with the body as text (a record of ours), or as an object made of a row. */
static int visit(struct reading *r, struct dsr_record *record, const char *body, json_t *row,
                 struct dsr_error *err)
{
    json_t *own = body ? json_loads(body, 0, NULL) : NULL;
    record->body = body ? own : row;
    if (record->kind < DSR_RECORD_JOB || record->kind > DSR_RECORD_EVENT ||
        !json_is_object(record->body)) {
        record->kind = DSR_RECORD_UNKNOWN;
        if (!json_is_object(record->body)) {
            json_decref(own);
            record->body = own = json_pack("{s:s?}", "body", body);
        }
    }
    int rc = record->kind == DSR_RECORD_UNKNOWN || dsr_query_fits(r->query, record)
                 ? r->visit(r->arg, record, err)
                 : 0;
    json_decref(own);
    return rc;
}

/* A condition and its parameter. */
static void where(struct db_sql *sql, struct db_value *params, size_t *n, const char *condition,
                  const char *mark, const char *text, enum db_type type)
{
    if (!text)
        return;
    db_add(sql, " AND %s %s", condition, mark);
    params[(*n)++] = (struct db_value){text, type};
}

static const char *const *get_columns(struct reading *r, SQLHSTMT rows, size_t n,
                                      const char **values, int *rc, struct dsr_error *err)
{
    for (size_t i = 0; i < n && !*rc; i++)
        values[i] = db_column(r->db, rows, (int)i + 1, &r->texts[i], rc, err);
    return values;
}

static int take_row(struct reading *r, SQLHSTMT rows, enum dsr_record_kind kind,
                    struct dsr_error *err)
{
    bool perf = kind == DSR_RECORD_PERF;
    const struct db_column *columns = perf ? db_perf : db_bench;
    size_t n = perf ? DB_PERF_COLUMNS : DB_BENCH_COLUMNS;
    const char *values[DB_PERF_COLUMNS + 5] = {0};
    int rc = 0;
    get_columns(r, rows, n + 1 + (r->own ? 4 : 0), values, &rc, err);
    if (rc)
        return rc;
    const char *id = values[n], *key = values[n + 1], *time = values[n + 2], *job = values[n + 3];
    const char *body = r->own ? values[n + 4] : NULL;
    char number[48];
    snprintf(number, sizeof number, "row-%s", id ? id : "");
    json_t *row = body_of_row(columns, n, values);
    const char *started = json_string_value(json_object_get(row, "start_time"));
    struct dsr_record record = {.kind = kind, .key = body ? key : number};
    const char *provider = json_string_value(json_object_get(row, "provider"));
    const char *model = json_string_value(json_object_get(row, "model"));
    const char *row_job = json_string_value(json_object_get(row, "job"));
    record.provider = provider ? provider : "";
    record.model = model ? model : "";
    record.job = body && job ? job : row_job ? row_job : "";
    if (body && time)
        record.time_us = strtoll(time, NULL, 10);
    else if (!started || dsr_time_parse(started, 0, &record.time_us))
        record.kind = DSR_RECORD_UNKNOWN;
    rc = visit(r, &record, body, row, err);
    json_decref(row);
    return rc;
}

static int each(struct reading *r, struct db_sql *sql, const struct db_value *params, size_t n,
                int (*take)(struct reading *, SQLHSTMT, enum dsr_record_kind, struct dsr_error *),
                enum dsr_record_kind kind, struct dsr_error *err)
{
    SQLHSTMT rows = db_query(r->db, sql->data, params, n, err);
    free(sql->data);
    if (!rows)
        return err->code;
    int rc = 0, more;
    while (!rc && (more = db_fetch(r->db, rows, err)) != 0)
        rc = more < 0 ? more : take(r, rows, kind, err);
    db_finish(rows);
    return rc;
}

/* Rows of performance or benchmark results, oldest first. */
static int scan_rows(struct reading *r, enum dsr_record_kind kind, struct dsr_error *err)
{
    const struct dsr_query *q = r->query;
    bool perf = kind == DSR_RECORD_PERF;
    const struct db_column *columns = perf ? db_perf : db_bench;
    char since[DB_TIME_SIZE], until[DB_TIME_SIZE];
    struct db_value params[8];
    struct db_sql sql = {0};
    size_t n = 0;
    db_add(&sql, "SELECT ");
    for (size_t i = 0; i < (perf ? DB_PERF_COLUMNS : DB_BENCH_COLUMNS); i++)
        db_add(&sql, "p.%s, ", columns[i].name);
    db_add(&sql, "p.id%s FROM %s p", r->own ? ", r.record_key, r.time_us, r.job_id, r.body" : "",
           db_table_of(kind));
    if (r->own)
        db_add(&sql, " LEFT JOIN dsr_records r ON r.kind = %d AND r.seed_id = p.id", (int)kind);
    db_add(&sql, " WHERE 1 = 1");
    if (perf)
        where(&sql, params, &n, "p.job_id =", "?", q->job, DB_TEXT);
    where(&sql, params, &n, "p.model_name =", "?", q->model, DB_TEXT);
    where(&sql, params, &n, "p.provider_name =", "?", q->provider, DB_TEXT);
    db_time(q->since_us - SLACK_US, since);
    db_time(q->until_us + SLACK_US, until);
    where(&sql, params, &n, "p.start_time >=", db_mark(r->db, DB_TIME), q->since_us ? since : NULL,
          DB_TIME);
    where(&sql, params, &n, "p.start_time <", db_mark(r->db, DB_TIME), q->until_us ? until : NULL,
          DB_TIME);
    db_add(&sql, " ORDER BY p.start_time, p.id");
    return each(r, &sql, params, n, take_row, kind, err);
}

static int take_own(struct reading *r, SQLHSTMT rows, enum dsr_record_kind kind,
                    struct dsr_error *err)
{
    const char *v[7] = {0};
    int rc = 0;
    (void)kind;
    get_columns(r, rows, 7, v, &rc, err);
    for (size_t i = 0; i < 7; i++)
        v[i] = v[i] ? v[i] : "";
    struct dsr_record record = {.kind = (enum dsr_record_kind)atoi(v[0]),
                                .job = v[1],
                                .provider = v[2],
                                .key = v[3],
                                .model = v[4],
                                .time_us = strtoll(v[5], NULL, 10)};
    return rc ? rc : visit(r, &record, v[6], NULL, err);
}

/* Records that only our table has: of this kind, or of those that a newer version knows. */
static int scan_own(struct reading *r, enum dsr_record_kind kind, struct dsr_error *err)
{
    const struct dsr_query *q = r->query;
    struct db_value params[8];
    struct db_sql sql = {0};
    size_t n = 0;
    db_add(&sql,
           "SELECT kind, job_id, provider_name, record_key, model_name, time_us, body FROM "
           "dsr_records WHERE kind %s %d",
           kind ? "=" : ">", kind ? (int)kind : (int)DSR_RECORD_EVENT);
    where(&sql, params, &n, "job_id =", "?", q->job, DB_TEXT);
    if (kind)
        where(&sql, params, &n, "model_name =", "?", q->model, DB_TEXT);
    where(&sql, params, &n, "provider_name =", "?", q->provider, DB_TEXT);
    db_add(&sql, " ORDER BY job_id, provider_name, record_key");
    return each(r, &sql, params, n, take_own, kind, err);
}

static int take_job(struct reading *r, SQLHSTMT rows, enum dsr_record_kind kind,
                    struct dsr_error *err)
{
    static const struct db_column columns[] = {{"type", "type", DB_TEXT, true},
                                               {"start_time", "start_time", DB_TIME, true},
                                               {"end_time", "end_time", DB_TIME, true}};
    const char *v[4] = {0};
    int rc = 0;
    get_columns(r, rows, 4, v, &rc, err);
    if (rc)
        return rc;
    json_t *row = body_of_row(columns, 3, v);
    struct dsr_record record = {
        .kind = kind, .job = v[3] ? v[3] : "", .provider = "", .model = "", .key = ""};
    const char *started = json_string_value(json_object_get(row, "start_time"));
    if (!started || dsr_time_parse(started, 0, &record.time_us))
        record.kind = DSR_RECORD_UNKNOWN;
    rc = visit(r, &record, NULL, row, err);
    json_decref(row);
    return rc;
}

/* The seed system's jobs. */
static int scan_jobs(struct reading *r, struct dsr_error *err)
{
    struct db_value params[2];
    struct db_sql sql = {0};
    size_t n = 0;
    db_add(&sql, "SELECT type, start_time, end_time, id FROM jobs WHERE 1 = 1");
    if (r->own)
        db_add(&sql, " AND id NOT IN (SELECT job_id FROM dsr_records WHERE kind = %d)",
               (int)DSR_RECORD_JOB);
    where(&sql, params, &n, "id =", "?", r->query->job, DB_TEXT);
    db_add(&sql, " ORDER BY start_time, id");
    return each(r, &sql, params, n, take_job, DSR_RECORD_JOB, err);
}

int db_scan(struct db *db, const struct db_tables *tables, const struct dsr_query *q,
            dsr_visit_fn *visit_it, void *arg, struct dsr_error *err)
{
    struct reading r = {.db = db, .query = q, .visit = visit_it, .arg = arg, .own = tables->own};
    int rc = 0;
    for (int k = DSR_RECORD_JOB; k <= DSR_RECORD_EVENT && !rc; k++) {
        enum dsr_record_kind kind = (enum dsr_record_kind)k;
        bool seed = kind == DSR_RECORD_PERF || kind == DSR_RECORD_BENCHMARK;
        if (q->kind && q->kind != kind)
            continue;
        if (kind == DSR_RECORD_JOB && tables->jobs)
            rc = scan_jobs(&r, err);
        if (!rc && seed && (kind == DSR_RECORD_PERF ? tables->perf : tables->bench))
            rc = scan_rows(&r, kind, err);
        else if (!rc && !seed && tables->own)
            rc = scan_own(&r, kind, err);
    }
    if (!rc && !q->kind && tables->own)
        rc = scan_own(&r, 0, err);
    for (size_t i = 0; i < sizeof r.texts / sizeof r.texts[0]; i++)
        free(r.texts[i].data);
    return rc;
}
