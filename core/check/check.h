/* The conformance test of a plugin: it is loaded and used in a process of its own, so that one that
 * crashes or hangs is reported, and does no harm. */
#ifndef DSR_CHECK_H
#define DSR_CHECK_H

#include "core/plugin/registry.h"

enum dsr_check_result { DSR_CHECK_OK, DSR_CHECK_FAILED, DSR_CHECK_SKIPPED };

/* What one step found. name and detail are borrowed for the call. */
typedef void dsr_check_fn(void *arg, const char *name, enum dsr_check_result result,
                          const char *detail);

/* What the plugin is tested with.
 *   entry    for evaluators and prompt generators: as of datasets.json, {"options": {...}}
 *   options  those options; a router's policy; what a provider's service entry holds beside the
 *            usual
 *   path     the entry's file, or NULL
 *   given    whether these are the user's: open must then succeed */
struct dsr_check_input {
    const json_t *entry, *options;
    const char *path;
    bool given;
};

/* Tests a file. found: its kind and name once they are known (all "" before). Returns 0 when all
 * steps were done (whatever they found), else an error with err filled. */
struct dsr_check_found {
    char kind[16], name[64];
};
int dsr_check_plugin(const char *file, const struct dsr_check_input *input,
                     const struct dsr_host *host, struct dsr_check_found *found, dsr_check_fn *tell,
                     void *arg, struct dsr_error *err);

/* --- for the steps --- */

struct dsr_check {
    const struct dsr_plugin *plugin;
    const void *ops;
    const struct dsr_check_input *input;
    const struct dsr_host *host;
    char folder[64];  /* an empty one of its own */
    char detail[512]; /* of the step in work */
    bool skipped;
};

/* Steps return what these do. */
bool dsr_check_fail(struct dsr_check *check, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
bool dsr_check_skip(struct dsr_check *check, const char *why);
/* Checks that an open() that gave no state told why. */
bool dsr_check_told(struct dsr_check *check, const struct dsr_error *err);

struct dsr_check_step {
    const char *name;
    bool (*run)(struct dsr_check *check);
};
/* Ended by one without a name. */
extern const struct dsr_check_step dsr_check_provider[], dsr_check_evaluator[],
    dsr_check_promptgen[], dsr_check_router[], dsr_check_store[];

/* Runs work(arg) on several threads at once; true when all returned true. */
bool dsr_check_threads(bool (*work)(void *arg), void *arg);
/* Bytes that the heap grows by in a call of work, over many calls; below 0 when one failed. */
double dsr_check_growth(bool (*work)(void *arg), void *arg);
/* Tries sets that can't be read (none, missing, a folder, junk, empty): open() gives a state, which
 * close() frees, or a reason. */
typedef void *dsr_open_set_fn(const json_t *config, const char *path, const struct dsr_host *host,
                              struct dsr_error *err);
bool dsr_check_bad_sets(struct dsr_check *check, dsr_open_set_fn *open, void (*close)(void *state));
/* A file of the folder with such bytes; malloc'd path. */
char *dsr_check_file(const struct dsr_check *check, const char *name, const char *bytes, size_t n);

#endif
