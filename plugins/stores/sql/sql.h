/* The sql store: results in a database of the seed system's form, over ODBC. Everything goes to the
 * database as text, and comes back as text: a dialect says where that needs a cast. */
#ifndef DSR_SQLSTORE_H
#define DSR_SQLSTORE_H

#include <dsr/store.h>
#include <sql.h>
#include <sqlext.h>

enum db_type { DB_TEXT, DB_LONG, DB_INT, DB_REAL, DB_FLAG, DB_TIME, DB_TYPES };

/* What differs between databases. */
struct db_dialect {
    const char *name;            /* for people */
    const char *scheme[2];       /* of the address */
    const char *driver;          /* as odbcinst.ini names it */
    const char *package;         /* of Debian, which brings the driver */
    int port;                    /* the usual one; 0: a file */
    const char *types[DB_TYPES]; /* of columns */
    const char *serial;          /* of a column that numbers itself */
    const char *table;           /* what ends CREATE TABLE */
    const char *begin;           /* a transaction that writes; NULL: the driver begins it */
    const char *last_id;         /* the number given by the last INSERT */
    const char *casts[DB_TYPES]; /* of a parameter; NULL: as it is */
    const char *has_table;       /* counts the tables of a name */
    const char *hello[3];        /* after connecting */
};
/* An address taken apart. */
struct db_address {
    const struct db_dialect *dialect;
    char *odbc;      /* the driver's connection string; holds the password */
    char label[256]; /* for people, without it */
};
/* "SCHEME:user:password@host:port/database?unix_socket=PATH" or "SCHEME:PATH" of a file. The
 * password may be env:NAME. writer: results are not to be read in pieces, which takes cursors. */
int db_address_parse(const char *text, bool writer, struct db_address *address,
                     struct dsr_error *err);
void db_address_clear(struct db_address *address);

/* A column of a table: its name, what it is called in a record's body, and its type. */
struct db_column {
    const char *name, *key;
    enum db_type type;
    bool optional; /* may be NULL; else what is unknown is 0 or "" */
};
#define DB_PERF_COLUMNS 17
#define DB_BENCH_COLUMNS 9
extern const struct db_column db_perf[DB_PERF_COLUMNS], db_bench[DB_BENCH_COLUMNS];
const char *db_table_of(enum dsr_record_kind kind); /* of the seed system, or NULL */

/* A parameter. */
struct db_value {
    const char *text; /* NULL: NULL */
    enum db_type type;
};

/* Prepared once for each connection. */
enum db_statement {
    DB_FIND,
    DB_INSERT_RECORD,
    DB_UPDATE_RECORD,
    DB_FIND_JOB,
    DB_INSERT_JOB,
    DB_UPDATE_JOB,
    DB_INSERT_PERF,
    DB_UPDATE_PERF,
    DB_INSERT_BENCH,
    DB_UPDATE_BENCH,
    DB_LAST_ID,
    DB_STATEMENTS
};

/* Why the last call failed. */
enum db_trouble {
    DB_NONE,
    DB_LOST, /* the connection is gone */
    DB_BUSY, /* another one was in the way: once more will do */
    DB_WRONG
};

struct db {
    struct db_address address;
    const struct dsr_host *host;
    SQLHENV env;
    SQLHDBC dbc;
    bool connected;
    SQLHSTMT statements[DB_STATEMENTS];
    enum db_trouble trouble;
};

int db_connect(struct db *db, struct dsr_error *err);
void db_disconnect(struct db *db);
/* A statement that gives nothing back. */
int db_do(struct db *db, const char *sql, struct dsr_error *err);
/* Begins a transaction, and ends it. */
int db_begin(struct db *db, struct dsr_error *err);
int db_end(struct db *db, bool keep, struct dsr_error *err);

/* A statement of one use; db_finish frees it. params is borrowed for the call. */
SQLHSTMT db_query(struct db *db, const char *sql, const struct db_value *params, size_t n,
                  struct dsr_error *err);
void db_finish(SQLHSTMT statement);
/* Runs a statement that stays prepared; sql makes its text the first time. */
int db_run(struct db *db, enum db_statement which, const char *sql, const struct db_value *params,
           size_t n, struct dsr_error *err);
/* The next row: 1, or 0 when there is none, or an error. */
int db_fetch(struct db *db, SQLHSTMT statement, struct dsr_error *err);
/* A column of the row as text, from 1, in rising order. NULL when it is NULL, or with *rc set. The
 * buffer grows. */
struct db_text {
    char *data;
    size_t cap;
};
const char *db_column(struct db *db, SQLHSTMT statement, int column, struct db_text *buffer,
                      int *rc, struct dsr_error *err);

/* "?", or its cast. */
const char *db_mark(const struct db *db, enum db_type type);

/* Text that is put together; data is NULL after a failure. */
struct db_sql {
    char *data;
    size_t len;
    bool failed;
};
void db_add(struct db_sql *sql, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "YYYY-MM-DD hh:mm:ss.ffffff", UTC. */
#define DB_TIME_SIZE 28
void db_time(int64_t us, char out[DB_TIME_SIZE]);

/* Makes the tables that are not there, and brings ours to this version. */
int db_prepare_tables(struct db *db, struct dsr_error *err);
/* What there is to read. */
struct db_tables {
    bool jobs, perf, bench, own;
};
int db_look(struct db *db, struct db_tables *tables, struct dsr_error *err);

/* write.c: inside a transaction. */
int db_write(struct db *db, const struct dsr_record *record, struct dsr_error *err);
/* read.c */
int db_scan(struct db *db, const struct db_tables *tables, const struct dsr_query *query,
            dsr_visit_fn *visit, void *arg, struct dsr_error *err);

#endif
