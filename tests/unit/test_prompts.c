/* core/prompt and the prompt generators: sets, limits, draws. */
#include "core/chat/chat.h"
#include "core/plugin/registry.h"
#include "core/prompt/corpus.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/dsr-prompts-XXXXXX";
static struct dsr_registry *registry;
static struct dsr_host *host;
static int measured;

static void set_up(void)
{
    struct dsr_layout layout = {0};
    strcpy(folder + sizeof folder - 7, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    host = dsr_host_new(DSR_LOG_ERROR, "test");
    registry = dsr_registry_new(&layout, NULL, 0, host);
    measured = 0;
}

static void tear_down(void)
{
    DSR_AUTO(str) char *command = dsr_format("rm -r %s", folder);
    dsr_registry_free(registry);
    dsr_host_free(host);
    ck_assert_int_eq(system(command), 0);
}

static char *write_file(const char *name, const char *text)
{
    char *path = dsr_path_join(folder, name);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
    return path;
}

/* Records {"n": 0}... with padding of so many bytes each. */
static char *write_records(const char *name, int n, int padding, bool array)
{
    char *path = dsr_path_join(folder, name);
    FILE *file = fopen(path, "w");
    for (int i = 0; i < n; i++)
        fprintf(file, "%s{\"n\": %d, \"pad\": \"%*s\"}\n", array ? i ? "," : "[" : "", i, padding,
                "");
    fputs(array ? "]" : "", file);
    fclose(file);
    return path;
}

static int measure(const json_t *record, struct dsr_record_size *size, struct dsr_error *err)
{
    measured++;
    if (json_is_true(json_object_get(record, "bad")))
        return dsr_error_set(err, DSR_ECONFIG, "a bad one");
    size->least = size->most = (uint32_t)dsr_json_int(record, "tokens", 10);
    return json_object_get(record, "n") ? 0 : DSR_ENOTFOUND;
}

static const struct dsr_prompt_limits unbounded = {.size = sizeof unbounded};

static int take_n(void *arg, const json_t *record, const struct dsr_prompt_limits *limits,
                  struct dsr_rng *rng, struct dsr_error *err)
{
    (void)limits, (void)rng, (void)err;
    *(int *)arg = (int)dsr_json_int(record, "n", -1);
    return 0;
}

static int draw(struct dsr_corpus *corpus, struct dsr_rng *rng)
{
    struct dsr_error err = {0};
    int n = -1;
    ck_assert_msg(!dsr_corpus_draw(corpus, &unbounded, rng, take_n, &n, &err), "%s", err.message);
    return n;
}

START_TEST(test_draws_without_replacement)
{
    DSR_AUTO(str) char *path = write_records("set.json", 50, 3, _i);
    struct dsr_error err = {0};
    struct dsr_rng rng, again;
    int order[50], differs = 0, other = 0;
    struct dsr_corpus *a = dsr_corpus_open(path, "test", measure, host, &err);
    struct dsr_corpus *b = dsr_corpus_open(path, "test", measure, host, &err);
    struct dsr_corpus *c = dsr_corpus_open(path, "test", measure, host, &err);
    ck_assert_msg(a && b && c, "%s", err.message);
    ck_assert_uint_eq(dsr_corpus_count(a), 50);
    dsr_rng_init(&rng, 1, 2);
    dsr_rng_init(&again, 1, 2);
    for (int round = 0; round < 3; round++) {
        bool seen[50] = {false};
        for (int i = 0; i < 50; i++) {
            int n = draw(a, &rng);
            ck_assert_int_ge(n, 0);
            ck_assert_msg(!seen[n], "round %d: %d came twice", round, n);
            seen[n] = true;
            ck_assert_int_eq(draw(b, &again), n);
            differs += round && order[i] != n;
            order[i] = round ? order[i] : n;
        }
    }
    ck_assert_int_gt(differs, 50); /* of 100: rounds have orders of their own */
    dsr_rng_init(&rng, 2, 2);
    for (int i = 0; i < 50; i++)
        other += draw(c, &rng) != order[i];
    ck_assert_int_gt(other, 25);
    dsr_corpus_close(a);
    dsr_corpus_close(b);
    dsr_corpus_close(c);
}
END_TEST

START_TEST(test_index_is_kept)
{
    DSR_AUTO(str) char *path = write_records("big.jsonl", 2000, 1000, false);
    struct dsr_error err = {0};
    struct dsr_rng rng;
    for (int i = 0; i < 3; i++) {
        struct dsr_corpus *c = dsr_corpus_open(path, "test", measure, host, &err);
        ck_assert_msg(c != NULL, "%s", err.message);
        ck_assert_uint_eq(dsr_corpus_count(c), 2000);
        dsr_rng_init(&rng, 1, 1);
        ck_assert_int_ge(draw(c, &rng), 0);
        dsr_corpus_close(c);
    }
    ck_assert_int_eq(measured, 2000);
    /* for another purpose, and of a file that changed, it is made anew */
    dsr_corpus_close(dsr_corpus_open(path, "other", measure, host, &err));
    ck_assert_int_eq(measured, 4000);
    FILE *file = fopen(path, "a");
    fputs("{\"n\": 2000}\n", file);
    fclose(file);
    dsr_corpus_close(dsr_corpus_open(path, "test", measure, host, &err));
    ck_assert_int_eq(measured, 6001);
    /* what is no index is not trusted */
    DSR_AUTO(str) char *index = dsr_format("%s.test.index", path);
    ck_assert_int_eq(truncate(index, 150), 0);
    dsr_corpus_close(dsr_corpus_open(path, "test", measure, host, &err));
    ck_assert_int_eq(measured, 8002);
}
END_TEST

START_TEST(test_index_goes_elsewhere)
{
    DSR_AUTO(str) char *path = write_records("big.jsonl", 2000, 1000, false);
    DSR_AUTO(str) char *state = dsr_path_join(folder, "state");
    DSR_AUTO(str) char *beside = dsr_format("%s.test.index", path);
    struct dsr_error err = {0};
    ck_assert_int_eq(mkdir(beside, 0700), 0); /* root may write anywhere, but not here */
    dsr_host_set_state(host, state);
    for (int i = 0; i < 2; i++)
        dsr_corpus_close(dsr_corpus_open(path, "test", measure, host, &err));
    ck_assert_int_eq(measured, 2000);
}
END_TEST

static const struct {
    const char *text;
    size_t n; /* 0: refused */
    const char *words;
    int line;
} files[] = {
    {"{\"n\": 1}\n{\"n\": 2}", 2, "", 0},
    {"\xef\xbb\xbf[{\"n\": 1},\n {\"n\": 2}]\n", 2, "", 0},
    {"\n\n {\"n\": 1}\r\n\r\n{\"x\": 2}\n", 1, "", 0},
    {"{\"n\": 1}\n{\"n\": 2, \"t\": \"\\ud800 } \\\" { \"}\n{\"n\": 3}\n", 2, "", 0},
    {"[{\"n\": 1}, {\"n\": 2, \"t\": \xff}, {\"n\": 3}]", 2, "", 0},
    {"[{\"n\": 1},\n{\"n\": 2}", 0, "not closed", 2},
    {"{\"n\": 1}\n{\"n\": 2, ", 0, "", 2},
    {"{\"n\": 1}\n{\"n\": 2}\n7\n", 0, "object", 3},
    {"{\"n\": 1}\n\n{\"bad\": true}\n", 0, "a bad one", 3},
    {"<html>", 0, "", 1},
    {"", 0, "no record", 0},
    {"{\"x\": 1}", 0, "no record", 0},
};

START_TEST(test_forms_of_files)
{
    DSR_AUTO(str) char *path = write_file("set.json", files[_i].text);
    struct dsr_error err = {0};
    struct dsr_corpus *c = dsr_corpus_open(path, "test", measure, host, &err);
    ck_assert_uint_eq(c ? dsr_corpus_count(c) : 0, files[_i].n);
    if (!files[_i].n) {
        ck_assert_ptr_nonnull(strstr(err.message, files[_i].words));
        ck_assert_str_eq(err.file, path);
        ck_assert_int_eq(err.line, files[_i].line);
    }
    dsr_corpus_close(c);
}
END_TEST

START_TEST(test_changed_file_is_told)
{
    DSR_AUTO(str) char *path = write_records("set.jsonl", 9, 5, false);
    struct dsr_error err = {0};
    struct dsr_rng rng;
    int n;
    struct dsr_corpus *c = dsr_corpus_open(path, "test", measure, host, &err);
    ck_assert_ptr_nonnull(c);
    ck_assert_int_eq(truncate(path, 3), 0);
    dsr_rng_init(&rng, 1, 1);
    ck_assert_int_eq(dsr_corpus_draw(c, &unbounded, &rng, take_n, &n, &err), DSR_ECONFIG);
    ck_assert_ptr_nonnull(strstr(err.message, "was changed"));
    dsr_corpus_close(c);
}
END_TEST

/* A prompt of a generator, as JSON text of its messages; NULL with the error in words. */
static char *prompt(const char *plugin, const char *options, const char *path,
                    const struct dsr_prompt_limits *limits, uint64_t stream, char words[768])
{
    struct dsr_error err = {0};
    struct dsr_rng rng;
    DSR_AUTO(json) json_t *config = json_pack("{s:o}", "options", json_loads(options, 0, NULL));
    const struct dsr_promptgen_ops *ops =
        dsr_registry_ops(registry, DSR_KIND_PROMPTGEN, plugin, &err);
    ck_assert_msg(ops != NULL, "%s", err.message);
    void *state = ops->open(config, path, host, &err);
    struct dsr_chat *chat = dsr_chat_new(NULL);
    char *text = NULL;
    dsr_rng_init(&rng, 7, stream);
    if (state && !ops->generate(state, limits, &rng, chat, &err))
        text = json_dumps(dsr_chat_messages(chat), JSON_COMPACT | JSON_ENSURE_ASCII);
    memcpy(words, err.message, 768);
    if (state)
        ops->close(state);
    dsr_chat_free(chat);
    return text;
}

static const struct {
    const char *record, *rounds, *wanted;
} shares[] = {
    {"{\"id\":\"a\",\"conversations\":[{\"from\":\"human\",\"value\":\"Hi\"},"
     "{\"from\":\"gpt\",\"value\":\"Yes?\"}]}",
     "single", "[{\"role\":\"user\",\"content\":\"Hi\"}]"},
    {"{\"conversations\":[{\"from\":\"system\",\"value\":\"S\"},{\"from\":\"gpt\",\"value\":\"x\"},"
     "{\"from\":\"human\",\"value\":\"Hi\"}]}",
     "single", "[{\"role\":\"user\",\"content\":\"Hi\"}]"},
    {"{\"items\":[{\"from\":\"human\",\"value\":\"Hi\"}]}", "single",
     "[{\"role\":\"user\",\"content\":\"Hi\"}]"},
    {"{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}", "single",
     "[{\"role\":\"user\",\"content\":\"Hi\"}]"},
    {"{\"conversation\":[{\"human\":\"Hi\",\"assistant\":\"Ja\"},{\"human\":\"B\","
     "\"assistant\":\"C\"}]}",
     "multi",
     "[{\"role\":\"user\",\"content\":\"Hi\"},{\"role\":\"assistant\",\"content\":\"Ja\"},"
     "{\"role\":\"user\",\"content\":\"B\"}]"},
    {"{\"id\":\"0\",\"data\":[\"Hi\",\"Ja\",\"B\",\"C\"]}", "multi",
     "[{\"role\":\"user\",\"content\":\"Hi\"},{\"role\":\"assistant\",\"content\":\"Ja\"},"
     "{\"role\":\"user\",\"content\":\"B\"}]"},
    {"{\"conversations\":[{\"from\":\"human\",\"value\":\"Hi\"},{\"from\":\"bing\",\"value\":\"\"},"
     "{\"from\":\"chatgpt\",\"value\":\"Ja\"},{\"from\":\"user\",\"value\":\"B\"},"
     "{\"from\":\"user\",\"value\":\"again\"}]}",
     "multi",
     "[{\"role\":\"user\",\"content\":\"Hi\"},{\"role\":\"assistant\",\"content\":\"Ja\"},"
     "{\"role\":\"user\",\"content\":\"B\"}]"},
};

START_TEST(test_forms_of_sharegpt)
{
    char words[768];
    DSR_AUTO(str) char *path = write_file("set.json", shares[_i].record);
    DSR_AUTO(str) char *options = dsr_format("{\"rounds\":\"%s\"}", shares[_i].rounds);
    DSR_AUTO(str) char *text = prompt("sharegpt", options, path, &unbounded, 0, words);
    ck_assert_msg(text != NULL, "%s", words);
    ck_assert_str_eq(text, shares[_i].wanted);
}
END_TEST

START_TEST(test_limits_are_kept)
{
    char words[768];
    DSR_AUTO(str)
    char *path =
        write_file("set.jsonl", "{\"prompt\": \"short\"}\n"
                                "{\"prompt\": \"one two three four five six seven eight nine\"}\n");
    struct dsr_prompt_limits limits = {.size = sizeof limits, .min_input_tokens = 12};
    for (uint64_t i = 0; i < 10; i++) {
        DSR_AUTO(str) char *text = prompt("file", "{}", path, &limits, i, words);
        ck_assert_msg(text && strstr(text, "nine"), "%s", words);
    }
    limits.min_input_tokens = 100;
    ck_assert_ptr_null(prompt("file", "{}", path, &limits, 0, words));
    ck_assert_str_eq(words, "none of its 2 records fits");
}
END_TEST

START_TEST(test_synthetic_is_exact)
{
    char words[768];
    struct dsr_prompt_limits limits = {
        .size = sizeof limits, .min_input_tokens = 50 + 37 * _i, .max_input_tokens = 50 + 37 * _i};
    DSR_AUTO(str) char *text = prompt("synthetic", "{}", NULL, &limits, (uint64_t)_i, words);
    ck_assert_msg(text != NULL, "%s", words);
    DSR_AUTO(json) json_t *messages = json_loads(text, 0, NULL);
    ck_assert_int_eq(dsr_prompt_tokens(&limits, messages), 50 + 37 * _i);
}
END_TEST

START_TEST(test_synthetic_shares_a_prefix)
{
    char words[768];
    struct dsr_prompt_limits limits = {
        .size = sizeof limits, .min_input_tokens = 1000, .max_input_tokens = 1000};
    const char *options = "{\"shared_prefix\": 0.5, \"fresh\": false}";
    DSR_AUTO(str) char *a = prompt("synthetic", options, NULL, &limits, 1, words);
    DSR_AUTO(str) char *b = prompt("synthetic", options, NULL, &limits, 2, words);
    size_t n = 0;
    while (a[n] && a[n] == b[n])
        n++;
    double share = (double)n / (double)strlen(a);
    ck_assert_msg(share > 0.4 && share < 0.8, "%g", share);
    ck_assert_ptr_null(prompt("synthetic", "{\"shared_prefix\": 0.5}", NULL, &limits, 1, words));
    ck_assert_ptr_nonnull(strstr(words, "fresh"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("prompts");
    TCase *t = tcase_create("prompts");
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_loop_test(t, test_draws_without_replacement, 0, 2);
    tcase_add_test(t, test_index_is_kept);
    tcase_add_test(t, test_index_goes_elsewhere);
    tcase_add_loop_test(t, test_forms_of_files, 0, DSR_COUNT(files));
    tcase_add_test(t, test_changed_file_is_told);
    tcase_add_loop_test(t, test_forms_of_sharegpt, 0, DSR_COUNT(shares));
    tcase_add_test(t, test_limits_are_kept);
    tcase_add_loop_test(t, test_synthetic_is_exact, 0, 20);
    tcase_add_test(t, test_synthetic_shares_a_prefix);
    suite_add_tcase(suite, t);
    return unit_run(suite);
}
