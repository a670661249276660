/* Service entries made ready for use: which plugin, which key, which limits. */
#include "core/config/settings.h"

#include <dsr/provider.h>
#include <math.h>

const char *dsr_service_code(const struct dsr_service *service)
{
    return service->code;
}

const char *dsr_service_base_url(const struct dsr_service *service)
{
    return service->base_url;
}

const char *dsr_service_model(const struct dsr_service *service)
{
    return service->model;
}

const json_t *dsr_service_json(const struct dsr_service *service)
{
    return service->json;
}

bool dsr_service_reasoning_inline(const struct dsr_service *service)
{
    return service->reasoning_inline;
}

static void service_free(struct dsr_service *service)
{
    if (!service)
        return;
    if (service->key)
        explicit_bzero(service->key, strlen(service->key));
    char *texts[] = {service->code,       service->model_code,  service->base_url, service->model,
                     service->plugin,     service->currency,    service->ca_file,  service->key,
                     service->think_open, service->think_close, service->unusable};
    for (size_t i = 0; i < DSR_COUNT(texts); i++)
        free(texts[i]);
    free(service);
}

void dsr_services_free(struct dsr_service **services, size_t n)
{
    for (size_t i = 0; i < n; i++)
        service_free(services[i]);
    free(services);
}

/* The plugin's name: the entry's own word, else the code up to a '-'. */
static char *plugin_name(const char *code, const json_t *json)
{
    const char *named = dsr_json_string(json, "plugin", "");
    return *named ? strdup(named) : strndup(code, strcspn(code, "-"));
}

static bool is_address(const char *url)
{
    return !strncmp(url, "http://", 7) || !strncmp(url, "https://", 8);
}

static char *why_unusable(const struct dsr_service *service)
{
    if (!is_address(service->base_url))
        return dsr_format("its base_url \"%s\" is no address; set it in %s", service->base_url,
                          service->doc->path);
    if (!service->key)
        return dsr_format("it has no API key (api_keys.json or DSR_KEY_ variables)");
    return NULL;
}

static void warn_if_over(const struct dsr_settings *s, const struct dsr_service *service)
{
    const char *until = dsr_json_string(service->json, "until", "");
    int64_t end;
    if (*until && !dsr_time_parse(until, 0, &end) && end < dsr_clock_wall_us())
        dsr_host_log(s->host, DSR_LOG_WARN, "%s: the provider ended this service on %s",
                     service->code, until);
}

/* Of input, output and cached tokens, in the entry's own currency. */
static void read_prices(const json_t *entry, double prices[3])
{
    prices[0] = dsr_json_number(entry, "input_price_per_million_token");
    prices[1] = dsr_json_number(entry, "output_price_per_million_token");
    prices[2] = dsr_json_number(entry, "cached_input_price_per_million_token");
}

static struct dsr_service *service_new(const struct dsr_settings *s, const struct dsr_doc *doc,
                                       const char *model, const char *code, const json_t *json)
{
    struct dsr_service *service = calloc(1, sizeof *service);
    if (!service)
        return NULL;
    service->json = json;
    service->doc = doc;
    service->code = strdup(code);
    service->model_code = strdup(model);
    service->base_url = strdup(dsr_json_string(json, "base_url", ""));
    service->model = strdup(dsr_json_string(json, "model", ""));
    service->currency = strdup(dsr_json_string(json, "currency", "CNY"));
    service->think_open = strdup(dsr_json_string(json, "reasoning_start", "<think>"));
    service->think_close = strdup(dsr_json_string(json, "reasoning_end", "</think>"));
    service->plugin = plugin_name(code, json);
    const char *ca = dsr_json_string(json, "ca_file", "");
    service->ca_file = *ca ? dsr_path_beside(doc->path, ca) : NULL;
    if (!service->code || !service->model_code || !service->base_url || !service->model ||
        !service->currency || !service->think_open || !service->think_close || !service->plugin ||
        (*ca && !service->ca_file)) {
        service_free(service);
        return NULL;
    }
    for (size_t n = strlen(service->base_url); n && service->base_url[n - 1] == '/';)
        service->base_url[--n] = '\0';
    service->reasoning_inline = json_is_true(json_object_get(json, "reasoning_inline"));
    double prices[3];
    read_prices(json, prices);
    service->input_price = prices[0];
    service->output_price = prices[1];
    service->cached_price = prices[2];
    service->max_concurrency = (int)dsr_json_int(json, "max_concurrency", 1);
    service->max_tokens = dsr_json_int(json, "max_tokens", 0);
    service->key = dsr_key_find(s, code, service->plugin, model);
    service->unusable = why_unusable(service);
    return service;
}

struct dsr_prices dsr_service_prices(const struct dsr_settings *s,
                                     const struct dsr_service *service, const char *currency)
{
    return (struct dsr_prices){
        dsr_settings_convert(s, service->input_price, service->currency, currency),
        dsr_settings_convert(s, service->output_price, service->currency, currency),
        dsr_settings_convert(s, service->cached_price, service->currency, currency),
    };
}

