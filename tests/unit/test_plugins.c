/* The provider plugins against golden requests, written by hand from the providers' documents
 * (tests/unit/golden.json), and against error answers of their dialects. */
#include "core/net/request.h"
#include "core/chat/chat.h"
#include "core/config/settings.h"
#include "core/plugin/registry.h"
#include "tests/unit/unit.h"

#include <math.h>

static json_t *golden;
static struct dsr_registry *registry;
static struct dsr_host *host;

static bool load_golden(void)
{
    const char *top = getenv("top_srcdir");
    DSR_AUTO(str) char *path = dsr_path_join(top ? top : ".", "tests/unit/golden.json");
    json_error_t bad;
    golden = json_load_file(path, 0, &bad);
    if (!golden)
        fprintf(stderr, "%s:%d: %s\n", path, bad.line, bad.text);
    return golden != NULL;
}

static void set_up(void)
{
    struct dsr_layout layout = {0};
    host = dsr_host_new(DSR_LOG_ERROR, "test");
    registry = dsr_registry_new(&layout, NULL, 0, host);
}

static void tear_down(void)
{
    dsr_registry_free(registry);
    dsr_host_free(host);
}

struct opened {
    struct dsr_service service;
    const struct dsr_provider_ops *ops;
    void *state;
};

static void open_service(struct opened *o, const json_t *entry)
{
    struct dsr_error err = {0};
    memset(o, 0, sizeof *o);
    o->service.code = (char *)dsr_json_string(entry, "plugin", "");
    o->service.base_url = (char *)dsr_json_string(entry, "base_url", "");
    o->service.model = (char *)dsr_json_string(entry, "model", "");
    o->service.json = json_object_get(entry, "service");
    o->ops = dsr_registry_ops(registry, DSR_KIND_PROVIDER, o->service.code, &err);
    ck_assert_msg(o->ops != NULL, "%s", err.message);
    o->state = o->ops->open(&o->service, "KEY", host, &err);
    ck_assert_msg(o->state != NULL, "%s", err.message);
}

/* Headers as an object with lower-case names; libcurl's own are not there. */
static json_t *headers_of(const struct dsr_http_request *request)
{
    json_t *headers = json_object();
    for (const struct curl_slist *h = request->headers; h; h = h->next) {
        const char *colon = strchr(h->data, ':');
        DSR_AUTO(str) char *name = strndup(h->data, (size_t)(colon - h->data));
        for (char *p = name; *p; p++)
            *p = (char)(*p >= 'A' && *p <= 'Z' ? *p + 32 : *p);
        json_object_set_new(headers, name, json_string(colon + 2));
    }
    return headers;
}

static void check_request(const struct opened *o, const json_t *entry)
{
    struct dsr_error err = {0};
    struct dsr_http_request request;
    struct dsr_chat *chat = dsr_chat_new(json_object_get(golden, "model"));
    dsr_chat_add(chat, "user", "Hi", 2);
    dsr_chat_set_max_tokens(chat, dsr_json_int(entry, "max_tokens", 0));
    dsr_http_request_init(&request);
    ck_assert_int_eq(o->ops->build(o->state, chat, &request, &err), 0);
    ck_assert_str_eq(request.get ? "GET" : "POST", "POST");
    ck_assert_str_eq(request.url, dsr_json_string(entry, "url", ""));
    DSR_AUTO(json) json_t *headers = headers_of(&request);
    DSR_AUTO(str) char *made = json_dumps(request.json, JSON_INDENT(1) | JSON_SORT_KEYS);
    DSR_AUTO(str)
    char *wanted = json_dumps(json_object_get(entry, "body"), JSON_INDENT(1) | JSON_SORT_KEYS);
    ck_assert_str_eq(made, wanted);
    DSR_AUTO(str) char *sent = json_dumps(headers, JSON_SORT_KEYS);
    DSR_AUTO(str) char *due = json_dumps(json_object_get(entry, "headers"), JSON_SORT_KEYS);
    ck_assert_str_eq(sent, due);
    dsr_http_request_clear(&request);
    dsr_chat_free(chat);
}

START_TEST(requests_are_golden)
{
    const json_t *entry = json_array_get(json_object_get(golden, "requests"), (size_t)_i);
    struct opened o;
    open_service(&o, entry);
    check_request(&o, entry);
    o.ops->close(o.state);
}
END_TEST

START_TEST(error_answers_are_understood)
{
    const json_t *entry = json_array_get(json_object_get(golden, "errors"), (size_t)_i);
    struct opened o;
    struct dsr_fault fault = {.retry_after_ms = -1};
    struct dsr_http_request next;
    struct dsr_http_response response = {.status = (int)dsr_json_int(entry, "status", 0)};
    const char *body = dsr_json_string(entry, "body", "");
    dsr_buf_adds(&response.body, body);
    open_service(&o, entry);
    dsr_http_request_init(&next);
    ck_assert_int_eq(o.ops->classify(o.state, &response, &fault, &next), DSR_VERDICT_FAULT);
    ck_assert_str_eq(fault.name, dsr_json_string(entry, "fault", ""));
    ck_assert_int_eq(fault.retry, json_is_true(json_object_get(entry, "retry")));
    ck_assert_msg(strstr(fault.message, dsr_json_string(entry, "message", "")) != NULL, "%s",
                  fault.message);
    dsr_http_request_clear(&next);
    dsr_buf_clear(&response.body);
    o.ops->close(o.state);
}
END_TEST

START_TEST(headers_with_line_breaks_are_refused)
{
    struct dsr_http_request request;
    dsr_http_request_init(&request);
    ck_assert_int_eq(dsr_http_request_set_header(&request, "X", "a\r\nY: b"), DSR_EINVAL);
    ck_assert_int_eq(dsr_http_request_set_header(&request, "X: Y", "a"), DSR_EINVAL);
    ck_assert_int_eq(dsr_http_request_set_header(&request, "X", "a"), 0);
    ck_assert_int_eq(dsr_http_request_set_header(&request, "x", NULL), 0);
    ck_assert_ptr_null(request.headers);
    dsr_http_request_clear(&request);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("plugins");
    TCase *tcase = tcase_create("plugins");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    if (!load_golden())
        return EXIT_FAILURE;
    tcase_add_loop_test(tcase, requests_are_golden, 0,
                        (int)json_array_size(json_object_get(golden, "requests")));
    tcase_add_loop_test(tcase, error_answers_are_understood, 0,
                        (int)json_array_size(json_object_get(golden, "errors")));
    tcase_add_test(tcase, headers_with_line_breaks_are_refused);
    suite_add_tcase(suite, tcase);
    int status = unit_run(suite);
    json_decref(golden);
    return status;
}
