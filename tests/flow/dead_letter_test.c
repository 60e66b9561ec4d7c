/*
 * dead_letter_test.c - what is written into a dead letter, and with how much
 * memory.
 */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "dead_letter.h"
#include "failing_alloc.h"
#include "rig.h"

#define INIT(text)                                                             \
    {                                                                          \
        text, sizeof(text) - 1                                                 \
    }

static const struct weir_header headers[] = {
    {INIT("x"), INIT("1")},
    {INIT("y"), INIT("a\0b")},
    {INIT("none"), {NULL, 0}},
};
static const struct weir_header properties[] = {
    {INIT("routing_key"), INIT("orders.new")},
    {INIT("exchange"), {"", 0}},
};

struct fixture {
    struct rig *rig;
    struct context context;
};

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    assert_non_null(fixture);
    fixture->rig = rig_create(WEIR_ORDERING_NONE);
    fixture->rig->run.source = "amqp";
    (void)strcpy(fixture->rig->run.host, "here");
    fixture->context.run = &fixture->rig->run;
    rig_begin(fixture->rig, 5);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    (void)failing_alloc_disarm();
    if (fixture->context.arena)
        arena_release(fixture->context.arena, 1);
    rig_destroy(fixture->rig);
    free(fixture);
    return 0;
}

/* One that failed, alone in its chunk. */
static struct weir_message *failed(struct fixture *fixture,
                                   struct weir_record record)
{
    struct weir_message *msg, *copy;

    record.payload = (struct weir_bytes)INIT("the\0payload");
    assert_int_equal(weir_intake_add(&fixture->rig->intake, 5, &record),
                     WEIR_OK);
    intake_flush(&fixture->rig->intake);
    msg = rig_take_one(fixture->rig);
    message_set_reason(msg, &fixture->context, "no %s", "total");
    msg->attempt = 2;
    copy = message_move(&fixture->rig->run, msg, true);
    assert_non_null(copy);
    settle(&fixture->rig->settler, msg, ENDING_MOVED);
    return copy;
}

static void end(struct fixture *fixture, struct weir_message *msg)
{
    settle(&fixture->rig->settler, msg, ENDING_DROPPED);
    settler_flush(&fixture->rig->settler);
    rig_serve(fixture->rig);
}

static void expect(const struct weir_message *msg, const char *name,
                   const char *value)
{
    const struct weir_bytes found = weir_message_find_header(msg, name);

    if (!found.data)
        fail_msg("there is no %s", name);
    assert_int_equal(found.size, strlen(value));
    assert_memory_equal(found.data, value, found.size);
}

static const struct weir_record queued = {
    .offset = -1,
    .timestamp_ms = 1234567890123,
    .deliveries = 3,
    .key = INIT("k\0y"),
    .headers = headers,
    .header_count = 3,
    .properties = properties,
    .property_count = 2,
};

static void what_was_received_is_kept_byte_for_byte(void **state)
{
    struct fixture *fixture = *state;
    struct weir_message *msg = failed(fixture, queued);

    assert_int_equal(
        dead_letter_make(&fixture->rig->run, msg, REJECTED_HANDLER, NULL),
        WEIR_OK);

    assert_int_equal(weir_message_payload(msg).size, 11);
    assert_memory_equal(weir_message_payload(msg).data, "the\0payload", 11);
    assert_int_equal(weir_message_key(msg).size, 3);
    assert_memory_equal(weir_message_key(msg).data, "k\0y", 3);
    for (size_t i = 0; i < 3; i++) {
        const struct weir_header header = weir_message_header(msg, i);

        assert_int_equal(header.name.size, headers[i].name.size);
        assert_int_equal(header.value.size, headers[i].value.size);
        assert_int_equal(header.value.data == NULL,
                         headers[i].value.data == NULL);
        if (header.value.data)
            assert_memory_equal(header.value.data, headers[i].value.data,
                                header.value.size);
    }
    assert_int_equal(weir_message_timestamp_ms(msg), 1234567890123);
    end(fixture, msg);
}

