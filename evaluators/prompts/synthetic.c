/* Random words, as many tokens as the limits say. "shared_prefix" (0..1) is the share of each
 * prompt, from its start, that is the same in all of them: what a prompt cache can keep. It needs
 * "fresh": false in the same options, for the current time would else stand before it. */
#include <dsr/promptgen.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_TOKENS 1000
#define TRIES 200

/* One token each in DeepSeek's vocabulary, with the blank before. */
static const char *const words[] = {
    "time",   "year",   "people",  "way",     "day",    "thing",  "world",   "life",   "hand",
    "part",   "child",  "eye",     "place",   "work",   "week",   "case",    "point",  "company",
    "number", "group",  "problem", "fact",    "house",  "water",  "room",    "mother", "area",
    "money",  "story",  "month",   "lot",     "right",  "study",  "book",    "job",    "word",
    "side",   "kind",   "head",    "friend",  "father", "power",  "hour",    "game",   "line",
    "end",    "member", "law",     "car",     "city",   "name",   "team",    "minute", "idea",
    "body",   "back",   "parent",  "face",    "level",  "office", "door",    "health", "person",
    "art",    "war",    "history", "party",   "result", "change", "morning", "reason", "research",
    "girl",   "moment", "air",     "teacher", "force",  "paper",  "music",   "table",  "plan",
    "tree",   "river",  "stone",   "road",    "light",  "sound",  "color",   "field",  "sea",
};
enum { N_WORDS = sizeof words / sizeof words[0] };

struct generator {
    double shared;
};

/* The text in the making. */
struct text {
    char *bytes;
    size_t len, cap;
    size_t *starts; /* of each word, so that the last can be taken away */
    size_t n, cap_starts;
};

static void *open_generator(const json_t *config, const char *path, const struct dsr_host *host,
                            struct dsr_error *err)
{
    const json_t *options = json_object_get(config, "options");
    const json_t *shared = json_object_get(options, "shared_prefix");
    (void)path;
    (void)host;
    double share = shared ? json_number_value(shared) : 0;
    if (shared && (!json_is_number(shared) || share < 0 || share > 1)) {
        dsr_error_at(err, DSR_ECONFIG, "/options/shared_prefix", "must be a number of 0..1");
        return NULL;
    }
    if (share > 0 && !json_is_false(json_object_get(options, "fresh"))) {
        dsr_error_at(err, DSR_ECONFIG, "/options/shared_prefix",
                     "needs \"fresh\": false, or the current time stands before the shared part");
        return NULL;
    }
    struct generator *g = malloc(sizeof *g);
    if (!g) {
        dsr_error_set(err, DSR_ENOMEM, "out of memory");
        return NULL;
    }
    g->shared = share;
    return g;
}

static void close_generator(void *state)
{
    free(state);
}

static int append(struct text *t, const char *word)
{
    size_t n = strlen(word);
    if (t->len + n + 2 > t->cap) {
        size_t cap = 2 * t->cap + n + 64;
        char *bytes = realloc(t->bytes, cap);
        if (!bytes)
            return DSR_ENOMEM;
        t->bytes = bytes;
        t->cap = cap;
    }
    if (t->n == t->cap_starts) {
        size_t cap = 2 * t->cap_starts + 64;
        size_t *starts = realloc(t->starts, cap * sizeof *starts);
        if (!starts)
            return DSR_ENOMEM;
        t->starts = starts;
        t->cap_starts = cap;
    }
    t->starts[t->n++] = t->len;
    if (t->len)
        t->bytes[t->len++] = ' ';
    memcpy(t->bytes + t->len, word, n + 1);
    t->len += n;
    return 0;
}

static void take_away(struct text *t)
{
    if (t->n > 1) {
        t->len = t->starts[--t->n];
        t->bytes[t->len] = '\0';
    }
}

static int64_t tokens_of(const struct text *t, const struct dsr_prompt_limits *limits)
{
    json_t *messages = json_pack("[{s:s, s:s}]", "role", "user", "content", t->bytes);
    int64_t n = dsr_prompt_tokens(limits, messages);
    json_decref(messages);
    return n;
}

/* Words are added and taken away until the count is right. Where one word is not one token (an
 * estimate, another model) it swings; the last steps are single letters, at most a token each. */
static int grow(struct text *t, const struct dsr_prompt_limits *limits, int64_t target,
                double shared, struct dsr_rng *rng)
{
    struct dsr_rng common;
    size_t n_shared = (size_t)(shared * (double)target);
    int rc = append(t, words[0]);
    dsr_rng_init(&common, 0, 0x73796e7468);
    for (int try = 0; try < TRIES && !rc; try++) {
        int64_t missing = target - tokens_of(t, limits);
        if (!missing)
            return 0;
        for (; missing < 0; missing++)
            take_away(t);
        bool fine = try > 8;
        for (int64_t i = 0; i < (fine && missing ? 1 : missing) && !rc; i++) {
            size_t w = (size_t)dsr_rng_below(t->n < n_shared ? &common : rng, N_WORDS);
            rc = append(t, fine ? "a" : words[w]);
        }
    }
    return rc;
}

static int generate(void *state, const struct dsr_prompt_limits *limits, struct dsr_rng *rng,
                    struct dsr_chat *chat, struct dsr_error *err)
{
    const struct generator *g = state;
    struct text text = {0};
    int64_t least = limits->min_input_tokens, most = limits->max_input_tokens;
    if (!least) /* no wish */
        least = most = most && most < DEFAULT_TOKENS ? most : DEFAULT_TOKENS;
    if (!most)
        most = least;
    int64_t target = least + (int64_t)dsr_rng_below(rng, (uint64_t)(most - least + 1));
    int rc = grow(&text, limits, target, g->shared, rng);
    rc = rc ? dsr_error_set(err, DSR_ENOMEM, "out of memory")
            : dsr_prompt_put_text(limits, text.bytes, chat, err);
    if (rc == DSR_ENOTFOUND)
        dsr_error_set(err, rc, "words can't make a prompt of that length");
    free(text.bytes);
    free(text.starts);
    return rc;
}

static const struct dsr_promptgen_ops ops = {
    .size = sizeof ops, .open = open_generator, .generate = generate, .close = close_generator};

const struct dsr_plugin dsr_plugin = {
    .abi = DSR_ABI,
    .size = sizeof dsr_plugin,
    .kind = DSR_KIND_PROMPTGEN,
    .name = "synthetic",
    .version = "1.0",
    .summary = "random words of an exact number of tokens, with a shared prefix",
    .licence = "Apache-2.0",
    .ops = &ops,
};
