/*
 * consumer.c - the consuming channel: frames in, acknowledgements out.
 *
 * Nothing in here waits, except open and close.  Readiness has four homes (the
 * library's queue of frames, its buffer, OpenSSL's, the kernel's), so frames
 * are read until the library says TIMEOUT, and only then poll() may be asked.
 *
 * Writing could block for ever, so nothing is written to a full socket: an
 * acknowledgement has 21 bytes, and a socket that is writable has room for a
 * hundred of them.
 *
 * What the broker asks for (counts, the end of consuming) is sent as a frame
 * and the answer read in the same loop: the library's own calls would put the
 * messages that come between into memory without bound.
 *
 * Threads: the producer's own.
 */
#include "consumer.h"

#include "clock.h"
#include "log.h"
#include "queue.h"
#include "trouble.h"

/* Messages after which the library may have its pages back. */
enum { RELEASE_EVERY = 64, RELEASE_SIZE = 65536 };

enum weir_status consumer_open(struct consumer *consumer,
                               const struct amqp_url *url,
                               const struct amqp_link_options *options,
                               const struct weir_settings *settings,
                               struct amqp_guard *guard, struct weir_error *err)
{
    enum weir_status status;

    consumer->stash_end = &consumer->stash;
    consumer->queue = weir_settings_string(settings, "queue");
    consumer->tag = weir_settings_string(settings, "consumer_tag");
    consumer->acks = acks_create(consumer->prefetch);
    if (!consumer->acks)
        return weir_fail(err, WEIR_RETRY, "out of memory");
    consumer->assembly = (struct assembly){
        .queue = consumer->queue,
        .max_body = weir_settings_share(settings)->max_message_bytes};
    status = amqp_link_open(&consumer->link, url, options, guard, err);
    if (status != WEIR_OK)
        return status;
    status = queue_consume(&consumer->link, settings, consumer->prefetch,
                           &consumer->ready, err);
    amqp_guard_unwatch(guard);
    if (status == WEIR_OK)
        log_write(WEIR_LOG_DEBUG, "amqp: prefetch=%u", consumer->prefetch);
    return status;
}

void consumer_close(struct consumer *consumer, int64_t deadline_us)
{
    struct delivery *delivery;

    /* Not in an orderly way: then the broker delivers them again. */
    if (consumer->link.connection && !consumer->link.is_broken &&
        !consumer->is_channel_closed && clock_now_us() < deadline_us &&
        consumer_flush(consumer, ACKS_ALL, clock_now_us(), NULL) == WEIR_RETRY)
        consumer->link.is_broken = true;
    amqp_link_close(&consumer->link, deadline_us);
    while ((delivery = consumer_unstash(consumer)) != NULL)
        delivery_destroy(delivery);
    assembly_finish(&consumer->assembly);
    acks_destroy(consumer->acks);
    *consumer = (struct consumer){.prefetch = 0};
}

void consumer_stash(struct consumer *consumer, struct delivery *delivery)
{
    delivery->next = NULL;
    *consumer->stash_end = delivery;
    consumer->stash_end = &delivery->next;
    consumer->stashed++;
}

struct delivery *consumer_unstash(struct consumer *consumer)
{
    struct delivery *delivery = consumer->stash;

    if (!delivery)
        return NULL;
    consumer->stash = delivery->next;
    if (!consumer->stash)
        consumer->stash_end = &consumer->stash;
    delivery->next = NULL;
    consumer->stashed--;
    return delivery;
}

void consumer_stash_again(struct consumer *consumer, struct delivery *delivery)
{
    delivery->next = consumer->stash;
    if (!consumer->stash)
        consumer->stash_end = &delivery->next;
    consumer->stash = delivery;
    consumer->stashed++;
}

/* The broker ended the channel or the connection: agree, and say why. */
static enum weir_status on_close(struct consumer *consumer,
                                 const amqp_frame_t *frame,
                                 struct weir_error *err)
{
    const struct amqp_closing closing = amqp_closing_of(&frame->payload.method);
    amqp_channel_close_ok_t channel_ok = {.dummy = '\0'};
    amqp_connection_close_ok_t connection_ok = {.dummy = '\0'};
    int rc = AMQP_STATUS_SOCKET_ERROR;

