/* Building requests and reading responses: the accessors that plugins call. */
#include "core/net/request.h"

#include <strings.h>

void dsr_http_request_init(struct dsr_http_request *request)
{
    memset(request, 0, sizeof *request);
    request->json = json_object();
}

void dsr_http_request_clear(struct dsr_http_request *request)
{
    for (struct curl_slist *h = request->headers; h; h = h->next)
        explicit_bzero(h->data, strlen(h->data));
    curl_slist_free_all(request->headers);
    free(request->url);
    json_decref(request->json);
    memset(request, 0, sizeof *request);
}

int dsr_http_request_set_url(struct dsr_http_request *request, const char *url)
{
    char *copy = strdup(url);
    if (!copy)
        return DSR_ENOMEM;
    free(request->url);
    request->url = copy;
    return 0;
}

const char *dsr_http_request_url(const struct dsr_http_request *request)
{
    return request->url;
}

int dsr_http_request_set_method(struct dsr_http_request *request, const char *method)
{
    if (strcmp(method, "GET") && strcmp(method, "POST"))
        return DSR_EINVAL;
    request->get = !strcmp(method, "GET");
    if (request->get) {
        json_decref(request->json);
        request->json = NULL;
    }
    return 0;
}

/* Unlinks the header of that name, if any. */
static void drop_header(struct dsr_http_request *request, const char *name)
{
    size_t n = strlen(name);
    struct curl_slist **at = &request->headers;
    while (*at) {
        struct curl_slist *h = *at;
        if (strncasecmp(h->data, name, n) || h->data[n] != ':') {
            at = &h->next;
            continue;
        }
        *at = h->next;
        h->next = NULL;
        curl_slist_free_all(h);
    }
}

int dsr_http_request_set_header(struct dsr_http_request *request, const char *name,
                                const char *value)
{
    if (!*name || name[strcspn(name, "\r\n: ")] || (value && value[strcspn(value, "\r\n")]))
        return DSR_EINVAL;
    drop_header(request, name);
    if (!value)
        return 0;
    DSR_AUTO(str) char *line = dsr_format("%s: %s", name, value);
    struct curl_slist *headers = line ? curl_slist_append(request->headers, line) : NULL;
    if (!headers)
        return DSR_ENOMEM;
    request->headers = headers;
    return 0;
}

json_t *dsr_http_request_json(struct dsr_http_request *request)
{
    return request->json;
}

void dsr_http_request_set_delay(struct dsr_http_request *request, int64_t delay_ms)
{
    request->delay_ms = delay_ms < 0 ? 0 : delay_ms > 60000 ? 60000 : delay_ms;
}

int dsr_http_response_status(const struct dsr_http_response *response)
{
    return response->status;
}

const char *dsr_http_response_header(const struct dsr_http_response *response, const char *name)
{
    struct curl_header *header;
    if (!response->easy || curl_easy_header(response->easy, name, 0, CURLH_HEADER, -1, &header))
        return NULL;
    return header->value;
}

const char *dsr_http_response_body(const struct dsr_http_response *response, size_t *len)
{
    *len = response->body.len;
    return response->body.data ? response->body.data : "";
}

int dsr_http_response_hops(const struct dsr_http_response *response)
{
    return response->hops;
}
