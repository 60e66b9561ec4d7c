/*
 * publisher.c - the publishing channel: messages out, confirms in.
 *
 * Nothing in here waits, except open and close.  Readiness to read has four
 * homes (the library's queue of frames, its buffer, OpenSSL's, the kernel's),
 * so frames are read until the library says TIMEOUT, and only then poll() may
 * be asked.  Writing is clients/amqp/writer.c's.
 *
 * A broker with an alarm (memory, disk) stops reading from connections that
 * publish, and says so: then nothing new is published until it says otherwise,
 * and what waits for its confirm goes on waiting.  The stage is told that the
 * destination is down, and says so; that it is over is said here.
 *
 * Threads: the sink worker's.
 */
#include "publisher.h"

#include <poll.h>
#include <stdio.h>

#include "address.h"
#include "clock.h"
#include "exchange.h"
#include "log.h"
#include "template.h"

/* Frames after which the library may have its pages back. */
enum { RELEASE_EVERY = 64 };

/* One that each message names isn't known yet; the default one is there. */
static enum weir_status look_for_exchange(struct publisher *publisher,
                                          const struct weir_settings *settings,
                                          struct weir_error *err)
{
    const struct template *template = publisher->plan.exchange;
    char name[AMQP_NAME_MAX + 1] = "";

    if (publication_exchange_varies(&publisher->plan))
        return WEIR_OK;
    (void)template_render(template, NULL, NULL, name, AMQP_NAME_MAX);
    if (name[0] == '\0')
        return WEIR_OK;
    return exchange_prepare(&publisher->link, settings, name, err);
}

static enum weir_status begin_confirms(struct publisher *publisher,
                                       struct weir_error *err)
{
    (void)amqp_confirm_select(publisher->link.connection, AMQP_LINK_CHANNEL);
    return amqp_link_reply(&publisher->link, "asking for confirms", err);
}

static enum weir_status connect_within(struct publisher *publisher,
                                       const struct amqp_url *url,
                                       const struct weir_settings *settings,
                                       struct amqp_guard *guard,
                                       struct weir_error *err)
{
    const struct amqp_link_options options = amqp_address_options(settings);
    enum weir_status status =
        amqp_link_open(&publisher->link, url, &options, guard, err);

    if (status != WEIR_OK)
        return status;
    status = look_for_exchange(publisher, settings, err);
    if (status == WEIR_OK)
        status = begin_confirms(publisher, err);
    amqp_guard_unwatch(guard);
    return status;
}

/* With a guard that nobody wakes: a sink is woken whenever there may be
 * something to do for it, and all of that needs the connection. */
static enum weir_status connect(struct publisher *publisher,
                                const struct amqp_url *url,
                                const struct weir_settings *settings,
                                struct weir_error *err)
{
    struct amqp_guard guard = {.event_plus_one = 0};
    enum weir_status status = amqp_guard_open(&guard, err);

    if (status == WEIR_OK)
        status = connect_within(publisher, url, settings, &guard, err);
    amqp_guard_close(&guard);
    return status;
}

enum weir_status publisher_open(struct publisher *publisher,
                                const struct amqp_url *url,
                                const struct weir_settings *settings,
                                struct weir_error *err)
{
    enum weir_status status =
        publication_plan_read(&publisher->plan, settings, err);

    if (status != WEIR_OK)
        return status;
    publisher->window =
        window_create((size_t)weir_settings_int(settings, "window", 1000));
    if (!publisher->window)
        return weir_fail(err, WEIR_RETRY, "out of memory");
    status = connect(publisher, url, settings, err);
    if (status != WEIR_OK)
        return status;
    return amqp_writer_open(&publisher->writer, &publisher->link, err);
}

