/*
 * kafka_send.h - messages are handed to the client.
 */
#ifndef WEIR_KAFKA_SEND_H
#define WEIR_KAFKA_SEND_H

#include "kafka_writer.h"

/* As many as there is room for, in order.  WEIR_RETRY: no memory, nothing more
 * was sent. */
WEIR_MUST_USE
enum weir_status kafka_send(struct kafka_writer *writer,
                            struct weir_error *err);

#endif
