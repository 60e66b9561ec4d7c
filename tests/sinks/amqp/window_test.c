/*
 * window_test.c - what a confirm confirms.
 */
#include "test.h"

#include <string.h>

#include "test_batch.h"
#include "window.h"

enum { CAPACITY = 4, WRITTEN = 1000 };

struct fixture {
    struct window *window;
    struct weir_batch *batch;
};

static int setup(void **state)
{
    static struct fixture fixture;
    static const char *const payloads[] = {"0", "1", "2", "3", "4", "5", NULL};

    fixture.window = window_create(CAPACITY);
    fixture.batch = test_batch_of(payloads);
    *state = &fixture;
    return fixture.window ? 0 : -1;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    window_destroy(fixture->window);
    test_batch_destroy(fixture->batch);
    return 0;
}

static void begin(struct fixture *fixture, size_t first, size_t count)
{
    for (size_t i = first; i < first + count; i++)
        window_begin(fixture->window, fixture->batch, i, i);
}

static enum weir_status confirm(struct fixture *fixture, uint64_t tag,
                                bool multiple, enum window_verdict verdict)
{
    return window_confirm(fixture->window, tag, multiple, WRITTEN, verdict,
                          NULL);
}

static void expect_open(const struct fixture *fixture, size_t index)
{
    assert_false(test_batch_has_outcome(fixture->batch, index));
}

static void expect(const struct fixture *fixture, size_t index,
                   enum weir_status outcome)
{
    assert_int_equal(test_batch_outcome(fixture->batch, index), outcome);
}

static void a_confirm_is_of_one_message(void **state)
{
    struct fixture *fixture = *state;

    begin(fixture, 0, 3);
    assert_int_equal(confirm(fixture, 2, false, WINDOW_ACK), WEIR_OK);

    expect_open(fixture, 0);
    expect(fixture, 1, WEIR_OK);
    expect_open(fixture, 2);
    assert_int_equal(window_open_count(fixture->window), 2);
}

static void a_multiple_confirm_is_of_all_before_it_and_none_behind(void **state)
{
    struct fixture *fixture = *state;

    begin(fixture, 0, 4);
    assert_int_equal(confirm(fixture, 2, false, WINDOW_NACK), WEIR_OK);
    assert_int_equal(confirm(fixture, 3, true, WINDOW_ACK), WEIR_OK);

    expect(fixture, 0, WEIR_OK);
    expect(fixture, 1, WEIR_RETRY); /* what it was told first */
    expect(fixture, 2, WEIR_OK);
    expect_open(fixture, 3);
}

static void a_refusal_is_no_delivery(void **state)
{
    struct fixture *fixture = *state;

    begin(fixture, 0, 4);
    assert_int_equal(confirm(fixture, 3, true, WINDOW_NACK), WEIR_OK);

    for (size_t i = 0; i < 3; i++)
        expect(fixture, i, WEIR_RETRY);
    assert_non_null(strstr(test_batch_reason(fixture->batch, 0), "nack"));
    expect_open(fixture, 3);
}

static void the_window_slides_behind_its_oldest_message(void **state)
{
    struct fixture *fixture = *state;

    begin(fixture, 0, CAPACITY);
    assert_true(window_is_full(fixture->window));
    assert_int_equal(confirm(fixture, 2, false, WINDOW_ACK), WEIR_OK);
    assert_true(window_is_full(fixture->window));
    assert_int_equal(confirm(fixture, 1, false, WINDOW_ACK), WEIR_OK);
    assert_false(window_is_full(fixture->window));
    begin(fixture, 4, 2);
    assert_true(window_is_full(fixture->window));
    assert_int_equal(confirm(fixture, 6, true, WINDOW_ACK), WEIR_OK);

    assert_int_equal(test_batch_open_count(fixture->batch), 0);
    assert_int_equal(window_open_count(fixture->window), 0);
    assert_int_equal(window_concluded(fixture->window), 6);
}

static void a_confirm_that_cannot_be_confirms_nothing(void **state)
{
    struct fixture *fixture = *state;

    begin(fixture, 0, 3);
    assert_int_equal(confirm(fixture, 1, false, WINDOW_ACK), WEIR_OK);

    assert_int_equal(confirm(fixture, 0, true, WINDOW_ACK), WEIR_RETRY);
    assert_int_equal(confirm(fixture, 1, false, WINDOW_ACK), WEIR_RETRY);
    assert_int_equal(confirm(fixture, 4, true, WINDOW_ACK), WEIR_RETRY);
    assert_int_equal(confirm(fixture, UINT64_MAX, true, WINDOW_ACK),
                     WEIR_RETRY);
    assert_int_equal(test_batch_open_count(fixture->batch), 5);
}

static void what_is_not_written_cannot_be_confirmed(void **state)
{
    struct fixture *fixture = *state;

    begin(fixture, 0, 3);
    assert_int_equal(
        window_confirm(fixture->window, 3, true, 1, WINDOW_ACK, NULL),
        WEIR_RETRY);
    expect_open(fixture, 0);
    assert_int_equal(
        window_confirm(fixture->window, 2, true, 1, WINDOW_ACK, NULL), WEIR_OK);
    expect(fixture, 1, WEIR_OK);
}

static void an_outcome_of_before_outlives_its_confirm(void **state)
{
    struct fixture *fixture = *state;
    struct weir_message *msg;

    begin(fixture, 0, 3);
    assert_int_equal(window_find(fixture->window, 2, &msg), 2);
    window_conclude(fixture->window, 2, WEIR_REJECT, "returned");
    assert_int_equal(window_open_count(fixture->window), 3);
    assert_int_equal(window_find(fixture->window, 2, &msg), 3);
    assert_int_equal(confirm(fixture, 3, true, WINDOW_ACK), WEIR_OK);

    expect(fixture, 0, WEIR_OK);
    expect(fixture, 1, WEIR_REJECT);
    expect(fixture, 2, WEIR_OK);
    assert_int_equal(window_open_count(fixture->window), 0);
    assert_int_equal(window_find(fixture->window, 0, &msg), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_confirm_is_of_one_message),
        TEST(a_multiple_confirm_is_of_all_before_it_and_none_behind),
        TEST(a_refusal_is_no_delivery),
        TEST(the_window_slides_behind_its_oldest_message),
        TEST(a_confirm_that_cannot_be_confirms_nothing),
        TEST(what_is_not_written_cannot_be_confirmed),
        TEST(an_outcome_of_before_outlives_its_confirm),
    };
    return cmocka_run_group_tests_name("amqp_window", tests, NULL, NULL);
}
