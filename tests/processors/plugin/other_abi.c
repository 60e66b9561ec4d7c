/*
 * other_abi.c - a plugin for the next ABI.
 */
#include <weir/handler.h>

WEIR_EXPORT extern const struct weir_handler weir_handler;
const struct weir_handler weir_handler = {
    .abi_version = WEIR_ABI_VERSION + 1,
    .struct_size = sizeof(struct weir_handler),
    .name = "other_abi",
};
