/*
 * kafka_turns.c - more partitions than memory has room for are fetched in
 * turns.
 *
 * However little a client asks for, the first batch of a partition comes whole,
 * and producers write batches of up to a MiB: each partition that is fetched
 * has up to one in memory, and 256 of them more than most consumers have.  So
 * no more than a `limit` (kafka_limits.c) are fetched at a time; the client
 * pauses the others:
 *
 *     fetched, at most `limit`          paused
 *     [p3 ####] [p9 ##] [p4 ]   <---    p5 (since 3 s, lag)  p7  p1
 *                          |                                  ^
 *                          +------ its turn is over ----------+
 *
 * With no more partitions than `limit` nothing of this happens.  When a turn is
 * over says turn.c.  Which partitions have something, also while they are
 * paused, the brokers are asked for ever so often, all at once; so one without
 * news needs no turn, and the lag that is shown is right.
 *
 * Invariants:
 *     - no more than `limit` partitions are not paused, from before they are
 *       assigned until after they are taken away;
 *     - the one that waits longest is next, of those that have something: each
 *       waits for as many turns as there are partitions, at most;
 *     - a turn that ends throws away only what was not read.  The client goes
 *       on at its position, which is the offset after the last message that it
 *       gave us: `next`;
 *     - while nothing is in demand no turn ends: what waits in memory would
 * only be fetched again.
 *
 * Every call that changes a partition has a number in the client, and one that
 * is overtaken is dropped silently (2.0.2); the client's own thread makes such
 * calls after an assignment.  So what is to wait is paused before it is
 * assigned, and then nothing is changed for a moment.  Should something be lost
 * all the same (a change, or the error that says that there is a gap), a turn
 * passes in vain; then the partition is treated as one with a gap, which looks
 * where it is and assigns it anew.
 *
 * Why not smaller fetches: the first batch comes whole.  Why not one queue with
 * a limit for all: a partition that is held would block it, or be paused often.
 * Why not assign only some: an assignment while the group rebalances is taken
 * for the answer to it.
 *
 * Threads: the producer's.
 */
#include "kafka_turns.h"

#include <string.h>

#include "clock.h"
#include "kafka_generation.h"
#include "kafka_member.h"
#include "kafka_reader.h"

enum {
    LOOK_US = 10000,
    REST_US = 250000,
    ASK_US = 250000, /* not more often */
    ASK_SHARE = 50,  /* of the thread's time */
    ASK_MS = 1000
};

/* The next one from `slot` on, or NULL. */
static struct kafka_partition *next_of(const struct kafka_producer *kafka,
                                       size_t *slot)
{
    while (*slot < kafka->partitions.size) {
        struct kafka_partition *part = kafka->partitions.list[(*slot)++];

        if (part)
            return part;
    }
    return NULL;
}

static unsigned count(const struct kafka_producer *kafka, bool is_waiting)
{
    const struct kafka_partition *part;
    unsigned found = 0;
    size_t slot = 0;

    while ((part = next_of(kafka, &slot)) != NULL)
        found += part->turn.is_waiting == is_waiting;
    return found;
}

void kafka_turns_enter(struct kafka_producer *kafka,
                       struct kafka_partition *part)
{
    /* It is itself one of those that are counted. */
    const bool has_room = count(kafka, false) <= kafka->turns.limit;

    part->turn = turn_create(!has_room, clock_now_us());
}

static void add(rd_kafka_topic_partition_list_t *list,
                const struct kafka_partition *part)
{
    rd_kafka_topic_partition_list_add(list, part->topic, part->number)->offset =
        RD_KAFKA_OFFSET_END;
}

/* The client goes on at its position, but keeps what is outdated by that until
 * somebody looks at the queue. */
