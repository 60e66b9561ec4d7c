/*
 * lane_test.c - the table of lanes: it finds, grows, and uses lanes again.
 */
#include "test.h"

#include <string.h>

#include "failing_alloc.h"
#include "lane.h"

enum { MANY = 5000, FIRST_BUCKETS = 1024 };

static int setup(void **state)
{
    static struct lanes lanes;

    *state = &lanes;
    return lanes_init(&lanes) ? 0 : -1;
}

static int teardown(void **state)
{
    lanes_finish(*state);
    return 0;
}

/* Ids whose low bits are alike for every 1024th. */
static uint64_t id_of(uint64_t i)
{
    return i * i + (i << 40);
}

static struct lane *get(struct lanes *lanes, uint64_t id)
{
    struct lane *lane = lanes_get(lanes, id);

    assert_non_null(lane);
    assert_true(lane->id == id);
    return lane;
}

static void a_lane_is_found_again(void **state)
{
    struct lanes *lanes = *state;
    struct lane *lane = get(lanes, 7);

    assert_int_equal(lane->state, LANE_IDLE);
    assert_null(lane->messages.head);
    assert_ptr_equal(get(lanes, 7), lane);
    assert_int_equal(lanes->count, 1);
}

static void lanes_of_one_bucket_are_told_apart(void **state)
{
    struct lane *a = get(*state, 1), *b = get(*state, 1 + FIRST_BUCKETS),
                *c = get(*state, 1 + 2 * FIRST_BUCKETS);

    lanes_drop(*state, b); /* from the middle of its chain */
    assert_ptr_equal(get(*state, 1), a);
    assert_ptr_equal(get(*state, 1 + 2 * FIRST_BUCKETS), c);
}

static void the_table_grows_and_loses_no_lane(void **state)
{
    static struct lane *made[MANY];
    struct lanes *lanes = *state;

    for (uint64_t i = 0; i < MANY; i++)
        made[i] = get(lanes, id_of(i));
    assert_int_equal(lanes->count, MANY);
    assert_true(lanes->bucket_count >= MANY);
    for (uint64_t i = 0; i < MANY; i++)
        assert_ptr_equal(get(lanes, id_of(i)), made[i]);
}

static void every_lane_is_visited_once(void **state)
{
    static char seen[MANY];
    struct lanes *lanes = *state;
    uint32_t visited = 0;

    memset(seen, 0, sizeof seen);
    for (uint64_t i = 0; i < MANY; i++)
        (void)get(lanes, i * FIRST_BUCKETS / 2); /* chains of many */
    for (struct lane *lane = lanes_next(lanes, NULL); lane;
         lane = lanes_next(lanes, lane)) {
        assert_int_equal(seen[lane->id / (FIRST_BUCKETS / 2)]++, 0);
        visited++;
    }
    assert_int_equal(visited, MANY);
}

static void a_dropped_lane_is_gone_and_used_again(void **state)
{
    struct lanes *lanes = *state;
    struct lane *lane = get(lanes, 7);

    lane->is_abandoned = true;
    lanes_drop(lanes, lane);
    assert_int_equal(lanes->count, 0);
    assert_null(lanes_next(lanes, NULL));
    assert_ptr_equal(get(lanes, 8), lane); /* its memory */
    assert_false(lane->is_abandoned);      /* nothing of its past */
    assert_int_equal(lane->state, LANE_IDLE);
}

static void lanes_that_come_and_go_take_no_memory(void **state)
{
    struct lanes *lanes = *state;

    lanes_drop(lanes, get(lanes, 1));
    failing_alloc_arm(1);
    for (uint64_t i = 0; i < MANY; i++)
        lanes_drop(lanes, get(lanes, id_of(i)));
    assert_false(failing_alloc_disarm());
}

static void without_memory_there_is_no_new_lane_and_the_old_ones_stay(
    void **state)
{
    struct lane *lane = get(*state, 1);

    failing_alloc_arm(1);
    assert_null(lanes_get(*state, 2));
    assert_true(failing_alloc_disarm());
    failing_alloc_arm(1);
    assert_ptr_equal(get(*state, 1), lane);
    assert_false(failing_alloc_disarm());
    assert_int_equal(((struct lanes *)*state)->count, 1);
}

static void without_memory_to_grow_chains_get_longer(void **state)
{
    struct lanes *lanes = *state;

    for (uint64_t i = 0; i < FIRST_BUCKETS; i++)
        (void)get(lanes, id_of(i));
    failing_alloc_arm(2); /* the lane, then the buckets */
    (void)get(lanes, id_of(FIRST_BUCKETS));
    assert_true(failing_alloc_disarm());
    assert_int_equal(lanes->bucket_count, FIRST_BUCKETS);
    for (uint64_t i = 0; i <= FIRST_BUCKETS; i++)
        (void)get(lanes, id_of(i));
    assert_int_equal(lanes->count, FIRST_BUCKETS + 1);
}

static void without_memory_there_is_no_table(void **state)
{
    struct lanes lanes;

    (void)state;
    failing_alloc_arm(1);
    assert_false(lanes_init(&lanes));
    assert_true(failing_alloc_disarm());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_lane_is_found_again),
        TEST(lanes_of_one_bucket_are_told_apart),
        TEST(the_table_grows_and_loses_no_lane),
        TEST(every_lane_is_visited_once),
        TEST(a_dropped_lane_is_gone_and_used_again),
        TEST(lanes_that_come_and_go_take_no_memory),
        TEST(without_memory_there_is_no_new_lane_and_the_old_ones_stay),
        TEST(without_memory_to_grow_chains_get_longer),
        TEST(without_memory_there_is_no_table),
    };

    return cmocka_run_group_tests_name("lane", tests, NULL, NULL);
}
