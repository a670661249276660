/* Answers made uniform before they are read: full-width forms to ASCII, Markdown and LaTeX dressing
 * taken off, boxes kept as BOX_OPEN ... BOX_CLOSE. */
#ifndef DSR_NORMAL_H
#define DSR_NORMAL_H

#include "core/base/base.h"

#define BOX_OPEN '\x01'
#define BOX_CLOSE '\x02'

/* The text in normal form; UTF-8, never longer than before. */
int dsr_normalize(const char *text, size_t len, struct dsr_buf *out);

/* Reads an answer from its end: the last KiB first, then more, because the last statement counts.
 * text is what is graded, its reasoning included; reading() gets the end of what follows the
 * reasoning, in normal form. whole: there is no more of it (or only what stands more than 64 KiB
 * before the end). Ends when reading() returns true. */
typedef bool dsr_reading_fn(void *arg, const char *text, size_t len, bool whole);
int dsr_read_back(const char *text, size_t len, dsr_reading_fn *reading, void *arg);

/* The text is an integer as dsr_grade_integer reads one: "033", "1,000", "25 cm". */
bool dsr_integer_read(const char *text, size_t n);

/* The text says that no answer is going to be given; in normal form. */
bool dsr_is_refusal(const char *text, size_t len);

#endif
