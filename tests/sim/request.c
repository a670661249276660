/* What a request deserves: the checks that the real API makes, then a fault or an answer. */
#include "tests/sim/sim.h"

#include <uthash.h>

struct sim_seen { /* how often a request came, so that a retry is drawn anew */
    uint64_t hash;
    uint64_t times;
    UT_hash_handle hh;
};

struct sim_queue { /* NVIDIA: an answer to be fetched by its id */
    char id[40];
    json_t *request;
    struct dsr_rng rng;
    int polls;
    UT_hash_handle hh;
};

static uint64_t window_end(const struct sim_provider *p)
{
    return p->window_ns + (uint64_t)p->behaviour.rate_window_s * 1000000000u;
}

void sim_add_rate(struct MHD_Response *response, const struct sim_provider *p)
{
    char text[32];
    uint64_t now = dsr_clock_ns(), end = window_end(p);
    int left = p->behaviour.rate_requests - p->window_used;
    if (!p->behaviour.rate_requests)
        return;
    snprintf(text, sizeof text, "%d", left > 0 ? left : 0);
    MHD_add_response_header(response, "x-ratelimit-remaining-requests", text);
    snprintf(text, sizeof text, "%dms", end > now ? (int)((end - now) / 1000000) + 1 : 0);
    MHD_add_response_header(response, "x-ratelimit-reset-requests", text);
}

/* Counts the request; false when there are too many of them. */
static bool within_rate(struct sim_provider *p, uint64_t now)
{
    if (!p->behaviour.rate_requests)
        return true;
    if (!p->window_ns || now >= window_end(p)) {
        p->window_ns = now;
        p->window_used = 0;
    }
    return ++p->window_used <= p->behaviour.rate_requests;
}

/* header may be NULL; provider: whose rate is told, or NULL. */
static enum MHD_Result reply(struct MHD_Connection *connection, int status, const char *body,
                             const char *header, const char *value,
                             const struct sim_provider *provider)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(body), (void *)body, MHD_RESPMEM_MUST_COPY);
    if (!response)
        return MHD_NO;
    MHD_add_response_header(response, "Content-Type", "application/json");
    if (header)
        MHD_add_response_header(response, header, value);
    if (provider)
        sim_add_rate(response, provider);
    enum MHD_Result rc = MHD_queue_response(connection, (unsigned)status, response);
    MHD_destroy_response(response);
    return rc;
}

static enum MHD_Result refuse(struct MHD_Connection *connection, const struct sim_provider *p,
                              int status, const char *code, const char *message)
{
    DSR_AUTO(str) char *body = sim_error_body(p->dialect, status, code, message);
    return reply(connection, status, body ? body : "{}", NULL, NULL, NULL);
}

static enum MHD_Result overload(struct MHD_Connection *connection, const struct sim_provider *p,
                                int status)
{
    bool limited = status == 429;
    char wait[16];
    snprintf(wait, sizeof wait, "%d", p->behaviour.retry_after_s);
    DSR_AUTO(str)
    char *body =
        sim_error_body(p->dialect, status, limited ? "rate_limit_exceeded" : "server_error",
                       limited ? "Too many requests" : "The server is overloaded");
    const char *header = limited && !p->behaviour.rate_requests ? "Retry-After" : NULL;
    return reply(connection, status, body ? body : "{}", header, wait, p);
}

static uint64_t hash_text(uint64_t hash, const char *text) /* FNV-1a */
{
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
    return hash;
}

/* The same request of the same provider at the same try gets the same fate, whatever else runs. */
static void seed_rng(struct sim *sim, const struct sim_provider *p, const json_t *request,
                     struct dsr_rng *rng)
{
    DSR_AUTO(str)
    char *text = json_dumps(json_object_get(request, "messages"), JSON_COMPACT | JSON_ENCODE_ANY);
    uint64_t hash = hash_text(hash_text(0xcbf29ce484222325u, p->service->code), text ? text : "");
    struct sim_seen *seen;
    HASH_FIND(hh, sim->seen, &hash, sizeof hash, seen);
    if (!seen && (seen = calloc(1, sizeof *seen))) {
        seen->hash = hash;
        HASH_ADD(hh, sim->seen, hash, sizeof hash, seen);
    }
    dsr_rng_init(rng, sim->seed ^ hash, seen ? seen->times++ : 0);
}

static enum sim_fault draw_fault(const struct sim_provider *p, struct dsr_rng *rng)
{
    double x = dsr_rng_unit(rng);
    for (size_t i = 1; i < SIM_FAULTS; i++) {
        x -= p->behaviour.faults[i];
        if (x < 0)
            return (enum sim_fault)i;
    }
    return SIM_FINE;
}

/* The key as the dialect wants it; any key but an empty one is right. */
static bool authorized(struct MHD_Connection *connection, const struct sim_dialect *d)
{
    const char *value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, d->auth);
    if (!value)
        return false;
    return d->bearer ? !strncmp(value, "Bearer ", 7) && value[7] : value[0];
}

static enum MHD_Result queue_answer(struct sim *sim, struct MHD_Connection *connection,
                                    json_t *request, struct dsr_rng *rng)
{
    struct sim_queue *entry = calloc(1, sizeof *entry);
    if (!entry)
        return MHD_NO;
    snprintf(entry->id, sizeof entry->id, "%016llx%016llx", (unsigned long long)dsr_rng_u64(rng),
             (unsigned long long)dsr_rng_u64(rng));
    entry->request = json_incref(request);
    entry->rng = *rng;
    HASH_ADD_STR(sim->queue, id, entry);
    return reply(connection, 202, "", "NVCF-REQID", entry->id, NULL);
}

