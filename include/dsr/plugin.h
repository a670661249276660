/* The one symbol that a plugin exports. A file exports `const struct dsr_plugin dsr_plugin`. */
#ifndef DSR_PLUGIN_H
#define DSR_PLUGIN_H

#include <dsr/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Raised only when an existing member changes its meaning; tables grow at their end without it. */
#define DSR_ABI 1u

enum dsr_kind {
    DSR_KIND_PROVIDER = 1,
    DSR_KIND_EVALUATOR = 2,
    DSR_KIND_PROMPTGEN = 3,
    DSR_KIND_ROUTER = 4,
    DSR_KIND_STORE = 5
};

/* The loader refuses a file whose abi differs, whose tables are shorter than the oldest ones of
 * that abi, or whose mandatory members are NULL. A constructor that crashes brings the process
 * down: code in a plugin runs with the rights of the program, and the loader can't guard it.
 *   abi      DSR_ABI of the headers it was compiled with
 *   size     sizeof(struct dsr_plugin)
 *   kind     which vtable ops points to
 *   name     [a-z0-9_-]{1,63}; by convention the file's name without ".so"
 *   version  of the plugin itself, free text
 *   summary  one line for `dsr-run plugins`
 *   licence  an SPDX identifier
 *   ops      struct dsr_KIND_ops, whose first member is its own size */
struct dsr_plugin {
    uint32_t abi;
    uint32_t size;
    enum dsr_kind kind;
    const char *name;
    const char *version;
    const char *summary;
    const char *licence;
    const void *ops;
};

extern DSR_API const struct dsr_plugin dsr_plugin;

#ifdef __cplusplus
}
#endif
#endif
