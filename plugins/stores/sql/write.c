/* A record into its tables. Writing it again replaces it. */
#include "plugins/stores/sql/sql.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WIDEST DB_PERF_COLUMNS

/* A value of a row, as text in room when it has none of its own. */
static const char *text_of(const struct db_column *column, const json_t *value, char room[40])
{
    int64_t us;
    if (column->type == DB_TIME) {
        const char *text = json_string_value(value);
        if (!text || dsr_time_parse(text, 0, &us))
            return NULL;
        db_time(us, room);
        return room;
    }
    if (json_is_string(value))
        return json_string_value(value);
    if (column->type == DB_FLAG)
        return json_is_true(value) ? "1" : "0";
    if (json_is_integer(value))
        snprintf(room, 40, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_real(value))
        snprintf(room, 40, "%.17g", json_real_value(value));
    else
        return column->optional                                     ? NULL
               : column->type == DB_TEXT || column->type == DB_LONG ? ""
                                                                    : "0";
    return room;
}

/* What is behind an accuracy: counts and groups; or the seed's own text. malloc'd. */
static char *results_of(const json_t *body)
{
    static const char *const keys[] = {"dataset", "asked",  "answered",
                                       "correct", "errors", "groups"};
    const char *own = json_string_value(json_object_get(body, "results_json"));
    if (own)
        return strdup(own);
    json_t *results = json_object();
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (json_object_get(body, keys[i]))
            json_object_set(results, keys[i], json_object_get(body, keys[i]));
    char *text = json_dumps(results, JSON_COMPACT);
    json_decref(results);
    return text;
}

/* INSERT INTO table (...) VALUES (...), or UPDATE table SET ... WHERE id = ?. */
static void make_sql(const struct db *db, struct db_sql *sql, const char *table,
                     const struct db_column *columns, size_t n, bool update)
{
    db_add(sql, update ? "UPDATE %s SET " : "INSERT INTO %s (", table);
    for (size_t i = 0; i < n; i++)
        db_add(sql, update ? "%s%s = %s" : "%s%s", i ? ", " : "", columns[i].name,
               db_mark(db, columns[i].type));
    if (update)
        db_add(sql, " WHERE id = %s", db_mark(db, DB_INT));
    for (size_t i = 0; i < n && !update; i++)
        db_add(sql, "%s%s", i ? ", " : ") VALUES (", db_mark(db, columns[i].type));
    if (!update)
        db_add(sql, ")");
}

/* The row of a performance or benchmark record. id: of the row to be changed, or "" for a new one;
 * it is then filled. */
static int write_row(struct db *db, const struct dsr_record *r, char id[40], struct dsr_error *err)
{
    bool perf = r->kind == DSR_RECORD_PERF, update = id[0] != '\0';
    const struct db_column *columns = perf ? db_perf : db_bench;
    size_t n = perf ? DB_PERF_COLUMNS : DB_BENCH_COLUMNS;
    struct db_value values[WIDEST + 1];
    char rooms[WIDEST][40], started[DB_TIME_SIZE];
    char *results = perf ? NULL : results_of(r->body);
    db_time(r->time_us, started);
    for (size_t i = 0; i < n; i++) {
        const char *text = text_of(&columns[i], json_object_get(r->body, columns[i].key), rooms[i]);
        if (!strcmp(columns[i].key, "job"))
            text = r->job;
        else if (!strcmp(columns[i].key, "results_json"))
            text = results;
        else if (columns[i].type == DB_TIME && !text)
            text = started;
        values[i] = (struct db_value){text, columns[i].type};
    }
    values[n] = (struct db_value){id, DB_INT};
    enum db_statement which = perf ? (update ? DB_UPDATE_PERF : DB_INSERT_PERF)
                                   : (update ? DB_UPDATE_BENCH : DB_INSERT_BENCH);
    struct db_sql sql = {0};
    if (!db->statements[which])
        make_sql(db, &sql, db_table_of(r->kind), columns, n, update);
    int rc = sql.failed ? dsr_error_set(err, DSR_ENOMEM, "out of memory")
                        : db_run(db, which, sql.data, values, n + update, err);
    free(sql.data);
    free(results);
    return rc;
}

/* The first column of a statement's first row; "" when there is none. */
static int read_id(struct db *db, enum db_statement which, char id[40], struct dsr_error *err)
{
    struct db_text text = {0};
    id[0] = '\0';
    int rc = db_fetch(db, db->statements[which], err);
    if (rc == 1) {
        rc = 0;
        const char *value = db_column(db, db->statements[which], 1, &text, &rc, err);
        snprintf(id, 40, "%s", value ? value : "0");
    }
    free(text.data);
    return rc;
}

