/* Naming requests, finding their answers. */
#include "core/run/reuse.h"

#include <dsr/provider.h>
#include <math.h>
#include <uthash.h>

struct entry { /* answers to one request, oldest first */
    char *request;
    json_t *bodies;
    size_t taken;
    UT_hash_handle hh;
};

struct dsr_reuse {
    struct entry *entries;
    const char *job;
};

static json_t *number_or_null(double value)
{
    return isnan(value) ? json_null() : json_real(value);
}

int dsr_request_name(const struct dsr_service *service, const struct dsr_chat *chat, char out[37])
{
    static const char *const extras[] = {"extra_body", "query"};
    DSR_AUTO(json)
    json_t *request =
        json_pack("{s:s, s:s, s:s, s:O, s:I, s:o, s:o}", "provider", service->code, "url",
                  service->base_url, "model", service->model, "messages", chat->messages,
                  "max_tokens", (json_int_t)chat->max_tokens, "temperature",
                  number_or_null(chat->temperature), "top_p", number_or_null(chat->top_p));
    if (!request)
        return DSR_ENOMEM;
    for (size_t i = 0; i < DSR_COUNT(extras); i++)
        json_object_set(request, extras[i], json_object_get(service->json, extras[i]));
    DSR_AUTO(str) char *text = json_dumps(request, JSON_COMPACT | JSON_SORT_KEYS);
    if (!text)
        return DSR_ENOMEM;
    dsr_uuid_of(text, strlen(text), out);
    return 0;
}

static int remember(void *arg, const struct dsr_record *record, struct dsr_error *err)
{
    struct dsr_reuse *r = arg;
    struct entry *e;
    const char *request = dsr_json_string(record->body, "request", "");
    bool usable = record->kind == DSR_RECORD_ANSWER && *request &&
                  !json_is_string(json_object_get(record->body, "error")) &&
                  json_is_boolean(json_object_get(record->body, "correct"));
    if (!usable || !strcmp(record->job, r->job) || json_object_get(record->body, "reused_from"))
        return 0;
    HASH_FIND_STR(r->entries, request, e);
    if (!e) {
        e = calloc(1, sizeof *e);
        if (!e || !(e->request = strdup(request)) || !(e->bodies = json_array())) {
            free(e ? e->request : NULL);
            free(e);
            return dsr_error_nomem(err);
        }
        HASH_ADD_KEYPTR(hh, r->entries, e->request, strlen(e->request), e);
    }
    json_t *body = json_copy(record->body);
    json_object_set_new(body, "reused_from", json_string(record->job));
    return json_array_append_new(e->bodies, body) ? dsr_error_nomem(err) : 0;
}

int dsr_reuse_open(struct dsr_reuse **reuse, const struct dsr_store *store, const char *model,
                   int64_t since_us, const char *job, struct dsr_error *err)
{
    struct dsr_query query = {
        .size = sizeof query, .kind = DSR_RECORD_ANSWER, .model = model, .since_us = since_us};
    *reuse = calloc(1, sizeof **reuse);
    if (!*reuse)
        return dsr_error_nomem(err);
    (*reuse)->job = job;
    return store->ops->scan(store->state, &query, remember, *reuse, err);
}

json_t *dsr_reuse_take(struct dsr_reuse *reuse, const char *request)
{
    struct entry *e = NULL;
    if (reuse)
        HASH_FIND_STR(reuse->entries, request, e);
    if (!e || e->taken == json_array_size(e->bodies))
        return NULL;
    return json_copy(json_array_get(e->bodies, e->taken++));
}

void dsr_reuse_close(struct dsr_reuse *reuse)
{
    struct entry *e, *next;
    if (!reuse)
        return;
    HASH_ITER(hh, reuse->entries, e, next)
    {
        HASH_DEL(reuse->entries, e);
        json_decref(e->bodies);
        free(e->request);
        free(e);
    }
    free(reuse);
}
