/*
 * weir/batch.h - messages on their way to a destination together.
 *
 * Borrowed by a sink from write() until every message has its outcome, and by
 * handle_batch() until it returns.  One thread.
 */
#ifndef WEIR_BATCH_H
#define WEIR_BATCH_H

#include <weir/message.h>

#ifdef __cplusplus
extern "C" {
#endif

struct weir_batch; /* opaque: flow/batch.c */

WEIR_EXPORT
size_t weir_batch_count(const struct weir_batch *batch);
WEIR_EXPORT
struct weir_message *weir_batch_message(struct weir_batch *batch, size_t index);

/* The key that its messages share, or absent. */
WEIR_EXPORT
struct weir_bytes weir_batch_key(const struct weir_batch *batch);
WEIR_EXPORT
const char *weir_batch_batcher(const struct weir_batch *batch);

/*
 * Messages first .. first + count - 1 ended alike.  `status`: WEIR_OK
 * delivered, WEIR_RETRY this message again, WEIR_REJECT never.  `reason` is
 * copied and may be NULL.  An outcome that is set twice is refused and counted;
 * a batch may be gone after its last outcome was set.
 */
WEIR_EXPORT
void weir_batch_set_outcome(struct weir_batch *batch, size_t first,
                            size_t count, enum weir_status status,
                            const char *reason);

#ifdef __cplusplus
}
#endif

#endif
