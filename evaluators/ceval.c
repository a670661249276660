/* C-Eval: subject_mapping.json tells the Chinese names and categories. Each question is put with up
 * to five solved ones of its subject before it, as turns of the chat (OpenCompass,
 * ceval_gen_5f30c7). Options: "split" (val), "shots" (5). */
#include <dsr/evaluator.h>
#include <stdio.h>
#include <string.h>

static char *ask(const char *name, const struct dsr_subject_question *q)
{
    char *text = NULL;
    int n = asprintf(&text,
                     "以下是中国关于%s考试的单项选择题，请选出其中的正确答案。\n%s\nA. %s\nB. %s\n"
                     "C. %s\nD. %s\n答案: ",
                     name, q->question, q->options[0], q->options[1], q->options[2], q->options[3]);
    return n < 0 ? NULL : text;
}

/* "computer_network" -> "计算机网络", or "computer network" when the mapping does not know it. */
static char *subject_name(const char *code, const json_t *mapping)
{
    const char *chinese = json_string_value(json_array_get(json_object_get(mapping, code), 1));
    char *name = strdup(chinese ? chinese : code);
    for (char *p = name; p && *p && !chinese; p++)
        if (*p == '_')
            *p = ' ';
    return name;
}

/* The category of the mapping, and the hard subset as OpenCompass has it (ceval-hard). */
static json_t *tags(const char *code, const json_t *mapping)
{
    static const char *const hard[] = {
        "advanced_mathematics",  "discrete_mathematics", "probability_and_statistics",
        "college_chemistry",     "college_physics",      "high_school_mathematics",
        "high_school_chemistry", "high_school_physics"};
    const json_t *category = json_array_get(json_object_get(mapping, code), 2);
    json_t *all = json_array();
    if (json_is_string(category))
        json_array_append(all, (json_t *)category);
    for (size_t i = 0; i < sizeof hard / sizeof hard[0]; i++)
        if (!strcmp(code, hard[i]))
            json_array_append_new(all, json_string("Hard"));
    return all;
}

static const struct dsr_subject_form form = {.header = true,
                                             .split = "val",
                                             .shots = 5,
                                             .solved = "",
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
    return dsr_grade_by_mode(answer, verdict, dsr_grade_choice, dsr_grade_first_capital, err);
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
    .name = "ceval",
    .version = "1.0",
    .summary = "C-Eval: Chinese examination questions, four options",
    .licence = "Apache-2.0",
    .ops = &ops,
};
