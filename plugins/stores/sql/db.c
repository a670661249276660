/* ODBC: connections, statements, and why they fail. */
#include "plugins/stores/sql/sql.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LOGIN_S 10

static bool holds_any(const char *text, const char *const *words)
{
    for (; *words; words++)
        if (strcasestr(text, *words))
            return true;
    return false;
}

/* By SQLSTATE where the driver gives a sound one, else by what it says. */
static enum db_trouble judge(const char *state, const char *message)
{
    static const char *const lost[] = {"gone away",     "lost connection",    "server closed",
                                       "terminating",   "shutting down",      "could not connect",
                                       "can't connect", "could not send",     "no connection",
                                       "starting up",   "connection refused", NULL};
    static const char *const busy[] = {"locked", "deadlock", "busy", "try restarting", NULL};
    if (!strncmp(state, "08", 2) || !strncmp(state, "57P", 3) || holds_any(message, lost))
        return DB_LOST;
    return !strncmp(state, "40", 2) || holds_any(message, busy) ? DB_BUSY : DB_WRONG;
}

static bool good(SQLRETURN rc)
{
    return rc == SQL_SUCCESS || rc == SQL_SUCCESS_WITH_INFO;
}

static bool is_dead(const struct db *db)
{
    SQLUINTEGER dead = SQL_CD_FALSE;
    return good(SQLGetConnectAttr(db->dbc, SQL_ATTR_CONNECTION_DEAD, &dead, sizeof dead, NULL)) &&
           dead == SQL_CD_TRUE;
}

static int fail(struct db *db, SQLSMALLINT type, SQLHANDLE handle, struct dsr_error *err)
{
    SQLCHAR state[8] = "", message[512] = "";
    SQLINTEGER native = 0;
    SQLSMALLINT n = 0;
    SQLGetDiagRec(type, handle, 1, state, &native, message, sizeof message, &n);
    char *text = (char *)message;
    text[strcspn(text, "\r\n")] = '\0';
    db->trouble = db->connected && is_dead(db) ? DB_LOST : judge((char *)state, text);
    bool no_driver = !strncmp((char *)state, "01000", 5) || !strncmp((char *)state, "IM002", 5);
    return dsr_error_set(err, DSR_ESTORE, "the database %s: %s%s%s", db->address.label, text,
                         no_driver ? "; install " : "",
                         no_driver ? db->address.dialect->package : "");
}

int db_connect(struct db *db, struct dsr_error *err)
{
    db->trouble = DB_NONE;
    if (!good(SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &db->env)))
        return dsr_error_set(err, DSR_ENOMEM, "no ODBC environment");
    SQLSetEnvAttr(db->env, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)SQL_OV_ODBC3, 0);
    SQLAllocHandle(SQL_HANDLE_DBC, db->env, &db->dbc);
    SQLSetConnectAttr(db->dbc, SQL_ATTR_LOGIN_TIMEOUT, (SQLPOINTER)LOGIN_S, 0);
    if (!good(SQLDriverConnect(db->dbc, NULL, (SQLCHAR *)db->address.odbc, SQL_NTS, NULL, 0, NULL,
                               SQL_DRIVER_NOPROMPT))) {
        int rc = fail(db, SQL_HANDLE_DBC, db->dbc, err);
        db_disconnect(db);
        return rc;
    }
    db->connected = true;
    for (size_t i = 0; i < 3 && db->address.dialect->hello[i]; i++)
        if (db_do(db, db->address.dialect->hello[i], err)) {
            db_disconnect(db);
            return err->code;
        }
    return 0;
}

void db_disconnect(struct db *db)
{
    for (size_t i = 0; i < DB_STATEMENTS; i++) {
        if (db->statements[i])
            db_finish(db->statements[i]);
        db->statements[i] = NULL;
    }
    if (db->connected)
        SQLDisconnect(db->dbc);
    if (db->dbc)
        SQLFreeHandle(SQL_HANDLE_DBC, db->dbc);
    if (db->env)
        SQLFreeHandle(SQL_HANDLE_ENV, db->env);
    db->connected = false;
    db->dbc = db->env = NULL;
}

void db_finish(SQLHSTMT statement)
{
    SQLFreeHandle(SQL_HANDLE_STMT, statement);
}

static int bind(struct db *db, SQLHSTMT statement, const struct db_value *params, SQLLEN *lengths,
                size_t n, struct dsr_error *err)
{
    for (size_t i = 0; i < n; i++) {
        size_t len = params[i].text ? strlen(params[i].text) : 0;
        SQLSMALLINT type = params[i].type == DB_LONG ? SQL_LONGVARCHAR : SQL_VARCHAR;
        lengths[i] = params[i].text ? (SQLLEN)len : SQL_NULL_DATA;
        if (!good(SQLBindParameter(statement, (SQLUSMALLINT)(i + 1), SQL_PARAM_INPUT, SQL_C_CHAR,
                                   type, len ? len : 1, 0, (SQLPOINTER)params[i].text,
                                   (SQLLEN)len + 1, &lengths[i])))
            return fail(db, SQL_HANDLE_STMT, statement, err);
    }
    return 0;
}

#define MOST_PARAMS 32

static SQLHSTMT prepare(struct db *db, const char *sql, struct dsr_error *err)
{
    SQLHSTMT statement = NULL;
    if (!db->connected || !good(SQLAllocHandle(SQL_HANDLE_STMT, db->dbc, &statement))) {
        db->trouble = DB_LOST;
        dsr_error_set(err, DSR_ESTORE, "the database %s: no connection", db->address.label);
        return NULL;
    }
    if (good(SQLPrepare(statement, (SQLCHAR *)sql, SQL_NTS)))
        return statement;
    fail(db, SQL_HANDLE_STMT, statement, err);
    db_finish(statement);
    return NULL;
}

