/* What a plugin's tables must hold before any of its code is called. */
#include "core/plugin/registry.h"

#include <dsr/evaluator.h>
#include <dsr/promptgen.h>
#include <dsr/provider.h>
#include <dsr/router.h>
#include <dsr/store.h>

struct member {
    const char *name;
    size_t offset;
};

#define MEMBER(type, name)                                                                         \
    {                                                                                              \
#name, offsetof(struct type, name)                                                         \
    }

/* Mandatory members, and the size of the vtable in the oldest release of this ABI. */
static const struct kind_rule {
    const char *name;
    size_t size;
    struct member members[6];
} rules[] = {
    [DSR_KIND_PROVIDER] = {"provider",
                           sizeof(struct dsr_provider_ops),
                           {MEMBER(dsr_provider_ops, open), MEMBER(dsr_provider_ops, build),
                            MEMBER(dsr_provider_ops, on_event), MEMBER(dsr_provider_ops, classify),
                            MEMBER(dsr_provider_ops, close)}},
    [DSR_KIND_EVALUATOR] = {"evaluator",
                            offsetof(struct dsr_evaluator_ops, runs_programs),
                            {MEMBER(dsr_evaluator_ops, open), MEMBER(dsr_evaluator_ops, count),
                             MEMBER(dsr_evaluator_ops, item), MEMBER(dsr_evaluator_ops, grade),
                             MEMBER(dsr_evaluator_ops, close)}},
    [DSR_KIND_PROMPTGEN] = {"promptgen",
                            sizeof(struct dsr_promptgen_ops),
                            {MEMBER(dsr_promptgen_ops, open), MEMBER(dsr_promptgen_ops, generate),
                             MEMBER(dsr_promptgen_ops, close)}},
    [DSR_KIND_ROUTER] = {"router",
                         sizeof(struct dsr_router_ops),
                         {MEMBER(dsr_router_ops, open), MEMBER(dsr_router_ops, rank),
                          MEMBER(dsr_router_ops, close)}},
    [DSR_KIND_STORE] = {"store",
                        offsetof(struct dsr_store_ops, schemes),
                        {MEMBER(dsr_store_ops, open), MEMBER(dsr_store_ops, put),
                         MEMBER(dsr_store_ops, commit), MEMBER(dsr_store_ops, scan),
                         MEMBER(dsr_store_ops, close)}},
};

const char *dsr_kind_name(enum dsr_kind kind)
{
    return (size_t)kind < DSR_COUNT(rules) && rules[kind].name ? rules[kind].name : "unknown";
}

bool dsr_plugin_name_is_sound(const char *name)
{
    size_t n = strlen(name);
    return n && n < 64 && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == n;
}

static const char *ops_flaw(const struct kind_rule *rule, const void *ops, char *text, size_t size)
{
    size_t ops_size;
    memcpy(&ops_size, ops, sizeof ops_size);
    if (ops_size < rule->size) {
        snprintf(text, size, "its table of operations is too short: %zu bytes, a %s has %zu",
                 ops_size, rule->name, rule->size);
        return text;
    }
    for (const struct member *m = rule->members; m->name; m++) {
        void *function;
        memcpy(&function, (const char *)ops + m->offset, sizeof function);
        if (!function) {
            snprintf(text, size, "its mandatory member \"%s\" is missing", m->name);
            return text;
        }
    }
    return NULL;
}

const char *dsr_plugin_flaw(const struct dsr_plugin *plugin, char *text, size_t size)
{
    if (plugin->abi != DSR_ABI) {
        snprintf(text, size, "wrong ABI: it was built for %u, this program has %u; build it again",
                 plugin->abi, DSR_ABI);
        return text;
    }
    if (plugin->size < sizeof *plugin) {
        snprintf(text, size, "its plugin table is too short: %u bytes instead of %zu", plugin->size,
                 sizeof *plugin);
        return text;
    }
    if ((size_t)plugin->kind >= DSR_COUNT(rules) || !rules[plugin->kind].name) {
        snprintf(text, size, "unknown kind %d", (int)plugin->kind);
        return text;
    }
    if (!plugin->name || !plugin->version || !plugin->summary || !plugin->licence)
        return "its name, version, summary or licence is missing";
    if (!dsr_plugin_name_is_sound(plugin->name))
        return "its name is not made of a-z, 0-9, '_' and '-'";
    if (!plugin->ops)
        return "its table of operations is missing";
    return ops_flaw(&rules[plugin->kind], plugin->ops, text, size);
}
