/* The web server: a table of paths, limits, and headers that all answers have. */
#ifndef DSR_WEB_SERVER_H
#define DSR_WEB_SERVER_H

#include "core/web/data.h"

struct MHD_Connection;

struct dsr_request {
    struct dsr_data *data;
    struct MHD_Connection *connection;
    const char *path, *body;
    size_t body_len;
};
/* The value of a parameter in the address, or NULL. */
const char *dsr_request_value(const struct dsr_request *request, const char *name);

struct dsr_reply {
    int status;
    const char *type; /* of the body; "application/json" when json is set */
    json_t *json;     /* owned */
    struct dsr_buf body;
};
/* {"status": false, "error"} as the seed's interface has it. */
void dsr_reply_error(struct dsr_reply *reply, int status, const char *message);
/* An error of ours as the status that fits. */
void dsr_reply_fail(struct dsr_reply *reply, const struct dsr_error *err);

/* Runs on a thread of the server. */
typedef void dsr_answer_fn(const struct dsr_request *request, struct dsr_reply *reply);
struct dsr_route {
    const char *method, *path;
    dsr_answer_fn *answer;
};
/* api.c, series.c, prometheus.c */
dsr_answer_fn dsr_api_models, dsr_api_providers, dsr_api_figures, dsr_api_rank, dsr_api_jobs,
    dsr_api_compare, dsr_api_metric, dsr_api_metrics_text;

struct dsr_server;
struct dsr_server_options {
    const char *listen;     /* ADDRESS:PORT, [ADDRESS]:PORT */
    const char *token_file; /* NULL: loopback only */
    int threads;
};
/* Listens. DSR_EUSAGE when the address is none, or not loopback and without a token. */
int dsr_server_start(struct dsr_server **server, struct dsr_data *data,
                     const struct dsr_server_options *options, struct dsr_error *err);
int dsr_server_port(const struct dsr_server *server);
/* Cuts connections whose request takes too long; call about every second. */
void dsr_server_tick(struct dsr_server *server);
void dsr_server_stop(struct dsr_server *server); /* NULL is allowed */
/* Requests answered so far, for /metrics. */
uint64_t dsr_server_requests(void);

#endif
