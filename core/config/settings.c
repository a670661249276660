/* The files of the config folder: cron.json, db.json, currency_conversion.json,
 * prompt_generator.json. Keys have their own file, and so has the data folder. */
#include "core/config/settings.h"
#include "core/config/calendar.h"

#include <math.h>

/* Loads NAME from the config folder; a file that is not there leaves doc empty. */
static int load_optional(struct dsr_settings *s, struct dsr_doc *doc, const char *name,
                         struct dsr_error *err)
{
    DSR_AUTO(str) char *path = dsr_path_join(s->layout.config_dir, name);
    if (!path)
        return dsr_error_nomem(err);
    return dsr_path_exists(path) ? dsr_doc_load(doc, path, s->host, err) : 0;
}

/* One of cron.json's jobs. */
static int check_job(const struct dsr_doc *doc, const char *name, const json_t *job,
                     struct dsr_error *err)
{
    static const struct dsr_field fields[] = {
        {"cron", DSR_T_STRING, true, 0, 0},
        {"command", DSR_T_STRING, true, 0, 0},
        {"args", DSR_T_STRINGS, false, 0, 0},
    };
    char place[96], inner[128];
    struct dsr_buf calendar = {0};
    snprintf(place, sizeof place, "/jobs/%.64s", name);
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-");
    if (!n || name[n] || n > 60 || !strcmp(name, "schedule") || !strcmp(name, "dsr"))
        return dsr_doc_fail(doc, err, place, "a job's name is made of a-z, 0-9, '_' and '-'");
    int rc = dsr_doc_check(doc, job, place, fields, DSR_COUNT(fields), err);
    if (rc)
        return rc;
    const char *command = dsr_json_string(job, "command", "");
    snprintf(inner, sizeof inner, "%s/command", place);
    if (!dsr_list_has("perf,eval,db", command))
        return dsr_doc_fail(doc, err, inner, "must be perf, eval or db");
    snprintf(inner, sizeof inner, "%s/cron", place);
    rc = dsr_calendar_of(dsr_json_string(job, "cron", ""), &calendar, err);
    dsr_buf_clear(&calendar);
    return rc == DSR_ECONFIG ? dsr_doc_fail(doc, err, inner, "%s", err->message) : rc;
}

static int load_cron(struct dsr_settings *s, struct dsr_error *err)
{
    static const struct dsr_field fields[] = {
        {"log", DSR_T_STRING, false, 0, 0},
        {"log_dir", DSR_T_STRING, false, 0, 0},
        {"perf_models", DSR_T_STRINGS, false, 0, 0},
        {"max_workers_per_job", DSR_T_INT, false, 1, 100000},
        {"jobs", DSR_T_OBJECT, false, 0, 0},
    };
    int rc = load_optional(s, &s->cron, "cron.json", err);
    if (!rc && s->cron.root)
        rc = dsr_doc_check(&s->cron, s->cron.root, "", fields, DSR_COUNT(fields), err);
    const char *name;
    json_t *job;
    json_object_foreach(json_object_get(s->cron.root, "jobs"), name, job) rc =
        rc ? rc : check_job(&s->cron, name, job, err);
    if (rc)
        return rc;
    s->max_workers = (int)dsr_json_int(s->cron.root, "max_workers_per_job", 32);
    const char *log = dsr_json_string(s->cron.root, "log", "");
    if (!*log)
        log = dsr_json_string(s->cron.root, "log_dir", "");
    s->log_dir =
        *log ? dsr_path_beside(s->cron.path, log) : dsr_path_join(s->layout.state_dir, "log");
    return s->log_dir ? 0 : dsr_error_nomem(err);
}

int dsr_store_address(const char *uri, const char *beside, char **name, char **path,
                      struct dsr_error *err)
{
    const char *colon = strstr(uri, "://");
    size_t n = strcspn(uri, "+:");
    if (!colon || !n || n >= 32)
        return dsr_error_set(err, DSR_ECONFIG,
                             "\"%s\" is no address such as leveldb:///folder (relative) or "
                             "leveldb:////folder (absolute)",
                             uri);
    const char *place = colon + 3;
    if (*place == '/' && !place[1])
        return dsr_error_set(err, DSR_ECONFIG, "the address \"%s\" names no folder", uri);
    *name = strndup(uri, n);
    if (*place != '/')
        *path = strdup(place);
    else
        *path = beside ? dsr_path_beside(beside, place + 1) : strdup(place + 1);
    return *name && *path ? 0 : dsr_error_nomem(err);
}