static void a_queues_message_says_queue_exchange_and_routing_key(void **state)
{
    struct fixture *fixture = *state;
    struct weir_message *msg = failed(fixture, queued);

    assert_int_equal(
        dead_letter_make(&fixture->rig->run, msg, REJECTED_SINK, "audit"),
        WEIR_OK);

    expect(msg, "weir-source", "amqp");
    expect(msg, "weir-queue", "t");
    expect(msg, "weir-exchange", "");
    expect(msg, "weir-routing-key", "orders.new");
    expect(msg, "weir-code", "sink");
    expect(msg, "weir-batcher", "audit");
    expect(msg, "weir-reason", "no total");
    expect(msg, "weir-attempts", "5"); /* three of them by the broker's count */
    expect(msg, "weir-host", "here");
    expect(msg, "weir-pipeline", "test");
    assert_null(weir_message_find_header(msg, "weir-topic").data);
    assert_null(weir_message_find_header(msg, "weir-offset").data);
    end(fixture, msg);
}

static void what_a_callback_added_comes_first(void **state)
{
    struct fixture *fixture = *state;
    struct weir_message *msg = failed(fixture, queued);

    msg->context = &fixture->context;
    assert_int_equal(weir_message_add_header(msg, "team", WEIR_STR("billing")),
                     WEIR_OK);
    assert_int_equal(
        weir_message_add_header(msg, "weir-code", WEIR_STR("forged")), WEIR_OK);
    msg->context = NULL;
    assert_int_equal(
        dead_letter_make(&fixture->rig->run, msg, REJECTED_HANDLER, NULL),
        WEIR_OK);

    expect(msg, "team", "billing");
    expect(msg, "weir-code", "rejected");
    end(fixture, msg);
}

static void a_payload_can_be_left_out_once(void **state)
{
    struct fixture *fixture = *state;
    struct weir_message *msg = failed(fixture, queued);

    assert_int_equal(
        dead_letter_make(&fixture->rig->run, msg, REJECTED_HANDLER, NULL),
        WEIR_OK);
    assert_null(weir_message_find_header(msg, "weir-payload-omitted").data);
    failing_alloc_arm(1); /* needs no memory */
    assert_true(dead_letter_omit_payload(msg));
    assert_false(failing_alloc_disarm());

    expect(msg, "weir-payload-omitted", "11");
    expect(msg, "weir-reason", "no total");
    assert_null(weir_message_payload(msg).data);
    assert_false(dead_letter_omit_payload(msg));
    end(fixture, msg);
}

static void without_memory_nothing_is_changed(void **state)
{
    struct fixture *fixture = *state;
    struct weir_message *msg = failed(fixture, queued);
    unsigned nth = 1;

    failing_alloc_arm(nth);
    while (dead_letter_make(&fixture->rig->run, msg, REJECTED_HANDLER, NULL) !=
           WEIR_OK) {
        assert_true(failing_alloc_disarm());
        assert_string_equal(weir_message_reason(msg), "no total");
        assert_int_equal(weir_message_header_count(msg), 3);
        failing_alloc_arm(++nth);
    }
    (void)failing_alloc_disarm();
    assert_int_equal(nth, 3); /* an arena, and its block */
    end(fixture, msg);
}

static void a_letter_pins_no_more_than_itself(void **state)
{
    struct fixture *fixture = *state;
    struct weir_message *msg = failed(fixture, queued);
    size_t before;

    assert_int_equal(
        dead_letter_make(&fixture->rig->run, msg, REJECTED_HANDLER, NULL),
        WEIR_OK);
    arena_release(fixture->context.arena, 1);
    fixture->context.arena = NULL;
    settler_flush(&fixture->rig->settler);
    rig_serve(fixture->rig);
    before = atomic_load(&fixture->rig->run.budget.used);
    end(fixture, msg);

    assert_in_range(before - atomic_load(&fixture->rig->run.budget.used), 500,
                    3000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_received_is_kept_byte_for_byte),
        TEST(a_queues_message_says_queue_exchange_and_routing_key),
        TEST(what_a_callback_added_comes_first),
        TEST(a_payload_can_be_left_out_once),
        TEST(without_memory_nothing_is_changed),
        TEST(a_letter_pins_no_more_than_itself),
    };
    return cmocka_run_group_tests_name("dead_letter", tests, NULL, NULL);
}
