/* core/net/sse.c */
#include "core/net/sse.h"
#include "tests/unit/unit.h"

struct log {
    struct dsr_buf text; /* "type|data\n" for each event */
};

static int take(void *arg, const char *type, char *data, size_t len)
{
    struct log *log = arg;
    ck_assert_uint_eq(strlen(data), len);
    return dsr_buf_addf(&log->text, "%s|%s~", type, data);
}

static const struct {
    const char *stream, *events;
} cases[] = {
    {"data: a\n\ndata: b\n\n", "message|a~message|b~"},
    {"data: a\r\n\r\ndata: b\r\n\r\n", "message|a~message|b~"},
    {"data: a\r\rdata: b\r\r", "message|a~message|b~"},
    {": comment\n\n: keep-alive\n\ndata: a\n\n", "message|a~"},
    {"data: a\ndata: b\n\n", "message|a\nb~"},
    {"data:a\n\ndata:  b\n\n", "message|a~message| b~"},
    {"\xef\xbb\xbf"
     "data: a\n\n",
     "message|a~"},
    {"event: error\ndata: x\n\ndata: y\n\n", "error|x~message|y~"},
    {"id: 7\nretry: 10\ndata: a\n\n", "message|a~"},
    {"data\n\n", "message|~"},
    {"data: [DONE]", "message|[DONE]~"},
    {"data: [DONE]\n", "message|[DONE]~"},
    {"{\"error\": 1}\n\n", "message|{\"error\": 1}~"},
    {"\n\n\n\n", ""},
    {"event: x\n\n", ""},
};

START_TEST(every_cut_gives_the_same_events)
{
    const char *stream = cases[_i].stream;
    size_t n = strlen(stream);
    for (size_t piece = 1; piece <= n; piece++) {
        struct dsr_sse sse = {0};
        struct log log = {0};
        for (size_t at = 0; at < n; at += piece)
            ck_assert_int_eq(
                dsr_sse_feed(&sse, stream + at, n - at < piece ? n - at : piece, take, &log), 0);
        ck_assert_int_eq(dsr_sse_end(&sse, take, &log), 0);
        ck_assert_str_eq(log.text.data ? log.text.data : "", cases[_i].events);
        dsr_sse_clear(&sse);
        dsr_buf_clear(&log.text);
    }
}
END_TEST

START_TEST(an_endless_event_is_refused)
{
    struct dsr_sse sse = {0};
    struct log log = {0};
    char *block = malloc(1 << 20);
    memset(block, 'x', 1 << 20);
    int rc = dsr_sse_feed(&sse, "data: ", 6, take, &log);
    for (int i = 0; i < 20 && !rc; i++)
        rc = dsr_sse_feed(&sse, block, 1 << 20, take, &log);
    ck_assert_int_eq(rc, DSR_EINVAL);
    free(block);
    dsr_sse_clear(&sse);
    dsr_buf_clear(&log.text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sse");
    TCase *tcase = tcase_create("sse");
    tcase_add_loop_test(tcase, every_cut_gives_the_same_events, 0, (int)DSR_COUNT(cases));
    tcase_add_test(tcase, an_endless_event_is_refused);
    suite_add_tcase(suite, tcase);
    return unit_run(suite);
}
