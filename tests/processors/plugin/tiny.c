/*
 * tiny.c - a table written by hand, with a size that nobody filled in.
 */
#include <weir/handler.h>

WEIR_EXPORT extern const struct weir_handler weir_handler;
const struct weir_handler weir_handler = {
    .abi_version = WEIR_ABI_VERSION,
    .name = "tiny",
};
