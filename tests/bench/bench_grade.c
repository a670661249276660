/* Grading speed: answers of 40 KB a second on one core, for each grader and kind of text. With a
 * folder as argument the texts are written there, so that bench_grade.py can run the reference's
 * expressions on them. `make bench`. */
#include "core/base/base.h"

#include <dsr/evaluator.h>
#include <time.h>

#define SIZE 40000

static double cpu_s(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Reasoning that talks of options and numbers, as models do. */
static void add_reasoning(struct dsr_buf *text, bool chinese)
{
    static const char *const english[] = {
        "The first option says that the rate doubles, so option A would need a second factor.\n",
        "We compute $\\frac{3}{4} \\cdot 128 = 96$ and compare it with the value in choice (C).\n",
        "However, the answer can't depend on the sign here; let me check the other case again.\n",
        "Substituting x = 12 gives 144 - 24 = 120, which is close to but not equal to 121.\n\n"};
    static const char *const other[] = {"首先看选项A，它说速率加倍，这需要第二个因素。\n",
                                        "计算可得 3/4 乘以 128 等于 96，与选项C比较。\n",
                                        "但是答案不应该取决于这里的符号，让我再检查一遍。\n\n"};
    for (size_t i = 0; text->len < SIZE; i++)
        dsr_buf_adds(text, chinese ? other[i % 3] : english[i % 4]);
}

static void make(struct dsr_buf *text, const char *open, bool chinese, const char *close)
{
    dsr_buf_adds(text, open);
    add_reasoning(text, chinese);
    dsr_buf_adds(text, close);
}

static void measure(const char *name, dsr_grader_fn *grader, const struct dsr_buf *text,
                    const char *gold)
{
    struct dsr_answer answer = {
        .gold = gold, .answer = text->data, .answer_len = text->len, .mode = "dsr"};
    struct dsr_grade grade;
    grader(&answer, &grade); /* compiles */
    double start = cpu_s(), seconds;
    int n = 0;
    do {
        for (int i = 0; i < 50; i++)
            grader(&answer, &grade);
        n += 50;
    } while ((seconds = cpu_s() - start) < 0.3);
    printf("%-44s %9.0f a second  (read \"%s\", %s)\n", name, n / seconds, grade.extracted,
           grade.correct ? "correct" : "not correct");
}

static void save(const char *folder, const char *name, const struct dsr_buf *text)
{
    DSR_AUTO(str) char *path = dsr_path_join(folder, name);
    DSR_AUTO(file) FILE *file = path ? fopen(path, "w") : NULL;
    if (file)
        fwrite(text->data, 1, text->len, file);
}

int main(int argc, char **argv)
{
    struct dsr_buf think = {0}, plain = {0}, chinese = {0}, math = {0}, none = {0};
    make(&think, "<think>\n", false, "\n</think>\n\nThe rate doubles.\n\n**ANSWER: B**");
    make(&plain, "", false, "\nANSWER: B");
    make(&chinese, "", true, "\n因此，答案是B。");
    make(&math, "", false, "\nThe final answer is $\\boxed{204}$.");
    make(&none, "", false, "and so on");
    measure("gpqa, reasoning in think tags", dsr_grade_choice, &think, "B");
    measure("gpqa, reasoning in the answer", dsr_grade_choice, &plain, "B");
    measure("gpqa, no answer at all", dsr_grade_choice, &none, "B");
    measure("gpqa, opencompass", dsr_grade_first_answer, &plain, "B");
    measure("ceval, Chinese", dsr_grade_choice, &chinese, "B");
    measure("ceval, opencompass", dsr_grade_first_capital, &chinese, "A");
    measure("aime", dsr_grade_integer, &math, "204");
    measure("aime, no answer at all", dsr_grade_integer, &none, "204");
    measure("aime, opencompass", dsr_grade_latex_integer, &math, "204");
    struct dsr_buf *const all[] = {&think, &plain, &chinese, &math, &none};
    if (argc > 1) {
        save(argv[1], "gpqa.txt", &plain);
        save(argv[1], "ceval.txt", &chinese);
        save(argv[1], "none.txt", &none);
    }
    for (size_t i = 0; i < DSR_COUNT(all); i++)
        dsr_buf_clear(all[i]);
    return 0;
}
