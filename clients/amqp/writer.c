/*
 * writer.c - frames to a broker, without ever waiting for it.
 *
 * amqp_basic_publish() of rabbitmq-c returns when its last byte is in the
 * socket.  On a link that takes nothing, since the broker is blocked, frozen or
 * gone, that is never: the library waits for the broker's heartbeats without
 * bound.  And it makes three system calls for each message.  So frames are
 * encoded here, with the library's own encoders, into one buffer, and written
 * as far as the socket takes them:
 *
 *     bytes   [....method header body method header body ...... free ]
 *                  ^ begin                                ^ end
 *     body    the rest of a large message, encoded piece by piece
 *
 * The buffer never grows: a message is begun when method and header have room,
 * and its body follows as the buffer empties.
 *
 * The library would send its heartbeats into the middle of a frame.  Telling it
 * after the login that there are none stops both directions of them, so both
 * are done here: ours when nothing was written for half an interval; the
 * broker's by whether anything came for two.  A broker that sends heartbeats
 * and yet reads nothing is given up after half a minute, unless it said that it
 * blocks publishers.
 *
 * Invariants: only whole frames enter the buffer, and nothing else writes to
 * the socket until it is empty.
 *
 * Threads: the connection's own.
 */
#include "writer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "clock.h"
#include "dial.h"
#include "trouble.h"

enum {
    CAPACITY = 256 * 1024,
    HEAD = 7, /* of a frame: type, channel, size */
    TAIL = 1,
    FRAME_END = 0xce,
    METHOD_MAX = 1024, /* a publish: two names of 255 bytes */
    CONTENT_HEAD = 12  /* class, weight, size of the body */
};

#define STALL_US (30 * CLOCK_SECOND_US)

enum weir_status amqp_writer_open(struct amqp_writer *writer,
                                  struct amqp_link *link,
                                  struct weir_error *err)
{
    const int heartbeat_s = amqp_get_heartbeat(link->connection);
    const int frame_max = amqp_get_frame_max(link->connection);
    const int64_t now_us = clock_now_us();

    *writer = (struct amqp_writer){
        .link = link,
        .bytes = malloc(CAPACITY),
        .frame_max = (size_t)frame_max,
        .heartbeat_us = heartbeat_s * CLOCK_SECOND_US,
        .wrote_us = now_us,
        .heard_us = now_us,
        .moved_us = now_us,
    };
    if (!writer->bytes)
        return weir_fail(err, WEIR_RETRY, "out of memory");
    /* Between two frames, as after every synchronous call, this is allowed. */
    if (amqp_tune_connection(link->connection,
                             amqp_get_channel_max(link->connection), frame_max,
                             0) != AMQP_STATUS_OK)
        return weir_fail(err, WEIR_RETRY, "out of memory");
    return WEIR_OK;
}

void amqp_writer_close(struct amqp_writer *writer)
{
    free(writer->bytes);
    *writer = (struct amqp_writer){.link = NULL};
}

/* ---- encoding ---- */

static void put(unsigned char *at, uint64_t value, unsigned bytes)
{
    while (bytes-- > 0)
        *at++ = (unsigned char)(value >> (8 * bytes));
}

static void put_frame(unsigned char *at, unsigned char type, uint16_t channel,
                      size_t size)
{
    put(at, type, 1);
    put(at + 1, channel, 2);
    put(at + 3, size, 4);
    at[HEAD + size] = FRAME_END;
}

/* Moves what waits to the front when that is little. */
static size_t make_room(struct amqp_writer *writer)
{
    if (writer->begin > 0 && writer->end - writer->begin < CAPACITY / 4) {
        memmove(writer->bytes, writer->bytes + writer->begin,
                writer->end - writer->begin);
        writer->end -= writer->begin;
        writer->begin = 0;
    }
    return CAPACITY - writer->end;
}

/* What frames around a body of `size` add up to, as encode_body() cuts it. */
static size_t around(const struct amqp_writer *writer, size_t size)
{
    const size_t most = writer->frame_max - HEAD - TAIL;

    return (size + most - 1) / most * (HEAD + TAIL);
}

