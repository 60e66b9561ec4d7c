/*
 * watermark.h - how far a partition may be committed.
 */
#ifndef WEIR_KAFKA_WATERMARK_H
#define WEIR_KAFKA_WATERMARK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/status.h>

struct watermark; /* one per assigned partition and epoch */

/* Tracks at most `capacity` unsettled offsets.  NULL when out of memory. */
struct watermark *watermark_create(size_t capacity);
void watermark_destroy(struct watermark *mark); /* NULL is fine */

/* Tickets start at 0 and rise by one.  WEIR_AGAIN when full, or when there is
 * no memory for more: stop reading this partition until one is settled. */
WEIR_MUST_USE
enum weir_status watermark_begin(struct watermark *mark, int64_t offset,
                                 uint64_t *ret_ticket);

/* True when the commit point moved. */
bool watermark_settle(struct watermark *mark, uint64_t ticket);

/* The next offset to read after a restart, or -1 when nothing is settled. */
int64_t watermark_commit_point(const struct watermark *mark);

/* With nothing open, the commit point becomes `position`, which also passes
 * transaction markers and gaps.  True when it moved. */
bool watermark_advance(struct watermark *mark, int64_t position);

/* The oldest unsettled ticket, and the one that comes next. */
uint64_t watermark_head(const struct watermark *mark);
uint64_t watermark_tail(const struct watermark *mark);

#endif
