/*
 * lane.c - messages that must keep their order among themselves.
 *
 * A lane exists only while it has messages or a worker runs it, so ten million
 * keys cost nothing while they are quiet.  Lanes are recycled: at a thousand
 * keys each comes and goes all the time.
 *
 * Why lanes are not bound to workers: 100 keys on 64 workers would leave most
 * workers idle (a third of the rate, measured); any free worker takes the next
 * ready lane instead, see ready.c.
 *
 * Threads: guarded by the lock of ready.c.
 */
#include "lane.h"

#include <stdlib.h>

#include "invariant.h"
#include "message.h"

enum { FIRST_BUCKETS = 1024 };

bool lanes_init(struct lanes *lanes)
{
    *lanes =
        (struct lanes){.buckets = calloc(FIRST_BUCKETS, sizeof *lanes->buckets),
                       .bucket_count = FIRST_BUCKETS};
    return lanes->buckets != NULL;
}

void lanes_finish(struct lanes *lanes)
{
    struct lane *lane = lanes_next(lanes, NULL);

    while (lane) {
        struct lane *next = lanes_next(lanes, lane);

        INVARIANT(!lane->messages.head);
        free(lane);
        lane = next;
    }
    while (lanes->free) {
        lane = lanes->free;
        lanes->free = lane->next;
        free(lane);
    }
    free(lanes->buckets);
}

static struct lane **bucket(const struct lanes *lanes, uint64_t id)
{
    return &lanes->buckets[id & (lanes->bucket_count - 1)];
}

/* Longer chains when there is no memory. */
static void grow(struct lanes *lanes)
{
    struct lanes bigger = {.bucket_count = 2 * lanes->bucket_count};

    bigger.buckets = calloc(bigger.bucket_count, sizeof *bigger.buckets);
    if (!bigger.buckets)
        return;
    for (uint32_t i = 0; i < lanes->bucket_count; i++) {
        while (lanes->buckets[i]) {
            struct lane *lane = lanes->buckets[i];
            struct lane **to = bucket(&bigger, lane->id);

            lanes->buckets[i] = lane->next;
            lane->next = *to;
            *to = lane;
        }
    }
    free(lanes->buckets);
    lanes->buckets = bigger.buckets;
    lanes->bucket_count = bigger.bucket_count;
}

struct lane *lanes_get(struct lanes *lanes, uint64_t id)
{
    struct lane **at = bucket(lanes, id);
    struct lane *lane = *at;

    while (lane && lane->id != id)
        lane = lane->next;
    if (lane)
        return lane;

    lane = lanes->free;
    if (lane)
        lanes->free = lane->next;
    else
        lane = malloc(sizeof *lane);
    if (!lane)
        return NULL;
    *lane = (struct lane){.id = id, .next = *at};
    mail_list_init(&lane->messages);
    *at = lane;
    if (++lanes->count > lanes->bucket_count)
        grow(lanes);
    return lane;
}

void lanes_drop(struct lanes *lanes, struct lane *lane)
{
    struct lane **at = bucket(lanes, lane->id);

    INVARIANT(!lane->messages.head && lane->state == LANE_IDLE);
    while (*at != lane)
        at = &(*at)->next;
    *at = lane->next;
    lane->next = lanes->free;
    lanes->free = lane;
    lanes->count--;
}

struct lane *lanes_next(const struct lanes *lanes, const struct lane *lane)
{
    uint32_t at = 0;

    if (lane && lane->next)
        return lane->next;
    if (lane)
        at = (uint32_t)(lane->id & (lanes->bucket_count - 1)) + 1;
    while (at < lanes->bucket_count && !lanes->buckets[at])
        at++;
    return at < lanes->bucket_count ? lanes->buckets[at] : NULL;
}

void lane_sift(struct lane *lane,
               bool (*wants)(const struct weir_message *, const void *opaque),
               const void *opaque, struct mail_list *to)
{
    struct mail_list kept;
    struct mail *mail = mail_list_pop(&lane->messages);

    mail_list_init(&kept);
    while (mail) {
        mail_list_add(wants(message_of(mail), opaque) ? to : &kept, mail);
        mail = mail_list_pop(&lane->messages);
    }
    mail_list_join(&lane->messages, &kept);
}

void lane_queue_add(struct lane_queue *queue, struct lane *lane)
{
    lane->state = LANE_READY;
    lane->next_ready = NULL;
    if (queue->last)
        queue->last->next_ready = lane;
    else
        queue->first = lane;
    queue->last = lane;
}

struct lane *lane_queue_pop(struct lane_queue *queue)
{
    struct lane *lane = queue->first;

    if (!lane)
        return NULL;
    queue->first = lane->next_ready;
    if (!queue->first)
        queue->last = NULL;
    return lane;
}
