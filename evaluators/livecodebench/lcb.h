/* LiveCodeBench's parts: tests as the data set stores them, programs in a sandbox, verdicts. */
#ifndef DSR_LCB_H
#define DSR_LCB_H

#include <dsr/evaluator.h>

/* The tests of a problem.
 *   cases      [{"input","output"}...]
 *   function   name of the method that is called, or NULL: the program reads its input */
struct lcb_tests {
    json_t *cases;
    char *function;
};
/* From a row of the data set, or {"tests": [...], "fn_name"?}: public and private tests. The pickle
 * in which some private tests are wrapped is read as the one text that it holds, never executed. */
int lcb_tests_read(const json_t *row, struct lcb_tests *tests, struct dsr_error *err);
void lcb_tests_clear(struct lcb_tests *tests);

/* The one text of a pickle: points into it. DSR_EINVAL for a pickle of anything else. */
int lcb_pickle_text(const unsigned char *pickle, size_t n, const char **text, size_t *len);

/* Ways a program's run can end. */
enum lcb_end { LCB_EXITED, LCB_FAILED, LCB_TIME, LCB_OUTPUT };

/* One run of a program in its sandbox.
 *   output   what it wrote, malloc'd, NUL-terminated; at most 16 MiB */
struct lcb_run {
    enum lcb_end end;
    char *output;
    size_t len;
};
/* Runs Python code under bubblewrap: no network, nothing of the machine but a read-only /usr, 64
 * MiB of files in memory, 4 GiB of memory, 32 processes, seconds of CPU time (and four times as
 * many of the clock). function as in lcb_tests. Blocks; thread-safe. DSR_ECONFIG when there is no
 * sandbox. */
int lcb_sandbox_run(const char *code, size_t code_len, const char *function, const char *input,
                    size_t input_len, int seconds, struct lcb_run *run, struct dsr_error *err);
/* Whether the sandbox works here: an error that says what to install or allow. */
int lcb_sandbox_check(struct dsr_error *err);

/* The program that an answer commits to: its last block of Python, or with first its first block of
 * anything. Points into text. False when there is none. */
bool lcb_code_find(const char *text, size_t len, bool first, const char **code, size_t *code_len);

/* Output equals what was expected: lines are trimmed, and compared as texts or as decimal numbers,
 * as LiveCodeBench does. */
bool lcb_output_equal(const char *output, const char *expected);
/* A JSON value printed by the function equals the one expected, as Python's == has it. */
bool lcb_value_equal(const char *output, const char *expected);

#endif
