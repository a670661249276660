/* Databases and their addresses. */
#include "plugins/stores/sql/sql.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct db_dialect dialects[] = {
    {
        .name = "MariaDB",
        .scheme = {"mysql", "mariadb"},
        .driver = "MariaDB Unicode",
        .package = "odbc-mariadb",
        .port = 3306,
        .types = {"VARCHAR(64)", "LONGTEXT", "BIGINT", "DOUBLE", "BOOLEAN", "DATETIME(6)"},
        .serial = "BIGINT AUTO_INCREMENT PRIMARY KEY",
        .table = " CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
        .last_id = "SELECT LAST_INSERT_ID()",
        .has_table = "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = "
                     "DATABASE() AND table_name = ?",
        .hello = {"SET time_zone = '+00:00'"},
    },
    {
        .name = "PostgreSQL",
        .scheme = {"postgresql", "postgres"},
        .driver = "PostgreSQL ANSI",
        .package = "odbc-postgresql",
        .port = 5432,
        .types = {"VARCHAR(64)", "TEXT", "BIGINT", "DOUBLE PRECISION", "BOOLEAN",
                  "TIMESTAMP WITH TIME ZONE"},
        .serial = "BIGSERIAL PRIMARY KEY",
        .table = "",
        .last_id = "SELECT LASTVAL()",
        .has_table = "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = "
                     "ANY (current_schemas(false)) AND table_name = ?",
        .casts = {[DB_INT] = "CAST(? AS BIGINT)",
                  [DB_REAL] = "CAST(? AS DOUBLE PRECISION)",
                  [DB_FLAG] = "CAST(? AS BOOLEAN)",
                  [DB_TIME] = "CAST(? AS TIMESTAMP WITH TIME ZONE)"},
        .hello = {"SET TIME ZONE 'UTC'", "SET client_encoding TO 'UTF8'"},
    },
    {
        .name = "SQLite",
        .scheme = {"sqlite", "sqlite3"},
        .driver = "SQLite3",
        .package = "libsqliteodbc",
        .types = {"VARCHAR(64)", "TEXT", "BIGINT", "FLOAT", "BOOLEAN", "DATETIME"},
        .serial = "INTEGER PRIMARY KEY AUTOINCREMENT",
        .table = "",
        .begin = "BEGIN IMMEDIATE",
        .last_id = "SELECT LAST_INSERT_ROWID()",
        .has_table = "SELECT COUNT(*) FROM sqlite_master WHERE name = ?",
    },
};

/* NULL: none for this scheme. */
static const struct db_dialect *find_dialect(const char *scheme, size_t n)
{
    for (size_t i = 0; i < sizeof dialects / sizeof dialects[0]; i++)
        for (size_t k = 0; k < 2; k++)
            if (strlen(dialects[i].scheme[k]) == n && !memcmp(dialects[i].scheme[k], scheme, n))
                return &dialects[i];
    return NULL;
}

void db_add(struct db_sql *sql, const char *format, ...)
{
    va_list ap;
    char *more = NULL;
    va_start(ap, format);
    int n = vasprintf(&more, format, ap);
    va_end(ap);
    char *data = n < 0 || sql->failed ? NULL : realloc(sql->data, sql->len + (size_t)n + 1);
    if (data) {
        memcpy(data + sql->len, more, (size_t)n + 1);
        sql->data = data;
        sql->len += (size_t)n;
    } else {
        free(sql->data);
        *sql = (struct db_sql){.failed = true};
    }
    if (n >= 0)
        free(more);
}

/* "%40" and the like become what they stand for, in place. */
static void decode(char *text)
{
    char *to = text;
    for (const char *p = text; *p; p++) {
        char hex[3] = {0};
        if (*p == '%' && isxdigit((unsigned char)p[1]) && isxdigit((unsigned char)p[2])) {
            memcpy(hex, p + 1, 2);
            *to++ = (char)strtol(hex, NULL, 16);
            p += 2;
        } else {
            *to++ = *p;
        }
    }
    *to = '\0';
}

/* NAME={value}; with closing braces doubled: what drivers take of passwords only. */
static void add_password(struct db_sql *out, const char *value)
{
    db_add(out, "PWD={");
    for (; *value; value++)
        db_add(out, *value == '}' ? "}}" : "%c", *value);
    db_add(out, "};");
}

/* The parts of user:password@host:port/database?unix_socket=PATH; they point into its copy. */
struct parts {
    char *user, *password, *host, *port, *database, *socket;
};

