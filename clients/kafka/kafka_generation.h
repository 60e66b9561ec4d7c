/*
 * kafka_generation.h - what differs between the librdkafkas that weir runs on.
 *
 * CMake builds the one file that fits the library it found.
 */
#ifndef WEIR_KAFKA_GENERATION_H
#define WEIR_KAFKA_GENERATION_H

#include <stdint.h>

#include <librdkafka/rdkafka.h>

#include "kafka_conf.h"

/* Preferred values that only this generation knows; ends with NULL. */
const struct kafka_value *kafka_generation_values(void);

/*
 * Makes the client look at a partition's fetch queue now, which was full and
 * has been emptied.  Doesn't block.
 */
void kafka_generation_refill(rd_kafka_t *rk, const char *topic,
                             int32_t partition);

#endif
