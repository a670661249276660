/* core/chat: splitter.c, stream.c, openai.c */
#include "core/chat/exchange.h"
#include "tests/unit/unit.h"

static const struct {
    const char *text, *reasoning, *answer;
} splits[] = {
    {"<think>a</think>b", "a", "b"},
    {"no tag at all", "", "no tag at all"},
    {"a</think>b", "a", "b"},
    {"<think>never closed", "never closed", ""},
    {"<think>a</thin</think>b", "a</thin", "b"},
    {"<think><think>a</think>b", "<think>a", "b"},
    {"x<think>a</think>b", "a", "xb"},
    {"<<think>a</think><b", "a", "<<b"},
    {"<think></think>", "", ""},
    {"a < b and c > d", "", "a < b and c > d"},
    {"<thin", "", "<thin"},
    {"a</think>b</think>c", "ab", "c"},
    {"<think>\xe6\x80\x9d</think>\xe7\xad\x94", "\xe6\x80\x9d", "\xe7\xad\x94"},
    {"", "", ""},
};

static const char *text_of(const struct dsr_buf *buf)
{
    return buf->data ? buf->data : "";
}

static void feed_pieces(struct dsr_stream *s, const char *text, size_t n, struct dsr_rng *rng,
                        size_t piece)
{
    for (size_t at = 0, take; at < n; at += take) {
        take = rng ? 1 + (size_t)dsr_rng_below(rng, 6) : piece;
        take = take < n - at ? take : n - at;
        dsr_stream_event_begin(s, at + 1);
        dsr_stream_text(s, text + at, take);
        dsr_stream_event_end(s);
    }
    dsr_stream_end(s);
}

START_TEST(however_a_text_is_cut_the_split_is_the_same)
{
    const char *text = splits[_i].text;
    for (size_t piece = 1; piece <= strlen(text) + 1; piece++) {
        struct dsr_stream s;
        dsr_stream_init(&s, "<think>", "</think>");
        feed_pieces(&s, text, strlen(text), NULL, piece);
        ck_assert_str_eq(text_of(&s.reasoning), splits[_i].reasoning);
        ck_assert_str_eq(text_of(&s.answer), splits[_i].answer);
        dsr_stream_clear(&s);
    }
}
END_TEST

/* Property: random texts over an alphabet of tag pieces, cut at random, always give what the text
 * in one piece gives, and no byte but those of tags is lost. */
START_TEST(random_texts_cut_at_random_split_alike)
{
    static const char *const parts[] = {"<think>", "</think>", "<", "think", "/", ">", "a", " "};
    struct dsr_rng rng;
    dsr_rng_init(&rng, 42, (uint64_t)_i);
    struct dsr_buf text = {0};
    for (int i = 0; i < 12; i++)
        dsr_buf_adds(&text, parts[dsr_rng_below(&rng, DSR_COUNT(parts))]);
    struct dsr_stream whole, cut;
    dsr_stream_init(&whole, "<think>", "</think>");
    dsr_stream_init(&cut, "<think>", "</think>");
    feed_pieces(&whole, text.data, text.len, NULL, text.len);
    feed_pieces(&cut, text.data, text.len, &rng, 0);
    ck_assert_str_eq(text_of(&cut.reasoning), text_of(&whole.reasoning));
    ck_assert_str_eq(text_of(&cut.answer), text_of(&whole.answer));
    size_t lost = text.len - whole.reasoning.len - whole.answer.len, tags = 0;
    for (size_t open = 0; open * 7 <= lost; open++)
        tags |= (lost - open * 7) % 8 == 0;
    ck_assert_msg(tags, "%zu bytes are missing from %s", lost, text.data);
    dsr_stream_clear(&whole);
    dsr_stream_clear(&cut);
    dsr_buf_clear(&text);
}
END_TEST