/* Where the password of user:password@host begins and how long it is; NULL when there is none. */
static const char *password_in(const char *path, size_t *n)
{
    const char *at = *path == '/' ? NULL : strrchr(path, '@');
    const char *colon = at ? memchr(path, ':', (size_t)(at - path)) : NULL;
    *n = colon ? (size_t)(at - colon - 1) : 0;
    return *n ? colon + 1 : NULL;
}

static void hide_password(struct dsr_host *host, const char *path)
{
    size_t n;
    const char *password = password_in(path, &n);
    DSR_AUTO(str) char *secret = password ? strndup(password, n) : NULL;
    if (secret)
        dsr_host_hide(host, dsr_key_resolve(secret));
}

char *dsr_store_label(const char *name, const char *path)
{
    size_t n;
    const char *password = password_in(path, &n);
    return password ? dsr_format("%s: %.*s***%s", name, (int)(password - path), path, password + n)
                    : dsr_format("%s: %s", name, path);
}

int dsr_settings_set_store(struct dsr_settings *s, const char *uri, struct dsr_host *host,
                           struct dsr_error *err)
{
    char *name = NULL, *path = NULL;
    int rc = dsr_store_address(uri, NULL, &name, &path, err);
    if (rc) {
        free(name);
        free(path);
        return rc;
    }
    free(s->store_name);
    free(s->store_path);
    s->store_name = name;
    s->store_path = path;
    hide_password(host, path);
    return 0;
}

static int load_db(struct dsr_settings *s, struct dsr_host *host, struct dsr_error *err)
{
    static const struct dsr_field fields[] = {{"conn_str", DSR_T_STRING, false, 0, 0}};
    int rc = load_optional(s, &s->db, "db.json", err);
    if (!rc && s->db.root)
        rc = dsr_doc_check(&s->db, s->db.root, "", fields, DSR_COUNT(fields), err);
    if (rc)
        return rc;
    const char *uri = dsr_json_string(s->db.root, "conn_str", "");
    if (*uri) {
        rc = dsr_store_address(uri, s->db.path, &s->store_name, &s->store_path, err);
        if (!rc)
            hide_password(host, s->store_path);
        return rc == DSR_ECONFIG ? dsr_doc_fail(&s->db, err, "/conn_str", "%s", err->message) : rc;
    }
    s->store_name = strdup("leveldb");
    s->store_path = dsr_path_join(s->layout.state_dir, "db");
    return s->store_name && s->store_path ? 0 : dsr_error_nomem(err);
}

static int load_currency(struct dsr_settings *s, struct dsr_error *err)
{
    static const struct dsr_field fields[] = {
        {"base", DSR_T_NUMBER, true, 1e-9, 1e12},
        {"conversion", DSR_T_NUMBERS, true, 0, 0},
    };
    char place[64];
    const char *code;
    json_t *entry;
    int rc = load_optional(s, &s->currency, "currency_conversion.json", err);
    if (rc || !s->currency.root)
        return rc;
    json_object_foreach(s->currency.root, code, entry)
    {
        snprintf(place, sizeof place, "/%s", code);
        rc = dsr_doc_check(&s->currency, entry, place, fields, DSR_COUNT(fields), err);
        if (!rc && json_is_null(json_object_get(entry, "base")))
            rc = dsr_doc_fail(&s->currency, err, place, "\"base\" must be a number");
        if (rc)
            return rc;
    }
    return 0;
}

/* The model that writes questions: an OpenAI-compatible one unless it says otherwise. */
static int take_writer(struct dsr_settings *s, json_t *model, struct dsr_host *host,
                       struct dsr_error *err)
{
    const char *url = dsr_json_string(model, "base_url", "");
    const char *key = dsr_key_resolve(dsr_json_string(model, "api_key", ""));
    if (*url && strncmp(url, "http://", 7) && strncmp(url, "https://", 8))
        return dsr_doc_fail(&s->prompts, err, "/model/base_url", "must be a http(s):// address");
    if (key[strcspn(key, "\r\n")])
        return dsr_doc_fail(&s->prompts, err, "/model/api_key", "the key holds a line break");
    dsr_host_hide(host, key);
    DSR_AUTO(json)
    json_t *usual = json_pack("{s:s, s:i}", "plugin", "openai", "max_concurrency", 4);
    return usual && !json_object_update_missing(model, usual) ? 0 : dsr_error_nomem(err);
}

