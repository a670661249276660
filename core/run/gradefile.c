/* Batches of lines: one thread reads, workers grade, and each batch is written when its turn comes.
 * Slots are used round and round, so that a slow batch holds the reader up rather than memory. */
#include "core/run/gradefile.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <unistd.h>
#include <uv.h>

#define BATCH_BYTES (256 << 10)
#define SLOTS_PER_WORKER 3

enum state { SLOT_FREE, SLOT_FULL, SLOT_TAKEN, SLOT_DONE };

struct slot {
    enum state state;
    struct dsr_buf lines;
    int first_line;
    struct dsr_buf out;
    int rc;
    struct dsr_error err;
};

struct pool {
    const struct dsr_evaluator_ops *ops;
    const char *grader, *path;
    struct slot *slots;
    size_t n_slots, n_workers;
    size_t batch; /* bytes: how much a slot takes, but at least a line */
    pthread_t *workers;
    pthread_mutex_t lock; /* guards the states of slots, next and ended */
    pthread_cond_t changed;
    size_t next; /* slot that a worker takes next; they are filled in this order */
    bool ended;
};

static int grade_line(const struct pool *p, const char *line, size_t len, int number,
                      struct dsr_buf *out, struct dsr_error *err)
{
    json_error_t bad;
    DSR_AUTO(json) json_t *object = json_loadb(line, len, JSON_ALLOW_NUL, &bad);
    const json_t *id = json_object_get(object, "id");
    const json_t *response = json_object_get(object, "response");
    const json_t *gold = json_object_get(object, "gold");
    if (!object)
        return dsr_error_file(err, DSR_ECONFIG, p->path, number, "not valid JSON: %s", bad.text);
    if (!id || !json_is_string(response) || !json_is_string(gold))
        return dsr_error_file(err, DSR_ECONFIG, p->path, number,
                              "expected \"id\", and \"response\" and \"gold\" as strings");
    const json_t *options = json_object_get(object, "options");
    struct dsr_grade grade = {0};
    struct dsr_answer answer = {.gold = json_string_value(gold),
                                .options = json_is_array(options) ? options : NULL,
                                .answer = json_string_value(response),
                                .answer_len = json_string_length(response),
                                .mode = p->grader};
    int rc = p->ops->grade(&answer, &grade, err);
    if (rc) {
        snprintf(err->file, sizeof err->file, "%s", p->path);
        err->line = number;
        return rc;
    }
    DSR_AUTO(json)
    json_t *verdict = json_pack(
        "{s:O, s:o, s:b, s:f, s:s}", "id", id, "extracted",
        grade.extracted[0] ? dsr_json_text(grade.extracted, strlen(grade.extracted)) : json_null(),
        "correct", grade.correct, "score", grade.score, "rule", grade.rule);
    DSR_AUTO(str) char *text = verdict ? json_dumps(verdict, JSON_COMPACT) : NULL;
    return !text || dsr_buf_adds(out, text) || dsr_buf_adds(out, "\n") ? dsr_error_nomem(err) : 0;
}

static void grade_slot(const struct pool *p, struct slot *s)
{
    const char *line = s->lines.data, *end = line + s->lines.len;
    s->rc = 0;
    dsr_buf_reset(&s->out);
    for (int number = s->first_line; line < end && !s->rc; number++) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        stop = stop ? stop : end;
        if (number == 1 && stop - line >= 3 && !memcmp(line, "\xef\xbb\xbf", 3))
            line += 3;
        while (line < stop && strchr(" \t\r", *line) && *line)
            line++;
        if (line < stop)
            s->rc = grade_line(p, line, (size_t)(stop - line), number, &s->out, &s->err);
        line = stop + 1;
    }
}

