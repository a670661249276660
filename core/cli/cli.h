/* dsr-run: one file per command. */
#ifndef DSR_CLI_H
#define DSR_CLI_H

#include "core/run/eval.h"

#include <argp.h>

enum dsr_format { DSR_FORMAT_TABLE, DSR_FORMAT_JSON, DSR_FORMAT_CSV };

/* Options that stand before the command, or after it. */
struct dsr_globals {
    const char *config, *data, *store;
    char **plugin_dirs;
    size_t n_plugin_dirs;
    bool verbose, quiet;
    enum dsr_format format;
};
/* The children of every command's argp: these options, input a struct dsr_globals, and the refusal
 * of words that the command itself does not take. */
extern const struct argp_child dsr_globals_child[];

struct dsr_command {
    const char *name, *summary;
    /* argv[0] is the program's full name. Returns an exit status. */
    int (*run)(struct dsr_globals *globals, int argc, char **argv);
};
int dsr_cmd_eval(struct dsr_globals *globals, int argc, char **argv);
int dsr_cmd_schedule(struct dsr_globals *globals, int argc, char **argv);
int dsr_cmd_serve(struct dsr_globals *globals, int argc, char **argv);
int dsr_cmd_db(struct dsr_globals *globals, int argc, char **argv);
int dsr_cmd_compare(struct dsr_globals *globals, int argc, char **argv);
int dsr_cmd_merge(struct dsr_globals *globals, int argc, char **argv);
int dsr_cmd_regrade(struct dsr_globals *globals, int argc, char **argv);
int dsr_cmd_tokenize(struct dsr_globals *globals, int argc, char **argv);
int dsr_cmd_perf(struct dsr_globals *globals, int argc, char **argv);
int dsr_cmd_route(struct dsr_globals *globals, int argc, char **argv);
int dsr_cmd_plugins(struct dsr_globals *globals, int argc, char **argv);
int dsr_cmd_plugin(struct dsr_globals *globals, int argc, char **argv);
int dsr_cmd_grade(struct dsr_globals *globals, int argc, char **argv);
int dsr_cmd_show(struct dsr_globals *globals, int argc, char **argv);
int dsr_cmd_doctor(struct dsr_globals *globals, int argc, char **argv);

/* The program, for main() and tests. */
__attribute__((visibility("default"))) int dsr_main(int argc, char **argv);

/* Loads settings and plugins by the globals. */
int dsr_ctx_open(struct dsr_ctx *ctx, const struct dsr_globals *globals, struct dsr_error *err);
void dsr_ctx_close(struct dsr_ctx *ctx);

/* What every command does around its own work: reads the command line into args (flags as
 * argp_parse takes them), opens the context, tells the error that work returns, closes. Returns the
 * exit status: what work set (0 before), or the error's. */
typedef int dsr_work_fn(struct dsr_ctx *ctx, void *args, int *status, struct dsr_error *err);
int dsr_command_run(const struct argp *argp, unsigned flags, int argc, char **argv,
                    const struct dsr_globals *globals, void *args, dsr_work_fn *work);

/* Prints the error once (as JSON too with --format json) and returns the exit status for it. */
int dsr_fail(const struct dsr_globals *globals, const struct dsr_error *err);
/* Numbers and words of options; a bad one ends the program with status 2 through argp_error. */
long dsr_arg_long(struct argp_state *state, const char *option, const char *text, long min,
                  long max);
double dsr_arg_double(struct argp_state *state, const char *option, const char *text, double min,
                      double max);
const char *dsr_arg_grader(struct argp_state *state, const char *text);
/* "7d", "12h", "2026-01-31", RFC 3339: microseconds since 1970. */
int64_t dsr_arg_time(struct argp_state *state, const char *option, const char *text);
enum dsr_format dsr_arg_format(struct argp_state *state, const char *text);
void dsr_print_json(const json_t *json);

/* The id of a run: a UUID as it stands, any other name by its UUID. */
void dsr_job_name(const char *text, char job[37]);
/* Prints figures; returns the exit status they mean. */
int dsr_result_print(const struct dsr_eval_result *result, enum dsr_format format);
/* Estimates and prints; a dsr_err. */
int dsr_estimate_print(struct dsr_ctx *ctx, const struct dsr_eval_options *options,
                       enum dsr_format format, struct dsr_error *err);

/* A table whose cells are texts: aligned for people or CSV. */
struct dsr_table;
struct dsr_table *dsr_table_new(const char *const *columns, size_t n, enum dsr_format format);
/* Rows hold n cells; NULL is shown as "-" (CSV: empty). Numbers go to the right. */
int dsr_table_row(struct dsr_table *table, const char *const *cells);
void dsr_table_print(struct dsr_table *table); /* and frees */
/* "%.*f", or "-" (NULL) for NaN, in one of the caller's buffers. */
const char *dsr_cell(char *buf, size_t size, double value, int digits);

#endif