/* Cuts text at the first (or last) of a character; what follows it, or NULL. */
static char *cut(char *text, int c, bool last)
{
    char *at = last ? strrchr(text, c) : strchr(text, c);
    if (!at)
        return NULL;
    *at = '\0';
    return at + 1;
}

static void take_apart(char *copy, struct parts *p)
{
    char *options = cut(copy, '?', false);
    char *socket = options ? strstr(options, "unix_socket=") : NULL;
    p->socket = socket ? socket + strlen("unix_socket=") : NULL;
    if (p->socket)
        cut(p->socket, '&', false);
    p->database = cut(copy, '/', true);
    p->host = cut(copy, '@', true);
    p->user = p->host ? copy : NULL;
    p->password = p->user ? cut(p->user, ':', false) : NULL;
    if (!p->host)
        p->host = copy;
    p->port = p->host[0] == '[' ? NULL : cut(p->host, ':', false);
    char *all[] = {p->user, p->password, p->host, p->database, p->socket};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (all[i])
            decode(all[i]);
}

static int connect_text(const struct db_dialect *d, const struct parts *p, bool writer,
                        struct db_sql *out, struct dsr_error *err)
{
    const char *password = p->password ? p->password : "";
    int port = p->port && *p->port ? atoi(p->port) : d->port;
    bool maria = d->port == 3306;
    if (!strncmp(password, "env:", 4)) {
        const char *value = getenv(password + 4);
        if (!value)
            return dsr_error_set(err, DSR_ESTORE,
                                 "the password of the database is %s, and no such variable is set",
                                 password);
        password = value;
    }
    const char *plain[] = {p->host, p->database, p->user, p->socket};
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++)
        if (plain[i] && strpbrk(plain[i], ";{}"))
            return dsr_error_set(
                err, DSR_ESTORE,
                "the address of the database holds one of ;{} outside its password");
    if (!p->database || !*p->database || port < 1 || port > 65535)
        return dsr_error_set(err, DSR_ESTORE,
                             "the address of the database is not of the form "
                             "user:password@host:port/database");
    db_add(out,
           maria ? "SERVER=%s;PORT=%d;DATABASE=%s;UID=%s;"
                 : "Servername=%s;Port=%d;DATABASE=%s;UID=%s;",
           *p->host ? p->host : "localhost", port, p->database, p->user ? p->user : "");
    add_password(out, password);
    if (maria && p->socket)
        db_add(out, "SOCKET=%s;", p->socket);
    db_add(
        out,
        maria
            ? "CHARSET=utf8mb4;CONN_TIMEOUT=10;"
            : "UseDeclareFetch=%d;Fetch=1000;Protocol=7.4-1;MaxLongVarcharSize=0;TextAsLongVarchar=1;",
        !writer);
    return 0;
}

int db_address_parse(const char *text, bool writer, struct db_address *a, struct dsr_error *err)
{
    size_t n = strcspn(text, ":");
    memset(a, 0, sizeof *a);
    a->dialect = find_dialect(text, n);
    if (!a->dialect || !text[n])
        return dsr_error_set(err, DSR_ESTORE, "\"%.*s\" is no database that the sql store knows",
                             (int)n, text);
    struct db_sql out = {0};
    const char *place = text + n + 1;
    int rc = 0;
    db_add(&out, "DRIVER={%s};", a->dialect->driver);
    if (a->dialect->port) {
        struct parts parts = {0};
        char *copy = strdup(place);
        if (copy) {
            take_apart(copy, &parts);
            rc = connect_text(a->dialect, &parts, writer, &out, err);
            snprintf(a->label, sizeof a->label, "%s %s/%s", a->dialect->name, parts.host,
                     parts.database ? parts.database : "");
            explicit_bzero(copy, strlen(place));
            free(copy);
        }
    } else {
        if (strchr(place, ';'))
            rc = dsr_error_set(err, DSR_ESTORE, "%s: the driver takes no ';' in a file's name",
                               place);
        db_add(&out, "Database=%s;Timeout=20000;SyncPragma=FULL;JournalMode=WAL;NoWCHAR=1;", place);
        snprintf(a->label, sizeof a->label, "%s %s", a->dialect->name, place);
    }
    a->odbc = out.data;
    if (!rc && !a->odbc)
        rc = dsr_error_set(err, DSR_ENOMEM, "out of memory");
    if (rc)
        db_address_clear(a);
    return rc;
}

void db_address_clear(struct db_address *a)
{
    if (a->odbc)
        explicit_bzero(a->odbc, strlen(a->odbc));
    free(a->odbc);
    a->odbc = NULL;
}
