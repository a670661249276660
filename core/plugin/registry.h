/* Finds, checks and loads plugins; keeps them until the end. Not thread-safe. */
#ifndef DSR_REGISTRY_H
#define DSR_REGISTRY_H

#include "core/config/layout.h"

#include <dsr/plugin.h>

struct dsr_registry;

/* A plugin that was loaded, or a file that was not. */
struct dsr_loaded {
    const struct dsr_plugin *plugin; /* NULL when refused */
    char *file;
    char *reason; /* why it was refused; NULL when loaded */
};

/* folders: n_folders of --plugin-dir, searched first. */
struct dsr_registry *dsr_registry_new(const struct dsr_layout *layout, char *const *folders,
                                      size_t n_folders, const struct dsr_host *host);
void dsr_registry_free(struct dsr_registry *registry);

/* The vtable of a plugin, loading what is needed; NULL with err (DSR_EPLUGIN) when there is none.
 */
const void *dsr_registry_ops(struct dsr_registry *registry, enum dsr_kind kind, const char *name,
                             struct dsr_error *err);
/* Loads one file, wherever it is. */
void dsr_registry_load_file(struct dsr_registry *registry, const char *file);
/* Loads all that is there. */
void dsr_registry_load_all(struct dsr_registry *registry);
/* All files seen so far, in the order of search. */
const struct dsr_loaded *dsr_registry_list(const struct dsr_registry *registry, size_t *n);

/* "provider", "evaluator", "promptgen", "router", "store". */
const char *dsr_kind_name(enum dsr_kind kind);

/* As dsr/plugin.h says a name must be. */
bool dsr_plugin_name_is_sound(const char *name);
/* NULL when the table is sound, else the reason (static or written into text). */
const char *dsr_plugin_flaw(const struct dsr_plugin *plugin, char *text, size_t size);

#endif
