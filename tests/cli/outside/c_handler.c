/*
 * c_handler.c - a handler as somebody else writes it.
 */
#include <weir/handler.h>

static enum weir_status handle_message(struct weir_message *msg, void *state)
{
    (void)state;
    weir_message_set_batch_key(msg, WEIR_STR("c"));
    return WEIR_OK;
}

WEIR_HANDLER(c_handler, .handle_message = handle_message);
