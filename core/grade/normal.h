/* Answers made uniform before they are read: full-width forms to ASCII, Markdown and LaTeX dressing
 * taken off, boxes kept as BOX_OPEN ... BOX_CLOSE. */
#ifndef DSR_NORMAL_H
#define DSR_NORMAL_H

#include "core/base/base.h"

#define BOX_OPEN '\x01'
#define BOX_CLOSE '\x02'

/* The text after the reasoning, at most the last 64 KiB of it, in normal form; UTF-8. */
int dsr_normalize(const char *text, size_t len, struct dsr_buf *out);

#endif
