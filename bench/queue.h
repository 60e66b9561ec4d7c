/*
 * queue.h - a plain connection to a RabbitMQ queue, for the bare loop and the
 * filler.  Whatever fails ends the program.
 */
#ifndef BENCH_QUEUE_H
#define BENCH_QUEUE_H

#include <stdint.h>

#include "rabbitmq.h"

/* Connects, opens channel 1 and declares `queue` ("classic" or "quorum"). */
amqp_connection_state_t queue_open(char *url, const char *queue,
                                   const char *type);
void queue_close(amqp_connection_state_t link);

/* Ends the program unless the last call on `link` was answered well. */
void queue_must(amqp_connection_state_t link, const char *what);

/* The next frame, waiting up to `wait_ms` (negative: for ever).  0: none. */
int queue_frame(amqp_connection_state_t link, amqp_frame_t *frame, int wait_ms);

#endif
