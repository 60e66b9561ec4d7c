/*
 * unresolved_weir.c - a plugin that calls what only a newer weir has.
 */
#include <weir/handler.h>

enum weir_status weir_message_from_tomorrow(struct weir_message *msg,
                                            void *state);

WEIR_HANDLER(unresolved_weir, .handle_message = weir_message_from_tomorrow);
