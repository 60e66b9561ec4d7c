/*
 * hash_test.c - hashes: the same everywhere, and spread.
 */
#include "test.h"

#include <stdbool.h>

#include "hash.h"

static void the_same_bytes_give_the_same_hash(void **state)
{
    const char one[] = "customer-17";
    char moved[32];

    (void)state;
    /* From another address, and aligned differently. */
    for (size_t shift = 0; shift < 8; shift++) {
        for (size_t i = 0; i < sizeof one; i++)
            moved[shift + i] = one[i];
        assert_true(hash_bytes(moved + shift, sizeof one, 0) ==
                    hash_bytes(one, sizeof one, 0));
    }
}

static void the_values_are_those_of_xxh3(void **state)
{
    (void)state;
    /* The published value for empty input: two processes agree on lanes. */
    assert_true(hash_bytes("", 0, 0) == UINT64_C(0x2D06800538D394C2));
}

static void size_seed_and_every_byte_count(void **state)
{
    const char zeros[3] = {0};
    const char last[3] = {0, 0, 1};

    (void)state;
    assert_true(hash_bytes(zeros, 2, 0) != hash_bytes(zeros, 3, 0));
    assert_true(hash_bytes(zeros, 3, 0) != hash_bytes(last, 3, 0));
    assert_true(hash_bytes(zeros, 3, 0) != hash_bytes(zeros, 3, 1));
}

static void neighbouring_keys_spread_over_workers(void **state)
{
    unsigned count[8] = {0};

    (void)state;
    for (uint32_t key = 0; key < 8000; key++)
        count[hash_bytes(&key, sizeof key, 0) % 8]++;
    for (size_t i = 0; i < 8; i++) {
        assert_true(count[i] > 800);
        assert_true(count[i] < 1200);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_bytes_give_the_same_hash),
        cmocka_unit_test(the_values_are_those_of_xxh3),
        cmocka_unit_test(size_seed_and_every_byte_count),
        cmocka_unit_test(neighbouring_keys_spread_over_workers),
    };
    return cmocka_run_group_tests_name("hash", tests, NULL, NULL);
}
