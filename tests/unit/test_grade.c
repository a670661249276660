/* core/grade: the graders that benchmarks share. Cases of our own; the labelled sets of
 * DSR_CONFORMANCE_DIR are run by tests/integration/grading.sh. */
#include "core/base/base.h"
#include "tests/unit/unit.h"

#include <dsr/evaluator.h>

struct sample {
    const char *text, *extracted, *gold;
};

static const struct sample choices[] = {
    {"ANSWER: C", "C", "C"},
    {"**Answer:** **B**", "B", "B"},
    {"**Answer**: (D)", "D", "D"},
    {"The answer is $\\boxed{\\text{A}}$.", "A", "A"},
    {"\\boxed{C: the third}", "C", "C"},
    {"The correct option is B because of symmetry.", "B", "B"},
    {"Option D is correct.", "D", "D"},
    {"Answer: A. Wait, no. Answer: B", "B", "B"},
    {"答案：C", "C", "C"},
    {"故选Ｄ。", "D", "D"},
    {"所以正确答案是B。", "B", "B"},
    {"（A）", "A", "A"},
    {"C", "C", "C"},
    {"Answer: $B", "B", "B"},
    {"<think>Answer: A</think>Answer: D", "D", "D"},
    {"<think>the answer is A, never closed", "", "A"},
    {"My final choice is (B).", "B", "B"},
    {"None of the other options work, leaving A.", "A", "A"},
    {"A is incorrect. B is incorrect. C is incorrect. D is correct.", "D", "D"},
    {"Answer: C\n\nExplanation: Option A ignores spin. Option D violates parity.", "C", "C"},
    {"I initially thought A, but the answer is D.", "D", "D"},
    {"B it is.", "B", "B"},
    {"【答案】B", "B", "B"},
    {"A错误，B错误，C正确，D错误。故选C。", "C", "C"},
    {"答案是A？不对，应该是B。", "B", "B"},
    {"<think>\nlong\n\nTherefore, the correct option is (D).", "D", "D"},
    {"ANSWER: B\n\n(Option D is a common mistake.)", "B", "B"},
    {"答案：A、C", "", "A"},
    {"Either A or B could be right.", "", "A"},
    {"Answer: A or B", "", "A"},
    {"I can't answer that.", "", "A"},
    {"Answer: Based on the data this can't be told", "", "B"},
    {"Answer: All of them", "", "A"},
    {"", "", "A"},
};

START_TEST(choices_are_read)
{
    const struct sample *s = &choices[_i];
    struct dsr_grade grade;
    struct dsr_answer answer = {
        .gold = s->gold, .answer = s->text, .answer_len = strlen(s->text), .mode = "dsr"};
    dsr_grade_choice(&answer, &grade);
    ck_assert_str_eq(grade.extracted, s->extracted);
    ck_assert_int_eq(grade.correct, s->extracted[0] != '\0');
}
END_TEST

START_TEST(an_option_may_be_named_by_its_words)
{
    json_t *options = json_pack("[s, s]", "a red giant", "a white dwarf");
    const char *text = "It must be a white dwarf.";
    struct dsr_grade grade;
    struct dsr_answer answer = {
        .gold = "B", .options = options, .answer = text, .answer_len = strlen(text), .mode = "dsr"};
    dsr_grade_choice(&answer, &grade);
    ck_assert_str_eq(grade.rule, "option_text");
    ck_assert(grade.correct);
    json_decref(options);
}
END_TEST

static const struct sample integers[] = {
    {"\\boxed{033}", "33", "33"},
    {"\\boxed{33}", "33", "033"},
    {"The answer is 1,000.", "1000", "1000"},
    {"$\\boxed{1{,}000}$", "1000", "1000"},
    {"\\fbox{480}", "480", "480"},
    {"\\boxed {902}", "902", "902"},
    {"\\boxed{73.}", "73", "73"},
    {"\\boxed{m+n = 944}", "944", "944"},
    {"\\boxed{３６}", "36", "36"},
    {"Answer: 588", "588", "588"},
    {"答案是 204。", "204", "204"},
    {"So \\boxed{12}, no: \\boxed{13}", "13", "13"},
    {"\\boxed{45^\\circ}", "45", "45"},
    {"<think>\\boxed{1}</think>\\boxed{2}", "2", "2"},
};

