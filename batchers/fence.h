/*
 * fence.h - looks again at batches: epochs that ended, drain or are starved.
 */
#ifndef WEIR_BATCHERS_FENCE_H
#define WEIR_BATCHERS_FENCE_H

struct batcher;

/* At the open ones: leaves out what is fenced, closes those that wait in vain.
 */
void fence_open(struct batcher *batcher);

/* Also at the closed ones that no sink has taken. */
void fence_all(struct batcher *batcher);

#endif
