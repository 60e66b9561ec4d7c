/*
 * cause.c - the last trouble of a connector, for whoever asks why.
 *
 * Threads: any, behind `lock`.
 */
#include "cause.h"

#include <stdio.h>

#include "clock.h"

void cause_init(struct cause *cause)
{
    *cause = (struct cause){.text = ""};
    (void)pthread_mutex_init(&cause->lock, NULL);
}

void cause_finish(struct cause *cause)
{
    (void)pthread_mutex_destroy(&cause->lock);
}

void cause_tell(struct cause *cause, const char *text)
{
    const int64_t wall_ms = clock_wall_ms();

    (void)pthread_mutex_lock(&cause->lock);
    (void)snprintf(cause->text, sizeof cause->text, "%s", text);
    cause->wall_ms = wall_ms;
    (void)pthread_mutex_unlock(&cause->lock);
}

int64_t cause_read(struct cause *cause, char *out, size_t size)
{
    int64_t wall_ms;

    (void)pthread_mutex_lock(&cause->lock);
    (void)snprintf(out, size, "%s", cause->text);
    wall_ms = cause->wall_ms;
    (void)pthread_mutex_unlock(&cause->lock);
    return wall_ms;
}
