/*
 * queue.h - what a sink worker holds: batches in order, lanes that wait.
 */
#ifndef WEIR_SINKS_QUEUE_H
#define WEIR_SINKS_QUEUE_H

#include "sink.h"

void queue_init(struct batch_queue *queue);
void queue_add(struct batch_queue *queue, struct weir_batch *batch);
void queue_push(struct batch_queue *queue, struct weir_batch *batch);
void queue_remove(struct batch_queue *queue, struct weir_batch *batch);
struct weir_batch *queue_pop(struct batch_queue *queue); /* NULL: empty */
/* All of `from`, in its order, comes first. */
void queue_join_front(struct batch_queue *queue, struct batch_queue *from);

/* `lane` if it waits for a retry, else NULL. */
struct held_lane *lanes_find(struct sink *sink, uint64_t lane);

/* `msg` waits behind what its lane has; the lane is held until `due_us` if it
 * was not yet.  WEIR_RETRY: no memory, nothing was done. */
WEIR_MUST_USE
enum weir_status lanes_hold(struct sink *sink, struct weir_message *msg,
                            int64_t due_us);

/* The lane waits for ever: what comes of it is left at the drain. */
void lanes_give_up(struct sink *sink, uint64_t lane);

/* Takes out a lane whose time has come; NULL: none.  The caller frees it. */
struct held_lane *lanes_due(struct sink *sink, int64_t now_us);
int64_t lanes_due_us(const struct sink *sink);

/* In an ordered mode: what is behind a held lane waits with it.  False:
 * nothing of the batch is left, and it is gone. */
bool lanes_split(struct sink *sink, struct weir_batch *batch);

#endif
