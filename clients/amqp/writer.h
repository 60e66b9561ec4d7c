/*
 * writer.h - frames to a broker, without ever waiting for it.
 */
#ifndef WEIR_CLIENTS_AMQP_WRITER_H
#define WEIR_CLIENTS_AMQP_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/bytes.h>
#include <weir/status.h>

#include "link.h"

/* Zeroed is closed. */
struct amqp_writer {
    struct amqp_link *link;
    unsigned char *bytes;
    size_t begin, end;      /* encoded, and not written yet */
    struct weir_bytes body; /* what is not even encoded yet */
    size_t frame_max;
    uint64_t written;     /* bytes, so far */
    int64_t heartbeat_us; /* 0: none */
    int64_t wrote_us, heard_us;
    int64_t moved_us; /* when there was nothing to write, or some of it went */
    bool is_patient;
};

/*
 * From here on nothing else may write to `link`, whose synchronous calls are
 * over; heartbeats are the writer's.
 */
WEIR_MUST_USE
enum weir_status amqp_writer_open(struct amqp_writer *writer,
                                  struct amqp_link *link,
                                  struct weir_error *err);
void amqp_writer_close(struct amqp_writer *writer);

/*
 * Begins a message; `body` is borrowed until it is written.  `ret_position` is
 * its end: it is written when amqp_writer_has_written() says so.  WEIR_AGAIN:
 * no room, flush first.  WEIR_REJECT: such a message can't be sent.
 */
WEIR_MUST_USE
enum weir_status amqp_writer_publish(struct amqp_writer *writer,
                                     amqp_basic_publish_t *publish,
                                     amqp_basic_properties_t *properties,
                                     struct weir_bytes body,
                                     uint64_t *ret_position,
                                     struct weir_error *err);

/* WEIR_OK: everything is written.  WEIR_AGAIN: the socket takes no more for
 * now.  WEIR_RETRY: the link is broken. */
WEIR_MUST_USE
enum weir_status amqp_writer_flush(struct amqp_writer *writer,
                                   struct weir_error *err);

/* Bytes that were begun and are not written. */
uint64_t amqp_writer_pending(const struct amqp_writer *writer);
bool amqp_writer_has_written(const struct amqp_writer *writer,
                             uint64_t position);

/* The broker was heard: something came from it. */
void amqp_writer_hear(struct amqp_writer *writer, int64_t now_us);

/* The broker said that it reads nothing (any more), or that it does again. */
void amqp_writer_set_patient(struct amqp_writer *writer);
void amqp_writer_set_impatient(struct amqp_writer *writer);

/*
 * Sends a heartbeat when one is due.  WEIR_RETRY: the broker was silent for two
 * intervals, or takes nothing of what is to be written for half a minute.  To
 * be called after reading and flushing, and again at amqp_writer_due_us().
 */
WEIR_MUST_USE
enum weir_status amqp_writer_beat(struct amqp_writer *writer, int64_t now_us,
                                  struct weir_error *err);
int64_t amqp_writer_due_us(const struct amqp_writer *writer);

#endif
