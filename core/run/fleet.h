/* The providers of a run, opened: plugin, service entry, deadlines. */
#ifndef DSR_FLEET_H
#define DSR_FLEET_H

#include "core/chat/exchange.h"
#include "core/plugin/registry.h"

struct dsr_fleet {
    struct dsr_service **services;
    struct dsr_provider *providers; /* beside services */
    size_t n;
};

/* Opens the usable providers of the model that list selects. */
int dsr_fleet_open(struct dsr_fleet *fleet, const struct dsr_settings *settings,
                   struct dsr_registry *registry, const char *model, const char *list,
                   struct dsr_error *err);
/* The model of prompt_generator.json as the only provider. */
int dsr_fleet_open_writer(struct dsr_fleet *fleet, const struct dsr_settings *settings,
                          struct dsr_registry *registry, struct dsr_error *err);
void dsr_fleet_close(struct dsr_fleet *fleet);

/* Input tokens of a chat, estimated from its bytes. */
int64_t dsr_chat_estimate(const struct dsr_chat *chat);
/* The chat for one provider: its output limit, cut to what its context leaves. */
struct dsr_chat *dsr_fleet_chat(const struct dsr_chat *chat, const struct dsr_service *service);

#endif
