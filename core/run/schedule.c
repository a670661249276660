/* Starting jobs, and the units that start them. */
#include "core/run/schedule.h"
#include "core/config/calendar.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOG_BYTES (10 << 20)
#define LOGS_KEPT 5
#define JITTER_S 60
#define MARK "# made by dsr-run schedule; changes are lost\n"

extern char **environ;

static const json_t *job_of(const struct dsr_ctx *ctx, const char *name, struct dsr_error *err)
{
    const json_t *jobs = json_object_get(ctx->settings.cron.root, "jobs");
    const json_t *job = json_object_get(jobs, name);
    if (!job)
        dsr_error_set(err, DSR_EUSAGE, "cron.json has no job \"%s\"", name);
    return job;
}

static char *log_file(const struct dsr_ctx *ctx, const char *name, const char *end)
{
    return dsr_format("%s/%s%s", ctx->settings.log_dir, name, end);
}

/* NAME.log becomes NAME.log.1, and so on. */
static void rotate(const char *path)
{
    struct stat st;
    if (stat(path, &st) || st.st_size < LOG_BYTES)
        return;
    for (int i = LOGS_KEPT; i > 0; i--) {
        DSR_AUTO(str) char *older = dsr_format("%s.%d", path, i);
        DSR_AUTO(str)
        char *newer = i > 1 ? dsr_format("%s.%d", path, i - 1) : strdup(path);
        if (older && newer)
            rename(newer, older);
    }
}

/* An open file, locked; -1 when another one holds it. */
static int lock(const char *path, bool wait)
{
    int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
    int rc;
    while (fd >= 0 && (rc = flock(fd, LOCK_EX | (wait ? 0 : LOCK_NB))) && errno == EINTR)
        ;
    if (fd >= 0 && rc) {
        close(fd);
        return -1;
    }
    return fd;
}

/* The program, its folders, the command and its options; NULL-terminated, the caller's. */
static char **words_of(const struct dsr_ctx *ctx, const json_t *job)
{
    const json_t *args = json_object_get(job, "args");
    size_t n = 0, most = json_array_size(args) + 8;
    char **words = calloc(most, sizeof *words), exe[4096];
    ssize_t len = readlink("/proc/self/exe", exe, sizeof exe - 1);
    if (!words || len < 0)
        return words;
    exe[len] = '\0';
    const char *first[] = {exe,
                           "--config",
                           ctx->settings.layout.config_dir,
                           "--data",
                           ctx->settings.layout.data_dir,
                           "-q",
                           dsr_json_string(job, "command", "")};
    for (size_t i = 0; i < DSR_COUNT(first); i++) {
        bool path = i == 2 || i == 4;
        char *whole = path ? realpath(first[i], NULL) : NULL;
        words[n++] = whole ? whole : strdup(first[i]);
    }
    for (size_t i = 0; i < json_array_size(args); i++)
        words[n++] = strdup(json_string_value(json_array_get(args, i)));
    return words;
}

static void words_free(char **words)
{
    for (char **w = words; w && *w; w++)
        free(*w);
    free(words);
}

static int start(char **words, int output, int *status, struct dsr_error *err)
{
    posix_spawn_file_actions_t files;
    pid_t child;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, output, 1);
    posix_spawn_file_actions_adddup2(&files, output, 2);
    int bad = posix_spawnp(&child, words[0], &files, NULL, words, environ);
    posix_spawn_file_actions_destroy(&files);
    if (bad)
        return dsr_error_set(err, DSR_EIO, "%s can't be started: %s", words[0], strerror(bad));
    int ended = 0;
    while (waitpid(child, &ended, 0) < 0)
        if (errno != EINTR)
            return dsr_error_set(err, DSR_EIO, "the job is lost: %s", strerror(errno));
    *status = WIFEXITED(ended) ? WEXITSTATUS(ended) : 128 + WTERMSIG(ended);
    return 0;
}