/* The second poll finds the answer. */
static enum MHD_Result poll(struct sim *sim, struct MHD_Connection *connection,
                            struct sim_provider *p, const char *id, uint64_t now)
{
    struct sim_queue *entry;
    HASH_FIND_STR(sim->queue, id, entry);
    if (!entry)
        return refuse(connection, p, 404, "not_found", "no such request");
    if (!entry->polls++)
        return reply(connection, 202, "", "NVCF-REQID", id, NULL);
    struct sim_play *play = sim_play_new(sim, p, entry->request, SIM_FINE, &entry->rng, now);
    HASH_DEL(sim->queue, entry);
    json_decref(entry->request);
    free(entry);
    return play ? sim_play_start(play, connection) : MHD_NO;
}

static enum MHD_Result answer(struct sim *sim, struct MHD_Connection *connection,
                              struct sim_provider *p, json_t *request, uint64_t now)
{
    struct dsr_rng rng;
    seed_rng(sim, p, request, &rng);
    enum sim_fault fault = draw_fault(p, &rng);
    if (p->behaviour.max_concurrency && p->in_flight >= p->behaviour.max_concurrency)
        fault = SIM_429;
    if (!within_rate(p, now))
        fault = SIM_429;
    static const int statuses[SIM_FAULTS] = {[SIM_429] = 429, [SIM_500] = 500, [SIM_503] = 503};
    if (statuses[fault]) {
        sim_truth_fault(sim, p, sim_fault_names[fault], now);
        return overload(connection, p, statuses[fault]);
    }
    if (fault == SIM_QUEUED)
        return queue_answer(sim, connection, request, &rng);
    struct sim_play *play = sim_play_new(sim, p, request, fault, &rng, now);
    return play ? sim_play_start(play, connection) : MHD_NO;
}

static enum MHD_Result complete(struct sim *sim, struct MHD_Connection *connection,
                                struct sim_provider *p, const char *body, size_t len, uint64_t now)
{
    DSR_AUTO(json) json_t *request = json_loadb(body, len, 0, NULL);
    const struct sim_dialect *d = p->dialect;
    if (!json_is_object(request) || !json_array_size(json_object_get(request, "messages")))
        return refuse(connection, p, 400, "invalid_request_error", "the body has no messages");
    if (strcmp(dsr_json_string(request, "model", ""), p->service->model))
        return refuse(connection, p, 404, "model_not_found", "no such model");
    if (!d->stream_options && json_object_get(request, "stream_options"))
        return refuse(connection, p, 422, "extra_parameter", "stream_options is not known");
    if (d->query && !MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, d->query))
        return refuse(connection, p, 400, "missing_version", "the query has no api-version");
    return answer(sim, connection, p, request, now);
}

static struct sim_provider *provider_of(struct sim *sim, const char *url, const char **rest)
{
    size_t n = strcspn(url + (url[0] == '/'), "/");
    for (size_t i = 0; i < sim->n; i++) {
        const char *code = sim->providers[i].service->code;
        if (url[0] == '/' && strlen(code) == n && !strncmp(url + 1, code, n)) {
            *rest = url + 1 + n;
            return &sim->providers[i];
        }
    }
    return NULL;
}

/* The path below /CODE, without the base path of the real provider. */
static const char *below_base(const struct sim_provider *p, const char *path)
{
    size_t n = strlen(p->path);
    return n && !strncmp(path, p->path, n) ? path + n : path;
}

enum MHD_Result sim_handle(struct sim *sim, struct MHD_Connection *connection, const char *url,
                           const char *method, const char *body, size_t len)
{
    static const char status[] = "/v2/nvcf/pexec/status/";
    uint64_t now = dsr_clock_ns();
    const char *rest;
    struct sim_provider *p = provider_of(sim, url, &rest);
    if (!p)
        return reply(connection, 404, "{\"error\":\"no such provider\"}", NULL, NULL, NULL);
    if (!authorized(connection, p->dialect))
        return refuse(connection, p, 401, "invalid_api_key", "the API key is missing");
    if (!strncmp(rest, status, sizeof status - 1) && !strcmp(method, "GET"))
        return poll(sim, connection, p, rest + sizeof status - 1, now);
    rest = below_base(p, rest);
    if (!strcmp(rest, "/models") && !strcmp(method, "GET")) {
        DSR_AUTO(str)
        char *list =
            dsr_format("{\"object\":\"list\",\"data\":[{\"id\":\"%s\",\"object\":\"model\"}]}",
                       p->service->model);
        return reply(connection, 200, list ? list : "{}", NULL, NULL, NULL);
    }
    if (strcmp(rest, "/chat/completions"))
        return refuse(connection, p, 404, "not_found", "no such path");
    if (strcmp(method, "POST"))
        return refuse(connection, p, 405, "method_not_allowed", "POST it");
    return complete(sim, connection, p, body ? body : "", len, now);
}

void sim_requests_clear(struct sim *sim)
{
    struct sim_seen *seen, *next_seen;
    struct sim_queue *entry, *next;
    HASH_ITER(hh, sim->seen, seen, next_seen)
    {
        HASH_DEL(sim->seen, seen);
        free(seen);
    }
    HASH_ITER(hh, sim->queue, entry, next)
    {
        HASH_DEL(sim->queue, entry);
        json_decref(entry->request);
        free(entry);
    }
}