void publisher_close(struct publisher *publisher, int64_t deadline_us)
{
    /* A goodbye inside a message, or to one who doesn't read, is none. */
    if (publisher->is_blocked || amqp_writer_pending(&publisher->writer) > 0)
        publisher->link.is_broken = true;
    amqp_writer_close(&publisher->writer);
    amqp_link_close(&publisher->link, deadline_us);
    returned_finish(&publisher->returned);
    window_destroy(publisher->window);
    publication_finish(&publisher->publication);
    publication_plan_finish(&publisher->plan);
    *publisher = (struct publisher){.window = NULL};
}

/* ---- what the broker says ---- */

/* What it did can't be right: it is not believed any more. */
static enum weir_status confused(struct publisher *publisher,
                                 enum weir_status status,
                                 const struct weir_error *why,
                                 struct weir_error *err)
{
    if (status != WEIR_RETRY)
        return status;
    publisher->link.is_broken = true;
    return weir_fail(err, WEIR_RETRY, "%s: %s", publisher->link.where,
                     why->text);
}

/* The broker ended the channel or the connection: agree, and say why. */
static enum weir_status on_close(struct publisher *publisher,
                                 const amqp_frame_t *frame,
                                 struct weir_error *err)
{
    amqp_channel_close_ok_t channel_ok = {.dummy = '\0'};
    amqp_connection_close_ok_t connection_ok = {.dummy = '\0'};
    int rc = AMQP_STATUS_SOCKET_ERROR;

    publisher->closing = amqp_closing_of(&frame->payload.method);
    if (amqp_writer_pending(&publisher->writer) > 0 ||
        !amqp_link_can_write(&publisher->link))
        publisher->link.is_broken = true;
    else if (publisher->closing.is_channel)
        rc = amqp_send_method(publisher->link.connection, frame->channel,
                              AMQP_CHANNEL_CLOSE_OK_METHOD, &channel_ok);
    else
        (void)amqp_send_method(publisher->link.connection, 0,
                               AMQP_CONNECTION_CLOSE_OK_METHOD, &connection_ok);
    if (rc != AMQP_STATUS_OK)
        publisher->link.is_broken = true;
    return amqp_trouble_closing(&publisher->closing, publisher->link.where,
                                publisher->closing.is_channel
                                    ? "the broker closed the channel"
                                    : "the broker closed the connection",
                                err);
}

static void on_blocked(struct publisher *publisher)
{
    publisher->is_blocked = true;
    amqp_writer_set_patient(&publisher->writer);
}

static void on_unblocked(struct publisher *publisher)
{
    if (publisher->is_blocked)
        log_write(WEIR_LOG_INFO,
                  "amqp: %s: the broker no longer blocks publishers",
                  publisher->link.where);
    publisher->is_blocked = false;
    amqp_writer_set_impatient(&publisher->writer);
}

static enum weir_status on_ack(struct publisher *publisher,
                               const amqp_basic_ack_t *ack,
                               struct weir_error *err)
{
    return window_confirm(publisher->window, ack->delivery_tag, ack->multiple,
                          publisher->writer.written, WINDOW_ACK, err);
}

static enum weir_status on_nack(struct publisher *publisher,
                                const amqp_basic_nack_t *nack,
                                struct weir_error *err)
{
    return window_confirm(publisher->window, nack->delivery_tag, nack->multiple,
                          publisher->writer.written, WINDOW_NACK, err);
}

static enum weir_status on_method(struct publisher *publisher,
                                  const amqp_frame_t *frame,
                                  struct weir_error *err)
{
    const amqp_method_t *method = &frame->payload.method;
    struct weir_error why = {.text = ""};
    enum weir_status status;

