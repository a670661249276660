/* Finding and opening a model's tokenizer. */
#include "core/run/yardstick.h"

/* The path that the name stands for, beside models.json or with the program's own data. */
static char *find_file(const struct dsr_settings *settings, const char *name)
{
    DSR_AUTO(str) char *usual = dsr_format("full/tokenizer/%s/tokenizer.json", name);
    char *path = dsr_path_beside(settings->models.path, name);
    if (path && strstr(name, ".json") && dsr_path_exists(path))
        return path;
    free(path);
    path = usual ? dsr_path_beside(settings->models.path, usual) : NULL;
    if (path && dsr_path_exists(path))
        return path;
    free(path);
    return usual ? dsr_layout_data_file(&settings->layout, usual) : NULL;
}

int dsr_yardstick_open(struct dsr_tokenizer **tokenizer, const struct dsr_settings *settings,
                       const char *model, const char *file, struct dsr_error *err)
{
    const json_t *entry = dsr_settings_model_json(settings, model);
    const char *name = dsr_json_string(entry, "tokenizer", NULL);
    const char *layout = dsr_json_string(entry, "chat_template", "deepseek-v3");
    enum dsr_token_flavor flavor = !strcmp(layout, "deepseek-r1") ? DSR_FLAVOR_R1 : DSR_FLAVOR_V3;
    *tokenizer = NULL;
    if (!file && !name)
        return dsr_error_file(err, DSR_ENOTFOUND, settings->models.path, 0,
                              "%s has no \"tokenizer\"; --tokenizer names a file", model);
    DSR_AUTO(str) char *path = file ? strdup(file) : find_file(settings, name);
    DSR_AUTO(str) char *cache = dsr_path_join(settings->layout.state_dir, "tokenizers");
    if (!path || !cache)
        return dsr_error_nomem(err);
    if (!file && !dsr_path_exists(path))
        return dsr_error_set(err, DSR_ENOTFOUND,
                             "the tokenizer %s of %s is not there; fetch it with "
                             "download_datasets.sh tokenizer, or name a tokenizer.json with "
                             "--tokenizer",
                             name, model);
    return dsr_tokenizer_open(tokenizer, path, cache, flavor, err);
}
