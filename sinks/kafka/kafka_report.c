/*
 * kafka_report.c - what the broker said of a message, made into outcomes.
 *
 * The client tries again by itself, in order, for as long as it takes; what it
 * reports is final, for it:
 *
 *     delivered                   OK
 *     too large, not allowed,     REJECT, this message
 *       no such topic (if told)
 *     something in its batch      nothing: a tear
 *     purged, fatal, no topic     nothing: a tear, and another client
 *
 * A tear keeps the order.  The client goes on with what is behind a message
 * that failed, so where there is an order everything later of that topic comes
 * back, too, whatever its report says:
 *
 *     away      a  b  c  d           b came back
 *     outcome   ok .  .  .           c was delivered, d will be
 *     then      b  c  d              when nothing is away
 *
 * A batch that was refused for one message's sake is found out by halves: the
 * window shrinks until that message is alone, and grows again.
 *
 * Why not the client's own gapless guarantee: it ends the client at the first
 * message that is refused, and everything that was under way repeats.
 *
 * Invariants: a letter that is away comes back once; in an ordered mode no
 * outcome is set for one of a torn topic but REJECT; a report is only ever
 * served for the client that has the letter, because an ended client's queue is
 * never served.
 *
 * Threads: the writer's; reports come out of the client's queue.
 */
#include "kafka_report.h"

#include <stdio.h>

#include "clock.h"
#include "log.h"

#define PATIENCE_US (5 * CLOCK_SECOND_US)

enum { WINDOW_MAX = 1U << 20 };

static bool is_torn(const struct kafka_tear *tear,
                    const rd_kafka_topic_t *topic)
{
    for (unsigned i = 0; i < tear->topic_count && i < KAFKA_TORN_MAX; i++) {
        if (tear->topics[i] == topic)
            return true;
    }
    return tear->topic_count > KAFKA_TORN_MAX;
}

static void tear_topic(struct kafka_tear *tear, const rd_kafka_topic_t *topic)
{
    if (!is_torn(tear, topic)) {
        if (tear->topic_count < KAFKA_TORN_MAX)
            tear->topics[tear->topic_count] = topic;
        tear->topic_count++;
    }
    tear->is_torn = true;
}

void kafka_report_give_up(struct kafka_writer *writer)
{
    struct kafka_tear *const tear = &writer->tear;

    if (tear->is_over)
        return;
    tear->is_torn = tear->is_over = true;
    tear->patience_us = clock_after_us(PATIENCE_US);
    (void)rd_kafka_purge(writer->rk, RD_KAFKA_PURGE_F_QUEUE |
                                         RD_KAFKA_PURGE_F_NON_BLOCKING);
}

static void give_back(struct kafka_writer *writer, struct kafka_letter *letter,
                      const rd_kafka_topic_t *topic)
{
    tear_topic(&writer->tear, topic);
    writer->tear.returned++;
    if (letter->state == KAFKA_LETTER_AWAY)
        kafka_parcels_returned(&writer->parcels, letter);
}

static void reject(struct kafka_writer *writer, struct kafka_letter *letter,
                   const rd_kafka_topic_t *topic, rd_kafka_resp_err_t code)
{
    char why[400];

    if (kafka_errors_verdict(code) == KAFKA_TOO_LARGE)
        (void)snprintf(why, sizeof why,
                       "%zu bytes are too large for the topic '%s': raise its "
                       "max.message.bytes, or the sink's message.max.bytes",
                       letter->size, rd_kafka_topic_name(topic));
    else
        (void)snprintf(why, sizeof why, "the topic '%s' refuses it: %s",
                       rd_kafka_topic_name(topic), rd_kafka_err2str(code));
    kafka_parcels_reject(&writer->parcels, letter, why);
}