static int execute(struct db *db, SQLHSTMT statement, const struct db_value *params, size_t n,
                   struct dsr_error *err)
{
    SQLLEN lengths[MOST_PARAMS];
    int rc = bind(db, statement, params, lengths, n, err);
    SQLRETURN done = rc ? SQL_ERROR : SQLExecute(statement);
    if (!rc && !good(done) && done != SQL_NO_DATA)
        rc = fail(db, SQL_HANDLE_STMT, statement, err);
    return rc;
}

SQLHSTMT db_query(struct db *db, const char *sql, const struct db_value *params, size_t n,
                  struct dsr_error *err)
{
    SQLHSTMT statement = sql ? prepare(db, sql, err) : NULL;
    if (!sql)
        dsr_error_set(err, DSR_ENOMEM, "out of memory");
    if (statement && execute(db, statement, params, n, err)) {
        db_finish(statement);
        return NULL;
    }
    return statement;
}

int db_do(struct db *db, const char *sql, struct dsr_error *err)
{
    SQLHSTMT statement = db_query(db, sql, NULL, 0, err);
    if (!statement)
        return err->code;
    db_finish(statement);
    return 0;
}

int db_run(struct db *db, enum db_statement which, const char *sql, const struct db_value *params,
           size_t n, struct dsr_error *err)
{
    SQLHSTMT *statement = &db->statements[which];
    if (!*statement && !(*statement = prepare(db, sql, err)))
        return err->code;
    SQLFreeStmt(*statement, SQL_CLOSE);
    return execute(db, *statement, params, n, err);
}

int db_fetch(struct db *db, SQLHSTMT statement, struct dsr_error *err)
{
    SQLRETURN rc = SQLFetch(statement);
    if (rc == SQL_NO_DATA)
        return 0;
    return good(rc) ? 1 : fail(db, SQL_HANDLE_STMT, statement, err);
}

static bool make_room(struct db_text *buffer, size_t cap)
{
    if (buffer->cap >= cap)
        return true;
    char *data = realloc(buffer->data, cap);
    if (!data)
        return false;
    buffer->data = data;
    buffer->cap = cap;
    return true;
}

const char *db_column(struct db *db, SQLHSTMT statement, int column, struct db_text *buffer,
                      int *rc, struct dsr_error *err)
{
    size_t len = 0;
    if (!make_room(buffer, 1024))
        *rc = dsr_error_set(err, DSR_ENOMEM, "out of memory");
    while (!*rc) { /* a long text comes in pieces */
        SQLLEN rest = 0;
        SQLRETURN got = SQLGetData(statement, (SQLUSMALLINT)column, SQL_C_CHAR, buffer->data + len,
                                   (SQLLEN)(buffer->cap - len), &rest);
        if (rest == SQL_NULL_DATA)
            return NULL;
        if (got == SQL_NO_DATA)
            return buffer->data;
        if (!good(got)) {
            *rc = fail(db, SQL_HANDLE_STMT, statement, err);
            return NULL;
        }
        if (rest != SQL_NO_TOTAL && (size_t)rest < buffer->cap - len)
            return buffer->data;
        len = buffer->cap - 1;
        if (!make_room(buffer, rest > 0 ? len + (size_t)rest + 1 : 2 * buffer->cap))
            *rc = dsr_error_set(err, DSR_ENOMEM, "out of memory");
    }
    return NULL;
}

static bool set_autocommit(struct db *db, SQLULEN value)
{
    return db->connected && good(SQLSetConnectAttr(db->dbc, SQL_ATTR_AUTOCOMMIT, (SQLPOINTER)value,
                                                   SQL_IS_UINTEGER));
}

int db_begin(struct db *db, struct dsr_error *err)
{
    const char *begin = db->address.dialect->begin;
    if (begin)
        return db_do(db, begin, err);
    if (set_autocommit(db, SQL_AUTOCOMMIT_OFF))
        return 0;
    db->trouble = DB_LOST;
    return dsr_error_set(err, DSR_ESTORE, "the database %s: no connection", db->address.label);
}

/* By a statement, not by SQLEndTran alone: a driver that knows that its connection broke takes the
 * transaction for ended, and says that all is well. A COMMIT must be answered by the server. */
int db_end(struct db *db, bool keep, struct dsr_error *err)
{
    for (size_t i = 0; i < DB_STATEMENTS; i++)
        if (db->statements[i])
            SQLFreeStmt(db->statements[i], SQL_CLOSE);
    int rc = db_do(db, keep ? "COMMIT" : "ROLLBACK", err);
    if (!db->address.dialect->begin)
        set_autocommit(db, SQL_AUTOCOMMIT_ON);
    if (!rc && is_dead(db)) {
        db->trouble = DB_LOST;
        rc = dsr_error_set(err, DSR_ESTORE, "the database %s: the connection broke",
                           db->address.label);
    }
    return rc;
}

const char *db_mark(const struct db *db, enum db_type type)
{
    const char *cast = db->address.dialect->casts[type];
    return cast ? cast : "?";
}

void db_time(int64_t us, char out[DB_TIME_SIZE])
{
    dsr_time_format(us, out);
    out[10] = ' ';
    out[26] = '\0';
}
