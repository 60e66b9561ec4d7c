/*
 * turn_test.c - how long a partition has its turn while others want one.
 */
#include "test.h"

#include "kafka_limits.h"
#include "turn.h"

enum { SECOND = 1000000, NOW = 100 * SECOND };

static const size_t mib = (size_t)1 << 20;

/* Has its turn since NOW, and the broker's end is known. */
static struct turn begun(int64_t end)
{
    struct turn turn = turn_create(false, NOW);

    turn.end = end;
    turn.heard_us = NOW;
    return turn;
}

static struct turn_facts able(int64_t next, uint64_t queued)
{
    return (struct turn_facts){.next = next, .queued = queued, .is_able = true};
}

static void without_news_it_is_over_at_once(void **state)
{
    struct turn turn = begun(10);
    const struct turn_facts facts = able(10, 0);

    (void)state;
    assert_true(turn_is_over(&turn, &facts, NOW));
    assert_false(turn_is_wanted(&turn, &facts, NOW));
}

static void what_is_not_read_stays_in_memory(void **state)
{
    struct turn turn = begun(1000);
    const struct turn_facts facts = able(10, 500);

    (void)state;
    assert_false(turn_is_over(&turn, &facts, NOW + 3600 * (int64_t)SECOND));
}

static void after_a_slice_it_reads_what_is_queued_and_no_more(void **state)
{
    struct turn turn = begun(1000);
    struct turn_facts facts = able(20, 500);

    (void)state;
    turn.read = 10;
    assert_false(turn_is_over(&turn, &facts, NOW));
    assert_false(turn_is_over(&turn, &facts, NOW + SECOND));
    turn.read = 509;
    assert_false(turn_is_over(&turn, &facts, NOW + 2 * SECOND));
    turn.read = 510;
    assert_true(turn_is_over(&turn, &facts, NOW + 2 * SECOND));
}

static void a_slow_broker_costs_nobody_its_turn(void **state)
{
    struct turn turn = begun(1000);
    const struct turn_facts facts = able(10, 0);

    (void)state;
    assert_false(turn_is_over(&turn, &facts, NOW + 4 * SECOND));
    assert_false(turn_is_in_vain(&turn, &facts, NOW + 4 * SECOND));
    assert_true(turn_is_over(&turn, &facts, NOW + 6 * SECOND));
    assert_true(turn_is_in_vain(&turn, &facts, NOW + 6 * SECOND));
    turn.tried = 10;
    assert_false(turn_is_in_vain(&turn, &facts, NOW + 6 * SECOND));
}

static void one_that_is_held_gives_way_after_a_slice(void **state)
{
    struct turn turn = begun(1000);
    struct turn_facts facts = able(10, 500);

    (void)state;
    facts.is_able = false;
    assert_false(turn_is_over(&turn, &facts, NOW));
    assert_true(turn_is_over(&turn, &facts, NOW + SECOND));
    assert_false(turn_is_wanted(&turn, &facts, NOW + SECOND));
}

static void held_for_a_moment_it_keeps_its_turn(void **state)
{
    struct turn turn = begun(1000);
    struct turn_facts facts = able(10, 500);

    (void)state;
    for (int i = 0; i < 100; i++) {
        facts.is_able = i % 2 == 0;
        assert_false(turn_is_over(&turn, &facts, NOW + i * SECOND / 10));
    }
}

static void a_message_that_was_not_taken_keeps_the_turn(void **state)
{
    struct turn turn = begun(1000);
    struct turn_facts facts = able(10, 1);

    (void)state;
    facts.is_able = false;
    facts.is_offered = true;
    assert_false(turn_is_over(&turn, &facts, NOW));
    assert_false(turn_is_over(&turn, &facts, NOW + 60 * SECOND));
}

static void what_the_broker_said_long_ago_is_not_believed(void **state)
{
    struct turn turn = begun(10);
    const struct turn_facts facts = able(10, 0);

    (void)state;
    assert_true(turn_is_wanted(&turn, &facts, NOW + 60 * SECOND));
    turn.end = -1;
    assert_true(turn_is_wanted(&turn, &facts, NOW));
}

static void as_many_are_fetched_as_half_of_the_memory_has_room_for(void **state)
{
    (void)state;
    assert_int_equal(kafka_limits_partitions(64 * mib, 100000, 0), 32);
    assert_int_equal(kafka_limits_partitions(64 * mib, 100000, 4 * mib), 8);
    assert_int_equal(kafka_limits_partitions(64 * mib, 16 * mib, 0), 2);
    assert_int_equal(kafka_limits_partitions(1, 100000, 0), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_ALONE(without_news_it_is_over_at_once),
        TEST_ALONE(what_is_not_read_stays_in_memory),
        TEST_ALONE(after_a_slice_it_reads_what_is_queued_and_no_more),
        TEST_ALONE(a_slow_broker_costs_nobody_its_turn),
        TEST_ALONE(one_that_is_held_gives_way_after_a_slice),
        TEST_ALONE(held_for_a_moment_it_keeps_its_turn),
        TEST_ALONE(a_message_that_was_not_taken_keeps_the_turn),
        TEST_ALONE(what_the_broker_said_long_ago_is_not_believed),
        TEST_ALONE(as_many_are_fetched_as_half_of_the_memory_has_room_for),
    };

    return cmocka_run_group_tests_name("kafka_turn", tests, NULL, NULL);
}
