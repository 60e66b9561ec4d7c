/*
 * passthrough.h - the handler that lets every message through as it came.
 */
#ifndef WEIR_PASSTHROUGH_H
#define WEIR_PASSTHROUGH_H

#include <weir/handler.h>

/* `handler: passthrough`; has no callback, so every message is WEIR_OK and goes
 * to the batcher "default". */
extern const struct weir_handler weir_passthrough;

#endif
