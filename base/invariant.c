/*
 * invariant.c - what must hold, also in release builds.
 */
#include "invariant.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void invariant_failed(const char *condition, const char *file,
                                int line)
{
    (void)fprintf(stderr, "weir: internal error: %s does not hold (%s:%d)\n",
                  condition, file, line);
    abort();
}
