/*
 * demo_handler.h - the access-log handler, with a witness of what arrives.
 */
#ifndef WEIR_CLI_DEMO_HANDLER_H
#define WEIR_CLI_DEMO_HANDLER_H

#include <stdint.h>

#include <weir/handler.h>

/* One per message, as many as fit into one write, on the pipe whose descriptor
 * the option `witness` names. */
struct demo_event {
    uint64_t id; /* the message's key */
    uint32_t is_rejected;
    uint32_t unused; /* so that no byte of it is undefined */
};

extern const struct weir_handler demo_handler;

#endif
