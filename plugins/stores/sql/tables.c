/* The seed system's tables, and ours beside them. */
#include "plugins/stores/sql/sql.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERSION 2

const struct db_column db_perf[DB_PERF_COLUMNS] = {
    {"job_id", "job", DB_TEXT, false},
    {"provider_name", "provider", DB_TEXT, false},
    {"model_name", "model", DB_TEXT, false},
    {"prompt_type", "prompt_type", DB_TEXT, false},
    {"success", "success", DB_FLAG, false},
    {"start_time", "start_time", DB_TIME, false},
    {"end_time", "end_time", DB_TIME, false},
    {"time_to_first_token", "ttft", DB_REAL, true},
    {"time_to_first_result_token", "ttfa", DB_REAL, true},
    {"total_time", "total_time", DB_REAL, false},
    {"input_tokens_count", "input_tokens", DB_INT, false},
    {"output_tokens_count", "output_tokens", DB_INT, false},
    {"reasoning_tokens_count", "reasoning_tokens", DB_INT, false},
    {"cached_tokens_count_billing", "cached_tokens_billed", DB_INT, false},
    {"input_tokens_count_billing", "input_tokens_billed", DB_INT, false},
    {"output_tokens_count_billing", "output_tokens_billed", DB_INT, false},
    {"error", "error", DB_LONG, false},
};

const struct db_column db_bench[DB_BENCH_COLUMNS] = {
    {"provider_name", "provider", DB_TEXT, false},
    {"model_name", "model", DB_TEXT, false},
    {"benchmark", "benchmark", DB_TEXT, false},
    {"success", "success", DB_FLAG, false},
    {"metric", "metric", DB_TEXT, false},
    {"stat", "stat", DB_TEXT, false},
    {"value", "value", DB_REAL, false},
    {"start_time", "start_time", DB_TIME, false},
    {"results_json", "results_json", DB_LONG, false},
};

const char *db_table_of(enum dsr_record_kind kind)
{
    return kind == DSR_RECORD_JOB         ? "jobs"
           : kind == DSR_RECORD_PERF      ? "perf_test_results"
           : kind == DSR_RECORD_BENCHMARK ? "benchmark_results"
                                          : NULL;
}

/* Whether there is such a table. */
static int has_table(struct db *db, const char *table, bool *has, struct dsr_error *err)
{
    const struct db_value name = {table, DB_TEXT};
    struct db_text text = {0};
    SQLHSTMT rows = db_query(db, db->address.dialect->has_table, &name, 1, err);
    *has = false;
    if (!rows)
        return err->code;
    int rc = db_fetch(db, rows, err);
    if (rc == 1) {
        rc = 0;
        const char *count = db_column(db, rows, 1, &text, &rc, err);
        *has = count && atol(count) > 0;
    }
    free(text.data);
    db_finish(rows);
    return rc;
}

/* Unless it is there, or another one was quicker. */
static int create(struct db *db, const char *table, struct db_sql *sql, struct dsr_error *err)
{
    struct dsr_error second;
    bool has = false;
    int rc = sql->failed ? dsr_error_set(err, DSR_ENOMEM, "out of memory")
                         : has_table(db, table, &has, err);
    if (!rc && !has)
        rc = db_do(db, sql->data, err);
    if (rc && !sql->failed && !has_table(db, table, &has, &second) && has)
        rc = 0;
    free(sql->data);
    return rc;
}

static int create_numbered(struct db *db, const char *table, const struct db_column *columns,
                           size_t n, struct dsr_error *err)
{
    const struct db_dialect *d = db->address.dialect;
    struct db_sql sql = {0};
    db_add(&sql, "CREATE TABLE %s (id %s", table, d->serial);
    for (size_t i = 0; i < n; i++)
        db_add(&sql, ", %s %s", columns[i].name, d->types[columns[i].type]);
    db_add(&sql, ")%s", d->table);
    return create(db, table, &sql, err);
}

/* Indices as the seed system has them. */
static int index_on(struct db *db, const char *table, const char *column, struct dsr_error *err)
{
    char sql[200];
    snprintf(sql, sizeof sql, "CREATE INDEX ix_%s_%s ON %s (%s)", table, column, table, column);
    return db_do(db, sql, err);
}

