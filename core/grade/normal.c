/* One pass over the bytes with a stack of braces, so that a box ends where its brace does. */
#include "core/grade/normal.h"

#include <ctype.h>
#include <dsr/evaluator.h>

#define MAX_TEXT (64 << 10)
#define MAX_DEPTH 64

struct pass {
    const char *p, *end;
    struct dsr_buf *out;
    char closers[MAX_DEPTH]; /* what each open brace becomes when it closes; 0: nothing */
    size_t depth;
};

static void put(struct pass *s, char c)
{
    dsr_buf_add(s->out, &c, 1);
}

static void open_brace(struct pass *s, char closer)
{
    if (s->depth < MAX_DEPTH)
        s->closers[s->depth] = closer;
    s->depth++;
}

static void close_brace(struct pass *s)
{
    if (!s->depth) {
        put(s, '}');
        return;
    }
    s->depth--;
    if (s->depth < MAX_DEPTH && s->closers[s->depth])
        put(s, s->closers[s->depth]);
}

/* Skips blanks and takes an opening brace, if one follows. */
static bool take_brace(struct pass *s, char closer)
{
    const char *q = s->p;
    while (q < s->end && (*q == ' ' || *q == '\t'))
        q++;
    if (q == s->end || *q != '{')
        return false;
    s->p = q + 1;
    open_brace(s, closer);
    return true;
}

/* A LaTeX command at "\": boxes are marked, dressing is dropped, what means something is kept. */
static void take_command(struct pass *s)
{
    static const char *const boxes[] = {"boxed", "fbox", "framebox"};
    static const char *const dressing[] = {
        "text",         "textbf",       "textit", "textrm",     "mathrm", "mathbf", "mathit",
        "mathsf",       "mathtt",       "rm",     "bf",         "left",   "right",  "big",
        "displaystyle", "operatorname", "bm",     "boldsymbol", "mbox",   "hbox",   "underline",
        "emph",         "Large",        "large",  "texttt"};
    const char *q = s->p + 1, *name = q;
    while (q < s->end && isalpha((unsigned char)*q))
        q++;
    size_t n = (size_t)(q - name);
    if (!n) { /* \( \[ \, \! \; \% \$ \{ ... */
        char c = q < s->end ? *q : ' ';
        s->p = q < s->end ? q + 1 : q;
        if (strchr("{}%$&#_", c) && c)
            put(s, c);
        else if (c == '\\' || c == ' ' || c == '[' || c == ']' || c == '\n')
            put(s, c == '\n' ? '\n' : ' ');
        return;
    }
    for (size_t i = 0; i < DSR_COUNT(boxes); i++)
        if (n == strlen(boxes[i]) && !memcmp(name, boxes[i], n)) {
            s->p = q;
            if (take_brace(s, BOX_CLOSE))
                put(s, BOX_OPEN);
            return;
        }
    for (size_t i = 0; i < DSR_COUNT(dressing); i++)
        if (n == strlen(dressing[i]) && !memcmp(name, dressing[i], n)) {
            s->p = q;
            take_brace(s, 0);
            return;
        }
    if ((n == 4 && !memcmp(name, "quad", 4)) || (n == 5 && !memcmp(name, "qquad", 5))) {
        s->p = q;
        put(s, ' ');
        return;
    }
    dsr_buf_add(s->out, s->p, (size_t)(q - s->p));
    s->p = q;
}

/* Characters outside ASCII that stand for ASCII ones; returns the bytes taken. */
static size_t take_wide(struct pass *s)
{
    static const struct {
        const char *from;
        const char *to;
    } same[] = {{"。", "."},     {"、", ","},     {"【", "["},    {"】", "]"},    {"“", "\""},
                {"”", "\""},     {"‘", "'"},      {"’", "'"},     {"「", "["},    {"」", "]"},
                {"『", "["},     {"』", "]"},     {"《", "<"},    {"》", ">"},    {"\u00a0", " "},
                {"\u3000", " "}, {"\u200b", ""},  {"\u2060", ""}, {"\ufeff", ""}, {"–", "-"},
                {"—", "-"},      {"−", "-"},      {"➜", ":"},     {"→", ":"},     {"⇒", ":"},
                {"\u202f", " "}, {"\u2009", " "}, {"✅", " "},     {"✔", " "},     {"☑", " "},
                {"\ufe0f", ""}};
    const unsigned char *u = (const unsigned char *)s->p;
    size_t len = dsr_utf8_len(u, (size_t)(s->end - s->p));
    if (len == 3 && u[0] == 0xef && (u[1] == 0xbc || u[1] == 0xbd)) {
        unsigned code = 0xf000u | ((u[1] & 0x3fu) << 6) | (u[2] & 0x3fu);
        if (code >= 0xff01 && code <= 0xff5e) {
            put(s, (char)(code - 0xff01 + '!'));
            return 3;
        }
    }
    if (len == 3 && u[0] == 0xe2 && u[1] == 0x92 && u[2] >= 0xb6) { /* circled letters */
        put(s, (char)('A' + u[2] - 0xb6));
        return 3;
    }
    for (size_t i = 0; i < DSR_COUNT(same); i++)
        if (dsr_begins(s->p, s->end, same[i].from)) {
            dsr_buf_adds(s->out, same[i].to);
            return strlen(same[i].from);
        }
    if (len)
        dsr_buf_add(s->out, s->p, len);
    return len ? len : 1;
}

static void take(struct pass *s)
{
    char c = *s->p;
    if (c == '\\') {
        take_command(s);
    } else if ((unsigned char)c >= 0x80) {
        s->p += take_wide(s);
    } else {
        s->p++;
        if (c == '{')
            put(s, '{'), open_brace(s, '}');
        else if (c == '}')
            close_brace(s);
        else if (!strchr("*`$~\r", c) || !c)
            put(s, (unsigned char)c < ' ' && c != '\n' ? ' ' : c);
    }
}

static bool is_blank(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isspace((unsigned char)text[i]))
            return false;
    return true;
}

/* A model that forgets to close its reasoning may still answer: in a last paragraph of its own. */
static const char *last_paragraph(const char *text, size_t len, size_t *n)
{
    const char *end = text + len;
    while (end > text && isspace((unsigned char)end[-1]))
        end--;
    for (const char *p = end; p - text >= 2; p--) {
        if (p[-1] != '\n' || p[-2] != '\n')
            continue;
        *n = (size_t)(end - p);
        return p;
    }
    *n = 0;
    return text;
}

int dsr_normalize(const char *text, size_t len, struct dsr_buf *out)
{
    size_t n;
    const char *answer = dsr_answer_after_think(text, len, &n);
    if (is_blank(answer, n))
        answer = last_paragraph(text, len, &n);
    struct pass s = {.p = answer, .end = answer + n, .out = out};
    if (n > MAX_TEXT) {
        s.p = s.end - MAX_TEXT;
        while (s.p < s.end && ((unsigned char)*s.p & 0xc0) == 0x80)
            s.p++;
    }
    dsr_buf_reset(out);
    if (dsr_buf_add(out, "", 0))
        return DSR_ENOMEM;
    while (s.p < s.end)
        take(&s);
    return 0;
}
