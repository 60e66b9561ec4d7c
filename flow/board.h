/*
 * board.h - values that may change while a run goes on, a generation at a time.
 */
#ifndef WEIR_FLOW_BOARD_H
#define WEIR_FLOW_BOARD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/status.h>

/* `failure.retry`. */
struct retry_limits {
    uint32_t attempts;
    int64_t backoff_min_us, backoff_max_us;
};

/* When a batch closes. */
struct batch_limits {
    uint32_t batch_size, max_batch_keys;
    size_t batch_bytes;
    int64_t batch_timeout_us;
};

/* One per run. */
struct board {
    pthread_mutex_t lock; /* of the values */
    _Atomic uint64_t generation;
    struct retry_limits retry;
    struct batch_limits *batches; /* of each batcher */
    unsigned batch_count;
};

/* What one instance of a stage goes by: its own copy. */
struct board_view {
    _Atomic uint64_t generation; /* that it is of; others may look */
    unsigned batcher;            /* whose `batch` it has */
    struct retry_limits retry;
    struct batch_limits batch;
};

/* For `batcher`: of none. */
#define BOARD_NO_BATCHER UINT32_MAX

/* Empty, of generation 0.  WEIR_RETRY: no memory. */
WEIR_MUST_USE
enum weir_status board_init(struct board *board, unsigned batch_count);
void board_finish(struct board *board);

/* The next generation: all of it or nothing, for whoever looks.  Any thread;
 * copies `batches`, one for each batcher. */
void board_post(struct board *board, const struct retry_limits *retry,
                const struct batch_limits *batches);
uint64_t board_generation(const struct board *board);

void board_view_init(struct board_view *view, unsigned batcher);

/* Its owner's, between two messages: true when there was something new. */
bool board_look(struct board *board, struct board_view *view);

/* Whether its owner goes by the newest generation.  Any thread. */
bool board_view_is_current(const struct board_view *view,
                           const struct board *board);

#endif
