/*
 * sink_fixture.c - the AMQP sink with a small broker of our own.
 *
 * Threads: one, and the peer's.
 */
#include "sink_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amqp_sink.h"
#include "test.h"

#define PATIENCE_US (10 * CLOCK_SECOND_US)

int sink_fixture_setup(void **state)
{
    struct sink_fixture *fixture = calloc(1, sizeof(*fixture));

    assert_non_null(fixture);
    fixture->settings = test_settings_create(weir_amqp_sink.options);
    fixture->self = calloc(1, weir_amqp_sink.self_size);
    assert_non_null(fixture->self);
    test_settings_set(fixture->settings, "exchange", "e");
    test_settings_set(fixture->settings, "routing_key", "k");
    *state = fixture;
    return 0;
}

int sink_fixture_teardown(void **state)
{
    struct sink_fixture *fixture = *state;

    sink_close(fixture);
    for (size_t i = 0; i < fixture->batch_count; i++)
        test_batch_destroy(fixture->batches[i]);
    test_settings_destroy(fixture->settings);
    amqp_peer_destroy(fixture->peer);
    free(fixture->self);
    free(fixture);
    return 0;
}

void sink_start(struct sink_fixture *fixture,
                const struct amqp_peer_options *options)
{
    char url[100];

    fixture->peer = amqp_peer_create(options);
    (void)snprintf(url, sizeof(url), "amqp://weir:hunter2@127.0.0.1:%d",
                   amqp_peer_port(fixture->peer));
    test_settings_set(fixture->settings, "url", url);
}

enum weir_status sink_open(struct sink_fixture *fixture, struct weir_error *err)
{
    return weir_amqp_sink.open(fixture->self, fixture->settings, err);
}

void sink_connect(struct sink_fixture *fixture)
{
    const struct amqp_peer_options options = {.heartbeat_s = 0};
    struct weir_error err = {.text = ""};

    if (!fixture->peer)
        sink_start(fixture, &options);
    if (sink_open(fixture, &err) != WEIR_OK)
        fail_msg("%s", err.text);
}

void sink_close(struct sink_fixture *fixture)
{
    weir_amqp_sink.close(fixture->self, clock_now_us());
}

static struct weir_batch *write_batch(struct sink_fixture *fixture,
                                      struct weir_batch *batch)
{
    const size_t before = amqp_peer_published(fixture->peer);
    struct weir_error err = {.text = ""};

    assert_in_range(fixture->batch_count, 0, SINK_BATCHES - 1);
    fixture->batches[fixture->batch_count++] = batch;
    if (weir_amqp_sink.write(fixture->self, batch, &err) != WEIR_OK)
        fail_msg("%s", err.text);
    amqp_peer_await_published(fixture->peer, before + weir_batch_count(batch));
    return batch;
}

struct weir_batch *sink_write(struct sink_fixture *fixture,
                              const char *const *payloads)
{
    return write_batch(fixture, test_batch_of(payloads));
}

struct weir_batch *sink_write_messages(struct sink_fixture *fixture,
                                       const struct test_message *messages,
                                       size_t count)
{
    return write_batch(fixture, test_batch_create(messages, count));
}

void sink_poll_until(struct sink_fixture *fixture,
                     const struct weir_batch *batch, size_t count)
{
    const int64_t deadline_us = clock_after_us(PATIENCE_US);
    struct weir_error err = {.text = ""};

    while (test_batch_open_count(batch) > count) {
        const enum weir_status status =
            weir_amqp_sink.poll(fixture->self, deadline_us, &err);

        assert_true(clock_now_us() < deadline_us);
        if (status != WEIR_OK && status != WEIR_HOLD)
            fail_msg("%s", err.text);
    }
    assert_int_equal(test_batch_open_count(batch), count);
}

void sink_expect_end(struct sink_fixture *fixture, const char *word)
{
    const int64_t deadline_us = clock_after_us(PATIENCE_US);
    struct weir_error err = {.text = ""};
    enum weir_status status = WEIR_OK;

    while (status == WEIR_OK && clock_now_us() < deadline_us)
        status = weir_amqp_sink.poll(fixture->self, deadline_us, &err);
    assert_int_equal(status, WEIR_RETRY);
    if (!strstr(err.text, word))
        fail_msg("no '%s' in: %s", word, err.text);
    assert_null(strstr(err.text, "hunter2"));
}
