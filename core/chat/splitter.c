/* A byte automaton. Outside a think block both tags are watched for, inside only the closing one:
 *
 *     outside --open--> inside --close--> outside
 *     outside --close--> outside, and all answer text so far becomes reasoning
 *
 * Bytes that may begin a tag are held back (never more than a tag's length) until the next bytes
 * decide; so cutting the text elsewhere changes nothing. */
#include "core/chat/splitter.h"

#include <string.h>

void dsr_splitter_init(struct dsr_splitter *s, const char *open, const char *close)
{
    memset(s, 0, sizeof *s);
    s->open = strlen(open) < DSR_TAG_MAX ? open : "";
    s->close = strlen(close) < DSR_TAG_MAX ? close : "";
}

static void emit(const struct dsr_splitter *s, const char *text, size_t n,
                 const struct dsr_splitter_out *out, void *arg)
{
    if (n)
        (s->inside ? out->reasoning : out->answer)(arg, text, n);
}

static bool begins(const char *tag, const char *text, size_t n)
{
    return tag[0] && !strncmp(tag, text, n);
}

/* Could the held bytes still become a tag? */
static bool possible(const struct dsr_splitter *s)
{
    return begins(s->close, s->held, s->n_held) ||
           (!s->inside && begins(s->open, s->held, s->n_held));
}

static bool complete(const struct dsr_splitter *s, const char *tag)
{
    return tag[0] && s->n_held == strlen(tag) && !memcmp(tag, s->held, s->n_held);
}

static void settle(struct dsr_splitter *s, const struct dsr_splitter_out *out, void *arg)
{
    if (complete(s, s->close)) {
        if (!s->inside)
            out->closed_unopened(arg);
        s->inside = false;
        s->n_held = 0;
    } else if (!s->inside && complete(s, s->open)) {
        s->inside = true;
        s->n_held = 0;
    }
}

static void step(struct dsr_splitter *s, char byte, const struct dsr_splitter_out *out, void *arg)
{
    s->held[s->n_held++] = byte;
    while (s->n_held && !possible(s)) {
        emit(s, s->held, 1, out, arg);
        memmove(s->held, s->held + 1, --s->n_held);
    }
    if (s->n_held)
        settle(s, out, arg);
}

/* How many bytes at text can't begin a tag. */
static size_t plain_run(const struct dsr_splitter *s, const char *text, size_t n)
{
    const char *close = s->close[0] ? memchr(text, s->close[0], n) : NULL;
    size_t run = close ? (size_t)(close - text) : n;
    const char *open = s->open[0] && !s->inside ? memchr(text, s->open[0], run) : NULL;
    return open ? (size_t)(open - text) : run;
}

void dsr_splitter_feed(struct dsr_splitter *s, const char *text, size_t n,
                       const struct dsr_splitter_out *out, void *arg)
{
    while (n) {
        size_t run = s->n_held ? 0 : plain_run(s, text, n);
        emit(s, text, run, out, arg);
        text += run;
        n -= run;
        if (n) {
            step(s, *text++, out, arg);
            n--;
        }
    }
}

void dsr_splitter_end(struct dsr_splitter *s, const struct dsr_splitter_out *out, void *arg)
{
    emit(s, s->held, s->n_held, out, arg);
    s->n_held = 0;
}
