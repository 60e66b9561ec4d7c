/*
 * message_test.c - what a callback reads of a message, and what it changes.
 */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "rig.h"

#define INIT(text)                                                             \
    {                                                                          \
        text, sizeof(text) - 1                                                 \
    }
#define BYTES(text) ((struct weir_bytes)INIT(text))

static const struct weir_bytes absent = {NULL, 0};
static const struct weir_bytes empty = {"", 0};

struct fixture {
    struct rig *rig;
    struct context context;
    struct weir_message *msg; /* in a callback */
};

static const struct weir_header headers[] = {
    {INIT("x"), INIT("1")},
    {INIT("y"), INIT("a\0b")},
    {INIT("x"), INIT("2")},
    {INIT("none"), {NULL, 0}},
};
static const struct weir_header properties[] = {
    {INIT("routing_key"), INIT("a.b")},
    {INIT("exchange"), {"", 0}},
};
static const struct weir_record full = {
    .ticket = 77,
    .offset = 42,
    .timestamp_ms = 1234567890123,
    .deliveries = 3,
    .key = INIT("k\0y"),
    .payload = INIT("the payload"),
    .headers = headers,
    .header_count = 4,
    .properties = properties,
    .property_count = 2,
};

static struct weir_message *take_in(struct fixture *fixture,
                                    const struct weir_record *record)
{
    struct weir_message *msg;

    assert_int_equal(weir_intake_add(&fixture->rig->intake, 5, record),
                     WEIR_OK);
    intake_flush(&fixture->rig->intake);
    msg = rig_take_one(fixture->rig);
    msg->context = &fixture->context;
    return msg;
}

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    if (!fixture)
        return -1;
    fixture->rig = rig_create(WEIR_ORDERING_NONE);
    fixture->context.run = &fixture->rig->run;
    rig_begin(fixture->rig, 5);
    fixture->msg = take_in(fixture, &full);
    *state = fixture;
    return 0;
}

static void end_hand(struct context *context)
{
    if (context->arena)
        arena_release(context->arena, 1);
    context->arena = NULL;
}

static void end(struct fixture *fixture, struct weir_message *msg)
{
    settle(&fixture->rig->settler, msg, ENDING_DONE);
    settler_flush(&fixture->rig->settler);
    rig_serve(fixture->rig);
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    end_hand(&fixture->context);
    if (fixture->msg)
        end(fixture, fixture->msg);
    rig_destroy(fixture->rig);
    free(fixture);
    return 0;
}

static struct weir_message *message_in(void **state)
{
    return ((struct fixture *)*state)->msg;
}

static void expect_bytes(struct weir_bytes have, struct weir_bytes want)
{
    assert_int_equal(have.data == NULL, want.data == NULL);
    assert_int_equal(have.size, want.size);
    if (want.size > 0)
        assert_memory_equal(have.data, want.data, want.size);
}

/* A NUL and 64 bytes behind it may be read; AddressSanitizer watches. */
static void expect_tail(struct weir_bytes bytes)
{
    const char *text = bytes.data;
    volatile char sum = 0;

    assert_int_equal(text[bytes.size], '\0');
    for (size_t i = 0; i < 64; i++)
        sum = (char)(sum ^ text[bytes.size + 1 + i]);
    (void)sum;
}

/* ---- as received ---- */

static void a_message_is_read_as_it_was_received(void **state)
{
    const struct weir_message *msg = message_in(state);

    expect_bytes(weir_message_payload(msg), BYTES("the payload"));
    expect_tail(weir_message_payload(msg));
    expect_bytes(weir_message_key(msg), BYTES("k\0y"));
    assert_string_equal(weir_message_topic(msg), "t");
    assert_int_equal(weir_message_partition(msg), 5);
    assert_int_equal(weir_message_offset(msg), 42);
    assert_true(weir_message_timestamp_ms(msg) == 1234567890123);
    assert_int_equal(weir_message_deliveries(msg), 3);
    assert_string_equal(weir_message_reason(msg), "");
    expect_bytes(weir_message_batch_key(msg), absent);
}

