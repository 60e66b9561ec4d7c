/*
 * lanes.h - payloads "lane:number", and whether they came in their order.
 */
#ifndef WEIR_TEST_LANES_H
#define WEIR_TEST_LANES_H

#include <stdbool.h>

#include <weir/message.h>

#include "collecting_sink.h"

/* Of a payload "3:17". */
struct place {
    unsigned lane, number;
};

struct place place_of(const struct weir_message *msg);
bool place_is(const struct weir_message *msg, unsigned lane, unsigned number);

/* How often it was delivered; the first and the last time, -1: never. */
unsigned times_delivered(struct collection *collection, unsigned lane,
                         unsigned number);
long first_delivered(struct collection *collection, unsigned lane,
                     unsigned number);
long last_delivered(struct collection *collection, unsigned lane,
                    unsigned number);

/* How many messages of `lane` were delivered. */
unsigned count_delivered(struct collection *collection, unsigned lane);

/* Fails the test unless 0 .. count - 1 of each of `lanes` were delivered, once,
 * in their order. */
void assert_in_order(struct collection *collection, unsigned lanes,
                     unsigned count);

/* The same where repeats are fine: what was delivered last counts. */
void assert_in_order_at_last(struct collection *collection, unsigned lanes,
                             unsigned count);

#endif