/* As many frames of the body as there is room for. */
static void encode_body(struct amqp_writer *writer)
{
    const size_t most = writer->frame_max - HEAD - TAIL;

    while (writer->body.size > 0) {
        unsigned char *at = writer->bytes + writer->end;
        const size_t size = writer->body.size < most ? writer->body.size : most;

        if (CAPACITY - writer->end < HEAD + size + TAIL)
            return;
        put_frame(at, AMQP_FRAME_BODY, AMQP_LINK_CHANNEL, size);
        memcpy(at + HEAD, writer->body.data, size);
        writer->end += HEAD + size + TAIL;
        writer->body.data = (const unsigned char *)writer->body.data + size;
        writer->body.size -= size;
    }
}

/* Returns the size of the frame at `at`, 0: it can't be encoded. */
static size_t encode_method(unsigned char *at, amqp_basic_publish_t *publish)
{
    const amqp_bytes_t into = {.len = METHOD_MAX - HEAD - TAIL - 4,
                               .bytes = at + HEAD + 4};
    const int size =
        amqp_encode_method(AMQP_BASIC_PUBLISH_METHOD, publish, into);

    if (size < 0)
        return 0;
    put(at + HEAD, AMQP_BASIC_PUBLISH_METHOD, 4);
    put_frame(at, AMQP_FRAME_METHOD, AMQP_LINK_CHANNEL, 4 + (size_t)size);
    return HEAD + 4 + (size_t)size + TAIL;
}

static size_t encode_header(unsigned char *at, size_t frame_max,
                            amqp_basic_properties_t *properties,
                            size_t body_size)
{
    const amqp_bytes_t into = {.len = frame_max - HEAD - TAIL - CONTENT_HEAD,
                               .bytes = at + HEAD + CONTENT_HEAD};
    const int size = amqp_encode_properties(AMQP_BASIC_CLASS, properties, into);

    if (size < 0)
        return 0;
    put(at + HEAD, AMQP_BASIC_CLASS, 2);
    put(at + HEAD + 2, 0, 2);
    put(at + HEAD + 4, body_size, 8);
    put_frame(at, AMQP_FRAME_HEADER, AMQP_LINK_CHANNEL,
              CONTENT_HEAD + (size_t)size);
    return HEAD + CONTENT_HEAD + (size_t)size + TAIL;
}

enum weir_status amqp_writer_publish(struct amqp_writer *writer,
                                     amqp_basic_publish_t *publish,
                                     amqp_basic_properties_t *properties,
                                     struct weir_bytes body,
                                     uint64_t *ret_position,
                                     struct weir_error *err)
{
    size_t method, header;

    if (writer->body.size > 0 ||
        make_room(writer) < METHOD_MAX + writer->frame_max)
        return WEIR_AGAIN;
    method = encode_method(writer->bytes + writer->end, publish);
    if (method == 0)
        return weir_fail(err, WEIR_REJECT,
                         "exchange or routing key has more than 255 bytes");
    header = encode_header(writer->bytes + writer->end + method,
                           writer->frame_max, properties, body.size);
    if (header == 0)
        return weir_fail(err, WEIR_REJECT,
                         "properties and headers don't fit into a frame "
                         "(%zu bytes)",
                         writer->frame_max);
    if (amqp_writer_pending(writer) == 0)
        writer->moved_us = clock_now_us();
    writer->end += method + header;
    writer->body = body;
    encode_body(writer);
    *ret_position = writer->written + amqp_writer_pending(writer);
    return WEIR_OK;
}

/* ---- writing ---- */

