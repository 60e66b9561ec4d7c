/*
 * kafka_reader.c - from the partitions' queues into the intake.
 *
 *     queue 0  [......]  --+
 *     queue 1  [..]      --+-- up to QUANTUM from each in turn --> intake
 *     queue 2  []  idle    |
 *     queue 3  [....] held    (not read; keeps what it has)
 *
 * A queue is left out while it is idle (found empty, and the descriptor that
 * all of them share hasn't fired since), held (the runtime said so), starved
 * (its window is full), at its end, or paused while others have their turn
 * (kafka_turns.c).  A queue writes to the descriptor when it
 * gets something after it was last looked at; so nothing is missed as long as
 * the descriptor is emptied before the queues are, and not after.
 *
 * A message is copied by the intake and destroyed at once: one that is kept
 * pins the whole response it came in.  At most one per partition is kept, when
 * the intake had no room for it.
 *
 * Why one by one: the batch call loses messages in a rebalance (2.0.2).
 *
 * Threads: the producer's, inside pull().
 */
#include "kafka_reader.h"

#include <stdlib.h>

#include "clock.h"
#include "kafka_commit.h"
#include "kafka_generation.h"
#include "kafka_member.h"

enum { QUANTUM = 64, FIRST_HEADERS = 16, REFILL_US = 2000 };

/* No memory: WEIR_RETRY.  The message's headers are parsed by this call, which
 * costs as much as all the rest, so it is made once. */
static enum weir_status collect_headers(struct kafka_producer *kafka,
                                        const rd_kafka_message_t *msg,
                                        struct weir_record *record)
{
    rd_kafka_headers_t *list = NULL;
    struct weir_header header;
    const char *name;
    size_t count;

    if (rd_kafka_message_headers(msg, &list) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return WEIR_OK;
    count = rd_kafka_header_cnt(list);
    if (count > kafka->header_room) {
        struct weir_header *more =
            realloc(kafka->headers, (count + FIRST_HEADERS) * sizeof *more);

        if (!more)
            return WEIR_RETRY;
        kafka->headers = more;
        kafka->header_room = count + FIRST_HEADERS;
    }
    for (size_t i = 0; i < count; i++) {
        if (rd_kafka_header_get_all(list, i, &name, &header.value.data,
                                    &header.value.size) !=
            RD_KAFKA_RESP_ERR_NO_ERROR)
            break;
        header.name = weir_str(name);
        kafka->headers[i] = header;
        record->header_count = i + 1;
    }
    record->headers = kafka->headers;
    return WEIR_OK;
}

/* WEIR_OK, WEIR_HOLD: taken.  WEIR_RETRY: not. */
static enum weir_status offer(struct kafka_producer *kafka,
                              struct kafka_partition *part,
                              const rd_kafka_message_t *msg, uint64_t ticket)
{
    struct weir_record record = {
        .ticket = ticket,
        .offset = msg->offset,
        .key = {msg->key, msg->key_len},
        .payload = {msg->payload, msg->len},
    };
    rd_kafka_timestamp_type_t type;

    record.timestamp_ms = rd_kafka_message_timestamp(msg, &type);
    if (msg->len > kafka->share->max_message_bytes) {
        record.omitted = msg->len;
        record.payload = (struct weir_bytes){0};
    }
    if (collect_headers(kafka, msg, &record) != WEIR_OK)
        return WEIR_RETRY;
    return weir_intake_add(kafka->intake, part->source, &record);
}

static bool is_at_limit(const struct kafka_producer *kafka,
                        const struct kafka_partition *part)
{
    return kafka_partition_window(part) >= kafka->options.max_uncommitted;
}

/* Nothing more of it comes before what was taken is settled, or at all. */
static bool is_exhausted(const struct kafka_producer *kafka,
                         const struct kafka_partition *part)
{
    return is_at_limit(kafka, part) || part->next >= part->end;
}

static void tell_starved(struct kafka_producer *kafka,
                         struct kafka_partition *part)
{
    if (part->is_starved || !is_exhausted(kafka, part))
        return;
    weir_intake_set_starved(kafka->intake, part->source);
    part->is_starved = true;
}

static void take_error(struct kafka_producer *kafka,
                       struct kafka_partition *part,
                       const rd_kafka_message_t *msg)
{
    if (msg->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET)
        part->has_gap = kafka->has_gap = true;
    else
        kafka_trouble_note(&kafka->trouble, msg->err,
                           rd_kafka_message_errstr(msg));
}

/* Offers the stash.  True: taken by the intake. */
static bool take_stash(struct kafka_producer *kafka,
                       struct kafka_partition *part)
{
    enum weir_status status;