static void headers_are_counted_listed_and_found(void **state)
{
    const struct weir_message *msg = message_in(state);

    assert_int_equal(weir_message_header_count(msg), 4);
    for (size_t i = 0; i < 4; i++) {
        const struct weir_header header = weir_message_header(msg, i);

        expect_bytes(header.name, headers[i].name);
        expect_bytes(header.value, headers[i].value);
    }
    expect_bytes(weir_message_header(msg, 4).name, absent);
    expect_bytes(weir_message_find_header(msg, "x"), BYTES("2")); /* last */
    expect_bytes(weir_message_find_header(msg, "y"), BYTES("a\0b"));
    expect_bytes(weir_message_find_header(msg, "none"), absent);
    expect_bytes(weir_message_find_header(msg, "X"), absent);
    expect_bytes(weir_message_find_header(msg, ""), absent);
}

static void properties_are_found_by_name(void **state)
{
    const struct weir_message *msg = message_in(state);

    expect_bytes(weir_message_property(msg, "routing_key"), BYTES("a.b"));
    expect_bytes(weir_message_property(msg, "exchange"), empty);
    expect_bytes(weir_message_property(msg, "x"), absent); /* a header */
}

static void the_attempt_counts_earlier_deliveries_and_calls_then_writes(
    void **state)
{
    struct weir_message *msg = message_in(state);

    msg->attempt = 2;
    msg->deliveries = 1;
    /* Two calls, and three deliveries that the broker counted before. */
    assert_int_equal(weir_message_attempt(msg), 5);
    msg->is_delivering = true;
    assert_int_equal(weir_message_attempt(msg), 1);
}

static void a_drain_is_seen_inside_a_callback(void **state)
{
    struct fixture *fixture = *state;

    assert_false(weir_message_is_draining(fixture->msg));
    fixture->rig->run.is_draining = true;
    assert_true(weir_message_is_draining(fixture->msg));
    fixture->msg->context = NULL;
    assert_false(weir_message_is_draining(fixture->msg));
}

/* ---- payloads ---- */

static void a_new_payload_replaces_the_received_one(void **state)
{
    struct weir_message *msg = message_in(state);
    char text[] = "new\0text";

    assert_int_equal(weir_message_set_payload(
                         msg, (struct weir_bytes){text, sizeof text - 1}),
                     WEIR_OK);
    memset(text, 'x', sizeof text); /* it was copied */
    expect_bytes(weir_message_payload(msg), BYTES("new\0text"));
    expect_tail(weir_message_payload(msg));
    expect_bytes(record_payload(msg->record), BYTES("the payload"));
}

static void a_payload_may_be_made_of_a_part_of_the_present_one(void **state)
{
    struct weir_message *msg = message_in(state);

    for (size_t size = 11; size > 0; size--) {
        struct weir_bytes part = weir_message_payload(msg);

        assert_int_equal(part.size, size);
        part.data = (const char *)part.data + 1;
        part.size--;
        assert_int_equal(weir_message_set_payload(msg, part), WEIR_OK);
    }
    expect_bytes(weir_message_payload(msg), empty);
    assert_non_null(weir_message_payload(msg).data);
}

static void a_payload_may_be_null_or_empty(void **state)
{
    struct weir_message *msg = message_in(state);

    assert_int_equal(weir_message_set_payload(msg, absent), WEIR_OK);
    expect_bytes(weir_message_payload(msg), absent);
    assert_int_equal(
        weir_message_set_payload(msg, (struct weir_bytes){NULL, 9}), WEIR_OK);
    expect_bytes(weir_message_payload(msg), absent);
    assert_int_equal(weir_message_set_payload(msg, empty), WEIR_OK);
    expect_bytes(weir_message_payload(msg), empty);
    expect_tail(weir_message_payload(msg));
}

static void a_payload_of_any_size_has_its_tail(void **state)
{
    static char large[100000];
    struct weir_message *msg = message_in(state);

    for (size_t size = 1; size < sizeof large; size = size * 3 + 5) {
        assert_int_equal(
            weir_message_set_payload(msg, (struct weir_bytes){large, size}),
            WEIR_OK);
        assert_int_equal(weir_message_payload(msg).size, size);
        assert_int_equal((uintptr_t)weir_message_payload(msg).data % 8, 0);
        expect_tail(weir_message_payload(msg));
    }
}