    switch (method->id) {
    case AMQP_BASIC_ACK_METHOD:
        status = on_ack(publisher, method->decoded, &why);
        break;
    case AMQP_BASIC_NACK_METHOD:
        status = on_nack(publisher, method->decoded, &why);
        break;
    case AMQP_BASIC_RETURN_METHOD:
        status = returned_begin(&publisher->returned, method->decoded, &why);
        break;
    case AMQP_CONNECTION_BLOCKED_METHOD:
        on_blocked(publisher);
        return WEIR_OK;
    case AMQP_CONNECTION_UNBLOCKED_METHOD:
        on_unblocked(publisher);
        return WEIR_OK;
    case AMQP_CHANNEL_CLOSE_METHOD:
    case AMQP_CONNECTION_CLOSE_METHOD:
        return on_close(publisher, frame, err);
    default:
        status = weir_fail(&why, WEIR_RETRY,
                           "the broker sent a method (0x%x) that nobody asked "
                           "for",
                           (unsigned)method->id);
        break;
    }
    return confused(publisher, status, &why, err);
}

static enum weir_status take_frame(struct publisher *publisher,
                                   const amqp_frame_t *frame,
                                   struct weir_error *err)
{
    struct weir_error why = {.text = ""};
    enum weir_status status = WEIR_OK;

    if (frame->channel > AMQP_LINK_CHANNEL)
        status = weir_fail(&why, WEIR_RETRY,
                           "the broker used channel %u, which isn't open",
                           (unsigned)frame->channel);
    else if (frame->frame_type == AMQP_FRAME_METHOD)
        return on_method(publisher, frame, err);
    else if (frame->frame_type == AMQP_FRAME_HEADER)
        status = returned_header(&publisher->returned, &publisher->plan,
                                 publisher->window, frame, &why);
    else if (frame->frame_type == AMQP_FRAME_BODY)
        status = returned_body(&publisher->returned, &publisher->plan,
                               publisher->window, frame->payload.body_fragment,
                               &why);
    return confused(publisher, status, &why, err);
}

/* Gives pages back; between the frames of a return too, since they are copied.
 */
static void release(struct publisher *publisher)
{
    if (++publisher->frames < RELEASE_EVERY)
        return;
    publisher->frames = 0;
    amqp_maybe_release_buffers(publisher->link.connection);
}

/* Also whether heartbeats came, which the library keeps to itself. */
static void listen(struct publisher *publisher)
{
    struct pollfd fds = {.fd = publisher->link.socket, .events = POLLIN};

    if (poll(&fds, 1, 0) == 1)
        amqp_writer_hear(&publisher->writer, clock_now_us());
}

enum weir_status publisher_read(struct publisher *publisher,
                                struct weir_error *err)
{
    const struct timeval at_once = {.tv_sec = 0};
    enum weir_status status = WEIR_OK;

    listen(publisher);
    while (status == WEIR_OK) {
        amqp_frame_t frame;
        const int rc = amqp_simple_wait_frame_noblock(
            publisher->link.connection, &frame, &at_once);

        if (rc == AMQP_STATUS_TIMEOUT)
            return WEIR_OK;
        if (rc != AMQP_STATUS_OK)
            return amqp_link_fail(&publisher->link, rc, "publishing", err);
        status = take_frame(publisher, &frame, err);
        release(publisher);
    }
    return status;
}

/* ---- what we say ---- */

enum weir_status publisher_publish(struct publisher *publisher,
                                   struct weir_batch *batch, size_t index,
                                   struct weir_error *err)
{
    const struct weir_message *msg = weir_batch_message(batch, index);
    struct publication *publication = &publisher->publication;
    enum weir_status status;
    uint64_t position;

    if (publisher->is_blocked || window_is_full(publisher->window))
        return WEIR_AGAIN;
    status = publication_make(publication, &publisher->plan, msg, err);
    if (status == WEIR_OK)
        status = amqp_writer_publish(&publisher->writer, &publication->method,
                                     &publication->properties,
                                     publication->body, &position, err);
    if (status == WEIR_OK)
        window_begin(publisher->window, batch, index, position);
    return status;
}

enum weir_status publisher_write(struct publisher *publisher,
                                 struct weir_error *err)
{
    const enum weir_status status = amqp_writer_flush(&publisher->writer, err);

    if (status == WEIR_RETRY)
        return status;
    return amqp_writer_beat(&publisher->writer, clock_now_us(), err);
}
