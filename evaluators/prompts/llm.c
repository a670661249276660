/* Questions that a model has written: the one of prompt_generator.json. They are written once, kept
 * in the state folder, and drawn from there: every provider and every later run gets the same ones.
 * "topics": what they are about; "questions": how many there shall be. */
#include <ctype.h>
#include <dsr/promptgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define USUAL_QUESTIONS 16
#define TRIES_EACH 3 /* answers without a question of the wanted form, for each that is wanted */
#define SHORTEST 16  /* bytes of a question */
#define LONGEST 8000
#define OPENING "<question>"
#define CLOSING "</question>"

static const char *const usual_topics[] = {
    "mathematics",     "physics",         "chemistry",         "biology and medicine",
    "programming",     "history",         "geography",         "literature",
    "law and society", "economics",       "language",          "cooking and the home",
    "planning a trip", "a work of music", "a puzzle of logic", "advice at work",
};
enum { N_USUAL = sizeof usual_topics / sizeof usual_topics[0] };

/* The file of questions while it is written. */
struct writing {
    FILE *file;
    json_t *known; /* an object whose keys are the questions */
    size_t have;
    char flaw[160]; /* of the last answer that was of no use */
};

static void close_generator(void *state)
{
    dsr_corpus_close(state);
}

static int measure(const json_t *record, struct dsr_record_size *size, struct dsr_error *err)
{
    const json_t *question = json_object_get(record, "question");
    if (!json_is_string(question))
        return dsr_error_set(err, DSR_ECONFIG, "no \"question\"; remove the file to write it anew");
    size->least =
        (uint32_t)dsr_estimate_tokens(json_string_value(question), json_string_length(question));
    size->most = size->least;
    return 0;
}

static int check_options(const json_t *options, struct dsr_error *err)
{
    const json_t *topics = json_object_get(options, "topics");
    const json_t *count = json_object_get(options, "questions");
    if (count && (!json_is_integer(count) || json_integer_value(count) < 1 ||
                  json_integer_value(count) > 10000))
        return dsr_error_at(err, DSR_ECONFIG, "/options/questions", "must be a number of 1..10000");
    if (topics && !json_array_size(topics))
        return dsr_error_at(err, DSR_ECONFIG, "/options/topics", "must be a list of topics");
    for (size_t i = 0; i < json_array_size(topics); i++)
        if (!json_string_length(json_array_get(topics, i)))
            return dsr_error_at(err, DSR_ECONFIG, "/options/topics", "a topic must be a text");
    return 0;
}

/* The only question in an answer, without blanks around; n 0 and a flaw when it has not the form.
 */
static const char *question_in(const char *answer, size_t *n, const char **flaw)
{
    const char *from = strstr(answer, OPENING);
    const char *to = from ? strstr(from, CLOSING) : NULL;
    *n = 0;
    *flaw = "it holds no " OPENING "..." CLOSING;
    if (!to)
        return NULL;
    *flaw = "it holds more than one question";
    from += strlen(OPENING);
    const char *second = strstr(from, OPENING);
    if (second)
        return NULL;
    while (from < to && isspace((unsigned char)*from))
        from++;
    while (to > from && isspace((unsigned char)to[-1]))
        to--;
    *n = (size_t)(to - from);
    *flaw = *n < SHORTEST ? "its question is too short" : "its question is too long";
    if (*n < SHORTEST || *n > LONGEST)
        *n = 0;
    return from;
}

static int keep(void *arg, const char *answer, const char *fault, struct dsr_error *err)
{
    struct writing *w = arg;
    size_t n;
    const char *flaw;
    if (!answer)
        return dsr_error_set(err, DSR_EIO, "the model that writes questions: %s", fault);
    const char *text = question_in(answer, &n, &flaw);
    json_t *question = n ? json_stringn(text, n) : NULL;
    if (n && !question)
        flaw = "its question is no UTF-8";
    else if (question && json_object_get(w->known, json_string_value(question)))
        flaw = "its question was written before";
    else if (question)
        flaw = NULL;
    if (flaw) {
        snprintf(w->flaw, sizeof w->flaw, "%s", flaw);
        json_decref(question);
        return 0;
    }
    json_object_set_new(w->known, json_string_value(question), json_true());
    json_t *record = json_pack("{s:o}", "question", question);
    bool ok = record && !json_dumpf(record, w->file, JSON_COMPACT) && fputc('\n', w->file) != EOF &&
              !fflush(w->file);
    json_decref(record);
    w->have++;
    return ok ? 0 : dsr_error_set(err, DSR_EIO, "questions can't be kept: the disk is full?");
}

/* The i-th request for a question. */
static char *request(const json_t *topics, size_t i)
{
    size_t n = json_array_size(topics);
    const char *topic =
        n ? json_string_value(json_array_get(topics, i % n)) : usual_topics[i % N_USUAL];
    char *text = NULL;
    int rc =
        asprintf(&text,
                 "You write test questions for language models. Write question number %zu: one "
                 "question about %s that can be understood on its own, needs some thought, and "
                 "can be answered in a few paragraphs. Write it between " OPENING " and " CLOSING
                 ", and nothing else.",
                 i + 1, topic);
    return rc < 0 ? NULL : text;
}

