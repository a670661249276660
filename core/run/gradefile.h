/* Grading lines of a file, or a pipe, in parallel and in order. */
#ifndef DSR_GRADEFILE_H
#define DSR_GRADEFILE_H

#include "core/base/base.h"

#include <dsr/evaluator.h>
#include <stdio.h>

/* Reads lines {"id","response","gold","options"?} and writes a line {"id","extracted","correct",
 * "score","rule"} for each, in the order of the input, as soon as it may be written. Lines are
 * parsed and graded by as many threads as there are processors; memory does not grow with the
 * file. A bad line ends it, with file and line; what stands before it has been written. */
int dsr_grade_file(const struct dsr_evaluator_ops *ops, const char *grader, const char *path,
                   FILE *out, struct dsr_error *err);

#endif
