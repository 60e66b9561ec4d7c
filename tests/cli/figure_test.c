/*
 * figure_test.c - numbers as people read them.
 */
#include "test.h"

#include "figure.h"

static void assert_reads(uint64_t value, const char *text)
{
    struct figure storage;

    assert_string_equal(figure(&storage, value), text);
}

static void thousands_are_set_apart(void **state)
{
    (void)state;
    assert_reads(0, "0");
    assert_reads(999, "999");
    assert_reads(1000, "1,000");
    assert_reads(123456, "123,456");
    assert_reads(1234567, "1,234,567");
}

static void the_largest_number_fits(void **state)
{
    (void)state;
    assert_reads(UINT64_MAX, "18,446,744,073,709,551,615");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thousands_are_set_apart),
        cmocka_unit_test(the_largest_number_fits),
    };
    return cmocka_run_group_tests_name("figure", tests, NULL, NULL);
}
