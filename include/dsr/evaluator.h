/* Evaluator plugins: a benchmark's questions and its grader. */
#ifndef DSR_EVALUATOR_H
#define DSR_EVALUATOR_H

#include <dsr/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One question. All members are owned by the item: allocated by the plugin's item() with malloc,
 * strdup and Jansson, freed by dsr_item_clear.
 *   id        unique in the dataset and the same in every run
 *   group     subject or category, or NULL
 *   gold      the right answer as the grader reads it
 *   messages  [{"role","content"}...] to send
 *   options   array of option texts in order A, B, C, ..., or NULL
 *   tags      array of names of further sets the question counts in (a category, "hard"), or NULL;
 *             zero before item() is called, so that plugins that know no tags need not set it */
struct dsr_item {
    char *id;
    char *group;
    char *gold;
    json_t *messages;
    json_t *options;
    json_t *tags;
};
DSR_API void dsr_item_clear(struct dsr_item *item);

/* What a grader is given; all borrowed.
 *   gold, options  as in struct dsr_item
 *   answer         what the model wrote after its reasoning; may still hold think tags when it
 *                  comes from a file, and the grader then looks after the last closing tag
 *   mode           "dsr", or "opencompass": that harness's rule, which reads the reasoning too; the
 *                  answer then is reasoning, "</think>" and text, as that harness stores it */
struct dsr_answer {
    const char *gold;
    const json_t *options;
    const char *answer;
    size_t answer_len;
    const char *mode;
};

/* What a grader says.
 *   correct    whether the committed answer equals gold
 *   score      0..1
 *   extracted  the answer that was read, "" when none
 *   rule       the rule that fired, for users to argue with */
struct dsr_grade {
    bool correct;
    double score;
    char extracted[128];
    char rule[64];
};

struct dsr_evaluator_ops {
    size_t size; /* sizeof(struct dsr_evaluator_ops) */
    /* config: the entry of datasets.json (borrowed for the call), with "shots" (when asked for on
     * the command line) and "grader" (the mode) in its "options"; path: its file or folder.
     * Returns the state, or NULL with err filled (file and line of the bad input). Mandatory. */
    void *(*open)(const json_t *config, const char *path, const struct dsr_host *host,
                  struct dsr_error *err);
    /* How many items; constant for a state. Mandatory. */
    size_t (*count)(void *state);
    /* Fills item i of [0, count). Thread-safe. Mandatory. */
    int (*item)(void *state, size_t i, struct dsr_item *item, struct dsr_error *err);
    /* Pure and thread-safe: the same input gives the same verdict; no state. Returns 0, or
     * DSR_EINVAL for a mode it doesn't know or a gold it can't read. Mandatory. */
    int (*grade)(const struct dsr_answer *answer, struct dsr_grade *grade, struct dsr_error *err);
    /* Frees the state. Mandatory. */
    void (*close)(void *state);
    /* Whether grade() runs programs and may take minutes: answers are then kept safe before they
     * are graded. Optional; false when the table ends before it. */
    bool runs_programs;
};
DSR_API bool dsr_evaluator_runs_programs(const struct dsr_evaluator_ops *ops);

/* Sets in a folder of subjects, such as C-Eval and MMLU: SPLIT/SUBJECT_SPLIT.csv, four options
 * each, solved examples in dev/SUBJECT_dev.csv. The entry's options "split" and "shots" (0..5)
 * choose. Items have the id SUBJECT/ID, the subject as group, and the options. */
struct dsr_subject_question {
    const char *id, *question, *options[4], *answer; /* borrowed */
};
/* How one such set differs.
 *   header     the CSV files begin with the names id (may be missing), question, A, B, C, D,
 * answer; without: question, A, B, C, D, answer split, shots  defaults solved     what stands
 * before the letter in the answer to an example, such as "ANSWER: " ask        the user's turn;
 * malloc'd, NULL when out of memory name       the subject's name in prompts; malloc'd. mapping:
 * subject_mapping.json of the folder, or NULL tags       categories of a subject: a new array, or
 * NULL */
struct dsr_subject_form {
    bool header;
    const char *split;
    int shots;
    const char *solved;
    char *(*ask)(const char *name, const struct dsr_subject_question *question);
    char *(*name)(const char *subject, const json_t *mapping);
    json_t *(*tags)(const char *subject, const json_t *mapping);
};
struct dsr_subjects;
/* config, path, err: as in dsr_evaluator_ops.open. form is static. NULL with err filled. */
DSR_API struct dsr_subjects *dsr_subjects_open(const json_t *config, const char *path,
                                               const struct dsr_subject_form *form,
                                               struct dsr_error *err);
/* As in the table of operations: state is what dsr_subjects_open returned. */
DSR_API size_t dsr_subjects_count(void *state);
DSR_API int dsr_subjects_item(void *state, size_t i, struct dsr_item *item, struct dsr_error *err);
DSR_API void dsr_subjects_close(void *state);

/* Graders that several benchmarks share. Pure and thread-safe. */
/* One letter of A..J: the last committed answer wins; options may be named by their text. */
DSR_API void dsr_grade_choice(const struct dsr_answer *answer, struct dsr_grade *grade);
/* One integer (0..999 for AIME, but any size is read): the last committed answer wins. */
DSR_API void dsr_grade_integer(const struct dsr_answer *answer, struct dsr_grade *grade);
/* Any answer: by dsr_grade_integer when gold is an integer, by dsr_grade_choice when there are
 * options; else the last committed text must be gold's, letter case, blanks and dressing aside. */
DSR_API void dsr_grade_exact(const struct dsr_answer *answer, struct dsr_grade *grade);
/* OpenCompass's rule for GPQA and MMLU: the first (?i)ANSWER\s*:\s*([A-D]) of the whole text, case
 * kept. */
DSR_API void dsr_grade_first_answer(const struct dsr_answer *answer, struct dsr_grade *grade);
/* OpenCompass's rule for C-Eval: the first capital letter of the whole text. */
DSR_API void dsr_grade_first_capital(const struct dsr_answer *answer, struct dsr_grade *grade);
/* OpenCompass's rule for AIME, as far as integers go: the last \boxed{}, else the last formula. */
DSR_API void dsr_grade_latex_integer(const struct dsr_answer *answer, struct dsr_grade *grade);
/* Whether the answer's mode is "dsr" (own) or "opencompass"; DSR_EINVAL for any other. */
DSR_API int dsr_grade_mode(const struct dsr_answer *answer, bool *own, struct dsr_error *err);
/* Grades by the mode of the answer: own for "dsr", opencompass for "opencompass". DSR_EINVAL for
 * any other. */
typedef void dsr_grader_fn(const struct dsr_answer *answer, struct dsr_grade *grade);
DSR_API int dsr_grade_by_mode(const struct dsr_answer *answer, struct dsr_grade *grade,
                              dsr_grader_fn *own, dsr_grader_fn *opencompass,
                              struct dsr_error *err);
/* Cuts off the reasoning: the text after the last closing think tag; an unclosed opening tag makes
 * all of it reasoning. Returns a pointer into text and its length. */
DSR_API const char *dsr_answer_after_think(const char *text, size_t len, size_t *answer_len);

#ifdef __cplusplus
}
#endif
#endif