    if (!part->has_ticket && watermark_begin(part->mark, part->stash->offset,
                                             &part->ticket) != WEIR_OK)
        return false;
    part->has_ticket = true;
    status = offer(kafka, part, part->stash, part->ticket);
    if (status == WEIR_RETRY)
        return false;
    rd_kafka_message_destroy(part->stash);
    part->stash = NULL;
    part->has_ticket = false;
    part->is_starved = false;
    part->is_held = status == WEIR_HOLD;
    return true;
}

/* A queue that was full is filled again: kafka_generation.h. */
static void refill(struct kafka_producer *kafka, struct kafka_partition *part)
{
    int64_t low = -1, high = -1, now;

    part->read_since_refill = 0;
    (void)rd_kafka_get_watermark_offsets(kafka->rk, part->topic, part->number,
                                         &low, &high);
    if (high <= part->next)
        return;
    now = clock_now_us();
    if (now < part->refill_us)
        return;
    part->refill_us = now + REFILL_US;
    kafka_generation_refill(kafka->rk, part->topic, part->number);
}

/* One message of this partition; false: go on with the next partition. */
static bool read_one(struct kafka_producer *kafka, struct kafka_partition *part)
{
    rd_kafka_message_t *msg;

    if (part->stash)
        return take_stash(kafka, part);
    msg = rd_kafka_consume_queue(part->queue, 0);
    if (!msg) {
        part->is_idle = true;
        refill(kafka, part);
        return false;
    }
    if (msg->err == RD_KAFKA_RESP_ERR_NO_ERROR && msg->offset >= part->next &&
        msg->offset < part->end) {
        part->next = msg->offset + 1;
        part->stash = msg;
        part->turn.read++;
        if (++part->read_since_refill >= kafka->refill_after)
            refill(kafka, part);
        return take_stash(kafka, part);
    }
    if (msg->err != RD_KAFKA_RESP_ERR_NO_ERROR)
        take_error(kafka, part, msg);
    else if (msg->offset >= part->end) /* the end was in a hole */
        part->next = part->end;
    rd_kafka_message_destroy(msg); /* else: read before, sent again */
    return false;
}

static bool is_readable(const struct kafka_producer *kafka,
                        const struct kafka_partition *part)
{
    if (!part || part->is_held || part->has_gap)
        return false;
    if (part->stash)
        return true;
    return !part->is_idle && !part->turn.is_waiting && part->next < part->end &&
           !is_at_limit(kafka, part);
}

static unsigned read_some(struct kafka_producer *kafka,
                          struct kafka_partition *part, unsigned demand)
{
    unsigned taken = 0;

    while (taken < demand && is_readable(kafka, part) && read_one(kafka, part))
        taken++;
    tell_starved(kafka, part);
    kafka_commit_hasten(kafka, part);
    return taken;
}

unsigned kafka_reader_read(struct kafka_producer *kafka, unsigned demand)
{
    struct kafka_partitions *all = &kafka->partitions;
    unsigned taken = 0;
    size_t passed = 0;

    while (taken < demand && passed < all->size) {
        struct kafka_partition *part = all->list[all->cursor % all->size];
        const unsigned left = demand - taken;
        unsigned got = 0;

        if (is_readable(kafka, part))
            got = read_some(kafka, part, left < QUANTUM ? left : QUANTUM);
        taken += got;
        passed = got > 0 ? 0 : passed + 1;
        all->cursor = (all->cursor + 1) % all->size;
    }
    return taken;
}

void kafka_reader_wake(struct kafka_producer *kafka)
{
    for (size_t i = 0; i < kafka->partitions.size; i++)
        if (kafka->partitions.list[i])
            kafka->partitions.list[i]->is_idle = false;
}

/* With nothing open, the library's position also passes markers. */
void kafka_reader_follow(struct kafka_producer *kafka,
                         struct kafka_partition *part)
{
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new(1);
    int64_t position;

    rd_kafka_topic_partition_list_add(list, part->topic, part->number);
    (void)rd_kafka_position(kafka->rk, list);
    position = list->elems[0].offset;
    rd_kafka_topic_partition_list_destroy(list);
    if (position > part->next && !part->stash)
        part->next = position;
    if (watermark_head(part->mark) == watermark_tail(part->mark))
        (void)watermark_advance(part->mark, part->next < part->end ? part->next
                                                                   : part->end);
}

static void follow_lag(struct kafka_producer *kafka,
                       struct kafka_partition *part)
{
    int64_t low = -1, high = -1;

    (void)rd_kafka_get_watermark_offsets(kafka->rk, part->topic, part->number,
                                         &low, &high);
    if (part->turn.end > high) /* while it waits for its turn */
        high = part->turn.end;
    if (high < 0)
        return;
    weir_intake_set_lag(kafka->intake, part->source,
                        high > part->next ? high - part->next : 0);
}

void kafka_reader_tick(struct kafka_producer *kafka)
{
    for (size_t i = 0; i < kafka->partitions.size; i++) {
        struct kafka_partition *part = kafka->partitions.list[i];

        if (!part)
            continue;
        if (part->is_idle)
            kafka_reader_follow(kafka, part);
        follow_lag(kafka, part);
    }
}
