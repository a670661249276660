/* Reasoning between think tags, in a text that comes in any pieces. */
#ifndef DSR_SPLITTER_H
#define DSR_SPLITTER_H

#include <stdbool.h>
#include <stddef.h>

#define DSR_TAG_MAX 64

/* Text found, in order. closed_unopened: a closing tag came without an opening one, so all answer
 * text so far was reasoning (the opening tag stood in the prompt). */
struct dsr_splitter_out {
    void (*reasoning)(void *arg, const char *text, size_t n);
    void (*answer)(void *arg, const char *text, size_t n);
    void (*closed_unopened)(void *arg);
};

struct dsr_splitter {
    const char *open, *close; /* borrowed */
    bool inside;              /* after an opening tag */
    char held[DSR_TAG_MAX];   /* the beginning of what may become a tag */
    size_t n_held;
};

/* Tags longer than DSR_TAG_MAX - 1 bytes, or empty, are never found. */
void dsr_splitter_init(struct dsr_splitter *splitter, const char *open, const char *close);
void dsr_splitter_feed(struct dsr_splitter *splitter, const char *text, size_t n,
                       const struct dsr_splitter_out *out, void *arg);
/* The text ended: what was held was no tag. */
void dsr_splitter_end(struct dsr_splitter *splitter, const struct dsr_splitter_out *out, void *arg);

#endif
