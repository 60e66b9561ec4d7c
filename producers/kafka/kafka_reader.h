/*
 * kafka_reader.h - from the partitions' queues into the intake.
 */
#ifndef WEIR_KAFKA_READER_H
#define WEIR_KAFKA_READER_H

#include <stdint.h>

struct kafka_producer;
struct kafka_partition;

/* Offers at most `demand` messages; returns how many were taken. */
unsigned kafka_reader_read(struct kafka_producer *kafka, unsigned demand);

/* Passes what has no message (transaction markers), once its queue is empty. */
void kafka_reader_follow(struct kafka_producer *kafka,
                         struct kafka_partition *part);

/* Something came: queues that were empty are worth a look. */
void kafka_reader_wake(struct kafka_producer *kafka);

/* Once in a while: positions that passed no message, and lag. */
void kafka_reader_tick(struct kafka_producer *kafka);

#endif