bool dsr_service_tell_price(void *arg, const char *model, const char *provider, double prices[3])
{
    const struct dsr_settings *s = arg;
    const json_t *entry = json_object_get(json_object_get(s->services.root, model), provider);
    read_prices(entry, prices);
    return entry != NULL;
}

static int check_list(const struct dsr_settings *s, const char *model, const json_t *entries,
                      const char *list, struct dsr_error *err)
{
    DSR_AUTO(str) char *copy = strdup(list);
    char *save = NULL;
    struct dsr_buf known = {0};
    const char *code;
    json_t *entry;
    int rc = 0;
    if (!copy)
        return dsr_error_nomem(err);
    for (char *word = strtok_r(copy, ",", &save); word && !rc; word = strtok_r(NULL, ",", &save)) {
        if (json_object_get(entries, word))
            continue;
        json_object_foreach((json_t *)entries, code, entry)
            dsr_buf_addf(&known, "%s%s", known.len ? ", " : "", code);
        rc = dsr_error_file(err, DSR_EUSAGE, s->services.path, 0,
                            "no provider \"%s\" for %s; there are: %s", word, model,
                            known.data ? known.data : "none");
    }
    dsr_buf_clear(&known);
    return rc;
}

int dsr_services_load(const struct dsr_settings *s, const char *model, const char *list,
                      struct dsr_service ***services, size_t *n, struct dsr_error *err)
{
    const json_t *entries = json_object_get(s->services.root, model);
    bool all = !list || !strcmp(list, "all");
    const char *code;
    json_t *entry;
    *n = 0;
    *services = NULL;
    int rc = all ? 0 : check_list(s, model, entries, list, err);
    if (rc)
        return rc;
    *services = calloc(json_object_size(entries) + 1, sizeof **services);
    if (!*services)
        return dsr_error_nomem(err);
    json_object_foreach((json_t *)entries, code, entry)
    {
        if (!all && !dsr_list_has(list, code))
            continue;
        struct dsr_service *service = service_new(s, &s->services, model, code, entry);
        if (!service) {
            dsr_services_free(*services, *n);
            *services = NULL;
            *n = 0;
            return dsr_error_nomem(err);
        }
        (*services)[(*n)++] = service;
    }
    return 0;
}

int dsr_services_usable(const struct dsr_settings *s, const char *model, const char *list,
                        struct dsr_service ***services, size_t *n, struct dsr_error *err)
{
    struct dsr_buf left_out = {0};
    size_t kept = 0;
    bool named = list && strcmp(list, "all");
    int rc = dsr_services_load(s, model, list, services, n, err);
    if (rc)
        return rc;
    for (size_t i = 0; i < *n; i++) {
        struct dsr_service *service = (*services)[i];
        if (!service->unusable) {
            warn_if_over(s, service);
            (*services)[kept++] = service;
            continue;
        }
        if (named && !rc)
            rc = dsr_error_set(err, DSR_ECONFIG, "provider %s can't be used: %s", service->code,
                               service->unusable);
        dsr_buf_addf(&left_out, "%s%s", left_out.len ? ", " : "", service->code);
        service_free(service);
    }
    *n = kept;
    if (!rc && !kept)
        rc = dsr_error_set(err, DSR_ECONFIG,
                           "no provider of %s can be used: put API keys into %s/api_keys.json, or "
                           "see `dsr-run doctor`",
                           model, s->layout.config_dir);
    else if (!rc && left_out.len)
        dsr_host_log(s->host, DSR_LOG_INFO, "left out, no API key or address: %s", left_out.data);
    dsr_buf_clear(&left_out);
    if (rc) {
        dsr_services_free(*services, *n);
        *services = NULL;
        *n = 0;
    }
    return rc;
}

/* Its key may stand beside it. */
static void take_own_key(struct dsr_service *service)
{
    const char *key = dsr_key_resolve(dsr_json_string(service->json, "api_key", ""));
    if (service->key || !*key)
        return;
    service->key = strdup(key);
}

int dsr_services_writer(const struct dsr_settings *s, struct dsr_service ***services, size_t *n,
                        struct dsr_error *err)
{
    const json_t *entry = json_object_get(s->prompts.root, "model");
    *n = 0;
    *services = calloc(1, sizeof **services);
    if (!*services)
        return dsr_error_nomem(err);
    if (!*dsr_json_string(entry, "base_url", "") || !*dsr_json_string(entry, "model", ""))
        return 0;
    struct dsr_service *service = service_new(s, &s->prompts, "", "prompt-generator", entry);
    if (!service) {
        free(*services);
        return dsr_error_nomem(err);
    }
    (*services)[(*n)++] = service;
    take_own_key(service);
    return 0;
}
