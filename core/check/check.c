/* The process of its own, the pipe to it, and what the steps share. */
#include "core/check/check.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECONDS 60 /* after which a step is taken to hang */
#define THREADS 4
#define WINDOWS 50
#define CYCLES 20

bool dsr_check_fail(struct dsr_check *check, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    vsnprintf(check->detail, sizeof check->detail, format, ap);
    va_end(ap);
    return false;
}

bool dsr_check_skip(struct dsr_check *check, const char *why)
{
    check->skipped = true;
    snprintf(check->detail, sizeof check->detail, "%s", why);
    return true;
}

bool dsr_check_told(struct dsr_check *check, const struct dsr_error *err)
{
    if (err->code >= 0)
        return dsr_check_fail(check, "open returned NULL without an error code");
    return err->message[0] ? true
                           : dsr_check_fail(check, "open returned NULL with an empty message");
}

struct errand { /* of one thread */
    pthread_t thread;
    bool (*work)(void *arg);
    void *arg;
    bool ok;
};

static void *run_errand(void *arg)
{
    struct errand *e = arg;
    e->ok = e->work(e->arg);
    return NULL;
}

bool dsr_check_threads(bool (*work)(void *arg), void *arg)
{
    struct errand errands[THREADS];
    size_t n = 0;
    bool ok = true;
    for (; n < THREADS; n++) {
        errands[n] = (struct errand){.work = work, .arg = arg};
        if (pthread_create(&errands[n].thread, NULL, run_errand, &errands[n]))
            break;
    }
    for (size_t i = 0; i < n; i++) {
        pthread_join(errands[i].thread, NULL);
        ok &= errands[i].ok;
    }
    return ok;
}

static double in_use(void)
{
    struct mallinfo2 info = mallinfo2();
    return (double)info.uordblks + (double)info.hblkhd;
}

/* The heap takes a while to settle (what the allocator keeps in its caches counts as in use); a
 * leak never does. */
double dsr_check_growth(bool (*work)(void *arg), void *arg)
{
    double growth = 1;
    for (int i = 0; i < WINDOWS && growth > 0; i++) {
        double before = in_use();
        for (int k = 0; k < CYCLES; k++)
            if (!work(arg))
                return -1;
        growth = (in_use() - before) / CYCLES;
    }
    return growth > 0 ? growth : 0;
}

char *dsr_check_file(const struct dsr_check *check, const char *name, const char *bytes, size_t n)
{
    char *path = dsr_path_join(check->folder, name);
    FILE *file = path ? fopen(path, "we") : NULL;
    if (file) {
        fwrite(bytes, 1, n, file);
        fclose(file);
    }
    return path;
}

bool dsr_check_bad_sets(struct dsr_check *check, dsr_open_set_fn *open, void (*close)(void *state))
{
    static const char bytes[] = "\x00\xff{[\"\n,,\n\"a";
    DSR_AUTO(str) char *junk = dsr_check_file(check, "junk", bytes, sizeof bytes);
    DSR_AUTO(str) char *empty = dsr_check_file(check, "empty", "", 0);
    const char *paths[] = {NULL, "/nonexistent/file", check->folder, junk, empty};
    for (size_t i = 0; i < DSR_COUNT(paths); i++) {
        struct dsr_error err = {0};
        void *state = open(check->input->entry, paths[i], check->host, &err);
        if (!state && !dsr_check_told(check, &err))
            return false;
        if (state)
            close(state);
    }
    return true;
}

/* One line to the parent: a word, a name, a detail; tabs and line breaks are its own. */
static void say(FILE *out, const char *word, const char *name, const char *detail)
{
    fprintf(out, "%s\t%s\t", word, name);
    for (; *detail; detail++)
        fputc(strchr("\t\r\n", *detail) ? ' ' : *detail, out);
    fputc('\n', out);
    fflush(out);
}

static const struct dsr_check_step *steps_of(enum dsr_kind kind)
{
    static const struct dsr_check_step *const steps[] = {
        [DSR_KIND_PROVIDER] = dsr_check_provider,   [DSR_KIND_EVALUATOR] = dsr_check_evaluator,
        [DSR_KIND_PROMPTGEN] = dsr_check_promptgen, [DSR_KIND_ROUTER] = dsr_check_router,
        [DSR_KIND_STORE] = dsr_check_store,
    };
    return steps[kind];
}

static void run_steps(struct dsr_check *check, size_t first, FILE *out)
{
    const struct dsr_check_step *s = steps_of(check->plugin->kind);
    for (size_t i = 0; s->name; s++, i++) {
        if (i < first)
            continue;
        check->detail[0] = '\0';
        check->skipped = false;
        say(out, "begin", s->name, "");
        alarm(SECONDS);
        bool ok = s->run(check);
        alarm(0);
        say(out, !ok ? "failed" : check->skipped ? "skipped" : "ok", s->name, check->detail);
    }
}

/* In the child: nothing of it is cleaned up, it ends. */
static void work(struct dsr_check *check, const char *file, size_t first, FILE *out)
{
    struct dsr_layout layout = {0};
    size_t n;
    signal(SIGALRM, SIG_DFL);
    say(out, "begin", "it can be loaded", "");
    alarm(SECONDS);
    unsetenv("DSR_PLUGIN_PATH");
    struct dsr_registry *registry = dsr_registry_new(&layout, NULL, 0, check->host);
    dsr_registry_load_file(registry, file);
    const struct dsr_loaded *loaded = dsr_registry_list(registry, &n);
    alarm(0);
    if (!n || !loaded[0].plugin) {
        say(out, "failed", "it can be loaded", n && loaded[0].reason ? loaded[0].reason : "");
        return;
    }
    check->plugin = loaded[0].plugin;
    check->ops = check->plugin->ops;
    say(out, "found", dsr_kind_name(check->plugin->kind), check->plugin->name);
    say(out, "ok", "it can be loaded", "");
    run_steps(check, first, out);
}

