/*
 * real_broker.c - the other side of a queue, for tests against a RabbitMQ.
 *
 * Threads: one.
 */
#include "real_broker.h"

#include <ctype.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "link.h"
#include "test.h"

enum { CHANNEL = AMQP_LINK_CHANNEL, PUBLISHED_MAX = 100000 };

struct real_broker {
    struct amqp_guard guard;
    struct amqp_link link;
    uint64_t published, confirmed; /* sequence numbers from 1 */
    bool is_confirmed[PUBLISHED_MAX];
};

const char *real_broker_url(void)
{
    return getenv("WEIR_AMQP");
}

bool real_broker_is_there(void)
{
    const char *required = getenv("WEIR_REQUIRE_BROKERS");

    if (real_broker_url())
        return true;
    (void)fprintf(stderr, "WEIR_AMQP is not set: no RabbitMQ to test with\n");
    if (required && strcmp(required, "1") == 0)
        exit(EXIT_FAILURE);
    return false;
}

static void must(struct real_broker *broker, const char *doing)
{
    struct weir_error err = {.text = ""};

    if (amqp_link_reply(&broker->link, doing, &err) != WEIR_OK)
        fail_msg("%s", err.text);
}

struct real_broker *real_broker_create(void)
{
    struct real_broker *broker = calloc(1, sizeof(*broker));
    const struct amqp_link_options options = {.name = "test"};
    struct weir_error err = {.text = ""};
    struct amqp_url url;

    assert_non_null(broker);
    assert_int_equal(amqp_url_parse(real_broker_url(), &url, &err), WEIR_OK);
    assert_int_equal(amqp_guard_open(&broker->guard, &err), WEIR_OK);
    if (amqp_link_open(&broker->link, &url, &options, &broker->guard, &err) !=
        WEIR_OK)
        fail_msg("%s", err.text);
    amqp_url_finish(&url);
    (void)amqp_confirm_select(broker->link.connection, CHANNEL);
    must(broker, "confirm.select");
    return broker;
}

void real_broker_destroy(struct real_broker *broker)
{
    if (!broker)
        return;
    amqp_link_close(&broker->link, clock_after_us(CLOCK_SECOND_US));
    amqp_guard_close(&broker->guard);
    free(broker);
}

void real_broker_delete(struct real_broker *broker, const char *queue)
{
    (void)amqp_queue_delete(broker->link.connection, CHANNEL,
                            amqp_cstring_bytes(queue), 0, 0);
    must(broker, "queue.delete");
}

void real_broker_declare(struct real_broker *broker, const char *queue,
                         const char *const *arguments)
{
    amqp_table_entry_t entries[8];
    amqp_table_t table = {.num_entries = 0, .entries = entries};

    for (; arguments && arguments[0]; arguments += 2) {
        amqp_table_entry_t *entry = &entries[table.num_entries++];

        entry->key = amqp_cstring_bytes(arguments[0]);
        entry->value.kind = AMQP_FIELD_KIND_UTF8;
        entry->value.value.bytes = amqp_cstring_bytes(arguments[1]);
        if (isdigit((unsigned char)arguments[1][0])) {
            entry->value.kind = AMQP_FIELD_KIND_I64;
            entry->value.value.i64 = strtoll(arguments[1], NULL, 10);
        }
    }
    real_broker_delete(broker, queue);
    (void)amqp_queue_declare(broker->link.connection, CHANNEL,
                             amqp_cstring_bytes(queue), 0, 1, 0, 0, table);
    must(broker, "queue.declare");
}

static void confirm(struct real_broker *broker, const amqp_basic_ack_t *ack)
{
    const uint64_t first = ack->multiple ? 1 : ack->delivery_tag;

    assert_true(ack->delivery_tag <= broker->published);
    for (uint64_t tag = first; tag <= ack->delivery_tag; tag++) {
        if (broker->is_confirmed[tag])
            continue;
        broker->is_confirmed[tag] = true;
        broker->confirmed++;
    }
}

/* Reads until everything that was published is confirmed. */
static void await_confirms(struct real_broker *broker)
{
    const struct timeval timeout = {.tv_sec = 10};

    while (broker->confirmed < broker->published) {
        amqp_frame_t frame;

        assert_int_equal(amqp_simple_wait_frame_noblock(broker->link.connection,
                                                        &frame, &timeout),
                         AMQP_STATUS_OK);
        if (frame.frame_type == AMQP_FRAME_HEARTBEAT)
            continue;
        assert_int_equal(frame.frame_type, AMQP_FRAME_METHOD);
        assert_int_equal(frame.payload.method.id, AMQP_BASIC_ACK_METHOD);
        confirm(broker, frame.payload.method.decoded);
    }
    amqp_maybe_release_buffers(broker->link.connection);
}

static void publish_to(struct real_broker *broker, const char *exchange,
                       const char *key, amqp_bytes_t body,
                       const amqp_basic_properties_t *properties)
{
    assert_int_equal(amqp_basic_publish(broker->link.connection, CHANNEL,
                                        amqp_cstring_bytes(exchange),
                                        amqp_cstring_bytes(key), 0, 0,
                                        properties, body),
                     AMQP_STATUS_OK);
    broker->published++;
    assert_true(broker->published < PUBLISHED_MAX);
}

static void publish(struct real_broker *broker, const char *queue,
                    amqp_bytes_t body,
                    const amqp_basic_properties_t *properties)
{
    publish_to(broker, "", queue, body, properties);
}

void real_broker_publish_to(struct real_broker *broker, const char *exchange,
                            const char *key, const char *body)
{
    const amqp_basic_properties_t none = {._flags = 0};

    publish_to(broker, exchange, key, amqp_cstring_bytes(body), &none);
    await_confirms(broker);
}

void real_broker_publish_bytes(struct real_broker *broker, const char *queue,
                               amqp_bytes_t body,
                               const amqp_basic_properties_t *properties)
{
    publish(broker, queue, body, properties);
    await_confirms(broker);
}

void real_broker_publish(struct real_broker *broker, const char *queue,
                         unsigned first, unsigned count)
{
    const amqp_basic_properties_t properties = {
        ._flags = AMQP_BASIC_DELIVERY_MODE_FLAG, .delivery_mode = 2};

    for (unsigned i = first; i < first + count; i++) {
        char body[16];

        (void)snprintf(body, sizeof(body), "%u", i);
        publish(broker, queue, amqp_cstring_bytes(body), &properties);
    }
    await_confirms(broker);
}

unsigned real_broker_count(struct real_broker *broker, const char *queue)
{
    const amqp_queue_declare_ok_t *reply = amqp_queue_declare(
        broker->link.connection, CHANNEL, amqp_cstring_bytes(queue), 1, 0, 0, 0,
        amqp_empty_table);

    must(broker, "queue.declare");
    assert_non_null(reply);
    return reply->message_count;
}

void real_broker_await_count(struct real_broker *broker, const char *queue,
                             unsigned count)
{
    const int64_t deadline_us = clock_after_us(10 * CLOCK_SECOND_US);

    while (real_broker_count(broker, queue) != count) {
        if (clock_now_us() > deadline_us)
            fail_msg("%s has %u messages, not %u", queue,
                     real_broker_count(broker, queue), count);
        (void)poll(NULL, 0, 20);
    }
}
