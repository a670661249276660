/* Everything that the JSON files say, checked once at the start. */
#ifndef DSR_SETTINGS_H
#define DSR_SETTINGS_H

#include "core/config/doc.h"
#include "core/config/layout.h"

struct dsr_settings {
    const struct dsr_host *host;
    struct dsr_layout layout;
    struct dsr_doc cron, keys, db, currency, prompts; /* of the config folder; root may be NULL */
    struct dsr_doc models, services, datasets;        /* of the data folder */
    int max_workers;                                  /* cron.json max_workers_per_job */
    char *log_dir;
    char *store_name; /* plugin of db.json's conn_str */
    char *store_path; /* what it opens */
};

int dsr_settings_load(struct dsr_settings *settings, const char *config, const char *data,
                      struct dsr_host *host, struct dsr_error *err);
void dsr_settings_clear(struct dsr_settings *settings);
/* Takes apart scheme[+driver]:///path, where a fourth slash makes the path absolute, as SQLAlchemy
 * has it; a relative path is beside the file named, or NULL: beside nothing. name and path are the
 * caller's, also on failure (NULL or allocated). */
int dsr_store_address(const char *uri, const char *beside, char **name, char **path,
                      struct dsr_error *err);
/* Another store than db.json's; relative to the working folder. */
int dsr_settings_set_store(struct dsr_settings *settings, const char *uri, struct dsr_host *host,
                           struct dsr_error *err);
/* "name: path" without a password, for people; NULL when out of memory. */
char *dsr_store_label(const char *name, const char *path);

/* The model of --model, or the default one when name is NULL; NULL with err when unknown. */
const char *dsr_settings_model(const struct dsr_settings *settings, const char *name,
                               struct dsr_error *err);
/* The models.json entry of a model, or NULL. */
const json_t *dsr_settings_model_json(const struct dsr_settings *settings, const char *model);
/* amount in currency from, told in currency to; NaN when no rate is configured. */
double dsr_settings_convert(const struct dsr_settings *settings, double amount, const char *from,
                            const char *to);

/* One service entry ready for use. */
struct dsr_service {
    char *code, *model_code, *base_url, *model, *plugin, *currency, *ca_file;
    char *key; /* the API key; wiped when freed */
    char *think_open, *think_close;
    const json_t *json;
    const struct dsr_doc *doc;
    bool reasoning_inline;
    double input_price, output_price, cached_price; /* per 1M tokens, NaN unknown */
    int max_concurrency;
    int64_t max_tokens; /* 0 unknown */
    char *unusable;     /* why it can't be asked: no key, placeholder URL; NULL if it can */
};

/* All entries of a model, or those in the comma-separated list (NULL or "all": every one). A name
 * that does not exist is an error. Frees with dsr_services_free. */
int dsr_services_load(const struct dsr_settings *settings, const char *model, const char *list,
                      struct dsr_service ***services, size_t *n, struct dsr_error *err);
void dsr_services_free(struct dsr_service **services, size_t n);
/* As dsr_services_load, but keeps only usable ones, and says what was left out. Fails when none is
 * left, or when one that the list names can't be used. */
int dsr_services_usable(const struct dsr_settings *settings, const char *model, const char *list,
                        struct dsr_service ***services, size_t *n, struct dsr_error *err);

/* The model of prompt_generator.json as the only entry of a list; an empty one when it names none.
 * Frees with dsr_services_free. */
int dsr_services_writer(const struct dsr_settings *settings, struct dsr_service ***services,
                        size_t *n, struct dsr_error *err);

/* Prices per 1M tokens in one currency; NaN where unknown. */
struct dsr_prices {
    double input, output, cached;
};
/* What dsr_host_on_price takes; arg: the settings. */
bool dsr_service_tell_price(void *arg, const char *model, const char *provider, double prices[3]);
struct dsr_prices dsr_service_prices(const struct dsr_settings *settings,
                                     const struct dsr_service *service, const char *currency);

/* A key by the rules of api_keys.json: DSR_KEY_<PROVIDER>, then the file. malloc'd, NULL: none. */
char *dsr_key_find(const struct dsr_settings *settings, const char *code, const char *plugin,
                   const char *model);
/* What a key's text in a file stands for: "env:NAME" is a variable. "" when there is none. */
const char *dsr_key_resolve(const char *value);
int dsr_keys_check(struct dsr_settings *settings, struct dsr_host *host, struct dsr_error *err);
int dsr_catalog_check(const struct dsr_settings *settings, struct dsr_host *host,
                      struct dsr_error *err);

/* Names in datasets.json with this member ("evaluator" or "promptgen") that list selects; each
 * unknown name is an error that tells the known ones. Array of strings. */
json_t *dsr_datasets_select(const struct dsr_settings *settings, const char *list,
                            const char *member, struct dsr_error *err);
/* The entry and its absolute path (NULL when it names none). Fails with advice when the file does
 * not exist. */
int dsr_dataset_find(const struct dsr_settings *settings, const char *name, const json_t **entry,
                     char **path, struct dsr_error *err);

#endif