static void empty(struct kafka_producer *kafka,
                  const rd_kafka_topic_partition_list_t *list)
{
    for (int i = 0; i < list->cnt; i++) {
        struct kafka_partition *part = kafka_partition_find(
            kafka, list->elems[i].topic, list->elems[i].partition);
        rd_kafka_message_t *msg = rd_kafka_consume_queue(part->queue, 0);

        if (!msg)
            continue;
        /* It was not: the position has moved. */
        rd_kafka_message_destroy(msg);
        part->has_gap = kafka->has_gap = true;
    }
}

/* Both lists are given away. */
static void pause_and_resume(struct kafka_producer *kafka,
                             rd_kafka_topic_partition_list_t *over,
                             rd_kafka_topic_partition_list_t *begun)
{
    if (over->cnt > 0) {
        (void)rd_kafka_pause_partitions(kafka->rk, over);
        empty(kafka, over);
    }
    if (begun->cnt > 0)
        (void)rd_kafka_resume_partitions(kafka->rk, begun);
    for (int i = 0; i < begun->cnt; i++) /* its broker's thread may sleep */
        kafka_generation_refill(kafka->rk, begun->elems[i].topic,
                                begun->elems[i].partition);
    rd_kafka_topic_partition_list_destroy(over);
    rd_kafka_topic_partition_list_destroy(begun);
}

void kafka_turns_prepare(struct kafka_producer *kafka,
                         const rd_kafka_topic_partition_list_t *list)
{
    rd_kafka_topic_partition_list_t *over =
        rd_kafka_topic_partition_list_new(list->cnt);
    rd_kafka_topic_partition_list_t *begun =
        rd_kafka_topic_partition_list_new(list->cnt);

    for (int i = 0; i < list->cnt; i++) {
        const struct kafka_partition *part = kafka_partition_find(
            kafka, list->elems[i].topic, list->elems[i].partition);

        if (part->turn.is_waiting)
            add(over, part);
        else if (kafka->turns.has_begun) /* paused when it was here before? */
            add(begun, part);
    }
    kafka->turns.has_begun |= over->cnt > 0;
    pause_and_resume(kafka, over, begun);
}

void kafka_turns_rest(struct kafka_producer *kafka)
{
    kafka->turns.look_us = clock_after_us(REST_US);
}

static void hear(struct kafka_producer *kafka,
                 const rd_kafka_topic_partition_list_t *list, int64_t now_us)
{
    struct kafka_partition *part;
    size_t slot = 0;

    /* In the order in which they were asked for. */
    for (int i = 0; i < list->cnt; i++) {
        const rd_kafka_topic_partition_t *element = &list->elems[i];

        part = next_of(kafka, &slot);
        if (element->err != RD_KAFKA_RESP_ERR_NO_ERROR || element->offset < 0 ||
            element->partition != part->number ||
            strcmp(element->topic, part->topic) != 0)
            continue;
        part->turn.end = element->offset;
        part->turn.heard_us = now_us;
    }
}

/* Where the partitions end. */
static void ask(struct kafka_producer *kafka)
{
    const int64_t began_us = clock_now_us();
    rd_kafka_topic_partition_list_t *list;
    const struct kafka_partition *part;
    int64_t now, pause_us;
    size_t slot = 0;

    if (began_us < kafka->turns.ask_us || kafka->trouble.is_cut_off)
        return;
    list = rd_kafka_topic_partition_list_new((int)kafka->partitions.size);
    while ((part = next_of(kafka, &slot)) != NULL)
        add(list, part);
    if (rd_kafka_offsets_for_times(kafka->rk, list, ASK_MS) ==
        RD_KAFKA_RESP_ERR_NO_ERROR)
        hear(kafka, list, began_us);
    rd_kafka_topic_partition_list_destroy(list);
    now = clock_now_us();
    pause_us = ASK_SHARE * (now - began_us);
    kafka->turns.ask_us = now + (pause_us > ASK_US ? pause_us : ASK_US);
}

