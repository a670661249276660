/* libFuzzer target: any bytes of an answer are graded by every grader without harm, and a verdict
 * is the same the second time. */
#include "core/base/base.h"

#include <dsr/evaluator.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static dsr_grader_fn *const graders[] = {dsr_grade_choice,        dsr_grade_integer,
                                             dsr_grade_exact,         dsr_grade_first_answer,
                                             dsr_grade_first_capital, dsr_grade_latex_integer};
    json_t *options = json_pack("[s, s, s, s]", "a red giant", "204", "选项", "");
    struct dsr_answer answer = {
        .gold = "a red giant", .answer = (const char *)bytes, .answer_len = n, .mode = "dsr"};
    for (size_t i = 0; i < DSR_COUNT(graders); i++) {
        struct dsr_grade first, second;
        answer.options = i == 0 ? options : NULL;
        graders[i](&answer, &first);
        graders[i](&answer, &second);
        if (strcmp(first.rule, second.rule) || strcmp(first.extracted, second.extracted) ||
            first.correct != second.correct)
            abort();
    }
    json_decref(options);
    return 0;
}