struct listener {
    struct dsr_check_found *found;
    dsr_check_fn *tell;
    void *arg;
    char step[128]; /* begun and not ended */
    size_t ended;   /* steps, loading included */
    bool again;     /* it was loaded before; that is not told twice */
};

static void tell(struct listener *l, const char *name, enum dsr_check_result result,
                 const char *detail)
{
    bool first = !l->again;
    l->again = false;
    if (!first)
        return;
    l->ended++;
    l->tell(l->arg, name, result, detail);
}

static void hear(struct listener *l, char *line)
{
    char *save = NULL, *word = strtok_r(line, "\t\n", &save);
    char *name = strtok_r(NULL, "\t\n", &save), *detail = strtok_r(NULL, "\n", &save);
    if (!word || !name)
        return;
    if (!strcmp(word, "begin")) {
        snprintf(l->step, sizeof l->step, "%s", name);
        return;
    }
    if (!strcmp(word, "found")) {
        snprintf(l->found->kind, sizeof l->found->kind, "%s", name);
        snprintf(l->found->name, sizeof l->found->name, "%s", detail ? detail : "");
        return;
    }
    l->step[0] = '\0';
    tell(l, name,
         !strcmp(word, "ok")        ? DSR_CHECK_OK
         : !strcmp(word, "skipped") ? DSR_CHECK_SKIPPED
                                    : DSR_CHECK_FAILED,
         detail ? detail : "");
}

/* A child that did not end by itself was stopped by what it was doing. True: by a step, and others
 * may come after it. */
static bool judge_end(struct listener *l, int status)
{
    char text[128];
    if (!l->step[0] && WIFEXITED(status) && !WEXITSTATUS(status))
        return false;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        snprintf(text, sizeof text, "it did not return within %d s", SECONDS);
    else if (WIFSIGNALED(status))
        snprintf(text, sizeof text, "it crashed: %s", strsignal(WTERMSIG(status)));
    else
        snprintf(text, sizeof text, "it ended the process (exit status %d)", WEXITSTATUS(status));
    bool in_step = l->step[0] && l->ended;
    tell(l, l->step[0] ? l->step : "the process ends well", DSR_CHECK_FAILED, text);
    l->step[0] = '\0';
    return in_step;
}

static int listen_to(int fd, pid_t child, struct listener *l, bool *more, struct dsr_error *err)
{
    DSR_AUTO(file) FILE *in = fdopen(fd, "r");
    DSR_AUTO(str) char *line = NULL;
    size_t cap = 0;
    int status;
    while (in && getline(&line, &cap, in) >= 0)
        hear(l, line);
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return dsr_error_set(err, DSR_EIO, "the test's process is lost: %s", strerror(errno));
    *more = judge_end(l, status);
    return 0;
}

static void remove_folder(const char *folder)
{
    DSR_AUTO(str) char *command = dsr_format("rm -rf -- '%s'", folder);
    if (command && system(command))
        return; /* a folder in /tmp stays */
}

static _Noreturn void be_child(struct dsr_check *check, const char *file, size_t first, int fd)
{
    FILE *out = fdopen(fd, "w");
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (out)
        work(check, file, first, out);
    _exit(out ? 0 : 1);
}

/* A process that does the steps from the first one on. */
static int run_child(struct dsr_check *check, const char *file, size_t first, struct listener *l,
                     bool *more, struct dsr_error *err)
{
    int ends[2];
    if (pipe(ends))
        return dsr_error_set(err, DSR_EIO, "no pipe for the test: %s", strerror(errno));
    fflush(NULL);
    pid_t child = fork();
    if (!child) {
        close(ends[0]);
        be_child(check, file, first, ends[1]);
    }
    close(ends[1]);
    if (child > 0)
        return listen_to(ends[0], child, l, more, err);
    close(ends[0]);
    return dsr_error_set(err, DSR_EIO, "no process for the test: %s", strerror(errno));
}

int dsr_check_plugin(const char *file, const struct dsr_check_input *input,
                     const struct dsr_host *host, struct dsr_check_found *found, dsr_check_fn *told,
                     void *arg, struct dsr_error *err)
{
    struct dsr_check check = {.input = input, .host = host, .folder = "/tmp/dsr-check-XXXXXX"};
    struct listener listener = {.found = found, .tell = told, .arg = arg};
    memset(found, 0, sizeof *found);
    DSR_AUTO(str) char *whole = realpath(file, NULL);
    if (!whole)
        return dsr_error_file(err, DSR_EUSAGE, file, 0, "can't be read: %s", strerror(errno));
    if (!mkdtemp(check.folder))
        return dsr_error_set(err, DSR_EIO, "no folder in /tmp: %s", strerror(errno));
    bool more = true;
    int rc = 0;
    while (more && !rc) { /* once, and again after each step that brought the process down */
        size_t before = listener.ended;
        listener.again = before > 0;
        more = false;
        rc = run_child(&check, whole, before ? before - 1 : 0, &listener, &more, err);
        more &= listener.ended > before;
    }
    remove_folder(check.folder);
    return rc;
}