START_TEST(integers_are_read)
{
    const struct sample *s = &integers[_i];
    struct dsr_grade grade;
    struct dsr_answer answer = {
        .gold = s->gold, .answer = s->text, .answer_len = strlen(s->text), .mode = "dsr"};
    dsr_grade_integer(&answer, &grade);
    ck_assert_str_eq(grade.extracted, s->extracted);
    ck_assert(grade.correct);
}
END_TEST

static const char *const no_integers[] = {
    "\\boxed{16\\pi}", "\\boxed{33.5}", "\\boxed{\\frac{33}{2}}", "", "I give up.",
    "\\boxed{133}",    "\\boxed{-33}"};

START_TEST(what_is_no_such_integer_is_wrong)
{
    struct dsr_grade grade;
    struct dsr_answer answer = {.gold = "33",
                                .answer = no_integers[_i],
                                .answer_len = strlen(no_integers[_i]),
                                .mode = "dsr"};
    dsr_grade_integer(&answer, &grade);
    ck_assert(!grade.correct);
}
END_TEST

/* Phrases of our own, in tests/unit/phrases.jsonl: what a choice says, or whether an integer is
 * right. */
static int check_phrase(void *arg, json_t *phrase, int line, struct dsr_error *err)
{
    const json_t *response = json_object_get(phrase, "response");
    bool choice = !strcmp(dsr_json_string(phrase, "evaluator", ""), "gpqa");
    struct dsr_grade grade;
    struct dsr_answer answer = {.gold = dsr_json_string(phrase, "gold", "A"),
                                .options = json_object_get(phrase, "options"),
                                .answer = json_string_value(response),
                                .answer_len = json_string_length(response),
                                .mode = "dsr"};
    (void)err;
    (choice ? dsr_grade_choice : dsr_grade_integer)(&answer, &grade);
    if (choice)
        ck_assert_msg(!strcmp(grade.extracted, dsr_json_string(phrase, "says", "?")),
                      "line %d: read \"%s\" by %s", line, grade.extracted, grade.rule);
    else
        ck_assert_msg(grade.correct == json_is_true(json_object_get(phrase, "correct")),
                      "line %d: read \"%s\" by %s", line, grade.extracted, grade.rule);
    ++*(int *)arg;
    return 0;
}

START_TEST(phrases_are_understood)
{
    const char *folder = getenv("top_srcdir");
    DSR_AUTO(str) char *path = dsr_path_join(folder ? folder : ".", "tests/unit/phrases.jsonl");
    struct dsr_error err;
    int n = 0;
    ck_assert_int_eq(dsr_jsonl_read(path, check_phrase, &n, &err), 0);
    ck_assert_int_gt(n, 500);
}
END_TEST

/* The last statement counts wherever it stands, up to 64 KiB before the end. */
static const size_t distances[] = {10, 900, 1100, 7000, 9000, 60000};

START_TEST(statements_far_from_the_end_are_found)
{
    struct dsr_buf text = {0};
    struct dsr_grade grade;
    dsr_buf_adds(&text, "ANSWER: C\n\nNo:\n\nANSWER: B\n");
    size_t before = text.len;
    while (text.len - before < distances[_i])
        dsr_buf_adds(&text, "more words on energy and mass, \n");
    struct dsr_answer answer = {
        .gold = "B", .answer = text.data, .answer_len = text.len, .mode = "dsr"};
    dsr_grade_choice(&answer, &grade);
    ck_assert_str_eq(grade.extracted, "B");
    dsr_buf_clear(&text);
}
END_TEST

