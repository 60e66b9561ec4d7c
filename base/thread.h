/*
 * thread.h - a thread beside the pipeline, which disturbs nobody.
 */
#ifndef WEIR_BASE_THREAD_H
#define WEIR_BASE_THREAD_H

#include <pthread.h>

/* Signals of the process go to other threads; faults stay its own.  `name` has
 * at most 15 characters.  Returns as pthread_create(). */
int thread_start(pthread_t *thread, const char *name, void *(*run)(void *),
                 void *opaque);

/* Of the calling thread: those that move messages go first. */
void thread_give_way(void);

#endif
