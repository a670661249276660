/* The dialects, from the providers' documents (facts with their dates: the plugins' own comments).
 * The unopened think tag of China Mobile: the tag stands in the prompt of such deployments. */
#include "tests/sim/sim.h"

static const struct sim_dialect dialects[] = {
    {"openai", "Authorization", "field", true, true, false, false, false, "openai", NULL},
    {"volcengine", "Authorization", "field", true, true, false, false, false, "openai", NULL},
    {"together", "Authorization", "inline", true, true, false, false, false, "openai", NULL},
    {"nvidia", "Authorization", "inline", true, true, false, false, false, "openai", NULL},
    {"deepseek", "Authorization", "field", true, true, false, true, true, "openai", NULL},
    {"azure", "api-key", "inline", false, false, false, false, false, "openai", "api-version"},
    {"fireworks", "Authorization", "inline", true, true, false, false, false, "openai", NULL},
    {"aliyun", "Authorization", "field", true, true, false, false, false, "openai", NULL},
    {"tencent", "Authorization", "field", true, true, false, false, false, "openai", NULL},
    {"huawei", "Authorization", "field", true, true, false, false, false, "huawei", NULL},
    {"siliconflow", "Authorization", "field", true, true, true, false, false, "code", NULL},
    {"chinamobile", "Authorization", "unopened", true, true, false, false, false, "openai", NULL},
    {"chinatelecom", "Authorization", "inline", true, true, false, false, false, "code", NULL},
};

const struct sim_dialect *sim_dialect_find(const char *plugin)
{
    for (size_t i = 0; i < DSR_COUNT(dialects); i++)
        if (!strcmp(dialects[i].plugin, plugin))
            return &dialects[i];
    return &dialects[0];
}

char *sim_error_body(const struct sim_dialect *dialect, int status, const char *code,
                     const char *message)
{
    json_t *body;
    if (!strcmp(dialect->error, "code"))
        body = json_pack("{s:i, s:s, s:n}", "code", status * 100, "message", message, "data");
    else if (!strcmp(dialect->error, "huawei"))
        body = json_pack("{s:s, s:s}", "error_code", status == 429 ? "APIG.0308" : code,
                         "error_msg", message);
    else
        body = json_pack("{s:{s:s, s:s, s:s, s:n}}", "error", "message", message, "type", code,
                         "code", code, "param");
    char *text = json_dumps(body, JSON_COMPACT);
    json_decref(body);
    return text;
}
