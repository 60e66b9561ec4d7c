/*
 * newer.c - a plugin for a weir whose table has one more callback.
 */
#include <weir/handler.h>

WEIR_EXPORT extern const struct {
    struct weir_handler known;
    void (*handle_tomorrow)(void);
} newer_plugin __asm__("weir_handler");

const __typeof__(newer_plugin) newer_plugin = {
    .known = {.abi_version = WEIR_ABI_VERSION,
              .struct_size = sizeof newer_plugin,
              .name = "newer"},
};