START_TEST(stamps_are_those_of_events_with_tokens)
{
    struct dsr_stream s;
    dsr_stream_init(&s, "<think>", "</think>");
    dsr_stream_event_begin(&s, 1000000); /* a role, no text */
    ck_assert(!dsr_stream_event_end(&s));
    dsr_stream_event_begin(&s, 2000000);
    dsr_stream_reasoning(&s, "r", 1);
    ck_assert(dsr_stream_event_end(&s));
    dsr_stream_event_begin(&s, 5000000);
    dsr_stream_answer(&s, "\n\n", 2);
    dsr_stream_event_end(&s);
    dsr_stream_event_begin(&s, 9000000);
    dsr_stream_answer(&s, "x", 1);
    dsr_stream_event_end(&s);
    ck_assert_uint_eq(s.first_token_ns, 2000000);
    ck_assert_uint_eq(s.first_answer_ns, 9000000);
    ck_assert_uint_eq(s.last_token_ns, 9000000);
    ck_assert_int_eq(s.token_events, 3);
    ck_assert_uint_eq(s.gaps.n, 2);
    ck_assert_uint_eq(s.gaps.min, 3000);
    ck_assert_uint_eq(s.gaps.max, 4000);
    dsr_stream_clear(&s);
}
END_TEST

START_TEST(a_late_closing_tag_takes_back_the_first_answer)
{
    struct dsr_stream s;
    const char *parts[] = {"think", "ing</think>", "answer"};
    dsr_stream_init(&s, "<think>", "</think>");
    for (uint64_t i = 0; i < 3; i++) {
        dsr_stream_event_begin(&s, (i + 1) * 1000000);
        dsr_stream_text(&s, parts[i], strlen(parts[i]));
        dsr_stream_event_end(&s);
    }
    dsr_stream_end(&s);
    ck_assert_uint_eq(s.first_token_ns, 1000000);
    ck_assert_uint_eq(s.first_answer_ns, 3000000);
    ck_assert_str_eq(text_of(&s.reasoning), "thinking");
    dsr_stream_clear(&s);
}
END_TEST

struct opened {
    struct dsr_service service;
    void *state;
    struct dsr_stream stream;
};

static void open_default(struct opened *o, bool inline_)
{
    memset(o, 0, sizeof *o);
    o->service = (struct dsr_service){.code = (char *)"x",
                                      .base_url = (char *)"http://h/v1",
                                      .model = (char *)"m",
                                      .reasoning_inline = inline_};
    o->state = dsr_openai_open(&o->service, "k", NULL, NULL);
    dsr_stream_init(&o->stream, "<think>", "</think>");
}

static int event(struct opened *o, const char *type, const char *text)
{
    char *copy = strdup(text);
    dsr_stream_event_begin(&o->stream, 1);
    int rc = dsr_openai_on_event(o->state, type, copy, strlen(copy), &o->stream);
    dsr_stream_event_end(&o->stream);
    free(copy);
    return rc;
}

static void close_default(struct opened *o)
{
    dsr_openai_close(o->state);
    dsr_stream_clear(&o->stream);
}

START_TEST(all_shapes_of_reasoning_are_read)
{
    struct opened o;
    open_default(&o, true);
    event(&o, "message", "{\"choices\":[{\"delta\":{\"reasoning_content\":\"a\"}}]}");
    event(&o, "message", "{\"choices\":[{\"delta\":{\"reasoning\":\"b\",\"content\":null}}]}");
    event(&o, "message", "{\"choices\":[{\"delta\":{\"content\":\"<think>c</think>d\"}}]}");
    event(&o, "message", "{\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}");
    event(&o, "message",
          "{\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":4,"
          "\"prompt_cache_hit_tokens\":3,"
          "\"completion_tokens_details\":{\"reasoning_tokens\":2}}}");
    event(&o, "message", "[DONE]");
    ck_assert_str_eq(text_of(&o.stream.reasoning), "abc");
    ck_assert_str_eq(text_of(&o.stream.answer), "d");
    ck_assert_str_eq(o.stream.finish_reason, "stop");
    ck_assert_int_eq(o.stream.usage.input, 9);
    ck_assert_int_eq(o.stream.usage.output, 4);
    ck_assert_int_eq(o.stream.usage.cached, 3);
    ck_assert_int_eq(o.stream.usage.reasoning, 2);
    ck_assert(o.stream.done);
    close_default(&o);
}
END_TEST

