/*
 * unresolved.c - a plugin whose library was forgotten on the command line.
 */
#include <weir/handler.h>

enum weir_status forgotten_library_call(struct weir_message *msg, void *state);

WEIR_HANDLER(unresolved, .handle_message = forgotten_library_call);
