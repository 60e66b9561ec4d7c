/*
 * board.c - values that may change while a run goes on, a generation at a time.
 *
 *     reload --post--> [ generation 7: retry, batches ]
 *                         |            |           |
 *                       look         look        look
 *                         v            v           v
 *                     processor     batcher       sink     each has a copy
 *
 * A stage that read such values in place could see one of the new ones beside
 * one of the old, and would pay for an atomic at each message.  So every
 * instance has a copy, and looks once a round whether there is a newer
 * generation: one load.  Then it takes all of it at once, between two messages,
 * and shows which one it goes by; one that is in a callback is late by that.
 *
 * Why not a control request: it would have to carry the values, and all there
 * is to answer is the generation, which is published.
 *
 * Threads: post() on any, look() on the view's owner.
 */
#include "board.h"

#include <stdlib.h>
#include <string.h>

enum weir_status board_init(struct board *board, unsigned batch_count)
{
    *board = (struct board){.batches =
                                calloc(batch_count + 1, sizeof *board->batches),
                            .batch_count = batch_count};
    (void)pthread_mutex_init(&board->lock, NULL);
    return board->batches ? WEIR_OK : WEIR_RETRY;
}

void board_finish(struct board *board)
{
    (void)pthread_mutex_destroy(&board->lock);
    free(board->batches);
}

void board_post(struct board *board, const struct retry_limits *retry,
                const struct batch_limits *batches)
{
    (void)pthread_mutex_lock(&board->lock);
    board->retry = *retry;
    if (board->batch_count > 0)
        memcpy(board->batches, batches, board->batch_count * sizeof *batches);
    /* Only a hint that it is worth the lock, under which the values are. */
    atomic_fetch_add_explicit(&board->generation, 1, memory_order_relaxed);
    (void)pthread_mutex_unlock(&board->lock);
}

uint64_t board_generation(const struct board *board)
{
    return atomic_load_explicit(&board->generation, memory_order_relaxed);
}

void board_view_init(struct board_view *view, unsigned batcher)
{
    *view = (struct board_view){.batcher = batcher};
}

bool board_look(struct board *board, struct board_view *view)
{
    if (board_view_is_current(view, board))
        return false;
    (void)pthread_mutex_lock(&board->lock);
    view->retry = board->retry;
    if (view->batcher < board->batch_count)
        view->batch = board->batches[view->batcher];
    atomic_store_explicit(&view->generation, board_generation(board),
                          memory_order_relaxed);
    (void)pthread_mutex_unlock(&board->lock);
    return true;
}

bool board_view_is_current(const struct board_view *view,
                           const struct board *board)
{
    return atomic_load_explicit(&view->generation, memory_order_relaxed) ==
           board_generation(board);
}
