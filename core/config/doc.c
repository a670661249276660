/* Loading JSON files and checking them against tables of fields. */
#include "core/config/doc.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <sys/stat.h>

#define MAX_FILE (64 << 20)

static int read_file(struct dsr_doc *doc, struct dsr_error *err)
{
    struct stat st;
    DSR_AUTO(file) FILE *file = fopen(doc->path, "r");
    if (!file || fstat(fileno(file), &st))
        return dsr_error_file(err, DSR_ECONFIG, doc->path, 0, "can't be read: %s", strerror(errno));
    if (!S_ISREG(st.st_mode) || st.st_size > MAX_FILE)
        return dsr_error_file(err, DSR_ECONFIG, doc->path, 0, "is not a file of at most 64 MiB");
    doc->text = malloc((size_t)st.st_size + 1);
    if (!doc->text)
        return dsr_error_nomem(err);
    doc->len = fread(doc->text, 1, (size_t)st.st_size, file);
    doc->text[doc->len] = '\0';
    if (doc->len != (size_t)st.st_size)
        return dsr_error_file(err, DSR_ECONFIG, doc->path, 0, "can't be read whole");
    return 0;
}

int dsr_doc_load(struct dsr_doc *doc, const char *path, const struct dsr_host *host,
                 struct dsr_error *err)
{
    json_error_t bad;
    memset(doc, 0, sizeof *doc);
    doc->host = host;
    doc->path = strdup(path);
    if (!doc->path)
        return dsr_error_nomem(err);
    int rc = read_file(doc, err);
    if (!rc) {
        doc->root = json_loadb(doc->text, doc->len, JSON_REJECT_DUPLICATES, &bad);
        /* what stands near a mistake may be a key: it is not repeated */
        char *near = strstr(bad.text, " near ");
        if (!doc->root && near)
            *near = '\0';
        if (!doc->root)
            rc = dsr_error_file(err, DSR_ECONFIG, path, bad.line > 0 ? bad.line : 1,
                                "not valid JSON: %s", bad.text);
        else if (!json_is_object(doc->root))
            rc = dsr_error_file(err, DSR_ECONFIG, path, 1, "expected a JSON object at the top");
    }
    if (rc)
        dsr_doc_clear(doc);
    return rc;
}

void dsr_doc_clear(struct dsr_doc *doc)
{
    free(doc->path);
    free(doc->text);
    json_decref(doc->root);
    memset(doc, 0, sizeof *doc);
}

static const char *skip_space(const char *p)
{
    return p + strspn(p, " \t\r\n");
}

static const char *skip_string(const char *p)
{
    for (p++; *p && *p != '"'; p++)
        if (*p == '\\' && p[1])
            p++;
    return *p ? p + 1 : p;
}

static const char *skip_value(const char *p)
{
    int depth = 0;
    do {
        if (*p == '"') {
            p = skip_string(p);
            continue;
        }
        if (*p == '{' || *p == '[')
            depth++;
        else if (*p == '}' || *p == ']')
            depth--;
        if (!*p)
            return p;
        p++;
    } while (depth > 0 || !strchr(",]} \t\r\n", *p));
    return p;
}

/* The value of one step of a pointer inside the container at p, or NULL. */
static const char *step_into(const char *p, const char *key, size_t n)
{
    bool object = *p == '{';
    if (!object && *p != '[')
        return NULL;
    long index = object ? -1 : strtol(key, NULL, 10);
    p = skip_space(p + 1);
    for (long i = 0; *p && *p != '}' && *p != ']'; i++) {
        bool found = i == index;
        if (object) {
            const char *end = skip_string(p);
            found = (size_t)(end - p) == n + 2 && !strncmp(p + 1, key, n);
            p = skip_space(end);
            p = skip_space(*p == ':' ? p + 1 : p);
        }
        if (found)
            return p;
        p = skip_space(skip_value(p));
        if (*p == ',')
            p = skip_space(p + 1);
    }
    return NULL;
}

int dsr_doc_line(const char *text, const char *pointer)
{
    const char *p = skip_space(text);
    while (pointer && *pointer == '/') {
        const char *key = pointer + 1;
        size_t n = strcspn(key, "/");
        const char *next = step_into(p, key, n);
        if (!next)
            break;
        p = next;
        pointer = key + n;
    }
    int line = 1;
    for (const char *q = text; q < p; q++)
        line += *q == '\n';
    return line;
}

int dsr_doc_locate(const struct dsr_doc *doc, struct dsr_error *err)
{
    snprintf(err->file, sizeof err->file, "%s", doc->path);
    err->line = dsr_doc_line(doc->text, err->pointer);
    return err->code;
}

