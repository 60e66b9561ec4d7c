/*
 * cause.h - the last trouble of a connector, for whoever asks why.
 */
#ifndef WEIR_FLOW_CAUSE_H
#define WEIR_FLOW_CAUSE_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

struct cause {
    pthread_mutex_t lock; /* of what follows */
    char text[240];       /* "": none so far */
    int64_t wall_ms;      /* when it was told last */
};

void cause_init(struct cause *cause);
void cause_finish(struct cause *cause);

/* Any thread. */
void cause_tell(struct cause *cause, const char *text);

/* Copies it; returns when it was told, 0: never.  Any thread. */
int64_t cause_read(struct cause *cause, char *out, size_t size);

#endif
