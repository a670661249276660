/* Requests and responses as plugins see them, with what only the core may touch. */
#ifndef DSR_REQUEST_H
#define DSR_REQUEST_H

#include "core/base/base.h"

#include <curl/curl.h>
#include <dsr/provider.h>

struct dsr_http_request {
    char *url;
    bool get;
    json_t *json;
    int64_t delay_ms;
    struct curl_slist *headers; /* "Name: value" */
};
void dsr_http_request_init(struct dsr_http_request *request);
void dsr_http_request_clear(struct dsr_http_request *request);

struct dsr_http_response {
    CURL *easy; /* NULL when nothing was sent */
    int status;
    int hops;
    struct dsr_buf body;
};

#endif