START_TEST(a_plain_answer_is_read)
{
    struct opened o;
    open_default(&o, false);
    ck_assert_int_eq(event(&o, "json",
                           "{\"choices\":[{\"message\":{\"content\":\"hi\"},\"finish_reason\":"
                           "\"stop\"}],\"usage\":{\"completion_tokens\":1}}"),
                     0);
    ck_assert_str_eq(text_of(&o.stream.answer), "hi");
    ck_assert(o.stream.done);
    close_default(&o);
}
END_TEST

static const struct {
    const char *event, *message;
    int code;
} errors[] = {
    {"{\"error\":{\"message\":\"m\",\"code\":429}}", "m", 429},
    {"{\"error\":{\"message\":\"m\",\"code\":\"503\"}}", "m", 503},
    {"{\"error\":\"m\"}", "m", 0},
    {"{\"object\":\"error\",\"message\":\"m\",\"code\":40001}", "m", 0},
    {"{\"code\":20012,\"message\":\"m\",\"data\":null}", "m", 0},
};

START_TEST(errors_inside_a_stream_are_seen)
{
    struct opened o;
    open_default(&o, false);
    ck_assert_int_eq(event(&o, "message", errors[_i].event), 0);
    ck_assert(o.stream.has_error);
    ck_assert_str_eq(o.stream.error, errors[_i].message);
    ck_assert_int_eq(o.stream.error_code, errors[_i].code);
    close_default(&o);
}
END_TEST

static const char *const broken[] = {"",        "{", "[]", "null", "1", "{\"choices\":[{\"delta\"",
                                     "\xff\xfe"};

START_TEST(what_is_no_event_is_refused)
{
    struct opened o;
    open_default(&o, false);
    ck_assert_int_eq(event(&o, "message", broken[_i]), DSR_EINVAL);
    close_default(&o);
}
END_TEST

/* Property: reading events by the shape of the one before gives what parsing each of them gives. */
static const char *const frames[][2] = {
    {"{\"id\":\"1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"",
     "\"},\"finish_reason\":null}]}"},
    {"{\"choices\":[{\"delta\":{\"content\":null,\"reasoning_content\":\"",
     "\"}}],\"usage\":null}"},
    {"{\"choices\":[{\"delta\":{\"reasoning\": \"", "\",\"content\":\"\"}}]}"},
    {"{\"choices\":[{\"delta\":{\"content\":\"", "\",\"reasoning_content\":\"both\"}}]}"},
    {"{\"choices\":[{\"delta\":{\"content\":\"", "\"},\"finish_reason\":\"stop\"}]}"},
    {"{\"choices\":[{\"delta\":{\"content\":\"", "\"}}],\"usage\":{\"completion_tokens\":3}}"},
    {"{\"content\":\"x\",\"choices\":[{\"delta\":{\"content\":\"", "\"}}]}"},
    {"{\"choices\":[{\"delta\":{\"\\u0063ontent\":\"", "\"}}],\"content\":\"x\"}"},
    {"{\"error\":{\"message\":\"content\"},\"choices\":[{\"delta\":{\"content\":\"", "\"}}]}"},
    {"{\"choices\":[{\"delta\":{\"content\":\"", "\"}}]"},
};

