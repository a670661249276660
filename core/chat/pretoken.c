/* The pre-tokenizer: three patterns, each isolating its matches in the pieces of the one before.
 *
 *     1  \p{N}{1,3}
 *     2  [U+4E00-9FA5 U+3040-309F U+30A0-30FF]+
 *     3  a [ASCII punctuation][A-Za-z]+   b [^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+
 *        c  ?[\p{P}\p{S}]+[\r\n]*         d \s*[\r\n]+      e \s+(?!\S)      f \s+
 *
 * A character of the first two ends a piece of the third, and its lookahead sees the end there. */
#include "core/chat/vocabulary.h"

struct glyph {
    unsigned class; /* 0 past the end */
    unsigned len;   /* in bytes; 0 past the end */
};

/* Bytes that are no UTF-8 are characters of no class. */
static inline struct glyph decode(const struct dsr_vocabulary *v, const char *p, const char *end)
{
    const unsigned char *s = (const unsigned char *)p;
    const uint16_t *blocks = dsr_vocabulary_part(v, v->classes_at);
    const unsigned char *classes = (const unsigned char *)(blocks + 0x1100);
    uint32_t c;
    if (p == end)
        return (struct glyph){0, 0};
    if (s[0] < 0x80)
        return (struct glyph){classes[blocks[0] * 256u + s[0]], 1};
    unsigned len = (unsigned)dsr_utf8_len(s, (size_t)(end - p));
    if (len == 2)
        c = (s[0] & 0x1fu) << 6 | (s[1] & 0x3fu);
    else if (len == 3)
        c = (s[0] & 0x0fu) << 12 | (s[1] & 0x3fu) << 6 | (s[2] & 0x3fu);
    else if (len == 4)
        c = (s[0] & 0x07u) << 18 | (s[1] & 0x3fu) << 12 | (s[2] & 0x3fu) << 6 | (s[3] & 0x3fu);
    else
        return (struct glyph){0, 1};
    return (struct glyph){classes[blocks[c >> 8] * 256u + (c & 0xff)], len};
}

/* The same for the third pattern: what the first two isolate is the end. */
static inline struct glyph peek(const struct dsr_vocabulary *v, const char *p, const char *end)
{
    struct glyph g = decode(v, p, end);
    return g.class & (DSR_CHAR_N | DSR_CHAR_CJK) ? (struct glyph){0, 0} : g;
}

/* Skips characters of these classes. */
static const char *run(const struct dsr_vocabulary *v, const char *p, const char *end,
                       unsigned classes)
{
    struct glyph g;
    while ((g = peek(v, p, end)).class & classes)
        p += g.len;
    return p;
}

static bool is_latin(const char *p, const char *end)
{
    return p < end && ((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z'));
}

/* Alternatives d, e and f, for a run of blanks. */
static const char *blanks(const struct dsr_vocabulary *v, const char *p, const char *end)
{
    const char *q = p, *newline = NULL, *last = p;
    struct glyph g;
    while ((g = peek(v, q, end)).class & DSR_CHAR_WS) {
        last = q;
        q += g.len;
        newline = g.class & DSR_CHAR_NL ? q : newline;
    }
    if (newline)
        return newline;
    return g.len && last > p ? last : q; /* before something else, one blank is left to it */
}

/* The match of the third pattern at p, or p when there is none. */
static const char *match(const struct dsr_vocabulary *v, const char *p, const char *end,
                         struct glyph g)
{
    const char *next = p + g.len;
    if (g.len == 1 && g.class & DSR_CHAR_PS && (unsigned char)*p < 0x80 && is_latin(next, end)) {
        while (is_latin(next, end))
            next++;
        return next;
    }
    if (!(g.class & (DSR_CHAR_NL | DSR_CHAR_PS))) {
        if (peek(v, next, end).class & (DSR_CHAR_L | DSR_CHAR_M))
            return run(v, next, end, DSR_CHAR_L | DSR_CHAR_M);
        if (g.class & (DSR_CHAR_L | DSR_CHAR_M))
            return next;
    }
    const char *signs = *p == ' ' ? next : p;
    const char *stop = run(v, signs, end, DSR_CHAR_PS);
    if (stop > signs)
        return run(v, stop, end, DSR_CHAR_NL);
    return g.class & DSR_CHAR_WS ? blanks(v, p, end) : p;
}

const char *dsr_piece_end(const struct dsr_vocabulary *v, const char *p, const char *end)
{
    struct glyph g = decode(v, p, end);
    if (g.class & DSR_CHAR_N) {
        for (int i = 0; i < 3 && g.class & DSR_CHAR_N; i++) {
            p += g.len;
            g = decode(v, p, end);
        }
        return p;
    }
    if (g.class & DSR_CHAR_CJK) {
        do
            p += g.len;
        while ((g = decode(v, p, end)).class & DSR_CHAR_CJK);
        return p;
    }
    const char *stop = match(v, p, end, g);
    if (stop > p)
        return stop;
    do { /* what no alternative takes is one piece, up to the next match */
        p += g.len;
        g = peek(v, p, end);
    } while (g.len && match(v, p, end, g) == p);
    return p;
}
