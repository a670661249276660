/* Programs under bubblewrap. The program, its input and the limits go in; only its output comes
 * out: what was expected never enters the sandbox. */
#include "lcb.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define BWRAP "/usr/bin/bwrap"
#define PYTHON "/usr/bin/python3"
#define SETPRIV "/usr/bin/setpriv" /* of util-linux, which is always there */
#define MOST_OUTPUT (16 << 20)
#define WALL_FACTOR 2
#define CODE_FD 3 /* in the child */

/* Set up inside, before a line of the program runs: limits that it can't raise, names that
 * LiveCodeBench gives every program, and a quiet standard output for methods. */
static const char boot[] =
    "import resource, sys\n"
    "seconds, function = int(sys.argv[1]), sys.argv[2]\n"
    "for what, most in ((resource.RLIMIT_CPU, seconds), (resource.RLIMIT_AS, 4 << 30),\n"
    "                   (resource.RLIMIT_NPROC, 32), (resource.RLIMIT_FSIZE, 64 << 20),\n"
    "                   (resource.RLIMIT_CORE, 0), (resource.RLIMIT_NOFILE, 64)):\n"
    "    resource.setrlimit(what, (most, most))\n"
    "names = {'__name__': '__main__'}\n"
    "for module in ('string re datetime collections heapq bisect copy math random statistics '\n"
    "               'itertools functools operator io sys json typing').split():\n"
    "    exec('from %s import *\\nimport %s' % (module, module), names)\n"
    "names['sys'].setrecursionlimit(50000)\n"
    "code = compile(open('/code/solution.py', encoding='utf-8').read(), 'solution.py', 'exec')\n"
    "del sys.argv[1:]\n"
    "try:\n"
    "    if not function:\n"
    "        exec(code, names)\n"
    "    else:\n"
    "        import json, os\n"
    "        arguments = [json.loads(line) for line in sys.stdin.read().split('\\n') if line]\n"
    "        answer = os.dup(1)\n"
    "        os.dup2(2, 1)\n"
    "        names['__name__'] = 'solution'\n"
    "        exec(code, names)\n"
    "        owner = names['Solution']() if 'Solution' in names else None\n"
    "        method = getattr(owner, function) if owner else names[function]\n"
    "        result = json.dumps(method(*arguments)).encode()\n"
    "        while result:\n"
    "            result = result[os.write(answer, result):]\n"
    "except SystemExit:\n"
    "    pass\n"
    "sys.stdout.flush()\n";

/* A file in memory that holds these bytes, to be read from its start. */
static int memory_file(const char *name, const char *bytes, size_t n)
{
    int fd = memfd_create(name, MFD_CLOEXEC);
    while (fd >= 0 && n) {
        ssize_t done = write(fd, bytes, n);
        if (done <= 0) {
            close(fd);
            return -1;
        }
        bytes += done;
        n -= (size_t)done;
    }
    if (fd >= 0)
        lseek(fd, 0, SEEK_SET);
    return fd;
}

/* /lib and its like are links into /usr, or folders of their own on older systems. */
static size_t add_folder(const char **argv, size_t n, const char *folder)
{
    static const char *const targets[][2] = {
        {"/bin", "usr/bin"}, {"/lib", "usr/lib"}, {"/lib64", "usr/lib64"}};
    struct stat st;
    if (lstat(folder, &st))
        return n;
    if (!S_ISLNK(st.st_mode)) {
        argv[n++] = "--ro-bind";
        argv[n++] = folder;
        argv[n++] = folder;
        return n;
    }
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++)
        if (!strcmp(folder, targets[i][0])) {
            argv[n++] = "--symlink";
            argv[n++] = targets[i][1];
            argv[n++] = folder;
        }
    return n;
}

static size_t make_command(const char **argv, const char *seconds, const char *function)
{
    static const char *const fixed[] = {"--unshare-all",
                                        "--die-with-parent",
                                        "--new-session",
                                        "--clearenv",
                                        "--uid",
                                        "65534",
                                        "--gid",
                                        "65534",
                                        "--cap-drop",
                                        "ALL",
                                        "--proc",
                                        "/proc",
                                        "--dev",
                                        "/dev",
                                        "--size",
                                        "67108864",
                                        "--tmpfs",
                                        "/tmp",
                                        "--ro-bind-data",
                                        "3",
                                        "/code/solution.py",
                                        "--chdir",
                                        "/tmp",
                                        "--setenv",
                                        "PATH",
                                        "/usr/bin:/bin",
                                        "--setenv",
                                        "PYTHONHASHSEED",
                                        "0",
                                        "--setenv",
                                        "LANG",
                                        "C.UTF-8"};
    static const char *const unprivileged[] = {SETPRIV, "--reuid=65534", "--regid=65534",
                                               "--clear-groups"};
    size_t n = 0;
    /* the kernel does not limit the processes of root */
    for (size_t i = 0; i < sizeof unprivileged / sizeof unprivileged[0] && !geteuid(); i++)
        argv[n++] = unprivileged[i];
    argv[n++] = BWRAP;
    argv[n++] = "--ro-bind";
    argv[n++] = "/usr";
    argv[n++] = "/usr";
    n = add_folder(argv, n, "/bin");
    n = add_folder(argv, n, "/lib");
    n = add_folder(argv, n, "/lib64");
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
        argv[n++] = fixed[i];
    argv[n++] = PYTHON;
    argv[n++] = "-I";
    argv[n++] = "-c";
    argv[n++] = boot;
    argv[n++] = seconds;
    argv[n++] = function;
    argv[n] = NULL;
    return n;
}

