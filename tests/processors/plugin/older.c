/*
 * older.c - a plugin from a time when the table ended with handle_message: what
 * follows it in memory is not ours to read.
 */
#include <weir/handler.h>

struct older_handler {
    uint32_t abi_version, struct_size;
    const char *name;
    void (*init)(void);
    void (*prepare_messages)(void);
    enum weir_status (*handle_message)(struct weir_message *msg, void *state);
};

WEIR_EXPORT extern const struct {
    struct older_handler handler;
    void *behind[3];
} older_plugin __asm__("weir_handler");

static enum weir_status handle_message(struct weir_message *msg, void *state)
{
    (void)msg;
    (void)state;
    return WEIR_DONE;
}

const __typeof__(older_plugin) older_plugin = {
    .handler = {.abi_version = WEIR_ABI_VERSION,
                .struct_size = sizeof(struct older_handler),
                .name = "older",
                .handle_message = handle_message},
    .behind = {(void *)1, (void *)1, (void *)1},
};
