/*
 * target.h - what a fuzzer calls; each target is one file that defines it.
 */
#ifndef WEIR_FUZZ_TARGET_H
#define WEIR_FUZZ_TARGET_H

#include <stddef.h>
#include <stdint.h>

/* Returns 0; whatever is wrong ends the process. */
/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A new copy that ends with a NUL; NULL: no memory. */
char *target_text(const uint8_t *data, size_t size);

#endif
