/*
 * kafka_end.c - letting go of a client, by a deadline.
 *
 * With the broker gone, rd_kafka_consumer_close() and rd_kafka_destroy() came
 * back after 45 seconds, or not at all.  A drain has one deadline, so both are
 * done in a way that can be given up: leaving the group is polled, and the
 * handle is destroyed by a detached thread for which we wait only so long.
 *
 *     leave the group, polled ---- closed in time -----> destroy, thread
 *              |                                             |
 *              +---- deadline ---> destroy without leaving --+--> waited for
 *
 * A thread that doesn't come back in time is left behind on purpose: nothing
 * of ours is reachable from it (the callbacks are only called from queues that
 * we poll), and the process ends with _exit().
 *
 * Threads: any; one short-lived thread per call.
 */
#include "kafka_end.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"

enum { STEP_MS = 20, FAREWELL_MS = 100 };

/* Shared by the caller and the thread; the last one to leave frees it. */
struct end {
    rd_kafka_t *rk;
    int flags;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_over, is_given_up;
};

static void end_destroy(struct end *end)
{
    pthread_cond_destroy(&end->changed);
    pthread_mutex_destroy(&end->lock);
    free(end);
}

static void *destroy_client(void *opaque)
{
    struct end *end = opaque;
    bool is_given_up;

    rd_kafka_destroy_flags(end->rk, end->flags);
    pthread_mutex_lock(&end->lock);
    end->is_over = true;
    is_given_up = end->is_given_up;
    pthread_cond_signal(&end->changed);
    pthread_mutex_unlock(&end->lock);
    if (is_given_up)
        end_destroy(end);
    return NULL;
}

static struct end *end_create(rd_kafka_t *rk, int flags)
{
    struct end *end = calloc(1, sizeof *end);

    if (!end)
        return NULL;
    end->rk = rk;
    end->flags = flags;
    clock_cond_init(&end->changed);
    pthread_mutex_init(&end->lock, NULL);
    return end;
}

static bool start_thread(struct end *end)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, destroy_client, end) != 0)
        return false;
    pthread_detach(thread);
    return true;
}

static bool destroy_by(rd_kafka_t *rk, int flags, int64_t deadline_us)
{
    const struct timespec until = clock_timespec(deadline_us);
    struct end *end = end_create(rk, flags);
    int rc = 0;
    bool is_over;

    if (!end)
        return false; /* no memory: nothing to end it with */
    if (!start_thread(end)) {
        end_destroy(end);
        return false;
    }
    pthread_mutex_lock(&end->lock);
    while (!end->is_over && rc == 0)
        rc = pthread_cond_timedwait(&end->changed, &end->lock, &until);
    is_over = end->is_over;
    end->is_given_up = !is_over;
    pthread_mutex_unlock(&end->lock);
    if (is_over)
        end_destroy(end);
    return is_over;
}

/* The group takes our last partitions back. */
static void give_up_partitions(rd_kafka_t *rk, rd_kafka_event_t *event)
{
    rd_kafka_error_t *error = NULL;

    if (strcmp(rd_kafka_rebalance_protocol(rk), "COOPERATIVE") == 0)
        error = rd_kafka_incremental_unassign(
            rk, rd_kafka_event_topic_partition_list(event));
    else
        (void)rd_kafka_assign(rk, NULL);
    if (error)
        rd_kafka_error_destroy(error);
}

static void leave_group(rd_kafka_t *rk, int64_t deadline_us)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_error_t *error = rd_kafka_consumer_close_queue(rk, queue);

    while (!error && !rd_kafka_consumer_closed(rk) &&
           clock_now_us() < deadline_us) {
        rd_kafka_event_t *event =
            rd_kafka_queue_poll(queue, clock_until_ms(deadline_us, STEP_MS));

        if (event && rd_kafka_event_type(event) == RD_KAFKA_EVENT_REBALANCE)
            give_up_partitions(rk, event);
        if (event)
            rd_kafka_event_destroy(event);
    }
    if (error)
        rd_kafka_error_destroy(error);
    rd_kafka_queue_destroy(queue);
}

bool kafka_end(rd_kafka_t *rk, int64_t deadline_us)
{
    const int64_t farewell_us = FAREWELL_MS * INT64_C(1000);
    int flags = 0;

    if (rd_kafka_type(rk) == RD_KAFKA_CONSUMER) {
        leave_group(rk, deadline_us - farewell_us);
        if (!rd_kafka_consumer_closed(rk))
            flags = RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE;
    }
    return destroy_by(rk, flags, deadline_us);
}