static int write_job(struct db *db, const struct dsr_record *r, struct dsr_error *err)
{
    static const struct db_column times[] = {{"start_time", "start_time", DB_TIME, true},
                                             {"end_time", "end_time", DB_TIME, true}};
    char rooms[2][40], id[40], update[200], insert[300];
    struct db_value values[4];
    const char *type = json_string_value(json_object_get(r->body, "type")),
               *stamp = db_mark(db, DB_TIME);
    values[0] = (struct db_value){type ? type : "", DB_TEXT};
    for (size_t i = 0; i < 2; i++)
        values[1 + i] = (struct db_value){
            text_of(&times[i], json_object_get(r->body, times[i].key), rooms[i]), DB_TIME};
    values[3] = (struct db_value){r->job, DB_TEXT};
    snprintf(update, sizeof update,
             "UPDATE jobs SET type = ?, start_time = %s, end_time = %s WHERE id = ?", stamp, stamp);
    snprintf(insert, sizeof insert,
             "INSERT INTO jobs (type, start_time, end_time, id) VALUES (?, %s, %s, ?)", stamp,
             stamp);
    int rc = db_run(db, DB_FIND_JOB, "SELECT id FROM jobs WHERE id = ?", &values[3], 1, err);
    if (!rc)
        rc = read_id(db, DB_FIND_JOB, id, err);
    if (rc)
        return rc;
    return id[0] ? db_run(db, DB_UPDATE_JOB, update, values, 4, err)
                 : db_run(db, DB_INSERT_JOB, insert, values, 4, err);
}

/* The row that belongs to it: "" when there is none. */
static int write_seed(struct db *db, const struct dsr_record *r, char id[40], struct dsr_error *err)
{
    if (r->kind == DSR_RECORD_JOB)
        return write_job(db, r, err);
    bool is_new = !id[0] || !strcmp(id, "0");
    if (is_new)
        id[0] = '\0';
    int rc = write_row(db, r, id, err);
    if (!rc && is_new)
        rc = db_run(db, DB_LAST_ID, db->address.dialect->last_id, NULL, 0, err);
    return !rc && is_new ? read_id(db, DB_LAST_ID, id, err) : rc;
}

static int write_record(struct db *db, const struct dsr_record *r, bool is_new, const char *id,
                        const char *body, struct dsr_error *err)
{
    char kind[16], time[32], sql[400];
    const char *number = db_mark(db, DB_INT);
    snprintf(kind, sizeof kind, "%d", (int)r->kind);
    snprintf(time, sizeof time, "%lld", (long long)r->time_us);
    const struct db_value values[] = {
        {r->model, DB_TEXT}, {time, DB_INT}, {id[0] ? id : NULL, DB_INT}, {body, DB_LONG},
        {r->job, DB_TEXT},   {kind, DB_INT}, {r->provider, DB_TEXT},      {r->key, DB_TEXT}};
    if (is_new)
        snprintf(sql, sizeof sql,
                 "INSERT INTO dsr_records (model_name, time_us, seed_id, body, job_id, kind, "
                 "provider_name, record_key) VALUES (?, %s, %s, ?, ?, %s, ?, ?)",
                 number, number, number);
    else
        snprintf(
            sql, sizeof sql,
            "UPDATE dsr_records SET model_name = ?, time_us = %s, seed_id = %s, body = ? WHERE "
            "job_id = ? AND kind = %s AND provider_name = ? AND record_key = ?",
            number, number, number);
    return db_run(db, is_new ? DB_INSERT_RECORD : DB_UPDATE_RECORD, sql, values, 8, err);
}

int db_write(struct db *db, const struct dsr_record *r, struct dsr_error *err)
{
    char kind[16], id[40], sql[200];
    snprintf(kind, sizeof kind, "%d", (int)r->kind);
    const struct db_value key[] = {
        {r->job, DB_TEXT}, {kind, DB_INT}, {r->provider, DB_TEXT}, {r->key, DB_TEXT}};
    snprintf(sql, sizeof sql,
             "SELECT seed_id FROM dsr_records WHERE job_id = ? AND kind = %s AND provider_name = ? "
             "AND record_key = ?",
             db_mark(db, DB_INT));
    char *body = json_dumps(r->body, JSON_COMPACT);
    int rc = body ? db_run(db, DB_FIND, sql, key, 4, err)
                  : dsr_error_set(err, DSR_ENOMEM, "a record can't be written as JSON");
    if (!rc)
        rc = read_id(db, DB_FIND, id, err);
    bool is_new = !rc && !id[0];
    if (!rc && db_table_of(r->kind))
        rc = write_seed(db, r, id, err);
    else if (!rc)
        id[0] = '\0';
    if (!rc && r->kind == DSR_RECORD_JOB)
        id[0] = '\0';
    if (!rc)
        rc = write_record(db, r, is_new, id, body, err);
    free(body);
    return rc;
}