static void what_was_reserved_becomes_the_payload_when_it_is_committed(
    void **state)
{
    struct weir_message *msg = message_in(state);
    char *room = weir_message_reserve(msg, 100);

    assert_non_null(room);
    memset(room, 'r', 100);
    expect_bytes(weir_message_payload(msg), BYTES("the payload"));
    weir_message_commit(msg, 3);
    expect_bytes(weir_message_payload(msg), BYTES("rrr"));
    expect_tail(weir_message_payload(msg));
}

static void a_commit_is_cut_to_what_was_reserved(void **state)
{
    struct weir_message *msg = message_in(state);
    char *room = weir_message_reserve(msg, 4);

    assert_non_null(room);
    memcpy(room, "four", sizeof "four" - 1);
    weir_message_commit(msg, 1000);
    expect_bytes(weir_message_payload(msg), BYTES("four"));
    weir_message_commit(msg, 2); /* nothing is reserved any more */
    expect_bytes(weir_message_payload(msg), BYTES("four"));
}

static void only_the_last_reservation_counts(void **state)
{
    struct weir_message *msg = message_in(state);
    char *first = weir_message_reserve(msg, 10);
    char *second = weir_message_reserve(msg, 0);

    assert_non_null(first);
    assert_non_null(second);
    weir_message_commit(msg, 10);
    expect_bytes(weir_message_payload(msg), empty);
}

static void what_can_not_be_reserved_is_null(void **state)
{
    struct fixture *fixture = *state;

    assert_null(weir_message_reserve(fixture->msg, SIZE_MAX));
    assert_null(weir_message_reserve(fixture->msg, SIZE_MAX - 7));
    assert_true(fixture->context.is_out_of_memory);
    weir_message_commit(fixture->msg, 100);
    expect_bytes(weir_message_payload(fixture->msg), BYTES("the payload"));
}

/* ---- the other changes ---- */

static void added_headers_come_behind_the_received_ones(void **state)
{
    struct weir_message *msg = message_in(state);
    char name[] = "x", value[] = "v\0w";

    assert_int_equal(
        weir_message_add_header(msg, name,
                                (struct weir_bytes){value, sizeof value - 1}),
        WEIR_OK);
    assert_int_equal(weir_message_add_header(msg, "n", absent), WEIR_OK);
    assert_int_equal(weir_message_add_header(msg, "", empty), WEIR_OK);
    name[0] = value[0] = '!'; /* they were copied */
    assert_int_equal(weir_message_header_count(msg), 7);
    expect_bytes(weir_message_header(msg, 0).value, BYTES("1"));
    expect_bytes(weir_message_header(msg, 4).value, BYTES("v\0w"));
    expect_bytes(weir_message_header(msg, 5).value, absent);
    expect_bytes(weir_message_header(msg, 6).name, empty);
    expect_bytes(weir_message_header(msg, 6).value, empty);
    expect_bytes(weir_message_header(msg, 7).name, absent);
    expect_bytes(weir_message_find_header(msg, "x"), BYTES("v\0w"));
}

static void a_batch_key_is_binary_and_can_be_taken_back(void **state)
{
    struct weir_message *msg = message_in(state);

    weir_message_set_batch_key(msg, BYTES("a\0b"));
    expect_bytes(weir_message_batch_key(msg), BYTES("a\0b"));
    weir_message_set_batch_key(msg, empty);
    expect_bytes(weir_message_batch_key(msg), empty);
    weir_message_set_batch_key(msg, absent);
    expect_bytes(weir_message_batch_key(msg), absent);
}

static void a_route_is_copied_and_can_be_taken_back(void **state)
{
    struct weir_message *msg = message_in(state);
    char name[] = "slow";

    weir_message_route(msg, name);
    name[0] = '!';
    assert_string_equal(msg->changes->batcher, "slow");
    weir_message_route(msg, NULL);
    assert_null(msg->changes->batcher);
}

static void a_flush_and_an_early_settlement_are_noted(void **state)
{
    struct weir_message *msg = message_in(state);

    weir_message_flush(msg);
    assert_true(msg->changes->is_flush);
    assert_false(msg->changes->is_early);
    weir_message_settle_early(msg);
    assert_true(msg->changes->is_early);
}

