/* plugins/routers/requirement.c by its vtable */
#include "core/metric/candidate.h"
#include "core/metric/ranking.h"
#include "core/plugin/registry.h"
#include "tests/unit/unit.h"

#include <math.h>

static struct dsr_registry *registry;
static struct dsr_host *host;
static const struct dsr_router_ops *ops;
static struct dsr_candidate *list[3];

/* a: cheap and slow, b: dear and fast, c: unknown price, never measured */
static void set_up(void)
{
    struct dsr_layout layout = {0};
    struct dsr_error err;
    const struct dsr_prices prices[3] = {{1, 2, NAN}, {3, 6, NAN}, {NAN, NAN, NAN}};
    static const char *const names[3] = {"a", "b", "c"};
    host = dsr_host_new(DSR_LOG_ERROR, "test");
    registry = dsr_registry_new(&layout, NULL, 0, host);
    ops = dsr_registry_ops(registry, DSR_KIND_ROUTER, "requirement", &err);
    ck_assert_ptr_nonnull(ops);
    for (int i = 0; i < 3; i++) {
        list[i] = dsr_candidate_new(names[i], &prices[i]);
        json_t *body = json_pack("{s:b, s:f, s:f, s:i}", "success", 1, "ttft", i ? 0.1 : 0.9,
                                 "total_time", 2.0, "output_tokens", 50);
        if (i < 2)
            dsr_figures_add(&list[i]->figures, body);
        json_decref(body);
        dsr_candidate_seal(list[i]);
    }
}

static void tear_down(void)
{
    for (int i = 0; i < 3; i++)
        dsr_candidate_free(list[i]);
    dsr_registry_free(registry);
    dsr_host_free(host);
}

static const struct {
    const char *policy, *order, *failed;
} policies[] = {
    {"{}", "abc", ""},
    {"{\"order\":[{\"metric\":\"ttft\"}]}", "bac", ""},
    {"{\"order\":[{\"metric\":\"ttft\",\"desc\":true}]}", "abc", ""},
    {"{\"order\":[{\"metric\":\"output_price\"}]}", "abc", ""},
    {"{\"order\":[{\"metric\":\"output_price\",\"desc\":true}]}", "bac", ""},
    {"{\"filters\":[{\"metric\":\"ttft\",\"max\":0.5}]}", "b", "ac"},
    {"{\"filters\":[{\"metric\":\"success\",\"min\":0.5}],\"order\":[{\"metric\":\"input_price\"}]"
     "}",
     "ab", "c"},
    {"{\"filters\":[{\"metric\":\"gpqa\",\"stat\":\"lo95\",\"min\":60}]}", "", "abc"},
    {"{\"order\":[{\"metric\":\"otps\"},{\"metric\":\"ttft\"}]}", "bac", ""},
};

START_TEST(requirements_rank)
{
    struct dsr_error err;
    struct dsr_ranking ranking;
    json_t *policy = json_loads(policies[_i].policy, 0, NULL);
    void *state = ops->open(policy, host, &err);
    ck_assert_msg(state != NULL, "%s", err.message);
    dsr_ranking_init(&ranking, 3);
    ck_assert_int_eq(
        ops->rank(state, (const struct dsr_candidate *const *)list, 3, NULL, &ranking, &err), 0);
    char order[4] = "", failed[4] = "";
    for (size_t k = 0; k < ranking.n_matched; k++)
        strcat(order, list[ranking.order[k]]->provider);
    for (size_t i = 0; i < 3; i++)
        if (json_array_size(ranking.failed[i]))
            strcat(failed, list[i]->provider);
    ck_assert_str_eq(order, policies[_i].order);
    ck_assert_str_eq(failed, policies[_i].failed);
    dsr_ranking_clear(&ranking);
    ops->close(state);
    json_decref(policy);
}
END_TEST

static const struct {
    const char *policy, *pointer;
} bad[] = {
    {"{\"filter\":[]}", "/filter"},
    {"{\"filters\":{}}", "/filters"},
    {"{\"filters\":[1]}", "/filters/0"},
    {"{\"filters\":[{\"min\":1}]}", "/filters/0"},
    {"{\"filters\":[{\"metric\":\"ttft\"}]}", "/filters/0"},
    {"{\"filters\":[{\"metric\":\"tftt\",\"min\":1}]}", "/filters/0/metric"},
    {"{\"filters\":[{\"metric\":\"ttft\",\"stat\":\"mean\",\"min\":1}]}", "/filters/0/stat"},
    {"{\"filters\":[{\"metric\":\"ttft\",\"min\":\"1\"}]}", "/filters/0/min"},
    {"{\"order\":[{\"metric\":\"ttft\",\"desc\":1}]}", "/order/0/desc"},
    {"{\"order\":[{\"metric\":\"ttft\",\"min\":1}]}", "/order/0/min"},
    {"{\"order\":[{},{\"metric\":2}]}", "/order/0"},
};

START_TEST(bad_requirements_are_told_with_their_place)
{
    struct dsr_error err = {0};
    json_t *policy = json_loads(bad[_i].policy, 0, NULL);
    ck_assert_ptr_null(ops->open(policy, host, &err));
    ck_assert_int_eq(err.code, DSR_ECONFIG);
    ck_assert_str_eq(err.pointer, bad[_i].pointer);
    json_decref(policy);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("route");
    TCase *tcase = tcase_create("route");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, requirements_rank, 0, (int)DSR_COUNT(policies));
    tcase_add_loop_test(tcase, bad_requirements_are_told_with_their_place, 0, (int)DSR_COUNT(bad));
    suite_add_tcase(suite, tcase);
    return unit_run(suite);
}
