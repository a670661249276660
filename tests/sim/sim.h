/* dsr-sim: a server that plays the providers, for tests and for trying things out. */
#ifndef DSR_SIM_H
#define DSR_SIM_H

#include "core/config/settings.h"
#include "core/plugin/registry.h"

#include <microhttpd.h>
#include <uv.h>

/* A distribution of milliseconds or tokens. */
struct sim_dist {
    enum { SIM_CONSTANT, SIM_UNIFORM, SIM_NORMAL, SIM_LOGNORMAL } kind;
    double a, b; /* value; min, max; mean, sigma; median, sigma of the logarithm */
};

enum sim_fault {
    SIM_FINE,
    SIM_429,
    SIM_500,
    SIM_503,
    SIM_CUT,       /* the connection breaks in the middle */
    SIM_STALL,     /* nothing more comes */
    SIM_MALFORMED, /* an event that is no JSON */
    SIM_EMPTY,     /* a stream without a token */
    SIM_ERROR,     /* an error object inside a stream */
    SIM_QUEUED,    /* 202, to be polled (NVIDIA) */
    SIM_FAULTS
};
extern const char *const sim_fault_names[SIM_FAULTS];

/* How one provider behaves: of the scenario. */
struct sim_behaviour {
    struct sim_dist ttft_ms, itl_ms, reasoning_tokens, answer_tokens;
    double faults[SIM_FAULTS];
    json_t *accuracy;    /* metric -> share of right answers */
    json_t *replies;     /* texts given in turn in place of what the book says; NULL: none */
    int max_concurrency; /* 0: no limit */
    int retry_after_s;
    int rate_requests; /* in a window of rate_window_s; 0: any number */
    int rate_window_s;
    bool keep_alive_comments;
    char reasoning[16]; /* "field", "reasoning", "inline", "unopened"; "" as the dialect has it */
};

/* What is special about an API; by plugin name. */
struct sim_dialect {
    const char *plugin;
    const char *auth;      /* header of the key */
    const char *reasoning; /* as in sim_behaviour */
    bool bearer;           /* the key stands behind "Bearer " */
    bool stream_options;   /* false: such a member is refused */
    bool usage_always;     /* usage in every chunk */
    bool cache_hits;       /* prompt_cache_hit_tokens in usage */
    bool keep_alive;       /* comments while waiting */
    const char *error;     /* shape of an error body: "openai", "code", "huawei" */
    const char *query;     /* a parameter that must be there, or NULL */
};
const struct sim_dialect *sim_dialect_find(const char *plugin);
/* An error body in the dialect; malloc'd. */
char *sim_error_body(const struct sim_dialect *dialect, int status, const char *code,
                     const char *message);

struct sim_provider {
    const struct dsr_service *service;
    const struct sim_dialect *dialect;
    struct sim_behaviour behaviour;
    char *path; /* of the real base_url, such as "/api/v3" */
    int in_flight;
    uint64_t window_ns; /* when the rate's window began */
    int window_used;
    size_t replied; /* replies given */
};

struct sim {
    uv_loop_t loop;
    uv_poll_t poll;
    uv_prepare_t prepare;
    uv_check_t check;
    uv_timer_t timer;
    uv_signal_t signals[2];
    struct MHD_Daemon *daemon;
    struct dsr_host *host;
    struct dsr_settings settings;
    struct dsr_doc scenario; /* behaviours point into it */
    struct dsr_registry *registry;
    struct dsr_service **services;
    struct sim_provider *providers;
    size_t n;
    struct sim_book *book;
    struct sim_queue *queue; /* answers waiting to be polled */
    struct sim_seen *seen;   /* how often each request came */
    struct sim_play *plays;
    uint64_t seed;
    FILE *truth;
    uint16_t port;
    bool stopping;
};

/* scenario.c */
int sim_scenario_apply(struct sim *sim, const char *file, struct dsr_error *err);
double sim_draw(const struct sim_dist *dist, struct dsr_rng *rng);

/* book.c: the right answers of the bundled questions */
int sim_book_open(struct sim *sim, struct dsr_error *err);
void sim_book_close(struct sim *sim);
/* Text of an answer to the last user message, right with the provider's accuracy; malloc'd. */
char *sim_book_answer(const struct sim *sim, struct sim_provider *provider, const json_t *messages,
                      struct dsr_rng *rng);

/* play.c: one answer, spread over time */
struct sim_play;
struct sim_play *sim_play_new(struct sim *sim, struct sim_provider *provider, const json_t *request,
                              enum sim_fault fault, struct dsr_rng *rng, uint64_t received_ns);
enum MHD_Result sim_play_start(struct sim_play *play, struct MHD_Connection *connection);
/* Ends all plays at once, so that the daemon can be stopped. */
void sim_plays_stop(struct sim *sim);
/* Truth of a request that was answered without a play. */
void sim_truth_fault(struct sim *sim, const struct sim_provider *provider, const char *fault,
                     uint64_t received_ns);

/* http.c */
int sim_http_start(struct sim *sim, const char *listen, struct dsr_error *err);
void sim_http_stop(struct sim *sim);
/* Lets libmicrohttpd work; called once per loop turn and after resuming a connection. */
void sim_http_run(struct sim *sim);

/* request.c */
enum MHD_Result sim_handle(struct sim *sim, struct MHD_Connection *connection, const char *url,
                           const char *method, const char *body, size_t len);
/* Adds x-ratelimit-* when the provider has a rate. */
void sim_add_rate(struct MHD_Response *response, const struct sim_provider *provider);
void sim_requests_clear(struct sim *sim);

/* setup.c */
int sim_write_setup(const struct sim *sim, const char *folder, struct dsr_error *err);

#endif