static enum weir_status write_some(const struct amqp_writer *writer,
                                   size_t *ret_count)
{
    const unsigned char *from = writer->bytes + writer->begin;
    const size_t size = writer->end - writer->begin;
    ssize_t count;

    if (writer->link->verdict.session)
        return amqp_tls_write(writer->link->verdict.session, from, size,
                              ret_count);
    do {
        count =
            send(writer->link->socket, from, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (count < 0 && errno == EINTR);
    if (count < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK ? WEIR_AGAIN
                                                       : WEIR_RETRY;
    *ret_count = (size_t)count;
    return WEIR_OK;
}

enum weir_status amqp_writer_flush(struct amqp_writer *writer,
                                   struct weir_error *err)
{
    while (writer->begin < writer->end) {
        size_t count = 0;
        const enum weir_status status = write_some(writer, &count);

        if (status == WEIR_RETRY)
            return amqp_link_fail(writer->link, AMQP_STATUS_SOCKET_ERROR,
                                  "writing", err);
        if (status == WEIR_AGAIN)
            return WEIR_AGAIN;
        writer->begin += count;
        writer->written += count;
        if (writer->begin == writer->end)
            writer->begin = writer->end = 0;
        (void)make_room(writer);
        encode_body(writer);
        writer->wrote_us = clock_now_us();
        writer->moved_us = writer->wrote_us;
    }
    return WEIR_OK;
}

uint64_t amqp_writer_pending(const struct amqp_writer *writer)
{
    return writer->end - writer->begin + writer->body.size +
           around(writer, writer->body.size);
}

bool amqp_writer_has_written(const struct amqp_writer *writer,
                             uint64_t position)
{
    return position <= writer->written;
}

/* ---- the broker's silence and ours ---- */

void amqp_writer_hear(struct amqp_writer *writer, int64_t now_us)
{
    writer->heard_us = now_us;
}

void amqp_writer_set_patient(struct amqp_writer *writer)
{
    writer->is_patient = true;
    amqp_dial_set_patient(writer->link->socket);
}

void amqp_writer_set_impatient(struct amqp_writer *writer)
{
    writer->is_patient = false;
    writer->moved_us = clock_now_us();
    amqp_dial_tune(writer->link->socket);
}

static enum weir_status check_peer(const struct amqp_writer *writer,
                                   int64_t now_us, struct weir_error *err)
{
    if (writer->heartbeat_us > 0 &&
        now_us - writer->heard_us >= 2 * writer->heartbeat_us)
        return amqp_link_fail(writer->link, AMQP_STATUS_HEARTBEAT_TIMEOUT,
                              "publishing", err);
    if (!writer->is_patient && amqp_writer_pending(writer) > 0 &&
        now_us - writer->moved_us >= STALL_US) {
        writer->link->is_broken = true;
        return weir_fail(err, WEIR_RETRY,
                         "%s: publishing: the broker has read nothing for half "
                         "a minute",
                         writer->link->where);
    }
    return WEIR_OK;
}

enum weir_status amqp_writer_beat(struct amqp_writer *writer, int64_t now_us,
                                  struct weir_error *err)
{
    const enum weir_status status = check_peer(writer, now_us, err);

    if (status != WEIR_OK)
        return status;
    if (writer->heartbeat_us == 0 || amqp_writer_pending(writer) > 0 ||
        now_us - writer->wrote_us < writer->heartbeat_us / 2)
        return WEIR_OK;
    put_frame(writer->bytes, AMQP_FRAME_HEARTBEAT, 0, 0);
    writer->end = HEAD + TAIL; /* it was empty */
    writer->moved_us = now_us;
    return amqp_writer_flush(writer, err) == WEIR_RETRY ? WEIR_RETRY : WEIR_OK;
}

static int64_t earlier(int64_t a_us, int64_t b_us)
{
    return a_us < b_us ? a_us : b_us;
}

int64_t amqp_writer_due_us(const struct amqp_writer *writer)
{
    const bool is_pending = amqp_writer_pending(writer) > 0;
    int64_t due_us = CLOCK_NEVER_US;

    if (writer->heartbeat_us > 0)
        due_us = writer->heard_us + 2 * writer->heartbeat_us;
    if (writer->heartbeat_us > 0 && !is_pending)
        due_us = earlier(due_us, writer->wrote_us + writer->heartbeat_us / 2);
    if (is_pending && !writer->is_patient)
        due_us = earlier(due_us, writer->moved_us + STALL_US);
    return due_us;
}