static int run_logged(struct dsr_ctx *ctx, const char *name, const json_t *job, int *status,
                      struct dsr_error *err)
{
    char stamp[DSR_TIME_SIZE];
    DSR_AUTO(str) char *path = log_file(ctx, name, ".log");
    char **words = words_of(ctx, job);
    if (!path || !words || !words[0]) {
        words_free(words);
        return dsr_error_nomem(err);
    }
    rotate(path);
    int output = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    int rc = output < 0
                 ? dsr_error_file(err, DSR_EIO, path, 0, "can't be written: %s", strerror(errno))
                 : 0;
    if (!rc) {
        dsr_time_format(dsr_clock_wall_us(), stamp);
        dprintf(output, "== %s %s begins\n", stamp, name);
        rc = start(words, output, status, err);
        dsr_time_format(dsr_clock_wall_us(), stamp);
        dprintf(output, "== %s %s ended with status %d\n", stamp, name, *status);
        close(output);
    }
    words_free(words);
    return rc;
}

int dsr_schedule_run(struct dsr_ctx *ctx, const char *name, int jitter_s, int *status,
                     struct dsr_error *err)
{
    const json_t *job = job_of(ctx, name, err);
    if (!job)
        return err->code;
    int rc = dsr_folder_make(ctx->settings.log_dir, err);
    if (rc)
        return rc;
    struct dsr_rng rng;
    dsr_rng_init(&rng, dsr_clock_ns(), (uint64_t)getpid());
    DSR_AUTO(str) char *own_path = log_file(ctx, name, ".lock");
    DSR_AUTO(str) char *all_path = log_file(ctx, "schedule", ".lock");
    int own = lock(own_path, false);
    if (own < 0) {
        dsr_host_log(ctx->host, DSR_LOG_WARN, "%s still runs: it is left out this time", name);
        return 0;
    }
    if (jitter_s > 0)
        sleep((unsigned)dsr_rng_below(&rng, (uint64_t)jitter_s));
    int all = lock(all_path, true);
    rc = run_logged(ctx, name, job, status, err);
    if (all >= 0)
        close(all);
    close(own);
    return rc;
}

/* A word as a unit file takes it, or a crontab, where a shell reads it. */
static void add_word(struct dsr_buf *out, const char *word, bool crontab)
{
    static const char *const unit[][2] = {{"\"", "\\\""}, {"\\", "\\\\"}, {"%", "%%"}, {"$", "$$"}};
    static const char *const shell[][2] = {{"'", "'\\''"}, {"%", "\\%"}};
    const char *const(*escapes)[2] = crontab ? shell : unit;
    size_t n = crontab ? DSR_COUNT(shell) : DSR_COUNT(unit);
    dsr_buf_adds(out, crontab ? "'" : "\"");
    for (; *word; word++) {
        size_t i = 0;
        while (i < n && *word != escapes[i][0][0])
            i++;
        if (i < n)
            dsr_buf_adds(out, escapes[i][1]);
        else
            dsr_buf_add(out, word, 1);
    }
    dsr_buf_adds(out, crontab ? "'" : "\"");
}

char *dsr_schedule_command(struct dsr_ctx *ctx, const char *name, bool crontab,
                           struct dsr_error *err)
{
    const json_t *job = job_of(ctx, name, err);
    char **words = job ? words_of(ctx, job) : NULL;
    struct dsr_buf line = {0};
    for (size_t i = 0; words && i < 5 && words[i]; i++) {
        add_word(&line, words[i], crontab);
        dsr_buf_adds(&line, " ");
    }
    words_free(words);
    dsr_buf_addf(&line, "schedule run %s", name);
    if (job && !line.data)
        dsr_error_nomem(err);
    return line.data;
}

/* Runs systemctl --user; whether it succeeded. */
static bool systemctl(const char *verb, const char *option, const char *unit)
{
    const char *words[] = {"systemctl",          "--user", "--quiet", verb, option ? option : unit,
                           option ? unit : NULL, NULL};
    int status = 1, silent = open("/dev/null", O_WRONLY | O_CLOEXEC);
    struct dsr_error ignored;
    bool ok = silent >= 0 && !start((char **)words, silent, &status, &ignored) && !status;
    if (silent >= 0)
        close(silent);
    return ok;
}

bool dsr_schedule_has_systemd(void)
{
    return systemctl("show-environment", NULL, NULL);
}

static char *unit_folder(void)
{
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    return config && *config ? dsr_format("%s/systemd/user", config)
                             : dsr_format("%s/.config/systemd/user", home ? home : "");
}