static const struct {
    const char *text, *gold, *rule;
    bool correct;
} texts[] = {
    {"The capital is \\boxed{New  Delhi}.", "new delhi", "boxed", true},
    {"Answer: New Delhi.", "New Delhi", "answer_statement", true},
    {"The answer is \"Paris\".", "paris", "answer_statement", true},
    {"First London, but the answer is Paris.\n\nWait. Answer: Rome", "Rome", "answer_statement",
     true},
    {"答案是：北京。", "北京", "chinese_statement", true},
    {"Canberra", "canberra", "last_line", true},
    {"Answer: Sydney", "Canberra", "answer_statement", false},
    {"I'm sorry, but I can't help with that.", "Canberra", "refusal", false},
    {"", "Canberra", "none", false},
    {"The answer is 1,024.", "1024", "answer_statement", true},
};

START_TEST(exact_answers_are_compared)
{
    struct dsr_grade grade;
    struct dsr_answer answer = {.gold = texts[_i].gold,
                                .answer = texts[_i].text,
                                .answer_len = strlen(texts[_i].text),
                                .mode = "dsr"};
    dsr_grade_exact(&answer, &grade);
    ck_assert_str_eq(grade.rule, texts[_i].rule);
    ck_assert_int_eq(grade.correct, texts[_i].correct);
}
END_TEST

static const char *const refusals[] = {"I'm sorry, but I can't answer this.",
                                       "As an AI, I do not give medical advice.",
                                       "抱歉，我无法回答这个问题。"};

START_TEST(refusals_are_told_apart)
{
    struct dsr_grade grade;
    struct dsr_answer answer = {
        .gold = "A", .answer = refusals[_i], .answer_len = strlen(refusals[_i]), .mode = "dsr"};
    dsr_grade_choice(&answer, &grade);
    ck_assert_str_eq(grade.rule, "refusal");
    dsr_grade_integer(&answer, &grade);
    ck_assert_str_eq(grade.rule, "refusal");
}
END_TEST

/* Any bytes at all: no crash, no reading outside (AddressSanitizer looks on). */
START_TEST(random_bytes_do_no_harm)
{
    static const char *const parts[] = {"\\boxed{", "{",    "}",       "\\",       "答案",
                                        "\xef\xbc", "\xff", "Answer:", "A",        "1",
                                        "\x01",     "\x02", "<think>", "</think>", "\n",
                                        "(",        "or",   "=",       "\\text",   "$"};
    struct dsr_rng rng;
    dsr_rng_init(&rng, 1, (uint64_t)_i);
    struct dsr_buf text = {0};
    for (int i = 0; i < 40; i++)
        dsr_buf_adds(&text, parts[dsr_rng_below(&rng, DSR_COUNT(parts))]);
    char *exact = malloc(text.len); /* without the NUL */
    memcpy(exact, text.data, text.len);
    struct dsr_grade grade;
    struct dsr_answer answer = {
        .gold = "A", .answer = exact, .answer_len = text.len, .mode = "dsr"};
    dsr_grade_choice(&answer, &grade);
    dsr_grade_integer(&answer, &grade);
    dsr_grade_latex_integer(&answer, &grade);
    dsr_grade_first_answer(&answer, &grade);
    dsr_grade_first_capital(&answer, &grade);
    answer.gold = "some words";
    dsr_grade_exact(&answer, &grade);
    free(exact);
    dsr_buf_clear(&text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("grade");
    TCase *tcase = tcase_create("grade");
    tcase_add_loop_test(tcase, choices_are_read, 0, (int)DSR_COUNT(choices));
    tcase_add_test(tcase, an_option_may_be_named_by_its_words);
    tcase_add_loop_test(tcase, integers_are_read, 0, (int)DSR_COUNT(integers));
    tcase_add_loop_test(tcase, what_is_no_such_integer_is_wrong, 0, (int)DSR_COUNT(no_integers));
    tcase_add_test(tcase, phrases_are_understood);
    tcase_add_loop_test(tcase, statements_far_from_the_end_are_found, 0, (int)DSR_COUNT(distances));
    tcase_add_loop_test(tcase, exact_answers_are_compared, 0, (int)DSR_COUNT(texts));
    tcase_add_loop_test(tcase, refusals_are_told_apart, 0, (int)DSR_COUNT(refusals));
    tcase_add_loop_test(tcase, random_bytes_do_no_harm, 0, 300);
    suite_add_tcase(suite, tcase);
    return unit_run(suite);
}
