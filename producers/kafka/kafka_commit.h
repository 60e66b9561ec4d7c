/*
 * kafka_commit.h - telling the group how far its partitions are done.
 */
#ifndef WEIR_KAFKA_COMMIT_H
#define WEIR_KAFKA_COMMIT_H

#include <stdbool.h>
#include <stdint.h>

#include <weir/status.h>

struct kafka_producer;
struct kafka_partition;

/* Takes answers, and asks again when it is time or urgent.  Never blocks. */
void kafka_commit_serve(struct kafka_producer *kafka);

/* Doesn't wait for the interval when a window is half full, and it helps. */
void kafka_commit_hasten(struct kafka_producer *kafka,
                         const struct kafka_partition *part);

/* What is settled is committed, or the deadline came: then WEIR_AGAIN. */
WEIR_MUST_USE
enum weir_status kafka_commit_wait(struct kafka_producer *kafka,
                                   int64_t deadline_us);

/* Everything that was settled so far is confirmed. */
bool kafka_commit_is_complete(const struct kafka_producer *kafka);

#endif
