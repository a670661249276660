/* libFuzzer target: any bytes of a provider, whole, byte by byte, and with every event parsed, give
 * the same texts.
 * make fuzz CC=clang; then tests/fuzz/fuzz_stream CORPUS */
#include "core/chat/exchange.h"

static bool parse_all; /* no event is read by the shape of the one before */

static int take(void *arg, const char *type, char *data, size_t len)
{
    struct dsr_stream *stream = arg;
    static struct dsr_service service = {.code = (char *)"x",
                                         .base_url = (char *)"http://h",
                                         .model = (char *)"m",
                                         .reasoning_inline = true};
    void *state = dsr_openai_open(&service, NULL, NULL, NULL);
    if (parse_all)
        dsr_shape_reset(&stream->shape);
    dsr_stream_event_begin(stream, 1);
    dsr_openai_on_event(state, type, data, len, stream);
    dsr_stream_event_end(stream);
    dsr_openai_close(state);
    return 0;
}

static void feed(struct dsr_stream *stream, const uint8_t *bytes, size_t n, size_t piece)
{
    struct dsr_sse sse = {0};
    dsr_stream_init(stream, "<think>", "</think>");
    for (size_t at = 0; at < n; at += piece)
        dsr_sse_feed(&sse, (const char *)bytes + at, n - at < piece ? n - at : piece, take, stream);
    dsr_sse_end(&sse, take, stream);
    dsr_stream_end(stream);
    dsr_sse_clear(&sse);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct dsr_stream whole, cut, parsed;
    parse_all = false;
    feed(&whole, bytes, n, n + 1);
    feed(&cut, bytes, n, 1);
    parse_all = true;
    feed(&parsed, bytes, n, n + 1);
    if (whole.answer.len != cut.answer.len || whole.reasoning.len != cut.reasoning.len ||
        whole.answer.len != parsed.answer.len || whole.reasoning.len != parsed.reasoning.len ||
        whole.token_events != parsed.token_events || whole.has_error != parsed.has_error)
        abort();
    dsr_stream_clear(&whole);
    dsr_stream_clear(&cut);
    dsr_stream_clear(&parsed);
    return 0;
}
