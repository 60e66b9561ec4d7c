/*
 * plugin.c - the handler as `plugin: access_log` finds it in access_log.so.
 */
#include "access_log.h"

WEIR_HANDLER(access_log, .handle_message = access_log_handle_message);
