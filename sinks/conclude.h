/*
 * conclude.h - what becomes of a message after its sink said something, or
 * nothing.
 */
#ifndef WEIR_SINKS_CONCLUDE_H
#define WEIR_SINKS_CONCLUDE_H

#include "sink.h"

/* It leaves this worker: once per message. */
void conclude_end(struct sink *sink, struct weir_message *msg,
                  enum ending ending);

/* Nowhere to wait: the message is left, and a run that can't keep its promises
 * ends. */
void conclude_no_memory(struct sink *sink, struct weir_message *msg);

/* It took the process down too often; its reason is set. */
void conclude_condemned(struct sink *sink, struct weir_message *msg);

/* The same outcome for every message that has none. */
void conclude_missing(struct weir_batch *batch, enum weir_status status,
                      const char *why);

/* Every message that has an outcome leaves the batch by it; a batch of which
 * something is left goes to the end of `left`. */
void conclude(struct sink *sink, struct weir_batch *batch,
              struct batch_queue *left);

/* Likewise; what is left is held, in front of all else. */
void conclude_some(struct sink *sink, struct weir_batch *batch);

/* Leaves out messages of ended epochs.  False: none is left, the batch is
 * gone. */
bool conclude_fence(struct sink *sink, struct weir_batch *batch);

/* Leaves out messages of ended epochs of all that is held. */
void conclude_fence_all(struct sink *sink);

/* Messages and lanes whose time has come are held, to be written. */
void conclude_due(struct sink *sink, int64_t now_us);

/* handle_failed() and the policies of what failed; dead letters are posted:
 * there is room for all that a sink may have in hand, so nobody waits. */
void conclude_failures(struct sink *sink);

/* A drain: what waits for a retry is left. */
void conclude_backoff(struct sink *sink);

/* The end: everything that is still here is left. */
void conclude_all(struct sink *sink);

#endif
