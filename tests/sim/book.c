/* The answer book: questions of all datasets that are there, by the hash of their last message. */
#include "tests/sim/sim.h"

#include <dsr/evaluator.h>
#include <uthash.h>

struct sim_book {
    char *question; /* last user message */
    char *gold, *metric;
    UT_hash_handle hh;
};

static int add_item(struct sim *sim, const struct dsr_item *item, const char *metric)
{
    const json_t *last = json_array_get(item->messages, json_array_size(item->messages) - 1);
    const char *text = dsr_json_string(last, "content", "");
    struct sim_book *entry, *old;
    HASH_FIND_STR(sim->book, text, old);
    if (old)
        return 0;
    entry = calloc(1, sizeof *entry);
    if (!entry)
        return DSR_ENOMEM;
    entry->question = strdup(text);
    entry->gold = strdup(item->gold);
    entry->metric = strdup(metric);
    HASH_ADD_KEYPTR(hh, sim->book, entry->question, strlen(entry->question), entry);
    return 0;
}

static int add_dataset(struct sim *sim, const char *name, const json_t *entry, const char *path,
                       struct dsr_error *err)
{
    const struct dsr_evaluator_ops *ops = dsr_registry_ops(
        sim->registry, DSR_KIND_EVALUATOR, dsr_json_string(entry, "evaluator", ""), err);
    if (ops && dsr_evaluator_runs_programs(ops))
        return 0; /* no program is known by heart */
    void *state = ops ? ops->open(entry, path, sim->host, err) : NULL;
    if (!state)
        return err->code;
    int rc = 0;
    for (size_t i = 0; i < ops->count(state) && !rc; i++) {
        struct dsr_item item = {0};
        rc = ops->item(state, i, &item, err);
        if (rc)
            break;
        rc = add_item(sim, &item, dsr_json_string(entry, "metric", name));
        dsr_item_clear(&item);
    }
    ops->close(state);
    return rc;
}

int sim_book_open(struct sim *sim, struct dsr_error *err)
{
    const char *name;
    json_t *entry;
    int rc = 0;
    json_object_foreach(sim->settings.datasets.root, name, entry)
    {
        const json_t *found;
        char *path = NULL;
        struct dsr_error missing;
        if (!rc && json_object_get(entry, "evaluator") &&
            !dsr_dataset_find(&sim->settings, name, &found, &path, &missing))
            rc = add_dataset(sim, name, entry, path, err);
        free(path);
    }
    return rc;
}

void sim_book_close(struct sim *sim)
{
    struct sim_book *entry, *next;
    HASH_ITER(hh, sim->book, entry, next)
    {
        HASH_DEL(sim->book, entry);
        free(entry->question);
        free(entry->gold);
        free(entry->metric);
        free(entry);
    }
}

/* Another answer of the same kind. */
static char *wrong(const char *gold, struct dsr_rng *rng)
{
    if (gold[0] >= 'A' && gold[0] <= 'Z' && !gold[1])
        return dsr_format("%c", 'A' + (gold[0] - 'A' + 1 + (int)dsr_rng_below(rng, 3)) % 4);
    return dsr_format("%ld", (atol(gold) + 1 + (long)dsr_rng_below(rng, 500)) % 1000);
}

char *sim_book_answer(const struct sim *sim, struct sim_provider *provider, const json_t *messages,
                      struct dsr_rng *rng)
{
    size_t replies = json_array_size(provider->behaviour.replies);
    if (replies)
        return strdup(json_string_value(
            json_array_get(provider->behaviour.replies, provider->replied++ % replies)));
    const json_t *last = json_array_get(messages, json_array_size(messages) - 1);
    const char *text = dsr_json_string(last, "content", "");
    struct sim_book *entry;
    HASH_FIND_STR(sim->book, text, entry);
    if (!entry)
        return strdup("That is all there is to say.");
    double accuracy = dsr_json_number(provider->behaviour.accuracy, entry->metric);
    if (!(accuracy >= 0))
        accuracy = 0.7;
    DSR_AUTO(str)
    char *answer = dsr_rng_unit(rng) < accuracy ? strdup(entry->gold) : wrong(entry->gold, rng);
    bool letter = entry->gold[0] >= 'A' && entry->gold[0] <= 'Z';
    if (!letter)
        return dsr_format("The final answer is $\\boxed{%s}$.", answer);
    return dsr_format(strstr(text, "ANSWER") ? "ANSWER: %s" : "答案：%s", answer);
}
