/* CPU time per streamed chunk: SSE decoding, JSON, splitting, stamping. `make bench`. */
#include "core/chat/exchange.h"

#include <time.h>

#define CHUNKS 200000

struct run {
    struct dsr_stream stream;
    void *state;
};

static int take(void *arg, const char *type, char *data, size_t len)
{
    struct run *run = arg;
    dsr_stream_event_begin(&run->stream, dsr_clock_ns());
    int rc = dsr_openai_on_event(run->state, type, data, len, &run->stream);
    dsr_stream_event_end(&run->stream);
    return rc;
}

static double cpu_s(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

int main(void)
{
    static const char chunk[] =
        "data: "
        "{\"id\":\"chatcmpl-123\",\"object\":\"chat.completion.chunk\",\"created\":1764000000,"
        "\"model\":\"deepseek-r1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" token\"},"
        "\"finish_reason\":null}],\"usage\":null}\n\n";
    struct dsr_service service = {.code = (char *)"x",
                                  .base_url = (char *)"http://h",
                                  .model = (char *)"m",
                                  .reasoning_inline = true};
    struct run run = {.state = dsr_openai_open(&service, NULL, NULL, NULL)};
    struct dsr_sse sse = {0};
    dsr_stream_init(&run.stream, "<think>", "</think>");
    double start = cpu_s();
    for (int i = 0; i < CHUNKS; i++)
        if (dsr_sse_feed(&sse, chunk, sizeof chunk - 1, take, &run))
            return 1;
    double seconds = cpu_s() - start;
    printf("%d chunks of %zu bytes: %.2f CPU s per 100,000 chunks\n", CHUNKS, sizeof chunk - 1,
           seconds * 100000 / CHUNKS);
    dsr_openai_close(run.state);
    dsr_sse_clear(&sse);
    dsr_stream_clear(&run.stream);
    return 0;
}
