/*
 * real_broker.h - the other side of a queue, for tests against a RabbitMQ.
 *
 * WEIR_AMQP names it; without, real_broker_is_there() says so, and the test is
 * skipped, or fails where WEIR_REQUIRE_BROKERS is 1.
 */
#ifndef WEIR_TEST_REAL_BROKER_H
#define WEIR_TEST_REAL_BROKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rabbitmq.h"

struct real_broker;

bool real_broker_is_there(void);
const char *real_broker_url(void);

/* A connection of its own; fails the test when there is none. */
struct real_broker *real_broker_create(void);
void real_broker_destroy(struct real_broker *broker);

/* Deletes the queue if it is there and declares it, `arguments` as pairs of
 * text, ending with NULL; a text of digits is a number. */
void real_broker_declare(struct real_broker *broker, const char *queue,
                         const char *const *arguments);
void real_broker_delete(struct real_broker *broker, const char *queue);

/* Persistent, confirmed; bodies are "first", "first + 1", ... */
void real_broker_publish(struct real_broker *broker, const char *queue,
                         unsigned first, unsigned count);
void real_broker_publish_bytes(struct real_broker *broker, const char *queue,
                               amqp_bytes_t body,
                               const amqp_basic_properties_t *properties);

void real_broker_publish_to(struct real_broker *broker, const char *exchange,
                            const char *key, const char *body);

/* Messages that wait, by a passive declare. */
unsigned real_broker_count(struct real_broker *broker, const char *queue);
/* Until the queue has so many messages, for at most ten seconds. */
void real_broker_await_count(struct real_broker *broker, const char *queue,
                             unsigned count);

#endif
