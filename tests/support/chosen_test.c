/*
 * chosen_test.c - runs one case of a test: WEIR_TEST_CASE=name tests/..._test
 *
 * Threads: none; before main().
 */
#include "test.h"

#include <stdlib.h>

__attribute__((constructor)) static void choose_test(void)
{
    const char *name = getenv("WEIR_TEST_CASE");

    if (name)
        cmocka_set_test_filter(name);
}