static void make_text(struct dsr_buf *out, struct dsr_rng *rng)
{
    static const char *const parts[] = {"a",  " the",    "\xe6\x80\x9d", "\\n", "\\\"", "\\u4e2d",
                                        "\"", "\\",      "\xff",         "\n",  "x",    "content",
                                        "}",  "<think>", "\x7f",         "1"};
    size_t kinds = dsr_rng_below(rng, 4) ? 3 : DSR_COUNT(parts);
    for (size_t n = (size_t)dsr_rng_below(rng, 4); n--;)
        dsr_buf_adds(out, parts[dsr_rng_below(rng, kinds)]);
}

static int feed_event(struct dsr_stream *s, void *state, const struct dsr_buf *event)
{
    DSR_AUTO(str) char *data = strndup(event->data, event->len);
    dsr_stream_event_begin(s, s->now_ns + 1);
    int rc = dsr_openai_on_event(state, "message", data, event->len, s);
    dsr_stream_event_end(s);
    return rc;
}

START_TEST(events_read_by_their_shape_are_read_right)
{
    struct dsr_service service = {.code = (char *)"x",
                                  .base_url = (char *)"http://h",
                                  .model = (char *)"m",
                                  .reasoning_inline = _i % 2};
    void *state = dsr_openai_open(&service, NULL, NULL, NULL);
    struct dsr_stream by_shape, parsed;
    struct dsr_rng rng;
    size_t known = 0;
    dsr_rng_init(&rng, 77, (uint64_t)_i);
    dsr_stream_init(&by_shape, "<think>", "</think>");
    dsr_stream_init(&parsed, "<think>", "</think>");
    size_t frame = 0;
    for (int k = 0; k < 3000; k++) {
        struct dsr_buf event = {0};
        if (!dsr_rng_below(&rng, 9))
            frame = (size_t)dsr_rng_below(&rng, DSR_COUNT(frames));
        dsr_buf_adds(&event, frames[frame][0]);
        make_text(&event, &rng);
        dsr_buf_adds(&event, frames[frame][1]);
        size_t n;
        known += dsr_shape_text(&by_shape.shape, event.data, event.len, &n) != NULL;
        dsr_shape_reset(&parsed.shape);
        int a = feed_event(&by_shape, state, &event), b = feed_event(&parsed, state, &event);
        ck_assert_msg(a == b, "%s", event.data);
        ck_assert_str_eq(text_of(&by_shape.answer), text_of(&parsed.answer));
        ck_assert_str_eq(text_of(&by_shape.reasoning), text_of(&parsed.reasoning));
        ck_assert_int_eq(by_shape.token_events, parsed.token_events);
        ck_assert_int_eq(by_shape.has_error, parsed.has_error);
        ck_assert_str_eq(by_shape.finish_reason, parsed.finish_reason);
        dsr_buf_clear(&event);
    }
    ck_assert_msg(known > 300, "%zu", known); /* or nothing was shown */
    dsr_stream_clear(&by_shape);
    dsr_stream_clear(&parsed);
    dsr_openai_close(state);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("stream");
    TCase *tcase = tcase_create("stream");
    tcase_add_loop_test(tcase, however_a_text_is_cut_the_split_is_the_same, 0,
                        (int)DSR_COUNT(splits));
    tcase_add_loop_test(tcase, random_texts_cut_at_random_split_alike, 0, 200);
    tcase_add_loop_test(tcase, events_read_by_their_shape_are_read_right, 0, 20);
    tcase_add_test(tcase, stamps_are_those_of_events_with_tokens);
    tcase_add_test(tcase, a_late_closing_tag_takes_back_the_first_answer);
    tcase_add_test(tcase, all_shapes_of_reasoning_are_read);
    tcase_add_test(tcase, a_plain_answer_is_read);
    tcase_add_loop_test(tcase, errors_inside_a_stream_are_seen, 0, (int)DSR_COUNT(errors));
    tcase_add_loop_test(tcase, what_is_no_event_is_refused, 0, (int)DSR_COUNT(broken));
    suite_add_tcase(suite, tcase);
    return unit_run(suite);
}
