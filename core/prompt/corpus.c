/* A prompt set: the records of a file or of a folder of files, drawn without replacement. */
#include "core/prompt/corpus.h"

#include <dirent.h>
#include <sys/stat.h>

struct dsr_corpus {
    struct dsr_index *parts;
    size_t n_parts;
    uint32_t *deck; /* records in the order in which they are drawn, shuffled as far as drawn */
    size_t n, drawn;
};

static int is_record_file(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    return dot && (!strcmp(dot, ".jsonl") || !strcmp(dot, ".json"));
}

static int open_part(struct dsr_corpus *c, const char *path, const char *purpose,
                     dsr_record_size_fn *measure, const struct dsr_host *host,
                     struct dsr_error *err)
{
    struct dsr_index *parts = realloc(c->parts, (c->n_parts + 1) * sizeof *parts);
    if (!parts)
        return dsr_error_nomem(err);
    c->parts = parts;
    int rc = dsr_index_open(&parts[c->n_parts], path, purpose, measure, host, err);
    if (!rc)
        c->n += parts[c->n_parts++].n;
    return rc;
}

static int open_folder(struct dsr_corpus *c, const char *path, const char *purpose,
                       dsr_record_size_fn *measure, const struct dsr_host *host,
                       struct dsr_error *err)
{
    struct dirent **list = NULL;
    int n = scandir(path, &list, is_record_file, alphasort), rc = 0;
    for (int i = 0; i < n; i++) {
        DSR_AUTO(str) char *file = dsr_path_join(path, list[i]->d_name);
        if (!rc)
            rc = file ? open_part(c, file, purpose, measure, host, err) : dsr_error_nomem(err);
        free(list[i]);
    }
    free(list);
    return rc;
}

static int make_deck(struct dsr_corpus *c, const char *path, struct dsr_error *err)
{
    if (!c->n)
        return dsr_error_file(err, DSR_ECONFIG, path, 0, "holds no record of the wanted form");
    if (c->n > UINT32_MAX)
        return dsr_error_file(err, DSR_ECONFIG, path, 0, "holds more than 4 billion records");
    c->deck = malloc(c->n * sizeof *c->deck);
    if (!c->deck)
        return dsr_error_nomem(err);
    for (size_t i = 0; i < c->n; i++)
        c->deck[i] = (uint32_t)i;
    return 0;
}

struct dsr_corpus *dsr_corpus_open(const char *path, const char *purpose,
                                   dsr_record_size_fn *measure, const struct dsr_host *host,
                                   struct dsr_error *err)
{
    struct stat st;
    if (!path) {
        dsr_error_set(err, DSR_ECONFIG, "the entry names no file");
        return NULL;
    }
    struct dsr_corpus *c = calloc(1, sizeof *c);
    if (!c) {
        dsr_error_nomem(err);
        return NULL;
    }
    int rc = !stat(path, &st) && S_ISDIR(st.st_mode)
                 ? open_folder(c, path, purpose, measure, host, err)
                 : open_part(c, path, purpose, measure, host, err);
    if (!rc)
        rc = make_deck(c, path, err);
    if (!rc)
        return c;
    dsr_corpus_close(c);
    return NULL;
}

void dsr_corpus_close(struct dsr_corpus *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->n_parts; i++)
        dsr_index_close(&c->parts[i]);
    free(c->parts);
    free(c->deck);
    free(c);
}

size_t dsr_corpus_count(const struct dsr_corpus *c)
{
    return c->n;
}

static uint32_t next(struct dsr_corpus *c, struct dsr_rng *rng)
{
    if (c->drawn == c->n)
        c->drawn = 0;
    size_t j = c->drawn + (size_t)dsr_rng_below(rng, c->n - c->drawn);
    uint32_t record = c->deck[j];
    c->deck[j] = c->deck[c->drawn];
    return c->deck[c->drawn++] = record;
}

/* Sizes are estimates; the tokenizer has the last word, so only what is far off is left out here.
 */
static bool may_fit(const struct dsr_prompt_limits *limits, struct dsr_record_size size)
{
    return (!limits->max_input_tokens || (int64_t)size.least <= 3 * limits->max_input_tokens) &&
           3 * (int64_t)size.most >= limits->min_input_tokens;
}

int dsr_corpus_draw(struct dsr_corpus *c, const struct dsr_prompt_limits *limits,
                    struct dsr_rng *rng, dsr_record_fn *take, void *arg, struct dsr_error *err)
{
    for (size_t tried = 0; tried < c->n; tried++) {
        size_t i = next(c, rng), part = 0;
        while (i >= c->parts[part].n)
            i -= c->parts[part++].n;
        if (!may_fit(limits, c->parts[part].entries[i].size))
            continue;
        DSR_AUTO(json) json_t *record = dsr_index_load(&c->parts[part], i, err);
        int rc = record ? take(arg, record, limits, rng, err) : err->code;
        if (rc != DSR_ENOTFOUND)
            return rc;
    }
    return dsr_error_set(err, DSR_ENOTFOUND, "none of its %zu records fits", c->n);
}
