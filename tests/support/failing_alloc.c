/*
 * failing_alloc.c - memory that runs out at a chosen call.
 *
 * Threads: any; the count is atomic.
 */
#include "failing_alloc.h"

#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
char *__wrap_strdup(const char *text);

/* Calls until one fails; 0 or less: none will, or one has. */
static atomic_long calls_left;
static atomic_bool is_armed;

void failing_alloc_arm(unsigned nth)
{
    atomic_store(&calls_left, (long)nth);
    atomic_store(&is_armed, true);
}

bool failing_alloc_disarm(void)
{
    atomic_store(&is_armed, false);
    return atomic_load(&calls_left) <= 0;
}

static bool is_due(void)
{
    return atomic_load(&is_armed) && atomic_fetch_sub(&calls_left, 1) == 1;
}

void *__wrap_malloc(size_t size)
{
    return is_due() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return is_due() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return is_due() ? NULL : __real_realloc(memory, size);
}

char *__wrap_strdup(const char *text)
{
    const size_t size = strlen(text) + 1;
    char *const copy = is_due() ? NULL : __real_malloc(size);

    return copy ? memcpy(copy, text, size) : NULL;
}
