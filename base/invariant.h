/*
 * invariant.h - what must hold, also in release builds.
 */
#ifndef WEIR_BASE_INVARIANT_H
#define WEIR_BASE_INVARIANT_H

/* A bug of ours: says where and aborts.  For what may happen: weir_fail(). */
#define INVARIANT(condition)                                                   \
    do {                                                                       \
        if (__builtin_expect(!(condition), 0))                                 \
            invariant_failed(#condition, __FILE__, __LINE__);                  \
    } while (0)

_Noreturn void invariant_failed(const char *condition, const char *file,
                                int line);

#endif
