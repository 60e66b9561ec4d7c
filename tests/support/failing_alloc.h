/*
 * failing_alloc.h - memory that runs out at a chosen call.
 *
 * For tests linked with WRAP malloc calloc realloc strdup.  The usual loop:
 *
 *     for (unsigned n = 1; ; n++) {
 *         failing_alloc_arm(n);
 *         ... the code under test, which must survive ...
 *         if (!failing_alloc_disarm())
 *             break;
 *     }
 */
#ifndef WEIR_TEST_FAILING_ALLOC_H
#define WEIR_TEST_FAILING_ALLOC_H

#include <stdbool.h>

/* The `nth` allocation from now on, from 1, fails; of the whole process. */
void failing_alloc_arm(unsigned nth);

/* True when it came to that. */
bool failing_alloc_disarm(void);

#endif
