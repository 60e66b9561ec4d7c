/*
 * passthrough.c - the handler that lets every message through as it came.
 */
#include "passthrough.h"

const struct weir_handler weir_passthrough = {
    .abi_version = WEIR_ABI_VERSION,
    .struct_size = sizeof(struct weir_handler),
    .name = "passthrough",
};
