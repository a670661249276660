/* API keys: where they come from, and who else can read them. */
#include "core/config/settings.h"

#include <ctype.h>
#include <sys/stat.h>

const char *dsr_key_resolve(const char *value)
{
    if (!strncmp(value, "env:", 4)) {
        const char *text = getenv(value + 4);
        return text ? text : "";
    }
    return value;
}

int dsr_keys_check(struct dsr_settings *s, struct dsr_host *host, struct dsr_error *err)
{
    const char *code, *model;
    json_t *entry, *value;
    char place[256];
    bool literal = false;
    json_object_foreach(s->keys.root, code, entry)
    {
        snprintf(place, sizeof place, "/%s", code);
        if (!json_is_object(entry))
            return dsr_doc_fail(&s->keys, err, place,
                                "expected an object like {\"default\": \"KEY\"}, got %s",
                                json_is_string(entry) ? "a string" : "something else");
        json_object_foreach(entry, model, value)
        {
            snprintf(place, sizeof place, "/%s/%s", code, model);
            if (!json_is_string(value))
                return dsr_doc_fail(&s->keys, err, place, "expected the key as a string");
            const char *key = dsr_key_resolve(json_string_value(value));
            if (key[strcspn(key, "\r\n")])
                return dsr_doc_fail(&s->keys, err, place, "the key holds a line break");
            literal |= *key && key == json_string_value(value);
            dsr_host_hide(host, key);
        }
    }
    struct stat st;
    if (literal && !stat(s->keys.path, &st) && (st.st_mode & 077))
        dsr_host_log(s->host, DSR_LOG_WARN, "%s can be read by others; chmod 600 it", s->keys.path);
    return 0;
}

static const char *from_environment(const char *code)
{
    char name[80] = "DSR_KEY_";
    size_t n = strlen(name);
    for (; *code && n < sizeof name - 1; code++)
        name[n++] = isalnum((unsigned char)*code) ? (char)toupper((unsigned char)*code) : '_';
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

static const char *from_file(const struct dsr_settings *s, const char *code, const char *model)
{
    const json_t *entry = json_object_get(s->keys.root, code);
    const char *key = dsr_key_resolve(dsr_json_string(entry, model, ""));
    if (!*key)
        key = dsr_key_resolve(dsr_json_string(entry, "default", ""));
    return *key ? key : NULL;
}

char *dsr_key_find(const struct dsr_settings *s, const char *code, const char *plugin,
                   const char *model)
{
    const char *key = from_environment(code);
    if (!key)
        key = from_file(s, code, model);
    if (!key)
        key = from_environment(plugin);
    if (!key)
        key = from_file(s, plugin, model);
    return key && !key[strcspn(key, "\r\n")] ? strdup(key) : NULL;
}