    consumer->is_channel_closed = true;
    if (!amqp_link_can_write(&consumer->link))
        consumer->link.is_broken = true;
    else if (closing.is_channel)
        rc = amqp_send_method(consumer->link.connection, frame->channel,
                              AMQP_CHANNEL_CLOSE_OK_METHOD, &channel_ok);
    else
        (void)amqp_send_method(consumer->link.connection, 0,
                               AMQP_CONNECTION_CLOSE_OK_METHOD, &connection_ok);
    if (rc != AMQP_STATUS_OK)
        consumer->link.is_broken = true;
    return amqp_trouble_closing(&closing, consumer->link.where,
                                closing.is_channel ? "the broker closed the "
                                                     "channel"
                                                   : "the broker closed the "
                                                     "connection",
                                err);
}

static enum weir_status on_deliver(struct consumer *consumer,
                                   const amqp_basic_deliver_t *deliver,
                                   struct weir_error *err)
{
    const enum weir_status status =
        acks_begin(consumer->acks, deliver->delivery_tag, err);

    if (status != WEIR_OK)
        return status;
    return assembly_deliver(&consumer->assembly, deliver, err);
}

static void on_blocked(const struct consumer *consumer, bool is_blocked)
{
    log_write(is_blocked ? WEIR_LOG_WARNING : WEIR_LOG_INFO,
              "amqp: %s: the broker %s", consumer->link.where,
              is_blocked ? "blocks publishers (an alarm: memory or disk); "
                           "consuming goes on"
                         : "no longer blocks publishers");
}

static enum weir_status on_method(struct consumer *consumer,
                                  const amqp_frame_t *frame,
                                  struct weir_error *err)
{
    const amqp_method_t *method = &frame->payload.method;
    const amqp_queue_declare_ok_t *declared;

    switch (method->id) {
    case AMQP_BASIC_DELIVER_METHOD:
        return on_deliver(consumer, method->decoded, err);
    case AMQP_QUEUE_DECLARE_OK_METHOD:
        declared = method->decoded;
        consumer->ready = declared->message_count;
        consumer->answered++;
        return WEIR_OK;
    case AMQP_BASIC_CANCEL_OK_METHOD:
        consumer->is_cancelled = true;
        return WEIR_OK;
    case AMQP_CONNECTION_BLOCKED_METHOD:
    case AMQP_CONNECTION_UNBLOCKED_METHOD:
        on_blocked(consumer, method->id == AMQP_CONNECTION_BLOCKED_METHOD);
        return WEIR_OK;
    case AMQP_BASIC_CANCEL_METHOD:
        return weir_fail(err, WEIR_RETRY,
                         "%s: the broker cancelled the consumer: the "
                         "queue %s was deleted, or moved to another node",
                         consumer->link.where, consumer->queue);
    case AMQP_CHANNEL_CLOSE_METHOD:
    case AMQP_CONNECTION_CLOSE_METHOD:
        return on_close(consumer, frame, err);
    default:
        consumer->link.is_broken = true;
        return weir_fail(err, WEIR_RETRY,
                         "%s: the broker sent a method (0x%x) that "
                         "nobody asked for",
                         consumer->link.where, (unsigned)method->id);
    }
}

/* Gives pages back when nothing of a message points into them any more. */
static void release(struct consumer *consumer, const amqp_frame_t *frame,
                    bool is_complete)
{
    if (is_complete)
        consumer->completed++;
    if (consumer->assembly.step == ASSEMBLY_HEADER)
        return;
    if (consumer->completed < RELEASE_EVERY &&
        (frame->frame_type != AMQP_FRAME_BODY ||
         frame->payload.body_fragment.len < RELEASE_SIZE))
        return;
    consumer->completed = 0;
    amqp_maybe_release_buffers_on_channel(consumer->link.connection,
                                          AMQP_LINK_CHANNEL);
}

