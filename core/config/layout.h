/* Where things are: built tree or installed, under any prefix. */
#ifndef DSR_LAYOUT_H
#define DSR_LAYOUT_H

#include "core/base/base.h"

struct dsr_layout {
    char *build_dir;   /* top of the build tree when running uninstalled, else NULL */
    char *config_dir;  /* where JSON files the user edits are */
    char *data_dir;    /* --data, or the built-in folder */
    char *builtin_dir; /* data that came with the program */
    char *plugin_dir;  /* installed plugins; NULL in a build tree */
    char *state_dir;   /* $XDG_STATE_HOME/dsr: default home of results and logs */
};

/* config and data: the user's --config and --data, or NULL. */
int dsr_layout_find(struct dsr_layout *layout, const char *config, const char *data,
                    struct dsr_error *err);
void dsr_layout_clear(struct dsr_layout *layout);
/* The file in the data folder, or the built-in one where the user's folder has none. malloc'd. */
char *dsr_layout_data_file(const struct dsr_layout *layout, const char *name);

#endif
