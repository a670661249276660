/* The stream assembler: what came, when, and how many tokens it took. */
#ifndef DSR_STREAM_H
#define DSR_STREAM_H

#include "core/chat/shape.h"
#include "core/chat/splitter.h"
#include "core/metric/histogram.h"

#include <dsr/provider.h>

struct dsr_stream {
    struct dsr_splitter splitter;
    struct dsr_buf reasoning, answer;
    struct dsr_hist gaps; /* between token-bearing events, microseconds */
    /* stamps of the monotonic clock, 0 when it did not happen */
    uint64_t first_token_ns, first_answer_ns, last_token_ns;
    uint64_t now_ns; /* arrival of the bytes being taken */
    bool bearing;    /* the event being taken holds tokens */
    int64_t token_events, reasoning_events;
    struct dsr_shape shape; /* of the events */
    struct dsr_usage usage;
    char finish_reason[32];
    bool done;      /* the end mark came */
    int error_code; /* of an error inside the stream */
    bool has_error;
    char error[256];
};

void dsr_stream_init(struct dsr_stream *stream, const char *think_open, const char *think_close);
/* Ready for the next request; keeps the memory. */
void dsr_stream_reset(struct dsr_stream *stream, const char *think_open, const char *think_close);
void dsr_stream_clear(struct dsr_stream *stream);
/* Around each event: the calls of dsr/provider.h come between. */
void dsr_stream_event_begin(struct dsr_stream *stream, uint64_t now_ns);
/* True when the event held tokens. */
bool dsr_stream_event_end(struct dsr_stream *stream);
/* The response ended. */
void dsr_stream_end(struct dsr_stream *stream);

#endif
