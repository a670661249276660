/* One pass over the bytes with a stack of braces, so that a box ends where its brace does. */
#include "core/grade/normal.h"

#include <ctype.h>
#include <dsr/evaluator.h>

#define MAX_DEPTH 64

struct pass {
    const char *p, *end;
    char *out;               /* as much room as there is text: nothing becomes longer */
    char closers[MAX_DEPTH]; /* what each open brace becomes when it closes; 0: nothing */
    size_t depth;
};

static void put(struct pass *s, char c)
{
    *s->out++ = c;
}

static void put_bytes(struct pass *s, const char *bytes, size_t n)
{
    memcpy(s->out, bytes, n);
    s->out += n;
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

/* What follows "{...}" at p, or p itself. */
static const char *skip_argument(const char *p, const char *end)
{
    const char *close = p < end && *p == '{' ? memchr(p, '}', (size_t)(end - p)) : NULL;
    return close ? close + 1 : p;
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
    if (n >= 5 && !memcmp(name + n - 5, "color", 5)) { /* \color{red}{116}, \textcolor{red}{116} */
        s->p = skip_argument(q, s->end);
        return;
    }
    if ((n == 4 && !memcmp(name, "quad", 4)) || (n == 5 && !memcmp(name, "qquad", 5))) {
        s->p = q;
        put(s, ' ');
        return;
    }
    put_bytes(s, s->p, (size_t)(q - s->p));
    s->p = q;
}

/* Characters outside ASCII that stand for ASCII ones; returns the bytes taken. */
static size_t take_wide(struct pass *s)
{
    static const struct {
        const char *from;
        const char *to;
    } same[] = {{"。", "."},    {"、", ","},     {"【", "["},     {"】", "]"},     {"“", "\""},
                {"«", "\""},    {"»", "\""},     {"”", "\""},     {"‘", "'"},      {"’", "'"},
                {"「", "["},    {"」", "]"},     {"『", "["},     {"』", "]"},     {"《", "<"},
                {"》", ">"},    {"\u00a0", " "}, {"\u3000", " "}, {"\u200b", ""},  {"\u2060", ""},
                {"\ufeff", ""}, {"–", "-"},      {"—", "-"},      {"−", "-"},      {"➜", ":"},
                {"→", ":"},     {"⇒", ":"},      {"\u202f", " "}, {"\u2009", " "}, {"✅", " "},
                {"✔", " "},     {"☑", " "},      {"\ufe0f", ""}};
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
            put_bytes(s, same[i].to, strlen(same[i].to));
            return strlen(same[i].from);
        }
    if (len)
        put_bytes(s, s->p, len);
    return len ? len : 1;
}

/* After "<": a tag of HTML that dresses is dropped. */
static void take_tag(struct pass *s)
{
    static const char *const tags[] = {"b>",  "strong>", "i>",    "em>",  "u>",
                                       "br>", "p>",      "code>", "div>", "span>"};
    const char *q = s->p + (s->p < s->end && *s->p == '/');
    for (size_t i = 0; i < DSR_COUNT(tags); i++)
        if (dsr_begins(q, s->end, tags[i])) {
            s->p = q + strlen(tags[i]);
            return;
        }
    put(s, '<');
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
        else if (c == '<')
            take_tag(s);
        else if (!strchr("*`$~\r", c) || !c)
            put(s, (unsigned char)c < ' ' && c != '\n' ? ' ' : c);
    }
}

/* How many bytes of [p, end) stand for themselves. */
static size_t plain_bytes(const char *p, const char *end)
{
    static const char special[256] = {
        ['\\'] = 1, ['{'] = 1, ['}'] = 1, ['*'] = 1, ['`'] = 1, ['<'] = 1, ['$'] = 1, ['~'] = 1};
    const unsigned char *q = (const unsigned char *)p, *stop = (const unsigned char *)end;
    for (;;) {
        while (q < stop && (*q >= ' ' || *q == '\n') && *q < 0x80 && !special[*q])
            q++;
        /* CJK ideographs, U+4000 to U+9FFF */
        if (stop - q < 3 || q[0] < 0xe4 || q[0] > 0xe9 || dsr_utf8_len(q, 3) != 3)
            break;
        q += 3;
    }
    return (size_t)((const char *)q - p);
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
    dsr_buf_reset(out);
    if (dsr_buf_reserve(out, len))
        return DSR_ENOMEM;
    struct pass s = {.p = text, .end = text + len, .out = out->data};
    while (s.p < s.end) {
        size_t n = plain_bytes(s.p, s.end);
        if (n) {
            put_bytes(&s, s.p, n);
            s.p += n;
        } else {
            take(&s);
        }
    }
    *s.out = '\0';
    out->len = (size_t)(s.out - out->data);
    return 0;
}

/* Where the last n bytes of [text, end) begin, moved back to the start of a line when one is near,
 * else to the start of a character. */
static const char *tail(const char *text, const char *end, size_t n)
{
    if ((size_t)(end - text) <= n)
        return text;
    const char *at = end - n;
    size_t back = (size_t)(at - text) < n / 2 ? (size_t)(at - text) : n / 2;
    const char *line = memrchr(at - back, '\n', back);
    if (line)
        return line + 1;
    while (at < end && ((unsigned char)*at & 0xc0) == 0x80)
        at++;
    return at;
}

int dsr_read_back(const char *text, size_t len, dsr_reading_fn *reading, void *arg)
{
    /* most answers stand in the last lines; what stands far ahead of the end commits nobody */
    static const size_t windows[] = {1 << 10, 8 << 10, 64 << 10};
    struct dsr_buf normal = {0};
    size_t n;
    const char *answer = dsr_answer_after_think(text, len, &n);
    if (is_blank(answer, n))
        answer = last_paragraph(text, len, &n);
    bool done = false;
    int rc = 0;
    for (size_t i = 0; i < DSR_COUNT(windows) && !done && !rc; i++) {
        const char *start = tail(answer, answer + n, windows[i]);
        bool whole = start == answer || i + 1 == DSR_COUNT(windows);
        rc = dsr_normalize(start, (size_t)(answer + n - start), &normal);
        done = !rc && (reading(arg, normal.data, normal.len, whole) || whole);
    }
    dsr_buf_clear(&normal);
    return rc;
}
