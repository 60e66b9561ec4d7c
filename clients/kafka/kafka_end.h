/*
 * kafka_end.h - letting go of a client, by a deadline.
 */
#ifndef WEIR_KAFKA_END_H
#define WEIR_KAFKA_END_H

#include <stdbool.h>
#include <stdint.h>

#include <librdkafka/rdkafka.h>

/*
 * Takes `rk`.  A consumer leaves its group, as far as the deadline allows;
 * partitions that it still had are given up without a commit.  All queues,
 * lists and messages of it must be gone.  False: the library did not return in
 * time, and its thread goes on without us.
 */
bool kafka_end(rd_kafka_t *rk, int64_t deadline_us);

#endif