static int create_seed(struct db *db, struct dsr_error *err)
{
    static const char *const perf_keys[] = {"provider_name", "model_name", "prompt_type",
                                            "start_time"};
    static const char *const bench_keys[] = {"provider_name", "model_name", "benchmark",
                                             "start_time"};
    const struct db_dialect *d = db->address.dialect;
    struct db_sql jobs = {0};
    struct db_tables there;
    int rc = db_look(db, &there, err);
    bool perf = !there.perf, bench = !there.bench;
    if (rc)
        return rc;
    db_add(&jobs,
           "CREATE TABLE jobs (id VARCHAR(64) PRIMARY KEY, type VARCHAR(32), start_time %s, "
           "end_time %s)%s",
           d->types[DB_TIME], d->types[DB_TIME], d->table);
    rc = create(db, "jobs", &jobs, err);
    if (!rc && perf)
        rc = create_numbered(db, "perf_test_results", db_perf, DB_PERF_COLUMNS, err);
    for (size_t i = 0; i < 4 && perf && !rc; i++)
        rc = index_on(db, "perf_test_results", perf_keys[i], err);
    if (!rc && bench)
        rc = create_numbered(db, "benchmark_results", db_bench, DB_BENCH_COLUMNS, err);
    for (size_t i = 0; i < 4 && bench && !rc; i++)
        rc = index_on(db, "benchmark_results", bench_keys[i], err);
    return rc;
}

/* Version 1: every record whole, those of the seed's tables with the number of their row. */
static int create_records(struct db *db, struct dsr_error *err)
{
    const struct db_dialect *d = db->address.dialect;
    struct db_sql sql = {0};
    db_add(
        &sql,
        "CREATE TABLE dsr_records (kind INTEGER NOT NULL, job_id VARCHAR(64) NOT NULL, "
        "provider_name VARCHAR(64) NOT NULL, record_key VARCHAR(190) NOT NULL, model_name "
        "VARCHAR(64) NOT NULL, time_us BIGINT NOT NULL, seed_id BIGINT, body %s NOT NULL, PRIMARY "
        "KEY (job_id, kind, provider_name, record_key))%s",
        d->types[DB_LONG], d->table);
    return create(db, "dsr_records", &sql, err);
}

/* Version 2: found by the row they belong to. */
static int index_records(struct db *db, struct dsr_error *err)
{
    return db_do(db, "CREATE INDEX ix_dsr_records_seed ON dsr_records (kind, seed_id)", err);
}

/* The version of our tables; 0: there are none. */
static int read_version(struct db *db, long *version, struct dsr_error *err)
{
    struct db_text text = {0};
    bool has;
    int rc = has_table(db, "dsr_schema", &has, err);
    *version = 0;
    if (rc || !has)
        return rc;
    SQLHSTMT rows = db_query(db, "SELECT MAX(version) FROM dsr_schema", NULL, 0, err);
    if (!rows)
        return err->code;
    rc = db_fetch(db, rows, err);
    if (rc == 1) {
        rc = 0;
        const char *value = db_column(db, rows, 1, &text, &rc, err);
        *version = value ? atol(value) : 0;
    }
    free(text.data);
    db_finish(rows);
    if (!rc && *version > VERSION)
        rc =
            dsr_error_set(err, DSR_ESTORE,
                          "the database %s has tables of version %ld, this program knows %d: use a "
                          "newer one",
                          db->address.label, *version, VERSION);
    return rc;
}

int db_prepare_tables(struct db *db, struct dsr_error *err)
{
    static int (*const steps[VERSION])(struct db *, struct dsr_error *) = {create_records,
                                                                           index_records};
    struct db_sql schema = {0};
    long version;
    db_add(&schema, "CREATE TABLE dsr_schema (version INTEGER NOT NULL)");
    int rc = create_seed(db, err);
    if (!rc)
        rc = create(db, "dsr_schema", &schema, err);
    else
        free(schema.data);
    if (!rc)
        rc = read_version(db, &version, err);
    for (; !rc && version < VERSION; version++) {
        char note[80];
        snprintf(note, sizeof note, "INSERT INTO dsr_schema (version) VALUES (%ld)", version + 1);
        rc = steps[version](db, err);
        if (!rc)
            rc = db_do(db, note, err);
    }
    return rc;
}

int db_look(struct db *db, struct db_tables *tables, struct dsr_error *err)
{
    long version = 0;
    memset(tables, 0, sizeof *tables);
    int rc = read_version(db, &version, err);
    tables->own = version > 0;
    if (!rc)
        rc = has_table(db, "jobs", &tables->jobs, err);
    if (!rc)
        rc = has_table(db, "perf_test_results", &tables->perf, err);
    return rc ? rc : has_table(db, "benchmark_results", &tables->bench, err);
}