static void *work(void *arg)
{
    struct pool *p = arg;
    pthread_mutex_lock(&p->lock);
    for (;;) {
        struct slot *s = &p->slots[p->next];
        if (s->state != SLOT_FULL) {
            if (p->ended)
                break;
            pthread_cond_wait(&p->changed, &p->lock);
            continue;
        }
        s->state = SLOT_TAKEN;
        p->next = (p->next + 1) % p->n_slots;
        pthread_mutex_unlock(&p->lock);
        grade_slot(p, s);
        pthread_mutex_lock(&p->lock);
        s->state = SLOT_DONE;
        pthread_cond_broadcast(&p->changed);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

static void set_state(struct pool *p, struct slot *s, enum state state)
{
    pthread_mutex_lock(&p->lock);
    s->state = state;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
}

/* Waits until the slot has been graded, if it is in work, and frees it; writes what it holds,
 * unless an earlier error forbids. */
static int drain(struct pool *p, struct slot *s, FILE *out, int rc, struct dsr_error *err)
{
    pthread_mutex_lock(&p->lock);
    while (s->state == SLOT_FULL || s->state == SLOT_TAKEN)
        pthread_cond_wait(&p->changed, &p->lock);
    bool done = s->state == SLOT_DONE;
    s->state = SLOT_FREE;
    pthread_mutex_unlock(&p->lock);
    if (!done || rc)
        return rc;
    if (s->out.len && fwrite(s->out.data, 1, s->out.len, out) != s->out.len)
        return dsr_error_set(err, DSR_EIO, "the verdicts can't be written");
    if (s->rc)
        *err = s->err;
    return s->rc;
}

/* All that is in work, oldest first; at: the slot that comes next. */
static int drain_all(struct pool *p, size_t at, FILE *out, int rc, struct dsr_error *err)
{
    for (size_t i = 0; i < p->n_slots; i++)
        rc = drain(p, &p->slots[(at + i) % p->n_slots], out, rc, err);
    if (!rc && fflush(out))
        rc = dsr_error_set(err, DSR_EIO, "the verdicts can't be written");
    return rc;
}

struct source {
    int fd;
    struct dsr_buf buf;
    size_t at; /* of buf: what was taken */
    bool ended;
    int lines; /* taken */
};

static int read_more(struct source *in, const char *path, struct dsr_error *err)
{
    if (in->at)
        memmove(in->buf.data, in->buf.data + in->at, in->buf.len - in->at);
    in->buf.len -= in->at;
    in->at = 0;
    if (dsr_buf_reserve(&in->buf, BATCH_BYTES))
        return dsr_error_nomem(err);
    ssize_t n = read(in->fd, in->buf.data + in->buf.len, BATCH_BYTES);
    if (n < 0)
        return dsr_error_file(err, DSR_EIO, path, in->lines + 1, "can't be read: %s",
                              strerror(errno));
    in->buf.len += (size_t)n;
    in->ended = n == 0;
    return 0;
}

/* How many bytes of whole lines are there: about a batch, or one longer line. */
static size_t whole_lines(const struct source *in, size_t batch)
{
    const char *start = in->buf.data + in->at;
    size_t left = in->buf.len - in->at, most = left < batch ? left : batch;
    const char *end = left ? memrchr(start, '\n', most) : NULL;
    if (!end && left)
        end = memchr(start, '\n', left);
    return end ? (size_t)(end - start) + 1 : in->ended ? left : 0;
}

/* Fills the slot with whole lines; none are left when it stays empty. */
static int fill(const struct pool *p, struct slot *s, struct source *in, struct dsr_error *err)
{
    size_t n;
    int rc = 0;
    while (!(n = whole_lines(in, p->batch)) && !in->ended && !rc)
        rc = read_more(in, p->path, err);
    dsr_buf_reset(&s->lines);
    if (rc || !n)
        return rc;
    const char *start = in->buf.data + in->at;
    if (dsr_buf_add(&s->lines, start, n))
        return dsr_error_nomem(err);
    s->first_line = in->lines + 1;
    const char *at = start, *end = start + n;
    for (; at < end && (at = memchr(at, '\n', (size_t)(end - at))); at++)
        in->lines++;
    in->at += n;
    return 0;
}

/* A pipe that pauses: nobody should wait for what is already graded. */
static bool pauses(const struct pool *p, const struct source *in)
{
    struct pollfd fd = {.fd = in->fd, .events = POLLIN};
    return !whole_lines(in, p->batch) && poll(&fd, 1, 0) == 0;
}

static int feed(struct pool *p, struct source *in, FILE *out, struct dsr_error *err)
{
    size_t at = 0;
    int rc = 0;
    while (!rc) {
        struct slot *s = &p->slots[at];
        rc = drain(p, s, out, 0, err);
        if (!rc && pauses(p, in))
            rc = drain_all(p, at, out, 0, err);
        if (!rc)
            rc = fill(p, s, in, err);
        if (rc || !s->lines.len)
            break;
        set_state(p, s, SLOT_FULL);
        at = (at + 1) % p->n_slots;
    }
    return drain_all(p, at, out, rc, err);
}

static int start(struct pool *p, struct dsr_error *err)
{
    size_t wanted = uv_available_parallelism();
    p->n_slots = SLOTS_PER_WORKER * wanted;
    p->slots = calloc(p->n_slots, sizeof *p->slots);
    p->workers = calloc(wanted, sizeof *p->workers);
    if (!p->slots || !p->workers)
        return dsr_error_nomem(err);
    for (size_t i = 0; i < wanted; i++)
        if (!pthread_create(&p->workers[p->n_workers], NULL, work, p))
            p->n_workers++;
    return p->n_workers ? 0 : dsr_error_set(err, DSR_EIO, "no thread can be started");
}

static void stop(struct pool *p)
{
    pthread_mutex_lock(&p->lock);
    p->ended = true;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
    for (size_t i = 0; i < p->n_workers; i++)
        pthread_join(p->workers[i], NULL);
    for (size_t i = 0; p->slots && i < p->n_slots; i++) {
        dsr_buf_clear(&p->slots[i].lines);
        dsr_buf_clear(&p->slots[i].out);
    }
    free(p->slots);
    free(p->workers);
}

int dsr_grade_file(const struct dsr_evaluator_ops *ops, const char *grader, const char *path,
                   FILE *out, struct dsr_error *err)
{
    struct pool p = {.ops = ops, .grader = grader, .path = path, .batch = BATCH_BYTES};
    if (dsr_evaluator_runs_programs(ops))
        p.batch = 1;
    struct source in = {.fd = open(path, O_RDONLY | O_CLOEXEC)};
    if (in.fd < 0)
        return dsr_error_file(err, DSR_ECONFIG, path, 0, "can't be read: %s", strerror(errno));
    pthread_mutex_init(&p.lock, NULL);
    pthread_cond_init(&p.changed, NULL);
    int rc = start(&p, err);
    if (!rc)
        rc = feed(&p, &in, out, err);
    stop(&p);
    pthread_cond_destroy(&p.changed);
    pthread_mutex_destroy(&p.lock);
    dsr_buf_clear(&in.buf);
    close(in.fd);
    return rc;
}
