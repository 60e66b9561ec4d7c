/*
 * peer_fixture.h - the producer with a small broker of our own.
 */
#ifndef WEIR_TEST_PEER_FIXTURE_H
#define WEIR_TEST_PEER_FIXTURE_H

#include <weir/producer.h>

#include "amqp_peer.h"
#include "clock.h"
#include "test_intake.h"
#include "test_settings.h"

struct peer_fixture {
    struct weir_settings *settings;
    struct weir_intake *intake;
    struct amqp_peer *peer; /* NULL until peer_start() */
};

int peer_fixture_setup(void **state);
int peer_fixture_teardown(void **state);

/* With the password "hunter2" in the url, which no error may show. */
void peer_start(struct peer_fixture *fixture,
                const struct amqp_peer_options *options);

enum weir_status peer_open(struct peer_fixture *fixture,
                           struct weir_error *err);
/* Starts a well-behaved broker, and opens. */
void peer_connect(struct peer_fixture *fixture);

/* Pulls until something else than WEIR_AGAIN comes, for ten seconds. */
enum weir_status peer_pull(struct peer_fixture *fixture, unsigned demand,
                           struct weir_error *err);
/* The connection ends with an error that has `word` in it. */
void peer_expect_end(struct peer_fixture *fixture, const char *word);
/* open() fails with an error that has `word` in it, and no password. */
void peer_expect_refusal(struct peer_fixture *fixture, const char *word);

#endif
