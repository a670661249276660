/* Steps for routers. */
#include "core/check/check.h"
#include "core/metric/candidate.h"
#include "core/metric/ranking.h"

#define CANDIDATES 6

struct race {
    const struct dsr_router_ops *ops;
    void *state;
    const struct dsr_candidate *list[CANDIDATES];
    char *expected; /* the order, in words */
};

/* Some that were measured, and two of which nothing is known. */
static void make_candidates(struct race *race)
{
    for (int i = 0; i < CANDIDATES; i++) {
        char name[16];
        struct dsr_prices prices = {1 + i, 2 + i, 1};
        snprintf(name, sizeof name, "p%d", i);
        struct dsr_candidate *candidate = dsr_candidate_new(name, &prices);
        for (int k = 0; k < 5 && i < CANDIDATES - 2; k++) {
            DSR_AUTO(json)
            json_t *body = json_pack("{s:b, s:f, s:f, s:f, s:i, s:i}", "success", 1, "ttft",
                                     0.3 + 0.1 * i, "ttfa", 1.0, "total_time", 2.0 + i,
                                     "input_tokens", 10, "output_tokens", 100 + k);
            dsr_figures_add(&candidate->figures, body);
        }
        dsr_candidate_seal(candidate);
        race->list[i] = candidate;
    }
}

static void free_candidates(struct race *race)
{
    for (int i = 0; i < CANDIDATES; i++)
        dsr_candidate_free((struct dsr_candidate *)race->list[i]);
    free(race->expected);
}

static char *rank(const struct race *race, size_t n, struct dsr_error *err)
{
    struct dsr_ranking ranking;
    struct dsr_buf text = {0};
    dsr_ranking_init(&ranking, n);
    int rc = race->ops->rank(race->state, race->list, n, NULL, &ranking, err);
    dsr_buf_adds(&text, "order");
    for (size_t i = 0; i < ranking.n_matched; i++)
        dsr_buf_addf(&text, " %zu", ranking.order[i]);
    dsr_ranking_clear(&ranking);
    if (!rc)
        return text.data;
    dsr_buf_clear(&text);
    return NULL;
}

static bool start(struct race *race, struct dsr_check *c)
{
    struct dsr_error err = {0};
    memset(race, 0, sizeof *race);
    race->ops = c->ops;
    race->state = race->ops->open(c->input->options, c->host, &err);
    if (race->state) {
        make_candidates(race);
        return true;
    }
    if (c->input->given)
        dsr_check_fail(c, "open failed: %s", err.message);
    else if (dsr_check_told(c, &err))
        dsr_check_skip(c, "it needs a policy; name one with --options");
    return false;
}

static void stop(struct race *race)
{
    race->ops->close(race->state);
    free_candidates(race);
}

static bool ranks(struct dsr_check *c)
{
    struct race race;
    struct dsr_error err = {0};
    if (!start(&race, c))
        return c->skipped;
    bool ok = true;
    for (size_t n = 0; n <= CANDIDATES && ok; n++) {
        DSR_AUTO(str) char *order = rank(&race, n, &err);
        bool seen[CANDIDATES] = {false};
        if (!order)
            ok = dsr_check_fail(c, "rank of %zu candidates failed: %s", n, err.message);
        for (const char *p = order ? strchr(order, ' ') : NULL; p && ok; p = strchr(p + 1, ' ')) {
            size_t i = (size_t)strtoul(p, NULL, 10);
            if (i >= n || seen[i])
                ok = dsr_check_fail(c, "candidate %zu of %zu was matched twice or is none", i, n);
            else
                seen[i] = true;
        }
    }
    stop(&race);
    return ok;
}

static bool rank_again(void *arg)
{
    struct race *race = arg;
    struct dsr_error err = {0};
    for (int i = 0; i < 200; i++) {
        DSR_AUTO(str) char *order = rank(race, CANDIDATES, &err);
        if (!order || !race->expected)
            return false;
    }
    return true;
}

static bool is_thread_safe(struct dsr_check *c)
{
    struct race race;
    struct dsr_error err = {0};
    if (!start(&race, c))
        return c->skipped;
    race.expected = rank(&race, CANDIDATES, &err);
    bool ok = dsr_check_threads(rank_again, &race);
    stop(&race);
    return ok ? true : dsr_check_fail(c, "rank failed on another thread");
}

static bool cycle(void *arg)
{
    struct dsr_check *c = arg;
    struct race race;
    struct dsr_error err = {0};
    if (!start(&race, c))
        return true;
    free(rank(&race, CANDIDATES, &err));
    stop(&race);
    return true;
}

static bool keeps_memory(struct dsr_check *c)
{
    double growth = dsr_check_growth(cycle, c);
    c->skipped = false;
    return growth == 0
               ? true
               : dsr_check_fail(c, "open, rank and close lose %.0f bytes each time", growth);
}

static bool refuses_bad_policies(struct dsr_check *c)
{
    static const char *const policies[] = {"{}", "[]", "null", "{\"filters\":7,\"order\":{}}",
                                           "{\"metric\":[],\"weights\":\"x\"}"};
    const struct dsr_router_ops *ops = c->ops;
    for (size_t i = 0; i < DSR_COUNT(policies); i++) {
        struct dsr_error err = {0};
        DSR_AUTO(json) json_t *policy = json_loads(policies[i], JSON_DECODE_ANY, NULL);
        void *state = ops->open(policy, c->host, &err);
        if (!state && !dsr_check_told(c, &err))
            return false;
        if (state)
            ops->close(state);
    }
    return true;
}

const struct dsr_check_step dsr_check_router[] = {
    {"it ranks any number of candidates, each once", ranks},
    {"bad policies are refused with a reason", refuses_bad_policies},
    {"rank works on several threads", is_thread_safe},
    {"open, rank and close keep no memory", keeps_memory},
    {0},
};
