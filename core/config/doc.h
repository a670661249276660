/* JSON files whose mistakes are told by file, line and place. */
#ifndef DSR_DOC_H
#define DSR_DOC_H

#include "core/base/base.h"

struct dsr_doc {
    char *path;
    char *text;
    size_t len;
    json_t *root;
    const struct dsr_host *host; /* for warnings about unknown keys; may be NULL */
};

/* Loads an object from path (at most 64 MiB). err names the line of what is not JSON. */
int dsr_doc_load(struct dsr_doc *doc, const char *path, const struct dsr_host *host,
                 struct dsr_error *err);
void dsr_doc_clear(struct dsr_doc *doc);

/* Fails with DSR_ECONFIG at a place "/key/0" of the document. */
int dsr_doc_fail(const struct dsr_doc *doc, struct dsr_error *err, const char *pointer,
                 const char *format, ...) __attribute__((format(printf, 4, 5)));
/* Adds file and line to an error whose pointer somebody else has set. */
int dsr_doc_locate(const struct dsr_doc *doc, struct dsr_error *err);
/* 1-based line of the place, or of the deepest part of it that exists. */
int dsr_doc_line(const char *text, const char *pointer);

enum dsr_type {
    DSR_T_STRING,
    DSR_T_NUMBER, /* null is allowed and means unknown */
    DSR_T_INT,
    DSR_T_BOOL,
    DSR_T_OBJECT,
    DSR_T_ARRAY,
    DSR_T_STRINGS, /* array of strings */
    DSR_T_TEXTS,   /* object whose values are strings */
    DSR_T_NUMBERS, /* object whose values are numbers */
    DSR_T_COUNT    /* integer, or "64K", or "" for unknown */
};
struct dsr_field {
    const char *name;
    enum dsr_type type;
    bool required;
    double min, max; /* of numbers; both 0 means any */
};
/* The object at pointer has only members of these types; unknown keys draw a warning. */
int dsr_doc_check(const struct dsr_doc *doc, const json_t *object, const char *pointer,
                  const struct dsr_field *fields, size_t n, struct dsr_error *err);
/* The value of a DSR_T_COUNT ("64K" is 65536), or -1. */
int64_t dsr_count_value(const json_t *value);

#endif
