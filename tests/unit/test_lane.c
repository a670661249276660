/* core/run/lane.c, budget.c: a provider with room for so many, in virtual time. */
#include "core/run/budget.h"
#include "core/run/lane.h"
#include "tests/unit/unit.h"

#include <math.h>

#define SECOND 1000000000u

/* A provider that answers capacity requests at once and refuses more with 429 and Retry-After: 1.
 * Answers take log-normal times. */
struct world {
    struct dsr_lane lane;
    struct dsr_rng rng;
    uint64_t now;
    int capacity, serving;
    struct flight {
        struct dsr_task *task;
        uint64_t start, end;
        bool refused;
    } flights[1024];
    size_t n;
    double busy_s, longest_last_s; /* of all answers; of the one that ended last */
    int sent, late_sent, late_refused;
};

static void dispatch(struct world *w, struct dsr_task *task)
{
    struct flight *f = &w->flights[w->n++];
    f->task = task;
    f->start = w->now;
    f->refused = w->serving >= w->capacity;
    double seconds = f->refused ? 0.05 : 2 * exp(0.8 * dsr_rng_normal(&w->rng));
    f->end = w->now + (uint64_t)(seconds * SECOND);
    w->serving += !f->refused;
    w->busy_s += f->refused ? 0 : seconds;
    w->sent++;
    w->late_sent += w->now > 10ull * SECOND;
    w->late_refused += f->refused && w->now > 10ull * SECOND;
    dsr_lane_sent(&w->lane, task, w->now);
}

/* The flight that ends next. */
static size_t next_flight(const struct world *w)
{
    size_t next = 0;
    for (size_t i = 1; i < w->n; i++)
        if (w->flights[i].end < w->flights[next].end)
            next = i;
    return next;
}

static void hear(struct world *w, size_t i)
{
    struct flight f = w->flights[i];
    static struct dsr_exchange x;
    memset(&x, 0, sizeof x);
    w->flights[i] = w->flights[--w->n];
    w->now = f.end;
    w->serving -= !f.refused;
    x.start_ns = f.start;
    x.end_ns = f.end;
    x.stream.usage = (struct dsr_usage){500, 1500, -1, -1};
    if (f.refused)
        x.fault = (struct dsr_fault){.name = "http_429", .http_status = 429};
    dsr_lane_heard(&w->lane, f.task, &x);
    w->lane.in_flight--;
    if (f.refused) {
        f.task->due_ns = w->now + SECOND + dsr_rng_below(&w->rng, SECOND / 10);
        dsr_lane_pause(&w->lane, w->now + SECOND);
        dsr_lane_make_wait(&w->lane, f.task);
        return;
    }
    w->lane.finished++;
    w->longest_last_s = (double)(f.end - f.start) / SECOND;
    dsr_task_free(f.task);
}

static void run(struct world *w)
{
    for (;;) {
        struct dsr_task *task;
        while ((task = dsr_lane_take(&w->lane, w->now)))
            dispatch(w, task);
        uint64_t wakes = dsr_lane_wakes(&w->lane);
        size_t next = next_flight(w);
        if (w->n && w->flights[next].end <= wakes)
            hear(w, next);
        else if (wakes != UINT64_MAX)
            w->now = wakes;
        else
            return;
    }
}

static void begin(struct world *w, const struct dsr_provider *provider, int capacity, int tasks,
                  uint64_t seed)
{
    memset(w, 0, sizeof *w);
    w->capacity = capacity;
    w->now = SECOND;
    dsr_rng_init(&w->rng, seed, 0);
    dsr_lane_init(&w->lane, provider, 0);
    for (int i = 0; i < tasks; i++)
        dsr_lane_make_ready(&w->lane, calloc(1, sizeof(struct dsr_task)));
}

static const struct {
    int capacity, believed, tasks;
} cases[] = {{20, 64, 1000}, {10, 100, 400}, {20, 21, 1000},  {50, 50, 1000},
             {5, 500, 300},  {1, 20, 100},   {100, 300, 4000}};

START_TEST(a_lane_keeps_its_provider_busy)
{
    struct dsr_service service = {.max_concurrency = cases[_i].believed};
    struct dsr_provider provider = {.service = &service};
    static struct world w;
    begin(&w, &provider, cases[_i].capacity, cases[_i].tasks, (uint64_t)_i + 1);
    run(&w);
    double span = (double)(w.now - SECOND) / SECOND;
    double ideal = w.busy_s / cases[_i].capacity + w.longest_last_s;
    ck_assert_uint_eq(w.lane.finished, (size_t)cases[_i].tasks);
    ck_assert_msg(span <= 1.05 * ideal, "%.1f s, ideal %.1f", span, ideal);
    ck_assert_msg(w.late_refused < 0.02 * w.late_sent, "%d of %d refused", w.late_refused,
                  w.late_sent);
}
END_TEST

