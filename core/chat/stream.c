/* Assembling a stream: stamps come from the caller, who read the clock in the write callback. */
#include "core/chat/stream.h"

static void take_reasoning(void *arg, const char *text, size_t n)
{
    struct dsr_stream *s = arg;
    dsr_buf_add(&s->reasoning, text, n);
}

static bool is_blank(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!strchr(" \t\r\n", text[i]) || !text[i])
            return false;
    return true;
}

static void take_answer(void *arg, const char *text, size_t n)
{
    struct dsr_stream *s = arg;
    dsr_buf_add(&s->answer, text, n);
    if (!s->first_answer_ns && !is_blank(text, n))
        s->first_answer_ns = s->now_ns;
}

/* The opening tag stood in the prompt: what was taken for the answer was reasoning. */
static void take_closed(void *arg)
{
    struct dsr_stream *s = arg;
    dsr_buf_add(&s->reasoning, s->answer.data, s->answer.len);
    dsr_buf_reset(&s->answer);
    s->reasoning_events = s->token_events;
    s->first_answer_ns = 0;
}

static const struct dsr_splitter_out outlets = {take_reasoning, take_answer, take_closed};

static void start(struct dsr_stream *s, const char *think_open, const char *think_close)
{
    dsr_splitter_init(&s->splitter, think_open, think_close);
    s->first_token_ns = s->first_answer_ns = s->last_token_ns = s->now_ns = 0;
    s->bearing = s->done = s->has_error = false;
    s->token_events = s->reasoning_events = 0;
    s->usage = (struct dsr_usage){-1, -1, -1, -1};
    s->finish_reason[0] = s->error[0] = '\0';
    s->error_code = 0;
}

void dsr_stream_init(struct dsr_stream *s, const char *think_open, const char *think_close)
{
    memset(s, 0, sizeof *s);
    start(s, think_open, think_close);
}

void dsr_stream_reset(struct dsr_stream *s, const char *think_open, const char *think_close)
{
    dsr_buf_reset(&s->reasoning);
    dsr_buf_reset(&s->answer);
    dsr_hist_reset(&s->gaps);
    dsr_shape_reset(&s->shape);
    start(s, think_open, think_close);
}

void dsr_stream_clear(struct dsr_stream *s)
{
    dsr_buf_clear(&s->reasoning);
    dsr_buf_clear(&s->answer);
    dsr_hist_clear(&s->gaps);
    dsr_shape_clear(&s->shape);
}

void dsr_stream_event_begin(struct dsr_stream *s, uint64_t now_ns)
{
    s->now_ns = now_ns;
    s->bearing = false;
}

bool dsr_stream_event_end(struct dsr_stream *s)
{
    if (!s->bearing)
        return false;
    if (!s->first_token_ns)
        s->first_token_ns = s->now_ns;
    else
        dsr_hist_add(&s->gaps, (s->now_ns - s->last_token_ns + 500) / 1000);
    s->last_token_ns = s->now_ns;
    s->token_events++;
    if (!s->first_answer_ns)
        s->reasoning_events++;
    return true;
}

void dsr_stream_end(struct dsr_stream *s)
{
    dsr_splitter_end(&s->splitter, &outlets, s);
}

void dsr_stream_reasoning(struct dsr_stream *s, const char *text, size_t len)
{
    s->bearing |= len > 0;
    take_reasoning(s, text, len);
}

void dsr_stream_answer(struct dsr_stream *s, const char *text, size_t len)
{
    s->bearing |= len > 0;
    take_answer(s, text, len);
}

void dsr_stream_text(struct dsr_stream *s, const char *text, size_t len)
{
    s->bearing |= len > 0;
    dsr_splitter_feed(&s->splitter, text, len, &outlets, s);
}

static void take_count(int64_t *into, int64_t value)
{
    if (value >= 0)
        *into = value;
}

void dsr_stream_usage(struct dsr_stream *s, const struct dsr_usage *usage)
{
    take_count(&s->usage.input, usage->input);
    take_count(&s->usage.output, usage->output);
    take_count(&s->usage.reasoning, usage->reasoning);
    take_count(&s->usage.cached, usage->cached);
}

void dsr_stream_finish(struct dsr_stream *s, const char *reason)
{
    snprintf(s->finish_reason, sizeof s->finish_reason, "%s", reason);
}

void dsr_stream_done(struct dsr_stream *s)
{
    s->done = true;
}

void dsr_stream_error(struct dsr_stream *s, int code, const char *message)
{
    s->has_error = true;
    s->error_code = code;
    snprintf(s->error, sizeof s->error, "%s", message);
}
