/*
 * crew.h - how many of the workers that were started may work.
 */
#ifndef WEIR_FLOW_CREW_H
#define WEIR_FLOW_CREW_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct crew {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    _Atomic unsigned active;
    _Atomic bool is_released;
};

/* All of `count` work. */
void crew_init(struct crew *crew, unsigned count);
void crew_finish(struct crew *crew);

/* Those from `active` on rest, as soon as they are done with what they have.
 * Any thread. */
void crew_set(struct crew *crew, unsigned active);

/* For good: all of them work, and leave when nothing waits.  Any thread. */
void crew_release(struct crew *crew);

/* Worker `index`'s own.  False: it rests; it has waited until the deadline, or
 * until something changed. */
bool crew_may_work(struct crew *crew, unsigned index, int64_t deadline_us);

#endif
