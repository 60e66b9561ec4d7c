/*
 * weir/handler.h - what a user's code implements.
 *
 *     static enum weir_status handle_message(struct weir_message *msg,
 *                                            void *state);
 *     WEIR_HANDLER(orders, .handle_message = handle_message);
 *
 * Every callback may be NULL.  State is per worker and a worker is one thread,
 * so a handler needs no locks.  Callbacks may block; a message that takes long
 * parks nothing but its worker (and, in an ordered mode, its lane).
 */
#ifndef WEIR_HANDLER_H
#define WEIR_HANDLER_H

#include <weir/batch.h>
#include <weir/change.h>
#include <weir/log.h>
#include <weir/message.h>
#include <weir/settings.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WEIR_ABI_VERSION 1U

/* Whose state init() makes. */
struct weir_worker {
    const char *batcher; /* NULL in a processor */
    unsigned index, count;
};

struct weir_handler {
    uint32_t abi_version; /* WEIR_ABI_VERSION */
    uint32_t struct_size; /* new members come at the end */
    const char *name;

    /* Once per worker, on its thread, before its first message.  Sink workers
     * have a state where there is handle_batch or handle_failed.  Anything but
     * WEIR_OK ends the start: exit code 78. */
    enum weir_status (*init)(const struct weir_worker *worker,
                             const struct weir_settings *options,
                             void **ret_state, struct weir_error *err);

    /* Before handle_message(), on all messages that a worker took at once.
     * WEIR_RETRY holds all, WEIR_REJECT fails all.  Those that this worker then
     * does not handle, because one before them is slow or is to be tried again,
     * are prepared anew where they are handled; what was changed is forgotten.
     */
    enum weir_status (*prepare_messages)(struct weir_message *const *messages,
                                         size_t count, void *state);

    /* WEIR_OK go on to the batcher, WEIR_DONE finished here, WEIR_RETRY again
     * later, WEIR_REJECT bad, WEIR_FATAL end the run.  Else: fails. */
    enum weir_status (*handle_message)(struct weir_message *msg, void *state);

    /* For batchers without a sink.  A message without an outcome follows the
     * return: WEIR_OK, WEIR_RETRY (the destination is down: all of them held
     * without limit), WEIR_REJECT. */
    enum weir_status (*handle_batch)(struct weir_batch *batch, void *state);

    /* Once, before settlement, on messages that finally failed.  May choose
     * their failure policy; can't resurrect them. */
    enum weir_status (*handle_failed)(struct weir_message *const *messages,
                                      size_t count, void *state);

    /* Once per state, on its thread. */
    void (*terminate)(void *state);
};

/* C++ warns of members that are left out on purpose. */
#ifdef __cplusplus
#define WEIR_HANDLER_LINKAGE                                                   \
    _Pragma(                                                                   \
        "GCC diagnostic ignored \"-Wmissing-field-initializers\"") extern "C"
#else
#define WEIR_HANDLER_LINKAGE extern
#endif

/* Defines the symbol that a plugin exports, with C linkage, also in C++20. */
#define WEIR_HANDLER(handler, ...)                                             \
    WEIR_HANDLER_LINKAGE WEIR_EXPORT const struct weir_handler weir_handler;   \
    const struct weir_handler weir_handler = {                                 \
        .abi_version = WEIR_ABI_VERSION,                                       \
        .struct_size = sizeof(struct weir_handler),                            \
        .name = #handler,                                                      \
        __VA_ARGS__,                                                           \
    }

#ifdef __cplusplus
}
#endif

#endif