static struct turn_facts facts_of(struct kafka_producer *kafka,
                                  struct kafka_partition *part)
{
    struct turn_facts facts = {.is_offered = part->stash != NULL,
                               .is_able = !part->is_held && !part->has_gap &&
                                          kafka_partition_window(part) <
                                              kafka->options.max_uncommitted};

    if (!part->turn.is_waiting) {
        facts.queued = rd_kafka_queue_length(part->queue);
        if (facts.queued == 0 && part->turn.end > part->next)
            kafka_reader_follow(kafka, part);
    }
    facts.queued += part->stash ? 1 : 0;
    facts.next = part->next;
    facts.is_done = part->next >= part->end && !part->stash;
    return facts;
}

static unsigned count_wanted(struct kafka_producer *kafka, int64_t now)
{
    struct kafka_partition *part;
    unsigned found = 0;
    size_t slot = 0;

    while ((part = next_of(kafka, &slot)) != NULL) {
        const struct turn_facts facts = facts_of(kafka, part);

        found +=
            part->turn.is_waiting && turn_is_wanted(&part->turn, &facts, now);
    }
    return found;
}

/* Ends up to `wanted` turns. */
static void end_turns(struct kafka_producer *kafka, unsigned wanted,
                      rd_kafka_topic_partition_list_t *over, int64_t now)
{
    struct kafka_partition *part;
    size_t slot = 0;

    while ((part = next_of(kafka, &slot)) != NULL) {
        const struct turn_facts facts = facts_of(kafka, part);

        if (part->turn.is_waiting || part->has_gap)
            continue;
        if (turn_is_in_vain(&part->turn, &facts, now)) {
            part->turn.tried = part->next;
            part->has_gap = kafka->has_gap = true;
        } else if (turn_is_over(&part->turn, &facts, now) &&
                   (unsigned)over->cnt < wanted) {
            turn_end(&part->turn, now);
            add(over, part);
        }
    }
}

/* The one that waits longest, of those that have something, or of all. */
static struct kafka_partition *choose(struct kafka_producer *kafka, int64_t now)
{
    struct kafka_partition *part, *best = NULL;
    bool best_is_wanted = false;
    size_t slot = 0;

    while ((part = next_of(kafka, &slot)) != NULL) {
        const struct turn_facts facts = facts_of(kafka, part);
        const bool is_wanted = turn_is_wanted(&part->turn, &facts, now);

        if (!part->turn.is_waiting || !facts.is_able || facts.is_done)
            continue;
        if (!best || is_wanted > best_is_wanted ||
            (is_wanted == best_is_wanted &&
             part->turn.since_us < best->turn.since_us)) {
            best = part;
            best_is_wanted = is_wanted;
        }
    }
    return best;
}

static void begin_turns(struct kafka_producer *kafka,
                        rd_kafka_topic_partition_list_t *begun, int64_t now)
{
    unsigned fetched = count(kafka, false);

    for (; fetched < kafka->turns.limit; fetched++) {
        struct kafka_partition *part = choose(kafka, now);

        if (!part)
            return;
        turn_begin(&part->turn, now);
        part->is_idle = false;
        add(begun, part);
    }
}

void kafka_turns_serve(struct kafka_producer *kafka, bool has_demand)
{
    int64_t now = clock_now_us();
    rd_kafka_topic_partition_list_t *over, *begun;
    unsigned wanted;

    if (now < kafka->turns.look_us || count(kafka, true) == 0)
        return;
    kafka->turns.look_us = now + LOOK_US;
    ask(kafka);
    if (!has_demand)
        return;
    now = clock_now_us();
    over = rd_kafka_topic_partition_list_new(4);
    begun = rd_kafka_topic_partition_list_new(4);
    wanted = count_wanted(kafka, now) + count(kafka, false);
    end_turns(kafka,
              wanted > kafka->turns.limit ? wanted - kafka->turns.limit : 0,
              over, now);
    begin_turns(kafka, begun, now);
    pause_and_resume(kafka, over, begun);
}
