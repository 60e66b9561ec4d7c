/*
 * passthrough_test.c - what the handler that does nothing looks like to a
 * runner.
 */
#include "test.h"

#include <string.h>

#include "passthrough.h"

static void it_is_a_complete_handler_of_this_abi(void **state)
{
    (void)state;
    assert_int_equal(weir_passthrough.abi_version, WEIR_ABI_VERSION);
    assert_int_equal(weir_passthrough.struct_size, sizeof(struct weir_handler));
    assert_string_equal(weir_passthrough.name, "passthrough");
}

static void it_has_no_callback_that_could_change_a_message(void **state)
{
    (void)state;
    assert_true(weir_passthrough.prepare_messages == NULL);
    assert_true(weir_passthrough.handle_message == NULL);
    assert_true(weir_passthrough.handle_batch == NULL);
    assert_true(weir_passthrough.handle_failed == NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_a_complete_handler_of_this_abi),
        cmocka_unit_test(it_has_no_callback_that_could_change_a_message),
    };
    return cmocka_run_group_tests_name("passthrough", tests, NULL, NULL);
}