static void a_rejection_keeps_its_reason(void **state)
{
    struct weir_message *msg = message_in(state);
    char word[] = "total";

    assert_int_equal(weir_message_reject(msg, "no %s in %d", word, 7),
                     WEIR_REJECT);
    word[0] = '!';
    assert_string_equal(weir_message_reason(msg), "no total in 7");
    assert_int_equal(
        weir_message_reject(msg, "again: %s", weir_message_reason(msg)),
        WEIR_REJECT);
    assert_string_equal(weir_message_reason(msg), "again: no total in 7");
}

/* In a sink connector, or through a pointer that was kept. */
static void outside_of_a_callback_nothing_is_changed(void **state)
{
    struct weir_message *msg = message_in(state);

    msg->context = NULL;
    assert_int_equal(weir_message_set_payload(msg, WEIR_STR("new")),
                     WEIR_RETRY);
    assert_int_equal(weir_message_add_header(msg, "n", WEIR_STR("v")),
                     WEIR_RETRY);
    assert_null(weir_message_reserve(msg, 10));
    weir_message_commit(msg, 10);
    weir_message_route(msg, "audit");
    weir_message_set_batch_key(msg, WEIR_STR("key"));
    weir_message_flush(msg);
    weir_message_settle_early(msg);
    weir_message_set_failure_policy(msg, WEIR_POLICY_DROP);
    assert_int_equal(weir_message_retry_after(msg, 10), WEIR_RETRY);
    assert_int_equal(weir_message_reject(msg, "bad"), WEIR_REJECT);

    assert_null(msg->changes);
    assert_int_equal(msg->policy, 0);
    assert_string_equal(weir_message_reason(msg), "");
}

static void a_reason_is_cut_where_it_is_too_long(void **state)
{
    struct weir_message *msg = message_in(state);

    assert_int_equal(weir_message_reject(msg, "%5000d", 1), WEIR_REJECT);
    assert_int_equal(strlen(weir_message_reason(msg)), 999);
}

static void a_wished_delay_is_kept_and_never_negative(void **state)
{
    struct weir_message *msg = message_in(state);

    assert_int_equal(weir_message_retry_after(msg, 250), WEIR_RETRY);
    assert_int_equal(msg->changes->retry_after_us, 250000);
    assert_int_equal(weir_message_retry_after(msg, -5), WEIR_RETRY);
    assert_int_equal(msg->changes->retry_after_us, 0);
}

static void a_policy_that_the_source_can_not_honour_is_ignored_and_counted(
    void **state)
{
    struct fixture *fixture = *state;
    struct run *run = &fixture->rig->run;

    run->policies = 1U << WEIR_POLICY_DROP;
    weir_message_set_failure_policy(fixture->msg, WEIR_POLICY_REQUEUE);
    weir_message_set_failure_policy(fixture->msg, WEIR_POLICY_COUNT);
    weir_message_set_failure_policy(fixture->msg, (enum weir_policy)1000);
    assert_int_equal(fixture->msg->policy, 0);
    assert_int_equal(counter_get(&run->counters.callback_errors), 3);
    weir_message_set_failure_policy(fixture->msg, WEIR_POLICY_DROP);
    assert_int_equal(fixture->msg->policy, WEIR_POLICY_DROP + 1);
    assert_int_equal(counter_get(&run->counters.callback_errors), 3);
}

static void forgotten_changes_leave_what_was_received_and_the_reason(
    void **state)
{
    struct weir_message *msg = message_in(state);

    assert_int_equal(weir_message_set_payload(msg, BYTES("new")), WEIR_OK);
    assert_int_equal(weir_message_add_header(msg, "h", BYTES("v")), WEIR_OK);
    weir_message_set_batch_key(msg, BYTES("key"));
    assert_int_equal(weir_message_reject(msg, "why"), WEIR_REJECT);
    message_forget_changes(msg);
    expect_bytes(weir_message_payload(msg), BYTES("the payload"));
    assert_int_equal(weir_message_header_count(msg), 4);
    expect_bytes(weir_message_batch_key(msg), absent);
    assert_string_equal(weir_message_reason(msg), "why");
}

/* ---- moving ---- */

