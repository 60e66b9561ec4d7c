/*
 * comparison_test.c - what RabbitMQ says of a difference, word for word.
 */
#include "test.h"

#include "comparison.h"

#define HEAD "PRECONDITION_FAILED - inequivalent arg "

static void a_difference_is_read(void **state)
{
    static const struct {
        const char *text, *name, *value, *type;
    } cases[] = {
        {HEAD "'x-dead-letter-exchange' for queue 'q' in vhost '/': received "
              "none but current is the value 'nowhere' of type 'longstr'",
         "x-dead-letter-exchange", "nowhere", "longstr"},
        {HEAD "'x-queue-type' for queue 'q' in vhost '/': received "
              "'weir-asks' but current is 'quorum'",
         "x-queue-type", "quorum", ""},
        {HEAD "'x-queue-type' for queue 'q' in vhost '/': received the value "
              "'weir-asks' of type 'longstr' but current is none",
         "x-queue-type", "", ""},
        {HEAD "'durable' for queue 'q' in vhost '/': received 'false' but "
              "current is 'true'",
         "durable", "true", ""},
        {HEAD "'x-max-length' for queue 'a 'b' c' in vhost '/': received none "
              "but current is the value '5' of type 'signedint'",
         "x-max-length", "5", "signedint"},
        {HEAD "'x-dead-letter-exchange' for queue 'q' in vhost '/': received "
              "none but current is the value 'it's' of type 'longstr'",
         "x-dead-letter-exchange", "it's", "longstr"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct comparison_difference found;

        if (!comparison_read(cases[i].text, &found))
            fail_msg("not read: %s", cases[i].text);
        assert_string_equal(found.name, cases[i].name);
        assert_string_equal(found.value, cases[i].value);
        assert_string_equal(found.type, cases[i].type);
    }
}

static void what_is_no_difference_or_cut_off_is_not_read(void **state)
{
    static const char *const cases[] = {
        "",
        "NOT_FOUND - no queue 'q' in vhost '/'",
        "PRECONDITION_FAILED - invalid arg 'x-queue-type' for queue 'none' in "
        "vhost '/': \"unsupported queue type 'weir-asks'\"",
        HEAD,
        HEAD "'x-dead-letter-exchange' for queue 'q' in vhost '/': received no",
        HEAD "'x-dead-letter-exchange' for queue 'q' in vhost '/': received "
             "none but current is the value 'now",
        HEAD "'x-dead-letter-exchange' for queue 'q' in vhost '/': received "
             "none but current is the value 'nowhere' of type 'longs",
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct comparison_difference found;

        if (comparison_read(cases[i], &found))
            fail_msg("%s: %s is %s", cases[i], found.name, found.value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_ALONE(a_difference_is_read),
        TEST_ALONE(what_is_no_difference_or_cut_off_is_not_read),
    };
    return cmocka_run_group_tests_name("amqp_comparison", tests, NULL, NULL);
}
