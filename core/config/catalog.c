/* The files of the data folder: models.json, services.json, datasets.json. */
#include "core/config/settings.h"

static const struct dsr_field model_fields[] = {
    {"name", DSR_T_STRING, true, 0, 0},
    {"type", DSR_T_STRING, false, 0, 0},
    {"tokenizer", DSR_T_STRING, false, 0, 0},
    {"chat_template", DSR_T_STRING, false, 0, 0},
    {"temperature", DSR_T_NUMBER, false, 0, 2},
    {"top_p", DSR_T_NUMBER, false, 0, 1},
    {"max_tokens", DSR_T_INT, false, 1, 10000000},
    {"timeout", DSR_T_NUMBER, false, 0, 1e6},
    {"timeouts", DSR_T_NUMBERS, false, 0, 0},
    {"until", DSR_T_STRING, false, 0, 0},
    {"note", DSR_T_STRING, false, 0, 0},
    {"source", DSR_T_STRING, false, 0, 0},
    {"updated", DSR_T_STRING, false, 0, 0},
};

static const struct dsr_field service_fields[] = {
    {"name", DSR_T_STRING, false, 0, 0},
    {"name_cn", DSR_T_STRING, false, 0, 0},
    {"homepage", DSR_T_STRING, false, 0, 0},
    {"base_url", DSR_T_STRING, true, 0, 0},
    {"model", DSR_T_STRING, true, 0, 0},
    {"currency", DSR_T_STRING, false, 0, 0},
    {"input_price_per_million_token", DSR_T_NUMBER, false, 0, 1e9},
    {"output_price_per_million_token", DSR_T_NUMBER, false, 0, 1e9},
    {"cached_input_price_per_million_token", DSR_T_NUMBER, false, 0, 1e9},
    {"reasoning_inline", DSR_T_BOOL, false, 0, 0},
    {"reasoning_start", DSR_T_STRING, false, 0, 0},
    {"reasoning_end", DSR_T_STRING, false, 0, 0},
    {"max_context", DSR_T_COUNT, false, 0, 0},
    {"max_output", DSR_T_COUNT, false, 0, 0},
    {"max_concurrency", DSR_T_INT, false, 1, 100000},
    {"max_tokens", DSR_T_INT, false, 1, 10000000},
    {"requests_per_minute", DSR_T_INT, false, 1, 1000000},
    {"tokens_per_minute", DSR_T_INT, false, 1, 1e12},
    {"note", DSR_T_STRING, false, 0, 0},
    {"concurrency_note", DSR_T_STRING, false, 0, 0},
    {"plugin", DSR_T_STRING, false, 0, 0},
    {"headers", DSR_T_TEXTS, false, 0, 0},
    {"query", DSR_T_TEXTS, false, 0, 0},
    {"extra_body", DSR_T_OBJECT, false, 0, 0},
    {"ca_file", DSR_T_STRING, false, 0, 0},
    {"until", DSR_T_STRING, false, 0, 0},
    {"source", DSR_T_STRING, false, 0, 0},
    {"updated", DSR_T_STRING, false, 0, 0},
};

static int check_date(const struct dsr_doc *doc, const json_t *entry, const char *place,
                      struct dsr_error *err)
{
    const char *until = dsr_json_string(entry, "until", "");
    int64_t us;
    char at[256];
    if (!*until || !dsr_time_parse(until, 0, &us))
        return 0;
    snprintf(at, sizeof at, "%s/until", place);
    return dsr_doc_fail(doc, err, at, "\"%s\" is not a date like 2026-10-10", until);
}

static int check_models(const struct dsr_settings *s, struct dsr_error *err)
{
    static const struct dsr_field timeouts[] = {
        {"connect", DSR_T_NUMBER, false, 0.001, 1e6},
        {"first_token", DSR_T_NUMBER, false, 0.001, 1e6},
        {"idle", DSR_T_NUMBER, false, 0.001, 1e6},
        {"total", DSR_T_NUMBER, false, 0.001, 1e6},
    };
    const struct dsr_doc *doc = &s->models;
    const char *code;
    char place[256];
    json_t *entry, *times;
    json_object_foreach(doc->root, code, entry)
    {
        snprintf(place, sizeof place, "/%s", code);
        int rc = dsr_doc_check(doc, entry, place, model_fields, DSR_COUNT(model_fields), err);
        if (!rc)
            rc = check_date(doc, entry, place, err);
        snprintf(place, sizeof place, "/%s/timeouts", code);
        if (!rc && (times = json_object_get(entry, "timeouts")))
            rc = dsr_doc_check(doc, times, place, timeouts, DSR_COUNT(timeouts), err);
        if (rc)
            return rc;
    }
    return 0;
}

