/*
 * good.c - a plugin as `weir cc` makes it.
 */
#include <weir/handler.h>

static enum weir_status handle_message(struct weir_message *msg, void *state)
{
    (void)msg;
    (void)state;
    return WEIR_DONE;
}

static void terminate(void *state)
{
    (void)state;
}

WEIR_HANDLER(good, .handle_message = handle_message, .terminate = terminate);
