/*
 * letter.c - what the tests of dead letters share.
 */
#include "letter.h"

#include <string.h>

enum weir_status letter_reject_three(struct weir_message *msg, void *state)
{
    (void)state;
    assert_int_equal(weir_message_set_payload(msg, WEIR_STR("changed")),
                     WEIR_OK);
    assert_int_equal(weir_message_add_header(msg, "half", WEIR_STR("made")),
                     WEIR_OK);
    weir_message_set_batch_key(msg, WEIR_STR("key"));
    if (weir_message_offset(msg) == 3)
        return weir_message_reject(msg, "order %d has no total", 3);
    return WEIR_OK;
}

void letter_assert_header(const struct collected *letter, const char *name,
                          const char *value)
{
    const char *const found = collected_header(letter, name);

    if (!found)
        fail_msg("the dead letter has no %s", name);
    assert_string_equal(found, value);
}