static int check_services(const struct dsr_settings *s, struct dsr_error *err)
{
    const struct dsr_doc *doc = &s->services;
    const char *model, *code;
    char place[256];
    json_t *entries, *entry;
    json_object_foreach(doc->root, model, entries)
    {
        snprintf(place, sizeof place, "/%s", model);
        if (!json_is_object(entries))
            return dsr_doc_fail(doc, err, place, "expected an object of provider entries");
        json_object_foreach(entries, code, entry)
        {
            snprintf(place, sizeof place, "/%s/%s", model, code);
            int rc =
                dsr_doc_check(doc, entry, place, service_fields, DSR_COUNT(service_fields), err);
            if (!rc)
                rc = check_date(doc, entry, place, err);
            if (rc)
                return rc;
        }
    }
    return 0;
}

/* Options that the bundled plugins read; those of other plugins are theirs to check. */
static int check_options(const struct dsr_doc *doc, const json_t *options, const char *place,
                         struct dsr_error *err)
{
    static const struct dsr_field fields[] = {
        {"rounds", DSR_T_STRING, false, 0, 0},       {"order", DSR_T_STRING, false, 0, 0},
        {"output_tokens", DSR_T_INT, false, 1, 1e7}, {"shots", DSR_T_INT, false, 0, 5},
        {"split", DSR_T_STRING, false, 0, 0},        {"timeout", DSR_T_INT, false, 1, 600},
        {"since", DSR_T_STRING, false, 0, 0},        {"until", DSR_T_STRING, false, 0, 0},
        {"prompt", DSR_T_STRING, false, 0, 0},       {"group", DSR_T_STRING, false, 0, 0},
        {"questions", DSR_T_INT, false, 1, 10000},   {"topics", DSR_T_STRINGS, false, 0, 0},
        {"input_tokens", DSR_T_STRING, false, 0, 0}, {"shared_prefix", DSR_T_NUMBER, false, 0, 1},
        {"fresh", DSR_T_BOOL, false, 0, 0},
    };
    struct dsr_doc quiet = *doc;
    quiet.host = NULL;
    return dsr_doc_check(&quiet, options, place, fields, DSR_COUNT(fields), err);
}

static int check_datasets(const struct dsr_settings *s, struct dsr_error *err)
{
    static const struct dsr_field fields[] = {
        {"evaluator", DSR_T_STRING, false, 0, 0}, {"promptgen", DSR_T_STRING, false, 0, 0},
        {"file", DSR_T_STRING, false, 0, 0},      {"metric", DSR_T_STRING, false, 0, 0},
        {"options", DSR_T_OBJECT, false, 0, 0},   {"path", DSR_T_STRING, false, 0, 0},
        {"name", DSR_T_STRING, false, 0, 0},      {"note", DSR_T_STRING, false, 0, 0},
        {"sample", DSR_T_STRING, false, 0, 0},    {"output_tokens", DSR_T_INT, false, 1, 1e7},
    };
    const struct dsr_doc *doc = &s->datasets;
    const char *name;
    char place[256];
    json_t *entry, *options;
    json_object_foreach(doc->root, name, entry)
    {
        snprintf(place, sizeof place, "/%s", name);
        int rc = dsr_doc_check(doc, entry, place, fields, DSR_COUNT(fields), err);
        snprintf(place, sizeof place, "/%s/options", name);
        if (!rc && (options = json_object_get(entry, "options")))
            rc = check_options(doc, options, place, err);
        if (rc)
            return rc;
    }
    return 0;
}

int dsr_catalog_check(const struct dsr_settings *s, struct dsr_host *host, struct dsr_error *err)
{
    const char *name;
    json_t *entry;
    int rc = check_models(s, err);
    if (!rc)
        rc = check_services(s, err);
    if (!rc)
        rc = check_datasets(s, err);
    json_object_foreach(s->datasets.root, name, entry)
    {
        if (!rc && json_object_get(entry, "evaluator"))
            dsr_host_add_metric(host, dsr_json_string(entry, "metric", name));
    }
    return rc;
}

static bool is_there(const struct dsr_settings *s, const char *name)
{
    const json_t *entry;
    struct dsr_error missing;
    DSR_AUTO(str) char *path = NULL;
    return !dsr_dataset_find(s, name, &entry, &path, &missing);
}

