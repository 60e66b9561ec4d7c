/*
 * error_test.c - weir_fail(): a status and a sentence.
 */
#include "test.h"

#include <string.h>

#include <weir/status.h>

static void a_failure_returns_its_status_and_records_why(void **state)
{
    struct weir_error err;

    (void)state;
    assert_int_equal(weir_fail(&err, WEIR_RETRY, "port %d is busy", 9),
                     WEIR_RETRY);
    assert_int_equal(err.status, WEIR_RETRY);
    assert_string_equal(err.text, "port 9 is busy");
}

static void nobody_has_to_ask_why(void **state)
{
    (void)state;
    assert_int_equal(weir_fail(NULL, WEIR_FATAL, "%s", "x"), WEIR_FATAL);
}

static void a_long_reason_is_cut_off_and_terminated(void **state)
{
    struct weir_error err;
    char text[1000];

    (void)state;
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    assert_int_equal(weir_fail(&err, WEIR_REJECT, "%s", text), WEIR_REJECT);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failure_returns_its_status_and_records_why),
        cmocka_unit_test(nobody_has_to_ask_why),
        cmocka_unit_test(a_long_reason_is_cut_off_and_terminated),
    };
    return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