static int ask_some(struct writing *w, const json_t *topics, size_t first, size_t n,
                    const struct dsr_host *host, struct dsr_error *err)
{
    char **requests = calloc(n, sizeof *requests);
    int rc = requests ? 0 : dsr_error_set(err, DSR_ENOMEM, "out of memory");
    for (size_t i = 0; i < n && !rc; i++)
        if (!(requests[i] = request(topics, first + i)))
            rc = dsr_error_set(err, DSR_ENOMEM, "out of memory");
    if (!rc)
        rc = dsr_host_ask(host, (const char *const *)requests, n, keep, w, err);
    for (size_t i = 0; requests && i < n; i++)
        free(requests[i]);
    free(requests);
    return rc;
}

/* Asks until there are enough, but not for ever. */
static int write_rest(struct writing *w, const json_t *topics, size_t wanted,
                      const struct dsr_host *host, struct dsr_error *err)
{
    size_t asked = w->have, most = w->have + TRIES_EACH * (wanted - w->have);
    int rc = 0;
    dsr_host_log(host, DSR_LOG_INFO, "%s writes %zu questions", dsr_host_writer(host),
                 wanted - w->have);
    while (w->have < wanted && asked < most && !rc) {
        size_t n = wanted - w->have < most - asked ? wanted - w->have : most - asked;
        rc = ask_some(w, topics, asked, n, host, err);
        asked += n;
    }
    if (!rc && w->have < wanted)
        rc = dsr_error_set(
            err, DSR_EIO,
            "%s wrote only %zu of %zu questions in the wanted form; of the last answer "
            "of no use: %s. The next run goes on from there.",
            dsr_host_writer(host), w->have, wanted, w->flaw);
    return rc;
}

static int know(void *arg, json_t *record, int line, struct dsr_error *err)
{
    struct writing *w = arg;
    struct dsr_record_size size;
    int rc = measure(record, &size, err);
    (void)line;
    if (rc)
        return rc;
    w->have++;
    return json_object_set_new(w->known, json_string_value(json_object_get(record, "question")),
                               json_true());
}

/* Makes sure that the file at path holds as many questions as are wanted. */
static int fill(const char *path, const json_t *options, const struct dsr_host *host,
                struct dsr_error *err)
{
    const json_t *count = json_object_get(options, "questions");
    size_t wanted = count ? (size_t)json_integer_value(count) : USUAL_QUESTIONS;
    struct writing w = {.file = fopen(path, "a+e"), .known = json_object()};
    if (!w.file)
        return dsr_error_set(err, DSR_EIO, "%s can't be written", path);
    int rc = 0;
    if (fgetc(w.file) != EOF) /* an empty file is no set */
        rc = dsr_jsonl_read(path, know, &w, err);
    if (!rc && w.have < wanted)
        rc = write_rest(&w, json_object_get(options, "topics"), wanted, host, err);
    fclose(w.file);
    json_decref(w.known);
    return rc;
}

/* One file for each model and list of topics, in a folder of the state folder; malloc'd. */
static char *file_of(const json_t *options, const struct dsr_host *host, struct dsr_error *err)
{
    json_t *topics = json_object_get(options, "topics");
    json_t *all = json_pack("[s, O?]", dsr_host_writer(host), topics);
    char *text = json_dumps(all, JSON_COMPACT), *folder = NULL, *path = NULL, id[37];
    json_decref(all);
    if (text && asprintf(&folder, "%s/questions", dsr_host_state(host)) > 0 &&
        !dsr_folder_make(folder, err)) {
        dsr_uuid_of(text, strlen(text), id);
        if (asprintf(&path, "%s/%s.jsonl", folder, id) < 0)
            path = NULL;
    }
    if (!text || !folder)
        dsr_error_set(err, DSR_ENOMEM, "out of memory");
    free(text);
    free(folder);
    return path;
}

static void *open_generator(const json_t *config, const char *path, const struct dsr_host *host,
                            struct dsr_error *err)
{
    const json_t *options = json_object_get(config, "options");
    (void)path;
    if (check_options(options, err))
        return NULL;
    if (!dsr_host_writer(host) || !dsr_host_state(host)) {
        dsr_host_ask(host, NULL, 0, keep, NULL, err);
        return NULL;
    }
    char *file = file_of(options, host, err);
    void *corpus = NULL;
    if (file && !fill(file, options, host, err))
        corpus = dsr_corpus_open(file, "llm-1", measure, host, err);
    free(file);
    return corpus;
}

static int take(void *arg, const json_t *record, const struct dsr_prompt_limits *limits,
                struct dsr_rng *rng, struct dsr_error *err)
{
    (void)rng;
    return dsr_prompt_put_text(limits, json_string_value(json_object_get(record, "question")), arg,
                               err);
}

static int generate(void *state, const struct dsr_prompt_limits *limits, struct dsr_rng *rng,
                    struct dsr_chat *chat, struct dsr_error *err)
{
    return dsr_corpus_draw(state, limits, rng, take, chat, err);
}

static const struct dsr_promptgen_ops ops = {
    .size = sizeof ops, .open = open_generator, .generate = generate, .close = close_generator};

const struct dsr_plugin dsr_plugin = {
    .abi = DSR_ABI,
    .size = sizeof dsr_plugin,
    .kind = DSR_KIND_PROMPTGEN,
    .name = "llm",
    .version = "1.0",
    .summary = "questions written by the model of prompt_generator.json",
    .licence = "Apache-2.0",
    .ops = &ops,
};
