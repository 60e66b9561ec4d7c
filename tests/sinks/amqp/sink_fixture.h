/*
 * sink_fixture.h - the AMQP sink with a small broker of our own.
 */
#ifndef WEIR_TEST_AMQP_SINK_FIXTURE_H
#define WEIR_TEST_AMQP_SINK_FIXTURE_H

#include <weir/sink.h>

#include "amqp_confirms.h"
#include "amqp_peer.h"
#include "clock.h"
#include "test_batch.h"
#include "test_settings.h"

enum { SINK_BATCHES = 4 };

struct sink_fixture {
    struct weir_settings *settings;
    struct amqp_peer *peer; /* NULL until sink_start() */
    void *self;
    struct weir_batch *batches[SINK_BATCHES]; /* destroyed with it */
    size_t batch_count;
};

int sink_fixture_setup(void **state); /* exchange "e", routing key "k" */
int sink_fixture_teardown(void **state);

/* With the password "hunter2" in the url, which no error may show. */
void sink_start(struct sink_fixture *fixture,
                const struct amqp_peer_options *options);
enum weir_status sink_open(struct sink_fixture *fixture,
                           struct weir_error *err);
/* Starts a well-behaved broker, and opens. */
void sink_connect(struct sink_fixture *fixture);
void sink_close(struct sink_fixture *fixture);

/* Writes a batch of these and waits until the broker has read all of it. */
struct weir_batch *sink_write(struct sink_fixture *fixture,
                              const char *const *payloads);
struct weir_batch *sink_write_messages(struct sink_fixture *fixture,
                                       const struct test_message *messages,
                                       size_t count);

/* Polls until the batch has at most `count` messages without an outcome, for
 * ten seconds. */
void sink_poll_until(struct sink_fixture *fixture,
                     const struct weir_batch *batch, size_t count);

/* The connection ends with an error that has `word` in it. */
void sink_expect_end(struct sink_fixture *fixture, const char *word);

#endif