START_TEST(a_lane_finds_room_that_comes_later)
{
    struct dsr_service service = {.max_concurrency = 64};
    struct dsr_provider provider = {.service = &service};
    static struct world w;
    begin(&w, &provider, 10, 400, 3);
    run(&w);
    ck_assert_double_eq_tol(w.lane.limit, 10, 1.01);
    for (int i = 0; i < 6000; i++)
        dsr_lane_make_ready(&w.lane, calloc(1, sizeof(struct dsr_task)));
    w.capacity = 40;
    run(&w);
    ck_assert_double_ge(w.lane.limit, 30);
}
END_TEST

static const struct {
    int64_t requests, tokens;
    int most; /* requests that may be sent in any minute; an answer takes 2,000 tokens */
} budgets[] = {{30, 0, 30}, {0, 100000, 50}, {120, 20000, 10}};

START_TEST(budgets_per_minute_are_kept)
{
    json_t *json = json_object();
    if (budgets[_i].requests)
        json_object_set_new(json, "requests_per_minute", json_integer(budgets[_i].requests));
    if (budgets[_i].tokens)
        json_object_set_new(json, "tokens_per_minute", json_integer(budgets[_i].tokens));
    struct dsr_service service = {.max_concurrency = 64, .json = json};
    struct dsr_provider provider = {.service = &service};
    static struct world w;
    int n = 3 * budgets[_i].most;
    begin(&w, &provider, 1000, n, 9);
    run(&w);
    /* even spacing: n requests need (n - 1) intervals, less the last answer's own time */
    double least = 60.0 * (n - 1) / budgets[_i].most;
    ck_assert_double_ge((double)(w.now - SECOND) / SECOND, least * 0.98);
    ck_assert_double_le((double)(w.now - SECOND) / SECOND, least * 1.1 + 60);
    json_decref(json);
}
END_TEST

START_TEST(a_timeout_halves_the_limit_once)
{
    struct dsr_service service = {.max_concurrency = 16};
    struct dsr_provider provider = {.service = &service};
    struct dsr_lane lane;
    struct dsr_task task = {0};
    static struct dsr_exchange x;
    dsr_lane_init(&lane, &provider, 0);
    for (int i = 0; i < 16; i++)
        dsr_lane_sent(&lane, &task, 1);
    x.fault = (struct dsr_fault){.name = "timeout_idle"};
    x.start_ns = 1;
    x.end_ns = 100;
    for (int i = 0; i < 16; i++) {
        dsr_lane_heard(&lane, &task, &x);
        lane.in_flight--;
    }
    ck_assert_double_eq(lane.limit, 8);
}
END_TEST

START_TEST(a_purse_lets_no_more_through_than_it_holds)
{
    struct dsr_purse purse = {.amount = 10};
    ck_assert_int_eq(dsr_purse_admit(&purse), DSR_ADMIT);
    ck_assert_int_eq(dsr_purse_admit(&purse), DSR_HOLD); /* no price is known yet */
    dsr_purse_pay(&purse, 2, 1);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(dsr_purse_admit(&purse), DSR_ADMIT);
    ck_assert_int_eq(dsr_purse_admit(&purse), DSR_HOLD); /* 2 spent, 8 under way */
    for (int i = 0; i < 4; i++)
        dsr_purse_pay(&purse, 2, 1);
    ck_assert_int_eq(dsr_purse_admit(&purse), DSR_REFUSE);
    ck_assert_double_eq(purse.spent, 10);
    struct dsr_purse planned = {.amount = 10, .prompt = 5};
    ck_assert_int_eq(dsr_purse_admit(&planned), DSR_ADMIT);
    dsr_purse_pay(&planned, 2, 1); /* a short prompt: a long one would not fit twice */
    ck_assert_int_eq(dsr_purse_admit(&planned), DSR_ADMIT);
    ck_assert_int_eq(dsr_purse_admit(&planned), DSR_HOLD);
    struct dsr_purse open = {.amount = NAN};
    ck_assert_int_eq(dsr_purse_admit(&open), DSR_ADMIT);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lane");
    TCase *tcase = tcase_create("lane");
    tcase_set_timeout(tcase, 0);
    tcase_add_loop_test(tcase, a_lane_keeps_its_provider_busy, 0, (int)DSR_COUNT(cases));
    tcase_add_test(tcase, a_lane_finds_room_that_comes_later);
    tcase_add_loop_test(tcase, budgets_per_minute_are_kept, 0, (int)DSR_COUNT(budgets));
    tcase_add_test(tcase, a_timeout_halves_the_limit_once);
    tcase_add_test(tcase, a_purse_lets_no_more_through_than_it_holds);
    suite_add_tcase(suite, tcase);
    return unit_run(suite);
}
