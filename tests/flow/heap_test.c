/*
 * heap_test.c - what waits comes out by its time.
 */
#include "test.h"

#include "clock.h"
#include "failing_alloc.h"
#include "heap.h"

enum { MANY = 1000 };

static int setup(void **state)
{
    static struct heap heap;

    heap = (struct heap){0};
    *state = &heap;
    return 0;
}

static int teardown(void **state)
{
    heap_finish(*state);
    return 0;
}

static void push(struct heap *heap, int64_t *item)
{
    assert_int_equal(heap_push(heap, *item, item), WEIR_OK);
}

static void an_empty_heap_is_never_due(void **state)
{
    assert_true(heap_due_us(*state) == CLOCK_NEVER_US);
    assert_null(heap_pop(*state, CLOCK_NEVER_US));
}

static void nothing_comes_out_before_its_time(void **state)
{
    int64_t item = 10;

    push(*state, &item);
    assert_int_equal(heap_due_us(*state), 10);
    assert_null(heap_pop(*state, 9));
    assert_ptr_equal(heap_pop(*state, 10), &item);
    assert_null(heap_pop(*state, CLOCK_NEVER_US));
}

/* Pseudo-random, each time several times. */
static void fill(struct heap *heap, int64_t *items)
{
    uint32_t seed = 12345;

    for (int i = 0; i < MANY; i++) {
        seed = seed * 1664525U + 1013904223U;
        items[i] = seed >> 24;
        push(heap, &items[i]);
    }
}

static void many_come_out_the_earliest_first(void **state)
{
    static int64_t items[MANY];
    int64_t last = 0;

    fill(*state, items);
    for (int i = 0; i < MANY; i++) {
        const int64_t *item;

        assert_true(heap_due_us(*state) >= last);
        item = heap_pop(*state, CLOCK_NEVER_US);
        assert_non_null(item);
        assert_true(*item >= last);
        last = *item;
    }
    assert_null(heap_pop(*state, CLOCK_NEVER_US));
}

static bool is_odd(const void *item)
{
    return *(const int64_t *)item % 2 == 1;
}

static void the_chosen_are_extracted_and_the_rest_keep_their_order(void **state)
{
    static int64_t items[MANY];
    int64_t *item, last = 0;
    int odd = 0, even = 0;

    fill(*state, items);
    item = heap_extract(*state, is_odd);
    while (item) {
        assert_true(is_odd(item));
        odd++;
        item = heap_extract(*state, is_odd);
    }
    item = heap_pop(*state, CLOCK_NEVER_US);
    while (item) {
        assert_false(is_odd(item));
        assert_true(*item >= last);
        last = *item;
        even++;
        item = heap_pop(*state, CLOCK_NEVER_US);
    }
    assert_int_equal(odd + even, MANY);
    assert_true(odd > 0 && even > 0);
}

static void without_memory_a_push_is_refused_and_nothing_is_lost(void **state)
{
    struct heap *heap = *state;
    int64_t items[65];

    failing_alloc_arm(1);
    items[0] = 7;
    assert_int_equal(heap_push(heap, 7, &items[0]), WEIR_RETRY);
    assert_true(failing_alloc_disarm());
    for (int i = 0; i < 64; i++) {
        items[i] = 64 - i;
        push(heap, &items[i]);
    }
    failing_alloc_arm(1);
    assert_int_equal(heap_push(heap, 0, &items[64]), WEIR_RETRY);
    assert_true(failing_alloc_disarm());
    for (int i = 63; i >= 0; i--)
        assert_ptr_equal(heap_pop(heap, CLOCK_NEVER_US), &items[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_empty_heap_is_never_due),
        TEST(nothing_comes_out_before_its_time),
        TEST(many_come_out_the_earliest_first),
        TEST(the_chosen_are_extracted_and_the_rest_keep_their_order),
        TEST(without_memory_a_push_is_refused_and_nothing_is_lost),
    };

    return cmocka_run_group_tests_name("heap", tests, NULL, NULL);
}