/* 0 or an errno. */
static int start(int code, int input, int output, const char *const *argv, pid_t *pid)
{
    static char *const environment[] = {NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none, usual;
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_adddup2(&files, input, 0);
    posix_spawn_file_actions_adddup2(&files, output, 1);
    posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&files, code, CODE_FD);
    posix_spawn_file_actions_addclosefrom_np(&files, CODE_FD + 1);
    sigemptyset(&none);
    sigemptyset(&usual);
    sigaddset(&usual, SIGPIPE);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &usual);
    posix_spawnattr_setpgroup(&attributes, 0); /* ^C is for us: what runs is killed when we go */
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                              POSIX_SPAWN_SETPGROUP);
    int rc = posix_spawn(pid, argv[0], &files, &attributes, (char *const *)argv, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    return rc;
}

/* Reads until the end, the deadline, or too much. */
static void collect(int fd, uint64_t deadline_ns, struct lcb_run *run)
{
    size_t cap = 0;
    for (;;) {
        uint64_t now = dsr_clock_ns();
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int wait = now < deadline_ns ? (int)((deadline_ns - now) / 1000000) + 1 : 0;
        if (poll(&p, 1, wait) == 0) {
            run->end = LCB_TIME;
            return;
        }
        if (run->len + 1 >= cap) {
            char *more =
                cap < MOST_OUTPUT ? realloc(run->output, cap = cap ? 2 * cap : 65536) : NULL;
            if (!more) {
                run->end = LCB_OUTPUT;
                return;
            }
            run->output = more;
        }
        ssize_t n = read(fd, run->output + run->len, cap - run->len - 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        run->len += (size_t)n;
    }
}

static void finish(pid_t pid, uint64_t deadline_ns, struct lcb_run *run)
{
    int status = 0;
    bool over = run->end != LCB_EXITED;
    while (!over &&
           waitpid(pid, &status, WNOHANG) == 0) { /* it closed its output, but still runs */
        over = dsr_clock_ns() > deadline_ns;
        if (over)
            run->end = LCB_TIME;
        else
            usleep(1000);
    }
    if (over) {
        kill(pid, SIGKILL); /* the sandbox dies with its parent */
        waitpid(pid, &status, 0);
    } else if (WIFEXITED(status) && WEXITSTATUS(status) == 128 + SIGKILL) {
        run->end = LCB_TIME; /* the CPU limit, as bubblewrap tells it */
    } else if (WIFEXITED(status) && WEXITSTATUS(status) == 128 + SIGXCPU) {
        run->end = LCB_TIME;
    } else if (!WIFEXITED(status) || WEXITSTATUS(status)) {
        run->end = LCB_FAILED;
    }
    if (run->output)
        run->output[run->len] = '\0';
}

int lcb_sandbox_run(const char *code, size_t code_len, const char *function, const char *input,
                    size_t input_len, int seconds, struct lcb_run *run, struct dsr_error *err)
{
    const char *argv[64];
    char limit[16];
    int ends[2] = {-1, -1};
    pid_t pid;
    memset(run, 0, sizeof *run);
    if (access(BWRAP, X_OK) || access(PYTHON, X_OK))
        return dsr_error_set(err, DSR_ECONFIG,
                             "programs are run only in a sandbox: install bubblewrap and python3 "
                             "(Debian packages; %s, %s)",
                             BWRAP, PYTHON);
    snprintf(limit, sizeof limit, "%d", seconds);
    make_command(argv, limit, function ? function : "");
    int code_fd = memory_file("code", code, code_len);
    int input_fd = memory_file("input", input, input_len);
    int rc = code_fd < 0 || input_fd < 0 || pipe2(ends, O_CLOEXEC) ? errno : 0;
    uint64_t deadline = dsr_clock_ns() + (uint64_t)seconds * WALL_FACTOR * 1000000000u;
    if (!rc)
        rc = start(code_fd, input_fd, ends[1], argv, &pid);
    close(code_fd);
    close(input_fd);
    if (ends[1] >= 0)
        close(ends[1]);
    if (!rc) {
        collect(ends[0], deadline, run);
        finish(pid, deadline, run);
    }
    if (ends[0] >= 0)
        close(ends[0]);
    return rc ? dsr_error_set(err, DSR_EIO, "the sandbox can't be started: %s", strerror(rc)) : 0;
}

int lcb_sandbox_check(struct dsr_error *err)
{
    static const char program[] = "print(40 + 2)\n";
    struct lcb_run run;
    int rc = lcb_sandbox_run(program, sizeof program - 1, NULL, "", 0, 10, &run, err);
    if (!rc && (run.end != LCB_EXITED || !run.output || strcmp(run.output, "42\n")))
        rc = dsr_error_set(err, DSR_ECONFIG,
                           "programs are run only in a sandbox, and %s does not work here: are "
                           "user namespaces allowed (sysctl kernel.unprivileged_userns_clone, "
                           "user.max_user_namespaces, or AppArmor's restriction)?",
                           BWRAP);
    free(run.output);
    return rc;
}
