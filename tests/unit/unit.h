/* The frame of the unit tests: one suite a program, results as TAP. */
#ifndef DSR_UNIT_H
#define DSR_UNIT_H

#include <check.h>
#include <stdlib.h>

/* Runs the suite; the exit status is for main(). */
static inline int unit_run(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
