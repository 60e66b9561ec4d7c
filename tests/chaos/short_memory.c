/*
 * short_memory.c - every n-th allocation of weir fails, when it is told so.
 *
 * Preloaded before weir.  Only what libweir.so itself allocates counts: the
 * client libraries end the process when they get no memory, and that is not
 * weir's to survive.  CHAOS_MEMORY names a file of two 32-bit numbers that is
 * mapped: the test writes n into the first (0: nothing fails), the second
 * counts failures.
 *
 * Threads: any; the numbers are atomic, the bounds are set before main().
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <link.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);

struct order {
    _Atomic uint32_t every, failed;
};

static struct order *order;
static _Atomic uint32_t calls;
static uintptr_t first, last; /* the code of libweir.so */

static int find_code(struct dl_phdr_info *info, size_t size, void *unused)
{
    (void)size;
    (void)unused;
    if (!strstr(info->dlpi_name, "libweir.so"))
        return 0;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *const part = &info->dlpi_phdr[i];

        if (part->p_type == PT_LOAD && (part->p_flags & PF_X)) {
            first = info->dlpi_addr + part->p_vaddr;
            last = first + part->p_memsz;
        }
    }
    return 1;
}

__attribute__((constructor)) static void take_orders(void)
{
    const char *const path = getenv("CHAOS_MEMORY");
    const int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    void *mapped = MAP_FAILED;

    if (fd < 0)
        return;
    (void)dl_iterate_phdr(find_code, NULL);
    mapped =
        mmap(NULL, sizeof(*order), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    (void)close(fd);
    if (mapped != MAP_FAILED)
        order = mapped;
}

static int is_due(const void *caller)
{
    const uint32_t every = order ? atomic_load(&order->every) : 0;

    if (every == 0 || (uintptr_t)caller < first || (uintptr_t)caller >= last ||
        atomic_fetch_add(&calls, 1) % every != 0)
        return 0;
    atomic_fetch_add(&order->failed, 1);
    return 1;
}

void *malloc(size_t size)
{
    return is_due(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return is_due(__builtin_return_address(0)) ? NULL
                                               : __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
    return is_due(__builtin_return_address(0)) ? NULL
                                               : __libc_realloc(memory, size);
}