/* "all": every set that is no sample and is there; when none is, one, so that its lack is told. */
static int select_all(const struct dsr_settings *s, const char *member, json_t *names)
{
    const char *name, *lacking = NULL;
    json_t *entry;
    int rc = 0;
    json_object_foreach(s->datasets.root, name, entry)
    {
        if (!json_object_get(entry, member) || json_object_get(entry, "sample"))
            continue;
        if (is_there(s, name))
            rc |= json_array_append_new(names, json_string(name));
        else
            lacking = lacking ? lacking : name;
    }
    if (lacking && !json_array_size(names))
        rc |= json_array_append_new(names, json_string(lacking));
    else if (lacking)
        dsr_host_log(s->host, DSR_LOG_WARN, "\"all\" leaves out %s and what else was not fetched",
                     lacking);
    return rc;
}

static bool has_name(const json_t *names, const char *word)
{
    size_t i;
    json_t *name;
    json_array_foreach((json_t *)names, i, name)
    {
        if (!strcmp(json_string_value(name), word))
            return true;
    }
    return false;
}

/* Adds a name to text as ", name". */
static void list_name(struct dsr_buf *text, const char *name)
{
    dsr_buf_addf(text, "%s%s", text->len ? ", " : "", name);
}

json_t *dsr_datasets_select(const struct dsr_settings *s, const char *list, const char *member,
                            struct dsr_error *err)
{
    json_t *names = json_array();
    struct dsr_buf known = {0};
    const char *name;
    json_t *entry;
    DSR_AUTO(str) char *rest = strdup(list);
    if (!names || !rest) {
        dsr_error_nomem(err);
        return names;
    }
    bool all = !strcmp(list, "all");
    json_object_foreach(s->datasets.root, name, entry)
    {
        if (json_object_get(entry, member))
            list_name(&known, name);
    }
    if (all)
        select_all(s, member, names);
    char *save = NULL;
    for (char *word = all ? NULL : strtok_r(rest, ",", &save); word;
         word = strtok_r(NULL, ",", &save)) {
        if (!json_object_get(json_object_get(s->datasets.root, word), member)) {
            dsr_error_file(err, DSR_EUSAGE, s->datasets.path, 0, "no \"%s\" here; there are: %s",
                           word, known.data ? known.data : "none");
            json_decref(names);
            names = NULL;
            break;
        }
        if (!has_name(names, word))
            json_array_append_new(names, json_string(word));
    }
    dsr_buf_clear(&known);
    if (names && !json_array_size(names)) {
        dsr_error_set(err, DSR_EUSAGE, "the list \"%s\" names nothing", list);
        json_decref(names);
        return NULL;
    }
    return names;
}

/* Prompt sets may stand in the folder that prompt_generator.json names: path is then there. */
static bool is_among_prompts(const struct dsr_settings *s, const json_t *entry, const char *file,
                             char **path)
{
    const json_t *datasets = json_object_get(s->prompts.root, "datasets");
    const char *folder = dsr_json_string(datasets, "directory", "");
    if (!json_object_get(entry, "promptgen") || !*folder || *file == '/')
        return false;
    DSR_AUTO(str) char *there = dsr_path_beside(s->prompts.path, folder);
    char *candidate = there ? dsr_path_join(there, file) : NULL;
    if (!candidate || !dsr_path_exists(candidate)) {
        free(candidate);
        return false;
    }
    free(*path);
    *path = candidate;
    return true;
}

int dsr_dataset_find(const struct dsr_settings *s, const char *name, const json_t **entry,
                     char **path, struct dsr_error *err)
{
    char place[256];
    *path = NULL;
    *entry = json_object_get(s->datasets.root, name);
    const char *file = dsr_json_string(*entry, "file", dsr_json_string(*entry, "path", NULL));
    if (!file)
        return 0;
    *path = dsr_path_beside(s->datasets.path, file);
    if (!*path)
        return dsr_error_nomem(err);
    if (dsr_path_exists(*path) || is_among_prompts(s, *entry, file, path))
        return 0;
    snprintf(place, sizeof place, "/%s/file", name);
    dsr_doc_fail(&s->datasets, err, place,
                 "%s does not exist; fetch it with download_datasets.sh, or use the bundled "
                 "samples (gpqa-sample, aime2024-sample, ceval-sample, questions-sample)",
                 *path);
    free(*path);
    *path = NULL;
    return DSR_ECONFIG;
}
