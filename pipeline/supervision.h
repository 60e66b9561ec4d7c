/*
 * supervision.h - how often instances of stages may be replaced.
 */
#ifndef WEIR_PIPELINE_SUPERVISION_H
#define WEIR_PIPELINE_SUPERVISION_H

#include <pthread.h>
#include <stdint.h>

enum { SUPERVISION_MAX_RESTARTS = 100 };

struct supervision {
    pthread_mutex_t lock; /* of what follows */
    unsigned max_restarts, next;
    int64_t within_us;
    int64_t at_us[SUPERVISION_MAX_RESTARTS]; /* 0: none yet */
};

void supervision_init(struct supervision *supervision, unsigned max_restarts,
                      int64_t within_us);
void supervision_finish(struct supervision *supervision);

/* One more instance failed.  0: the budget is used up; else which restart of
 * those within the time it is, from 1.  Any thread. */
unsigned supervision_restart(struct supervision *supervision, int64_t now_us);

#endif
