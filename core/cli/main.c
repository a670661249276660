/* Finding the command, and what all commands share. */
#include "config.h"
#include "core/cli/cli.h"

#include <curl/curl.h>
#include <locale.h>
#include <signal.h>
#include <sys/prctl.h>

static const struct dsr_command commands[] = {
    {"eval", "ask the questions of benchmarks and grade the answers", dsr_cmd_eval},
    {"perf", "measure time to first token, tokens per second, success rate", dsr_cmd_perf},
    {"route", "rank providers by a requirement file", dsr_cmd_route},
    {"compare", "tell which of two providers is cleverer, and how sure that is", dsr_cmd_compare},
    {"regrade", "grade the stored answers of an eval job again", dsr_cmd_regrade},
    {"merge", "join the shards of an eval run", dsr_cmd_merge},
    {"serve", "show the results on a web page, as JSON and as metrics", dsr_cmd_serve},
    {"schedule", "run perf and eval regularly", dsr_cmd_schedule},
    {"db", "look after the store: init, verify, copy, export, import", dsr_cmd_db},
    {"plugins", "list plugins: loaded, from where, refused; test one", dsr_cmd_plugins},
    {"plugin", "begin a plugin of your own", dsr_cmd_plugin},
    {"grade", "grade responses from a file", dsr_cmd_grade},
    {"tokenize", "count tokens with the model's own tokenizer", dsr_cmd_tokenize},
    {"show", "show the answers of an eval job", dsr_cmd_show},
    {"doctor", "check configuration, keys, plugins and stores", dsr_cmd_doctor},
};

static const struct argp_option options[] = {
    {"config", 'C', "DIR", 0, "folder with api_keys.json, cron.json, db.json, ...", -1},
    {"data", 'D', "DIR", 0, "folder with services.json, models.json, datasets.json", -1},
    {"store", 'S', "ADDRESS", 0,
     "keep results here instead: leveldb:///folder, sqlite:///file, mysql://user:pw@host/db", -1},
    {"plugin-dir", 'P', "DIR", 0, "search plugins here first (repeatable)", -1},
    {"verbose", 'v', NULL, 0, "tell more on standard error", -1},
    {"quiet", 'q', NULL, 0, "no progress, only errors and warnings", -1},
    {"format", 'f', "FORMAT", 0, "table (default), json or csv", -1},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct dsr_globals *g = state->input;
    switch (key) {
    case 'C':
        g->config = arg;
        return 0;
    case 'D':
        g->data = arg;
        return 0;
    case 'S':
        g->store = arg;
        return 0;
    case 'P': {
        char **dirs = realloc(g->plugin_dirs, (g->n_plugin_dirs + 1) * sizeof *dirs);
        if (!dirs)
            return ENOMEM;
        g->plugin_dirs = dirs;
        dirs[g->n_plugin_dirs++] = arg;
        return 0;
    }
    case 'v':
        g->verbose = true;
        return 0;
    case 'q':
        g->quiet = true;
        return 0;
    case 'f':
        g->format = dsr_arg_format(state, arg);
        return 0;
    case ARGP_KEY_ARG: /* a word that no command took */
        argp_error(state, "what is \"%s\"?", arg);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp globals_argp = {.options = options, .parser = parse};
const struct argp_child dsr_globals_child[] = {{&globals_argp, 0, NULL, 0}, {0}};

struct choice {
    struct dsr_globals globals;
    const struct dsr_command *command;
    int at; /* index of the command in argv */
};

static error_t parse_top(int key, char *arg, struct argp_state *state)
{
    struct choice *choice = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &choice->globals;
        return 0;
    case ARGP_KEY_ARG:
        for (size_t i = 0; i < DSR_COUNT(commands); i++)
            if (!strcmp(commands[i].name, arg))
                choice->command = &commands[i];
        if (!choice->command)
            argp_error(state, "no command \"%s\"; see --help", arg);
        choice->at = state->next - 1;
        state->next = state->argc;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which command? See --help");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static char *add_commands(int key, const char *text, void *input)
{
    (void)input;
    if (key != ARGP_KEY_HELP_POST_DOC)
        return (char *)text;
    struct dsr_buf buf = {0};
    dsr_buf_adds(&buf, "Commands (each has its own --help):\n");
    for (size_t i = 0; i < DSR_COUNT(commands); i++)
        dsr_buf_addf(&buf, "  %-10s %s\n", commands[i].name, commands[i].summary);
    return buf.data;
}

int dsr_main(int argc, char **argv)
{
    static const struct argp top = {
        .parser = parse_top,
        .args_doc = "COMMAND [OPTION...]",
        .doc = "Measure the API providers of a model and rank them.\v",
        .children = dsr_globals_child,
        .help_filter = add_commands,
    };
    struct choice choice = {0};
    setlocale(LC_CTYPE, "C.UTF-8");
    prctl(PR_SET_DUMPABLE, 0); /* no core dump holds a key */
    signal(SIGPIPE, SIG_IGN);
    char threads[16]; /* programs that are graded must not hold up the journal */
    snprintf(threads, sizeof threads, "%u", uv_available_parallelism() + 3);
    setenv("UV_THREADPOOL_SIZE", threads, 0);
    argp_err_exit_status = 2;
    argp_program_version = "dsr-run " PACKAGE_VERSION;
    argp_program_bug_address = NULL;
    curl_global_init(CURL_GLOBAL_DEFAULT);
    argp_parse(&top, argc, argv, ARGP_IN_ORDER, NULL, &choice);
    char name[64];
    snprintf(name, sizeof name, "dsr-run %s", choice.command->name);
    argv[choice.at] = name;
    int status = choice.command->run(&choice.globals, argc - choice.at, argv + choice.at);
    if (fflush(stdout) || ferror(stdout)) {
        fprintf(stderr, "dsr-run: error: the output can't be written\n");
        status = status ? status : 1;
    }
    free(choice.globals.plugin_dirs);
    curl_global_cleanup();
    return status;
}