static void give_up_topic(struct kafka_writer *writer,
                          const rd_kafka_topic_t *topic)
{
    if (!writer->tear.is_over)
        (void)weir_fail(&writer->err, WEIR_RETRY,
                        "kafka: the topic '%s' is not there (brokers '%s'): "
                        "create it, or see `unknown_topic`",
                        rd_kafka_topic_name(topic),
                        writer->trouble.access.brokers);
    kafka_report_give_up(writer);
}

/* A client at its end refuses messages before its callback has said why. */
static void give_up_client(struct kafka_writer *writer,
                           rd_kafka_resp_err_t code)
{
    if (!writer->trouble.is_fatal)
        kafka_trouble_ask(&writer->trouble, writer->rk);
    if (!writer->tear.is_over)
        (void)weir_fail(&writer->err, WEIR_RETRY, "kafka: %s",
                        writer->trouble.is_fatal ? writer->trouble.text
                                                 : rd_kafka_err2str(code));
    kafka_report_give_up(writer);
}

void kafka_report_judge(struct kafka_writer *writer,
                        struct kafka_letter *letter,
                        const rd_kafka_topic_t *topic, rd_kafka_resp_err_t code)
{
    const bool is_alone = writer->window == 1;
    const bool is_away = letter->state == KAFKA_LETTER_AWAY;

    switch (kafka_errors_verdict(code)) {
    case KAFKA_DELIVERED:
        if (writer->share->ordering != WEIR_ORDERING_NONE &&
            is_torn(&writer->tear, topic))
            give_back(writer, letter, topic);
        else
            kafka_parcels_delivered(&writer->parcels, letter);
        return;
    case KAFKA_REFUSED:
        break;
    case KAFKA_TOO_LARGE:
        if (!is_away || is_alone || letter->size >= writer->batch_size ||
            writer->batch_size == 1)
            break;
        give_back(writer, letter, topic);
        writer->tear.is_oversized = true;
        return;
    case KAFKA_BATCH_REFUSED:
        if (!is_away || is_alone)
            break;
        give_back(writer, letter, topic);
        writer->tear.is_suspect = true;
        return;
    case KAFKA_NO_TOPIC:
        if (writer->rejects_unknown_topics)
            break;
        give_back(writer, letter, topic);
        give_up_topic(writer, topic);
        return;
    case KAFKA_UNDECIDED:
        give_back(writer, letter, topic);
        give_up_client(writer, code);
        return;
    }
    reject(writer, letter, topic, code);
}

void kafka_report(rd_kafka_t *rk, const rd_kafka_message_t *message,
                  void *opaque)
{
    struct kafka_trouble *const trouble = opaque;
    struct kafka_writer *const writer = trouble->owner;
    struct kafka_letter *const letter = message->_private;

    (void)rk;
    writer->away--;
    writer->away_cost -= letter->cost;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
        kafka_trouble_clear(trouble);
    kafka_report_judge(writer, letter, message->rkt, message->err);
}

/* The broker takes messages of this size, and not batches of it. */
static enum weir_status shrink_batches(struct kafka_writer *writer,
                                       struct weir_error *err)
{
    const size_t before = writer->batch_size;

    writer->batch_size = before / 2;
    return weir_fail(err, WEIR_RETRY,
                     "kafka: the broker refuses batches of up to %zu bytes; "
                     "sending up to %zu from now on (see its "
                     "max.message.bytes and `properties.batch.size`)",
                     before, writer->batch_size);
}

enum weir_status kafka_report_mend(struct kafka_writer *writer,
                                   struct weir_error *err)
{
    const struct kafka_tear tear = writer->tear;

    if (tear.is_over)
        return weir_fail(err, WEIR_RETRY, "%s", writer->err.text);
    writer->tear = (struct kafka_tear){0};
    if (tear.is_oversized)
        return shrink_batches(writer, err);
    if (tear.is_suspect)
        writer->window = tear.returned > 1 ? tear.returned / 2 : 1;
    else if (writer->window < WINDOW_MAX)
        writer->window *= 2;
    return WEIR_OK;
}