static enum weir_status take_frame(struct consumer *consumer,
                                   const amqp_frame_t *frame,
                                   struct delivery **ret_delivery,
                                   struct weir_error *err)
{
    const struct delivery *delivery;
    enum weir_status status;

    if (frame->frame_type == AMQP_FRAME_HEARTBEAT)
        return WEIR_OK;
    if (frame->channel > AMQP_LINK_CHANNEL) {
        consumer->link.is_broken = true;
        return weir_fail(err, WEIR_RETRY,
                         "%s: the broker used channel %u, which isn't "
                         "open",
                         consumer->link.where, (unsigned)frame->channel);
    }
    if (frame->frame_type == AMQP_FRAME_METHOD)
        return on_method(consumer, frame, err);
    status = assembly_frame(&consumer->assembly, frame, ret_delivery, err);
    if (status != WEIR_OK) {
        consumer->link.is_broken = true;
        return status;
    }
    delivery = *ret_delivery;
    release(consumer, frame, delivery != NULL);
    return WEIR_OK;
}

enum weir_status consumer_read(struct consumer *consumer,
                               struct delivery **ret_delivery,
                               struct weir_error *err)
{
    const struct timeval at_once = {.tv_sec = 0};
    amqp_frame_t frame;
    int rc;

    *ret_delivery = NULL;
    rc = amqp_simple_wait_frame_noblock(consumer->link.connection, &frame,
                                        &at_once);
    if (rc == AMQP_STATUS_TIMEOUT)
        return WEIR_AGAIN;
    if (rc != AMQP_STATUS_OK)
        return amqp_link_fail(&consumer->link, rc, "consuming", err);
    return take_frame(consumer, &frame, ret_delivery, err);
}

/* The only way to the socket while consuming. */
static enum weir_status say(struct consumer *consumer, amqp_method_number_t id,
                            void *method, struct weir_error *err)
{
    int rc;

    consumer->is_write_blocked = !amqp_link_can_write(&consumer->link);
    if (consumer->is_write_blocked)
        return WEIR_AGAIN;
    rc = amqp_send_method(consumer->link.connection, AMQP_LINK_CHANNEL, id,
                          method);
    if (rc != AMQP_STATUS_OK)
        return amqp_link_fail(&consumer->link, rc, "writing", err);
    return WEIR_OK;
}

static enum weir_status write_frame(void *opaque,
                                    const struct acks_frame *frame,
                                    struct weir_error *err)
{
    struct consumer *consumer = opaque;
    amqp_basic_ack_t ack = {.delivery_tag = frame->tag,
                            .multiple = frame->multiple};
    amqp_basic_reject_t reject = {.delivery_tag = frame->tag,
                                  .requeue = frame->verb == ACKS_REQUEUE};

    if (frame->verb == ACKS_ACK)
        return say(consumer, AMQP_BASIC_ACK_METHOD, &ack, err);
    return say(consumer, AMQP_BASIC_REJECT_METHOD, &reject, err);
}

enum weir_status consumer_flush(struct consumer *consumer,
                                enum acks_haste haste, int64_t now_us,
                                struct weir_error *err)
{
    return acks_flush(consumer->acks, haste, now_us, write_frame, consumer,
                      err);
}

enum weir_status consumer_ask(struct consumer *consumer, struct weir_error *err)
{
    amqp_queue_declare_t declare = {
        .queue = amqp_cstring_bytes(consumer->queue), .passive = 1};
    const enum weir_status status =
        say(consumer, AMQP_QUEUE_DECLARE_METHOD, &declare, err);

    if (status == WEIR_OK)
        consumer->asked++;
    return status;
}

enum weir_status consumer_cancel(struct consumer *consumer,
                                 struct weir_error *err)
{
    amqp_basic_cancel_t cancel = {.consumer_tag =
                                      amqp_cstring_bytes(consumer->tag)};
    const enum weir_status status =
        say(consumer, AMQP_BASIC_CANCEL_METHOD, &cancel, err);

    if (status == WEIR_OK)
        consumer->is_cancelling = true;
    return status;
}
