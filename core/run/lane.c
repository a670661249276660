/* Queues, limits and pace of a lane. */
#include "core/run/lane.h"

#include <math.h>

#define FIRST_PATIENCE                                                                             \
    100 /* a refusal in a hundred requests is below the 2% we allow ourselves                      \
         */
#define MAX_PATIENCE 6400
#define NS_PER_MINUTE 60000000000.0
#define UNKNOWN_TOKENS 2000.0

void dsr_lane_init(struct dsr_lane *lane, const struct dsr_provider *provider, int concurrency)
{
    const json_t *service = provider->service->json;
    memset(lane, 0, sizeof *lane);
    lane->provider = provider;
    lane->ready_tail = &lane->ready;
    lane->adaptive = !concurrency;
    lane->max_limit = lane->limit = concurrency ? concurrency : provider->service->max_concurrency;
    lane->ceiling = INFINITY;
    lane->patience = FIRST_PATIENCE;
    lane->mean_tokens = UNKNOWN_TOKENS;
    if (lane->adaptive && service) {
        lane->requests_per_minute = dsr_json_int(service, "requests_per_minute", 0);
        lane->tokens_per_minute = dsr_json_int(service, "tokens_per_minute", 0);
    }
}

void dsr_task_free(struct dsr_task *task)
{
    dsr_chat_free(task->chat);
    free(task->user);
    free(task);
}

size_t dsr_lane_drop(struct dsr_lane *lane)
{
    struct dsr_task *lists[] = {lane->ready, lane->waiting};
    size_t n = 0;
    for (size_t i = 0; i < 2; i++) {
        for (struct dsr_task *t = lists[i], *next; t; t = next, n++) {
            next = t->next;
            dsr_task_free(t);
        }
    }
    lane->ready = lane->waiting = NULL;
    lane->ready_tail = &lane->ready;
    return n;
}

void dsr_lane_make_ready(struct dsr_lane *lane, struct dsr_task *task)
{
    task->next = NULL;
    *lane->ready_tail = task;
    lane->ready_tail = &task->next;
}

void dsr_lane_make_wait(struct dsr_lane *lane, struct dsr_task *task)
{
    struct dsr_task **at = &lane->waiting;
    while (*at && (*at)->due_ns <= task->due_ns)
        at = &(*at)->next;
    task->next = *at;
    *at = task;
}

static uint64_t opens_at(const struct dsr_lane *lane)
{
    return lane->pause_until_ns > lane->paced_until_ns ? lane->pause_until_ns
                                                       : lane->paced_until_ns;
}

static bool is_full(const struct dsr_lane *lane)
{
    return lane->held || lane->in_flight >= (int)floor(lane->limit);
}

struct dsr_task *dsr_lane_take(struct dsr_lane *lane, uint64_t now)
{
    struct dsr_task *task = lane->waiting;
    if (is_full(lane) || opens_at(lane) > now)
        return NULL;
    if (task && task->due_ns <= now) {
        lane->waiting = task->next;
        return task;
    }
    task = lane->ready;
    if (!task)
        return NULL;
    lane->ready = task->next;
    if (!lane->ready)
        lane->ready_tail = &lane->ready;
    return task;
}

uint64_t dsr_lane_wakes(const struct dsr_lane *lane)
{
    if (is_full(lane) || (!lane->ready && !lane->waiting))
        return UINT64_MAX;
    uint64_t due = lane->ready ? 0 : lane->waiting->due_ns;
    return due > opens_at(lane) ? due : opens_at(lane);
}

/* Even spacing keeps every minute, wherever it begins, within the budget. */
static void pace(struct dsr_lane *lane, double ns)
{
    double at = (double)lane->paced_until_ns + ns;
    lane->paced_until_ns = at > 0 ? (uint64_t)at : 0;
}

void dsr_lane_sent(struct dsr_lane *lane, struct dsr_task *task, uint64_t now)
{
    double wait = 0;
    task->tries++;
    task->tokens = llround(lane->mean_tokens);
    lane->in_flight++;
    if (lane->requests_per_minute)
        wait = NS_PER_MINUTE / (double)lane->requests_per_minute;
    if (lane->tokens_per_minute)
        wait = fmax(wait, NS_PER_MINUTE * (double)task->tokens / (double)lane->tokens_per_minute);
    if (!(wait > 0))
        return;
    if (lane->paced_until_ns < now)
        lane->paced_until_ns = now;
    pace(lane, wait);
}

static bool is_timeout(const struct dsr_fault *fault)
{
    return !strncmp(fault->name, "timeout", 7);
}

static void succeed(struct dsr_lane *lane)
{
    bool bound = lane->in_flight >= (int)floor(lane->limit);
    lane->calm++;
    if (!bound || lane->limit >= lane->max_limit)
        return;
    double next = fmin(lane->max_limit, lane->limit + 1 / lane->limit);
    if (floor(next) < lane->ceiling) {
        lane->limit = next;
    } else if (lane->calm >= lane->patience) {
        lane->limit = lane->ceiling;
        lane->calm = 0;
    }
    if (lane->limit >= lane->ceiling && lane->calm >= 2 * lane->limit) {
        lane->ceiling = INFINITY; /* the number that was refused is accepted now */
        lane->patience = FIRST_PATIENCE;
    }
}

static void refuse(struct dsr_lane *lane)
{
    double accepted = fmax(1, lane->in_flight - 1);
    bool again = lane->ceiling <= accepted + 1;
    lane->limit = fmin(lane->limit, accepted);
    lane->patience = again ? fmin(MAX_PATIENCE, 2 * lane->patience) : lane->patience;
    lane->ceiling = lane->limit + 1;
    lane->calm = 0;
}

static void adapt(struct dsr_lane *lane, const struct dsr_exchange *x)
{
    if (!x->fault.name[0]) {
        succeed(lane);
    } else if (x->fault.http_status == 429 || !strcmp(x->fault.name, "http_429")) {
        refuse(lane);
    } else if (is_timeout(&x->fault) && x->start_ns > lane->cut_ns) {
        lane->limit = fmax(1, lane->limit / 2);
        lane->cut_ns = x->end_ns;
        lane->calm = 0;
    }
}

/* Billed tokens, else the output seen. */
static double tokens_of(const struct dsr_exchange *x)
{
    const struct dsr_usage *u = &x->stream.usage;
    return (double)(u->input > 0 ? u->input : 0) +
           (double)(u->output > 0 ? u->output : x->stream.token_events);
}

void dsr_lane_heard(struct dsr_lane *lane, const struct dsr_task *task,
                    const struct dsr_exchange *x)
{
    double tokens = tokens_of(x);
    if (lane->adaptive)
        adapt(lane, x);
    if (lane->tokens_per_minute)
        pace(lane,
             NS_PER_MINUTE * (tokens - (double)task->tokens) / (double)lane->tokens_per_minute);
    if (!x->fault.name[0] && x->sent_ns)
        lane->recent[lane->n_recent++ % DSR_LANE_RECENT] =
            (float)((double)(x->stream.first_token_ns - x->sent_ns) / 1e9);
    if (!x->fault.name[0]) /* a moving mean over about sixteen requests */
        lane->mean_tokens += (tokens - lane->mean_tokens) / (lane->finished ? 16 : 1);
}

void dsr_lane_pause(struct dsr_lane *lane, uint64_t until_ns)
{
    if (until_ns > lane->pause_until_ns)
        lane->pause_until_ns = until_ns;
}