static int load_prompts(struct dsr_settings *s, struct dsr_host *host, struct dsr_error *err)
{
    static const struct dsr_field top[] = {
        {"model", DSR_T_OBJECT, false, 0, 0},
        {"datasets", DSR_T_OBJECT, false, 0, 0},
    };
    static const struct dsr_field model[] = {
        {"base_url", DSR_T_STRING, false, 0, 0},
        {"model", DSR_T_STRING, false, 0, 0},
        {"plugin", DSR_T_STRING, false, 0, 0},
        {"headers", DSR_T_OBJECT, false, 0, 0},
        {"query", DSR_T_OBJECT, false, 0, 0},
        {"extra_body", DSR_T_OBJECT, false, 0, 0},
        {"ca_file", DSR_T_STRING, false, 0, 0},
        {"max_concurrency", DSR_T_INT, false, 1, 1000},
        {"max_tokens", DSR_T_INT, false, 1, 10000000},
        {"reasoning_inline", DSR_T_BOOL, false, 0, 0},
        {"reasoning_start", DSR_T_STRING, false, 0, 0},
        {"reasoning_end", DSR_T_STRING, false, 0, 0},
        {"api_key", DSR_T_STRING, false, 0, 0},
        {"note", DSR_T_STRING, false, 0, 0},
    };
    static const struct dsr_field datasets[] = {{"directory", DSR_T_STRING, false, 0, 0}};
    int rc = load_optional(s, &s->prompts, "prompt_generator.json", err);
    json_t *root = s->prompts.root, *part;
    if (rc || !root)
        return rc;
    rc = dsr_doc_check(&s->prompts, root, "", top, DSR_COUNT(top), err);
    if (!rc && (part = json_object_get(root, "model")))
        (void)((rc = dsr_doc_check(&s->prompts, part, "/model", model, DSR_COUNT(model), err)) ||
               (rc = take_writer(s, part, host, err)));
    if (!rc && (part = json_object_get(root, "datasets")))
        rc = dsr_doc_check(&s->prompts, part, "/datasets", datasets, DSR_COUNT(datasets), err);
    return rc;
}

static int load_data(struct dsr_settings *s, struct dsr_doc *doc, const char *name,
                     struct dsr_error *err)
{
    DSR_AUTO(str) char *path = dsr_layout_data_file(&s->layout, name);
    return path ? dsr_doc_load(doc, path, s->host, err) : dsr_error_nomem(err);
}

int dsr_settings_load(struct dsr_settings *s, const char *config, const char *data,
                      struct dsr_host *host, struct dsr_error *err)
{
    int rc;
    memset(s, 0, sizeof *s);
    s->host = host;
    if ((rc = dsr_layout_find(&s->layout, config, data, err)) || (rc = load_cron(s, err)) ||
        (rc = load_db(s, host, err)) || (rc = load_currency(s, err)) ||
        (rc = load_prompts(s, host, err)) ||
        (rc = load_optional(s, &s->keys, "api_keys.json", err)) ||
        (rc = dsr_keys_check(s, host, err)) ||
        (rc = load_data(s, &s->models, "models.json", err)) ||
        (rc = load_data(s, &s->services, "services.json", err)) ||
        (rc = load_data(s, &s->datasets, "datasets.json", err)) ||
        (rc = dsr_catalog_check(s, host, err))) {
        dsr_settings_clear(s);
        return rc;
    }
    return 0;
}

void dsr_settings_clear(struct dsr_settings *s)
{
    struct dsr_doc *docs[] = {&s->cron, &s->db,     &s->currency, &s->prompts,
                              &s->keys, &s->models, &s->services, &s->datasets};
    if (s->keys.text)
        explicit_bzero(s->keys.text, s->keys.len);
    if (s->prompts.text)
        explicit_bzero(s->prompts.text, s->prompts.len);
    for (size_t i = 0; i < DSR_COUNT(docs); i++)
        dsr_doc_clear(docs[i]);
    dsr_layout_clear(&s->layout);
    free(s->log_dir);
    free(s->store_name);
    free(s->store_path);
    memset(s, 0, sizeof *s);
}

const json_t *dsr_settings_model_json(const struct dsr_settings *s, const char *model)
{
    return json_object_get(s->models.root, model);
}

const char *dsr_settings_model(const struct dsr_settings *s, const char *name,
                               struct dsr_error *err)
{
    const json_t *listed = json_object_get(s->cron.root, "perf_models");
    const char *key, *first = json_string_value(json_array_get(listed, 0));
    json_t *entry;
    const char *wanted = name ? name : first;
    json_object_foreach(s->services.root, key, entry)
    {
        if (!wanted || !strcmp(key, wanted))
            return key;
    }
    dsr_error_file(err, DSR_ECONFIG, s->services.path, 0,
                   "no services for the model \"%s\"; --model names a key of this file",
                   wanted ? wanted : "");
    return NULL;
}

double dsr_settings_convert(const struct dsr_settings *s, double amount, const char *from,
                            const char *to)
{
    if (!strcmp(from, to))
        return amount;
    const json_t *entry = json_object_get(s->currency.root, from);
    return amount / dsr_json_number(entry, "base") *
           dsr_json_number(json_object_get(entry, "conversion"), to);
}
