/* Opening the providers of a run. */
#include "core/run/fleet.h"

#include <dsr/promptgen.h>
#include <math.h>

static int64_t to_ms(double seconds, int64_t fallback)
{
    return isfinite(seconds) ? (int64_t)ceil(seconds * 1000) : fallback;
}

/* models.json: "timeout" is for the first token and for a gap; "timeouts" names each. */
static struct dsr_deadlines deadlines_of(const json_t *model)
{
    const json_t *times = json_object_get(model, "timeouts");
    int64_t usual = to_ms(dsr_json_number(model, "timeout"), 60000);
    return (struct dsr_deadlines){
        .connect_ms = to_ms(dsr_json_number(times, "connect"), 10000),
        .first_token_ms = to_ms(dsr_json_number(times, "first_token"), usual),
        .idle_ms = to_ms(dsr_json_number(times, "idle"), usual),
        .total_ms = to_ms(dsr_json_number(times, "total"), 1800000),
    };
}

/* Opens a provider for each service. */
static int open_providers(struct dsr_fleet *fleet, const struct dsr_settings *settings,
                          struct dsr_registry *registry, const json_t *model, struct dsr_error *err)
{
    int rc = 0;
    fleet->providers = calloc(fleet->n ? fleet->n : 1, sizeof *fleet->providers);
    if (!fleet->providers)
        rc = dsr_error_nomem(err);
    for (size_t i = 0; i < fleet->n && !rc; i++) {
        struct dsr_service *service = fleet->services[i];
        struct dsr_provider *p = &fleet->providers[i];
        p->service = service;
        p->deadlines = deadlines_of(model);
        p->ops = dsr_registry_ops(registry, DSR_KIND_PROVIDER, service->plugin, err);
        if (p->ops)
            p->state = p->ops->open(service, service->key, settings->host, err);
        if (!p->state) {
            dsr_error_wrap(err, "provider %s", service->code);
            rc = err->code ? err->code : DSR_EPLUGIN;
        }
    }
    if (rc)
        dsr_fleet_close(fleet);
    return rc;
}

int dsr_fleet_open(struct dsr_fleet *fleet, const struct dsr_settings *settings,
                   struct dsr_registry *registry, const char *model, const char *list,
                   struct dsr_error *err)
{
    memset(fleet, 0, sizeof *fleet);
    int rc = dsr_services_usable(settings, model, list, &fleet->services, &fleet->n, err);
    return rc ? rc
              : open_providers(fleet, settings, registry, dsr_settings_model_json(settings, model),
                               err);
}

int dsr_fleet_open_writer(struct dsr_fleet *fleet, const struct dsr_settings *settings,
                          struct dsr_registry *registry, struct dsr_error *err)
{
    memset(fleet, 0, sizeof *fleet);
    int rc = dsr_services_writer(settings, &fleet->services, &fleet->n, err);
    return rc ? rc : open_providers(fleet, settings, registry, NULL, err);
}

void dsr_fleet_close(struct dsr_fleet *fleet)
{
    for (size_t i = 0; fleet->providers && i < fleet->n; i++)
        if (fleet->providers[i].state)
            fleet->providers[i].ops->close(fleet->providers[i].state);
    free(fleet->providers);
    dsr_services_free(fleet->services, fleet->n);
    memset(fleet, 0, sizeof *fleet);
}

int64_t dsr_chat_estimate(const struct dsr_chat *chat)
{
    return dsr_estimate_messages(chat->messages, json_array_size(chat->messages));
}

struct dsr_chat *dsr_fleet_chat(const struct dsr_chat *chat, const struct dsr_service *service)
{
    struct dsr_chat *copy = dsr_chat_copy(chat);
    if (!copy)
        return NULL;
    if (service->max_tokens > 0)
        copy->max_tokens = service->max_tokens;
    int64_t context = dsr_count_value(json_object_get(service->json, "max_context"));
    int64_t room = context - dsr_chat_estimate(chat);
    if (context > 0 && room > 0 && copy->max_tokens > room)
        copy->max_tokens = room;
    return copy;
}