static void a_moved_message_keeps_its_changes_and_frees_its_chunk(void **state)
{
    struct fixture *fixture = *state;
    struct weir_message *copy;

    assert_int_equal(weir_message_set_payload(fixture->msg, BYTES("new")),
                     WEIR_OK);
    assert_int_equal(weir_message_add_header(fixture->msg, "h", BYTES("v")),
                     WEIR_OK);
    fixture->msg->attempt = 2;
    end_hand(&fixture->context); /* the message alone keeps the arena */
    assert_false(message_is_alone(fixture->msg));
    copy = message_move(&fixture->rig->run, fixture->msg, true);
    assert_non_null(copy);
    settle(&fixture->rig->settler, fixture->msg, ENDING_MOVED);
    settler_flush(&fixture->rig->settler);
    rig_serve(fixture->rig);
    assert_int_equal(rig_ledger(fixture->rig).in_flight, 1);

    assert_true(message_is_alone(copy));
    assert_int_equal(copy->attempt, 2);
    expect_bytes(weir_message_payload(copy), BYTES("new"));
    expect_bytes(weir_message_key(copy), BYTES("k\0y"));
    expect_bytes(weir_message_find_header(copy, "h"), BYTES("v"));
    expect_bytes(weir_message_find_header(copy, "x"), BYTES("2"));
    expect_tail(record_payload(copy->record));
    fixture->msg = copy;
}

static void a_message_moved_without_changes_is_as_received(void **state)
{
    struct fixture *fixture = *state;
    struct weir_message *copy;

    assert_int_equal(weir_message_set_payload(fixture->msg, BYTES("new")),
                     WEIR_OK);
    assert_int_equal(weir_message_reject(fixture->msg, "why"), WEIR_REJECT);
    copy = message_move(&fixture->rig->run, fixture->msg, false);
    assert_non_null(copy);
    settle(&fixture->rig->settler, fixture->msg, ENDING_MOVED);
    expect_bytes(weir_message_payload(copy), BYTES("the payload"));
    assert_string_equal(weir_message_reason(copy), "");
    assert_null(copy->arena);
    fixture->msg = copy;
}

static void a_message_has_a_name_for_people(void **state)
{
    struct weir_message *msg = message_in(state);
    char name[64], tiny[4];

    assert_string_equal(message_name(msg, name, sizeof name), "t[5]@42");
    assert_string_equal(message_name(msg, tiny, sizeof tiny), "t[5");
    ((struct fixture *)*state)->rig->intake.origins->partition = -1;
    assert_string_equal(message_name(msg, name, sizeof name), "t#77");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_message_is_read_as_it_was_received),
        TEST(headers_are_counted_listed_and_found),
        TEST(properties_are_found_by_name),
        TEST(the_attempt_counts_earlier_deliveries_and_calls_then_writes),
        TEST(a_drain_is_seen_inside_a_callback),
        TEST(a_new_payload_replaces_the_received_one),
        TEST(a_payload_may_be_made_of_a_part_of_the_present_one),
        TEST(a_payload_may_be_null_or_empty),
        TEST(a_payload_of_any_size_has_its_tail),
        TEST(what_was_reserved_becomes_the_payload_when_it_is_committed),
        TEST(a_commit_is_cut_to_what_was_reserved),
        TEST(only_the_last_reservation_counts),
        TEST(what_can_not_be_reserved_is_null),
        TEST(added_headers_come_behind_the_received_ones),
        TEST(a_batch_key_is_binary_and_can_be_taken_back),
        TEST(a_route_is_copied_and_can_be_taken_back),
        TEST(a_flush_and_an_early_settlement_are_noted),
        TEST(a_rejection_keeps_its_reason),
        TEST(outside_of_a_callback_nothing_is_changed),
        TEST(a_reason_is_cut_where_it_is_too_long),
        TEST(a_wished_delay_is_kept_and_never_negative),
        TEST(a_policy_that_the_source_can_not_honour_is_ignored_and_counted),
        TEST(forgotten_changes_leave_what_was_received_and_the_reason),
        TEST(a_moved_message_keeps_its_changes_and_frees_its_chunk),
        TEST(a_message_moved_without_changes_is_as_received),
        TEST(a_message_has_a_name_for_people),
    };

    return cmocka_run_group_tests_name("message", tests, NULL, NULL);
}
