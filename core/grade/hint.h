/* What a text may still say about a choice when no statement commits to a letter. */
#ifndef DSR_HINT_H
#define DSR_HINT_H

#include "core/base/base.h"

/* The option whose words end the text: "option_text". 0: none. */
char dsr_hint_option_text(const char *text, size_t len, const json_t *options);
/* "D. the words of D" on a line of its own, when no other letter has such a line; '?' when several
 * letters have one. */
char dsr_hint_lettered_line(const char *text);
/* The only letter that the last sentence names, unless it asks, supposes or breaks off. */
char dsr_hint_last_letter(const char *text, size_t len);
/* Stands a denial right before the letter at this place, in the same clause? "not B", "不是B". */
bool dsr_letter_is_denied(const char *text, size_t at);

#endif
