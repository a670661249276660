/* The model of prompt_generator.json, which writes questions for prompt generators. */
#ifndef DSR_RUN_WRITER_H
#define DSR_RUN_WRITER_H

#include "core/run/session.h"

/* Lets plugins of this context ask it (dsr_host_ask), if one is configured. */
int dsr_writer_offer(struct dsr_ctx *ctx, struct dsr_error *err);

#endif