static char *unit_path(const char *name, const char *end)
{
    DSR_AUTO(str) char *folder = unit_folder();
    return folder ? dsr_format("%s/dsr-%s.%s", folder, name, end) : NULL;
}

bool dsr_schedule_is_installed(const char *name)
{
    DSR_AUTO(str) char *path = unit_path(name, "timer");
    return path && dsr_path_exists(path);
}

static int put_unit(const char *name, const char *end, struct dsr_buf *text, struct dsr_error *err)
{
    DSR_AUTO(str) char *path = unit_path(name, end);
    struct dsr_bytes bytes = {text->data, text->len};
    bool ok = path && text->data && dsr_file_put(path, &bytes, 1);
    int bad = errno;
    dsr_buf_clear(text);
    return ok ? 0
              : dsr_error_file(err, DSR_EIO, path ? path : name, 0, "can't be written: %s",
                               strerror(bad));
}

static int install_job(struct dsr_ctx *ctx, const char *name, const json_t *job,
                       struct dsr_error *err)
{
    struct dsr_buf service = {0}, timer = {0}, calendar = {0};
    DSR_AUTO(str) char *command = dsr_schedule_command(ctx, name, false, err);
    int rc =
        command ? dsr_calendar_of(dsr_json_string(job, "cron", ""), &calendar, err) : err->code;
    DSR_AUTO(str) char *unit = dsr_format("dsr-%s.timer", name);
    if (!rc) {
        dsr_buf_addf(&service,
                     MARK
                     "[Unit]\nDescription=dsr-run %s\n\n[Service]\nType=oneshot\nExecStart=%s\n",
                     name, command);
        dsr_buf_addf(&timer,
                     MARK "[Unit]\nDescription=dsr-run %s\n\n[Timer]\nOnCalendar=%s\n"
                          "RandomizedDelaySec=%d\nPersistent=true\n\n[Install]\n"
                          "WantedBy=timers.target\n",
                     name, calendar.data, JITTER_S);
        rc = put_unit(name, "service", &service, err);
        rc = rc ? rc : put_unit(name, "timer", &timer, err);
    }
    dsr_buf_clear(&service);
    dsr_buf_clear(&timer);
    dsr_buf_clear(&calendar);
    if (!rc && (!systemctl("daemon-reload", NULL, NULL) || !systemctl("enable", "--now", unit)))
        rc = dsr_error_set(err, DSR_EIO, "systemctl --user enable --now %s failed", unit);
    return rc;
}

/* A unit that install wrote. */
static bool is_ours(const char *path)
{
    struct dsr_mapping map;
    if (dsr_file_map(path, &map))
        return false;
    bool ours = map.size > strlen(MARK) && !memcmp(map.data, MARK, strlen(MARK));
    dsr_file_unmap(&map);
    return ours;
}

size_t dsr_schedule_remove(void)
{
    DSR_AUTO(str) char *folder = unit_folder();
    DIR *list = folder ? opendir(folder) : NULL;
    size_t n = 0;
    for (const struct dirent *e; list && (e = readdir(list));) {
        size_t len = strlen(e->d_name);
        DSR_AUTO(str) char *path = dsr_path_join(folder, e->d_name);
        if (strncmp(e->d_name, "dsr-", 4) || len < 10 || !path || !is_ours(path))
            continue;
        if (!strcmp(e->d_name + len - 6, ".timer")) {
            systemctl("disable", "--now", e->d_name);
            n++;
        }
        unlink(path);
    }
    if (list)
        closedir(list);
    if (n)
        systemctl("daemon-reload", NULL, NULL);
    return n;
}

int dsr_schedule_install(struct dsr_ctx *ctx, size_t *n, struct dsr_error *err)
{
    DSR_AUTO(str) char *folder = unit_folder();
    const char *name;
    json_t *job;
    int rc = folder ? dsr_folder_make(folder, err) : dsr_error_nomem(err);
    *n = 0;
    if (!rc)
        dsr_schedule_remove();
    json_object_foreach(json_object_get(ctx->settings.cron.root, "jobs"), name, job)
    {
        if (!rc && !(rc = install_job(ctx, name, job, err)))
            ++*n;
    }
    return rc;
}
