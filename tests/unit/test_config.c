/* Every configuration file, cut at every byte and with every value of a wrong type: an error that
 * names file and place, never a crash. */
#include "core/config/settings.h"
#include "tests/unit/unit.h"

#include <sys/stat.h>
#include <unistd.h>

static const char *const files[] = {"config/cron.json",
                                    "config/api_keys.json",
                                    "config/db.json",
                                    "config/currency_conversion.json",
                                    "config/prompt_generator.json",
                                    "data/models.json",
                                    "data/services.json",
                                    "data/datasets.json"};

static struct dsr_host *host;
static char folder[] = "config-XXXXXX";

static char *read_all(const char *name)
{
    const char *top = getenv("top_srcdir");
    DSR_AUTO(str) char *path = dsr_format("%s/%s", top ? top : ".", name);
    FILE *file = fopen(path, "r");
    char *text = file ? calloc(1, 1 << 20) : NULL;
    if (text && !fread(text, 1, (1 << 20) - 1, file))
        text[0] = '\0';
    if (file)
        fclose(file);
    return text;
}

static void write_file(const char *name, const char *text, size_t n)
{
    DSR_AUTO(str) char *path = dsr_format("%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(text, 1, n, file), n);
    fclose(file);
}

static int load(struct dsr_error *err)
{
    struct dsr_settings settings;
    DSR_AUTO(str) char *config = dsr_format("%s/config", folder);
    DSR_AUTO(str) char *data = dsr_format("%s/data", folder);
    memset(err, 0, sizeof *err);
    int rc = dsr_settings_load(&settings, config, data, host, err);
    if (!rc)
        dsr_settings_clear(&settings);
    return rc;
}

static void set_up(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
    DSR_AUTO(str) char *config = dsr_format("%s/config", folder);
    DSR_AUTO(str) char *data = dsr_format("%s/data", folder);
    mkdir(config, 0700);
    mkdir(data, 0700);
    host = dsr_host_new(DSR_LOG_ERROR, "test");
    for (size_t i = 0; i < DSR_COUNT(files); i++) {
        char *text = read_all(files[i]);
        ck_assert_ptr_nonnull(text);
        write_file(files[i], text, strlen(text));
        free(text);
    }
}

static void tear_down(void)
{
    for (size_t i = 0; i < DSR_COUNT(files); i++) {
        DSR_AUTO(str) char *path = dsr_format("%s/%s", folder, files[i]);
        unlink(path);
    }
    DSR_AUTO(str) char *config = dsr_format("%s/config", folder);
    DSR_AUTO(str) char *data = dsr_format("%s/data", folder);
    rmdir(config);
    rmdir(data);
    rmdir(folder);
    dsr_host_free(host);
}

START_TEST(the_shipped_files_are_sound)
{
    struct dsr_error err;
    ck_assert_msg(load(&err) == 0, "%s:%d: %s: %s", err.file, err.line, err.pointer, err.message);
}
END_TEST

static void check_refused(const char *name, const char *what)
{
    struct dsr_error err;
    int rc = load(&err);
    ck_assert_msg(rc == DSR_ECONFIG, "%s: %s: taken for good", name, what);
    size_t n = strlen(err.file), m = strlen(name);
    ck_assert_msg(n > m && !strcmp(err.file + n - m, name), "%s: %s: told of \"%s\"", name, what,
                  err.file);
    ck_assert_msg(err.line > 0, "%s: %s: no line", name, what);
}

START_TEST(a_file_cut_anywhere_is_told)
{
    const char *name = files[_i];
    char *text = read_all(name), what[32];
    size_t n = strlen(text);
    while (n && strchr(" \n", text[n - 1]))
        n--;
    for (size_t cut = 0; cut < n; cut++) {
        write_file(name, text, cut);
        snprintf(what, sizeof what, "cut at %zu", cut);
        check_refused(name, what);
    }
    free(text);
}
END_TEST

/* Puts each wrong value in the place of the one at key or i, and goes on below it. */
static void spoil(const char *name, json_t *root, json_t *parent, const char *key, size_t i,
                  json_t *value)
{
    json_t *wrong[] = {json_null(),      json_true(),  json_real(1.5),
                       json_string("?"), json_array(), json_object()};
    const char *below;
    json_t *member, *kept = json_incref(value);
    size_t k;
    for (size_t w = 0; w < DSR_COUNT(wrong); w++) {
        bool number = json_is_number(value) && (json_is_number(wrong[w]) || json_is_null(wrong[w]));
        if (json_typeof(wrong[w]) == json_typeof(value) || number ||
            (json_is_boolean(value) && json_is_boolean(wrong[w])))
            continue;
        if (key)
            json_object_set(parent, key, wrong[w]);
        else
            json_array_set(parent, i, wrong[w]);
        char *text = json_dumps(root, JSON_INDENT(1));
        write_file(name, text, strlen(text));
        check_refused(name, key ? key : "an element");
        free(text);
    }
    if (key)
        json_object_set(parent, key, kept);
    else
        json_array_set(parent, i, kept);
    for (size_t w = 0; w < DSR_COUNT(wrong); w++)
        json_decref(wrong[w]);
    void *next;
    json_object_foreach_safe(kept, next, below, member) spoil(name, root, kept, below, 0, member);
    json_array_foreach(kept, k, member) spoil(name, root, kept, NULL, k, member);
    json_decref(kept);
}

START_TEST(a_value_of_a_wrong_type_is_told)
{
    char *text = read_all(files[_i]);
    json_t *root = json_loads(text, 0, NULL), *member;
    const char *key;
    void *next;
    json_object_foreach_safe(root, next, key, member) spoil(files[_i], root, root, key, 0, member);
    json_decref(root);
    free(text);
}
END_TEST

START_TEST(a_key_is_not_repeated_in_an_error)
{
    static const char *const broken[] = {
        "{\"x\": {\"default\": \"sk-secret", "{\"x\": {\"default\": sk-secret}}",
        "{\"x\": \"sk-secret\"}", "{\"x\": {\"default\": \"sk-secret\\n\"}}"};
    struct dsr_error err;
    write_file("config/api_keys.json", broken[_i], strlen(broken[_i]));
    ck_assert_int_eq(load(&err), DSR_ECONFIG);
    ck_assert_msg(!strstr(err.message, "secret"), "%s", err.message);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("config");
    TCase *tcase = tcase_create("config");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 300);
    tcase_add_test(tcase, the_shipped_files_are_sound);
    tcase_add_loop_test(tcase, a_file_cut_anywhere_is_told, 0, (int)DSR_COUNT(files));
    tcase_add_loop_test(tcase, a_value_of_a_wrong_type_is_told, 0, (int)DSR_COUNT(files));
    tcase_add_loop_test(tcase, a_key_is_not_repeated_in_an_error, 0, 4);
    suite_add_tcase(suite, tcase);
    return unit_run(suite);
}
