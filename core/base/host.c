/* The log: lines to standard error, and to a file with their time. */
#include "base.h"

#include <dsr/promptgen.h>

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>

struct dsr_host {
    pthread_mutex_t lock; /* guards all below: plugins log from pool threads */
    enum dsr_level level;
    const char *program;
    FILE *file;
    char **secrets;
    size_t n_secrets;
    void (*hook)(void *arg, bool before);
    void *hook_arg;
    /* set while the program starts, read-only later */
    json_t *metrics;
    char *state;
    struct dsr_writer writer;
    bool (*price)(void *arg, const char *model, const char *provider, double prices[3]);
    void *price_arg;
};

struct dsr_host *dsr_host_new(enum dsr_level level, const char *program)
{
    struct dsr_host *host = calloc(1, sizeof *host);
    if (!host)
        return NULL;
    pthread_mutex_init(&host->lock, NULL);
    host->level = level;
    host->program = program;
    return host;
}

void dsr_host_free(struct dsr_host *host)
{
    if (!host)
        return;
    if (host->file)
        fclose(host->file);
    for (size_t i = 0; i < host->n_secrets; i++)
        free(host->secrets[i]);
    free(host->secrets);
    json_decref(host->metrics);
    free(host->state);
    free(host->writer.name);
    pthread_mutex_destroy(&host->lock);
    free(host);
}

void dsr_host_log_to(struct dsr_host *host, const char *folder)
{
    struct dsr_error err;
    DSR_AUTO(str) char *path = dsr_path_join(folder, "dsr.log");
    FILE *file = path && !dsr_folder_make(folder, &err) ? fopen(path, "ae") : NULL;
    if (!file) {
        dsr_host_log(host, DSR_LOG_WARN, "no log file in %s: %s", folder, strerror(errno));
        return;
    }
    setvbuf(file, NULL, _IOLBF, 0);
    pthread_mutex_lock(&host->lock);
    host->file = file;
    pthread_mutex_unlock(&host->lock);
}

void dsr_host_on_line(struct dsr_host *host, void (*hook)(void *, bool), void *arg)
{
    pthread_mutex_lock(&host->lock);
    host->hook = hook;
    host->hook_arg = arg;
    pthread_mutex_unlock(&host->lock);
}

void dsr_host_on_price(struct dsr_host *host,
                       bool (*tell)(void *, const char *, const char *, double[3]), void *arg)
{
    host->price = tell;
    host->price_arg = arg;
}

bool dsr_host_prices(const struct dsr_host *host, const char *model, const char *provider,
                     double prices[3])
{
    return host && host->price && host->price(host->price_arg, model, provider, prices);
}

void dsr_host_add_metric(struct dsr_host *host, const char *name)
{
    if (!host->metrics)
        host->metrics = json_array();
    json_array_append_new(host->metrics, json_string(name));
}

const json_t *dsr_host_metrics(const struct dsr_host *host)
{
    return host ? host->metrics : NULL;
}

int dsr_host_set_state(struct dsr_host *host, const char *folder)
{
    free(host->state);
    host->state = strdup(folder);
    return host->state ? 0 : DSR_ENOMEM;
}

const char *dsr_host_state(const struct dsr_host *host)
{
    return host ? host->state : NULL;
}

int dsr_host_set_writer(struct dsr_host *host, const struct dsr_writer *writer)
{
    free(host->writer.name);
    host->writer = *writer;
    host->writer.name = strdup(writer->name);
    return host->writer.name ? 0 : DSR_ENOMEM;
}

const char *dsr_host_writer(const struct dsr_host *host)
{
    return host ? host->writer.name : NULL;
}

int dsr_host_ask(const struct dsr_host *host, const char *const questions[], size_t n,
                 dsr_written_fn *written, void *arg, struct dsr_error *err)
{
    if (!dsr_host_writer(host))
        return dsr_error_set(err, DSR_ECONFIG,
                             "no model to write is configured: name one in prompt_generator.json "
                             "(base_url, model, api_key)");
    return host->writer.ask(host->writer.arg, questions, n, written, arg, err);
}

void dsr_host_hide(struct dsr_host *host, const char *secret)
{
    if (strlen(secret) < 4)
        return;
    pthread_mutex_lock(&host->lock);
    char **secrets = realloc(host->secrets, (host->n_secrets + 1) * sizeof *secrets);
    if (secrets) {
        host->secrets = secrets;
        if ((secrets[host->n_secrets] = strdup(secret)))
            host->n_secrets++;
    }
    pthread_mutex_unlock(&host->lock);
}

void dsr_host_log(const struct dsr_host *const_host, enum dsr_level level, const char *format, ...)
{
    static const char *const names[] = {"error: ", "warning: ", "", "debug: "};
    /* callers see a const host; only this file knows that logging takes its lock */
    struct dsr_host *host = (struct dsr_host *)const_host;
    va_list ap;
    char *line = NULL, stamp[DSR_TIME_SIZE];
    if (!host)
        return;
    va_start(ap, format);
    int n = vasprintf(&line, format, ap);
    va_end(ap);
    if (n < 0)
        return;
    pthread_mutex_lock(&host->lock);
    for (size_t i = 0; i < host->n_secrets; i++)
        dsr_text_hide(line, host->secrets[i]);
    if (level <= host->level) {
        if (host->hook)
            host->hook(host->hook_arg, true);
        fprintf(stderr, "%s: %s%s\n", host->program, names[level], line);
        if (host->hook)
            host->hook(host->hook_arg, false);
    }
    if (host->file && level <= DSR_LOG_INFO) {
        dsr_time_format(dsr_clock_wall_us(), stamp);
        fprintf(host->file, "%s %s%s\n", stamp, names[level], line);
    }
    pthread_mutex_unlock(&host->lock);
    free(line);
}
