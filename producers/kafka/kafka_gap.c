/*
 * kafka_gap.c - when the broker no longer has what comes next.
 *
 * Retention deletes from the front, an unclean election cuts from the back, and
 * a topic may be deleted and made anew.  The library reports that it can't go
 * on (`auto.offset.reset` is always "error") and stops reading the partition.
 * Here it is decided where to go on, and said how much is missing.
 *
 * After its error the library ignores a seek, so the partitions are assigned
 * again with explicit offsets, which costs what was prefetched.  A gap is rare.
 *
 * Threads: the producer's, inside pull().
 */
#include "kafka_gap.h"

#include <inttypes.h>
#include <stdio.h>

#include "kafka_assignment.h"
#include "kafka_member.h"
#include "kafka_start.h"

/* The broker no longer has, or doesn't have yet, what comes next. */
static void cross_gap(struct kafka_producer *kafka,
                      struct kafka_partition *part)
{
    int64_t low = 0, high = 0, next;
    uint64_t missing;

    if (kafka_start_find_bounds(kafka, part, &low, &high) != WEIR_OK)
        return; /* again at the next tick */
    if (part->next >= low && part->next <= high) {
        kafka_assignment_cross(kafka, part, part->next);
        return;
    }
    if (kafka->options.on_gap == KAFKA_GAP_STOP) {
        kafka->is_stopped = true;
        (void)snprintf(kafka->stop_text, sizeof kafka->stop_text,
                       "%.100s/%d: offset %" PRId64 " is gone, the broker has "
                       "%" PRId64 " to %" PRId64,
                       part->topic, part->number, part->next, low, high);
        return;
    }
    next = kafka->options.on_gap == KAFKA_GAP_LATEST ? high : low;
    missing =
        (uint64_t)(next > part->next ? next - part->next : part->next - high);
    log_write(WEIR_LOG_WARNING,
              "kafka: %s/%d: offset %" PRId64
              " is gone, the broker has %" PRId64 " to %" PRId64
              "; going on at %" PRId64 ", %" PRIu64 " offsets are missing",
              part->topic, part->number, part->next, low, high, next, missing);
    weir_intake_count_gap(kafka->intake, missing);
    kafka_assignment_cross(kafka, part, next);
}

void kafka_gap_serve(struct kafka_producer *kafka)
{
    kafka->has_gap = false;
    for (size_t i = 0; i < kafka->partitions.size; i++) {
        struct kafka_partition *part = kafka->partitions.list[i];

        if (part && part->has_gap && !kafka->is_stopped)
            cross_gap(kafka, part);
        part = kafka->partitions.list[i];
        kafka->has_gap |= part && part->has_gap;
    }
}
