/* MMLU: CSV files without a header, 57 subjects in four categories (Hendrycks et al. 2021, table of
 * subjects). Asked as OpenCompass's default and simple-evals ask (mmlu_openai_simple_evals_gen):
 * no examples, a last line "ANSWER: $LETTER". Options: "split" (test), "shots" (0). */
#include <dsr/evaluator.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *ask(const char *name, const struct dsr_subject_question *q)
{
    char *text = NULL;
    (void)name;
    int n = asprintf(&text,
                     "Answer the following multiple choice question. The last line of your "
                     "response should be of the following format: 'ANSWER: $LETTER' (without "
                     "quotes) where LETTER is one of ABCD. Think step by step before answering."
                     "\n\n%s\n\nA) %s\nB) %s\nC) %s\nD) %s",
                     q->question, q->options[0], q->options[1], q->options[2], q->options[3]);
    return n < 0 ? NULL : text;
}

static char *subject_name(const char *code, const json_t *mapping)
{
    (void)mapping;
    return strdup(code);
}

struct category {
    const char *name;
    const char *const *subjects;
};

static const char *const stem[] = {"abstract_algebra",
                                   "anatomy",
                                   "astronomy",
                                   "college_biology",
                                   "college_chemistry",
                                   "college_computer_science",
                                   "college_mathematics",
                                   "college_physics",
                                   "computer_security",
                                   "conceptual_physics",
                                   "electrical_engineering",
                                   "elementary_mathematics",
                                   "high_school_biology",
                                   "high_school_chemistry",
                                   "high_school_computer_science",
                                   "high_school_mathematics",
                                   "high_school_physics",
                                   "high_school_statistics",
                                   "machine_learning",
                                   NULL};
static const char *const humanities[] = {"formal_logic",
                                         "high_school_european_history",
                                         "high_school_us_history",
                                         "high_school_world_history",
                                         "international_law",
                                         "jurisprudence",
                                         "logical_fallacies",
                                         "moral_disputes",
                                         "moral_scenarios",
                                         "philosophy",
                                         "prehistory",
                                         "professional_law",
                                         "world_religions",
                                         NULL};
static const char *const social[] = {"econometrics",
                                     "high_school_geography",
                                     "high_school_government_and_politics",
                                     "high_school_macroeconomics",
                                     "high_school_microeconomics",
                                     "high_school_psychology",
                                     "human_sexuality",
                                     "professional_psychology",
                                     "public_relations",
                                     "security_studies",
                                     "sociology",
                                     "us_foreign_policy",
                                     NULL};
static const struct category categories[] = {
    {"STEM", stem}, {"Humanities", humanities}, {"Social Sciences", social}};

/* What is in none of the lists is "Other" there too. */
static json_t *tags(const char *code, const json_t *mapping)
{
    (void)mapping;
    for (size_t i = 0; i < sizeof categories / sizeof categories[0]; i++)
        for (const char *const *s = categories[i].subjects; *s; s++)
            if (!strcmp(code, *s))
                return json_pack("[s]", categories[i].name);
    return json_pack("[s]", "Other");
}

static const struct dsr_subject_form form = {.split = "test",
                                             .shots = 0,
                                             .solved = "ANSWER: ",
                                             .ask = ask,
                                             .name = subject_name,
                                             .tags = tags};

static void *open_dataset(const json_t *config, const char *path, const struct dsr_host *host,
                          struct dsr_error *err)
{
    (void)host;
    return dsr_subjects_open(config, path, &form, err);
}

static int grade(const struct dsr_answer *answer, struct dsr_grade *verdict, struct dsr_error *err)
{
    return dsr_grade_by_mode(answer, verdict, dsr_grade_choice, dsr_grade_first_answer, err);
}

static const struct dsr_evaluator_ops ops = {
    .size = sizeof ops,
    .open = open_dataset,
    .count = dsr_subjects_count,
    .item = dsr_subjects_item,
    .grade = grade,
    .close = dsr_subjects_close,
};

const struct dsr_plugin dsr_plugin = {
    .abi = DSR_ABI,
    .size = sizeof dsr_plugin,
    .kind = DSR_KIND_EVALUATOR,
    .name = "mmlu",
    .version = "1.0",
    .summary = "MMLU: multiple choice in 57 subjects",
    .licence = "Apache-2.0",
    .ops = &ops,
};