int dsr_doc_fail(const struct dsr_doc *doc, struct dsr_error *err, const char *pointer,
                 const char *format, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    dsr_error_at(err, DSR_ECONFIG, pointer, "%s", text);
    return dsr_doc_locate(doc, err);
}

static const char *type_name(const json_t *value)
{
    static const char *const names[] = {"an object", "an array", "a string", "an integer",
                                        "a number",  "true",     "false",    "null"};
    return names[json_typeof(value)];
}

int64_t dsr_count_value(const json_t *value)
{
    if (json_is_integer(value))
        return json_integer_value(value) >= 0 ? json_integer_value(value) : -1;
    const char *text = json_string_value(value);
    char *end;
    if (!text || !*text)
        return -1;
    long n = strtol(text, &end, 10);
    if (end == text || n < 0 || n > 1 << 20)
        return -1;
    if (*end == 'K' || *end == 'k')
        return end[1] ? -1 : (int64_t)n * 1024;
    return *end ? -1 : n;
}

static bool all_are(const json_t *value, bool array, json_type type)
{
    size_t i;
    const char *key;
    json_t *member;
    if (array ? !json_is_array(value) : !json_is_object(value))
        return false;
    if (array) {
        json_array_foreach((json_t *)value, i,
                           member) if (json_typeof(member) != type) return false;
        return true;
    }
    json_object_foreach((json_t *)value, key, member)
    {
        if (type == JSON_REAL ? !json_is_number(member) : json_typeof(member) != type)
            return false;
    }
    return true;
}

static bool type_fits(const json_t *value, enum dsr_type type)
{
    switch (type) {
    case DSR_T_STRING:
        return json_is_string(value);
    case DSR_T_NUMBER:
        return json_is_number(value) || json_is_null(value);
    case DSR_T_INT:
        return json_is_integer(value);
    case DSR_T_BOOL:
        return json_is_boolean(value);
    case DSR_T_OBJECT:
        return json_is_object(value);
    case DSR_T_ARRAY:
        return json_is_array(value);
    case DSR_T_STRINGS:
        return all_are(value, true, JSON_STRING);
    case DSR_T_TEXTS:
        return all_are(value, false, JSON_STRING);
    case DSR_T_NUMBERS:
        return all_are(value, false, JSON_REAL);
    case DSR_T_COUNT:
        return dsr_count_value(value) >= 0 || !strcmp(json_string_value(value) ?: "?", "");
    }
    return false;
}

static int check_value(const struct dsr_doc *doc, const json_t *value, const char *pointer,
                       const struct dsr_field *field, struct dsr_error *err)
{
    static const char *const wanted[] = {
        "a string",
        "a number",
        "an integer",
        "true or false",
        "an object",
        "an array",
        "an array of strings",
        "an object of strings",
        "an object of numbers",
        "a number of tokens such as 65536 or \"64K\"",
    };
    if (!type_fits(value, field->type))
        return dsr_doc_fail(doc, err, pointer, "expected %s, got %s", wanted[field->type],
                            type_name(value));
    double number = json_number_value(value);
    if (json_is_number(value) && (field->min != 0 || field->max != 0) &&
        (number < field->min || number > field->max))
        return dsr_doc_fail(doc, err, pointer, "%g is outside %g..%g", number, field->min,
                            field->max);
    return 0;
}

int dsr_doc_check(const struct dsr_doc *doc, const json_t *object, const char *pointer,
                  const struct dsr_field *fields, size_t n, struct dsr_error *err)
{
    char place[256];
    const char *key;
    json_t *value;
    if (!json_is_object(object))
        return dsr_doc_fail(doc, err, pointer, "expected an object, got %s", type_name(object));
    json_object_foreach((json_t *)object, key, value)
    {
        size_t i = 0;
        while (i < n && strcmp(fields[i].name, key))
            i++;
        snprintf(place, sizeof place, "%s/%s", pointer, key);
        if (i == n) {
            dsr_host_log(doc->host, DSR_LOG_WARN, "%s:%d: \"%s\" is not a known key", doc->path,
                         dsr_doc_line(doc->text, place), place + 1);
            continue;
        }
        int rc = check_value(doc, value, place, &fields[i], err);
        if (rc)
            return rc;
    }
    for (size_t i = 0; i < n; i++)
        if (fields[i].required && !json_object_get(object, fields[i].name))
            return dsr_doc_fail(doc, err, pointer, "\"%s\" is missing", fields[i].name);
    return 0;
}
