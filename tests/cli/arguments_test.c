/*
 * arguments_test.c - how a verb's options are read.
 */
#include "test.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "arguments.h"

struct values {
    bool is_quiet;
    const char *report;
    struct argument_texts sets;
    int64_t timeout_us, seconds;
};

static const struct argument options[] = {
    {"--quiet", NULL, ARGUMENT_FLAG, offsetof(struct values, is_quiet), ""},
    {"--report", "FILE", ARGUMENT_TEXT, offsetof(struct values, report), ""},
    {"--set", "P=V", ARGUMENT_TEXTS, offsetof(struct values, sets), ""},
    {"--timeout", "D", ARGUMENT_DURATION, offsetof(struct values, timeout_us),
     ""},
    {"--seconds", "N", ARGUMENT_INT, offsetof(struct values, seconds), ""},
    {0},
};

static const struct verb verb = {
    .name = "test",
    .operands = "FILE",
    .example = "  weir test FILE\n",
    .options = options,
    .operand_min = 1,
    .operand_max = 2,
};

static enum weir_status parse(const char *const *arguments,
                              struct values *values,
                              struct argument_texts *operands)
{
    static char words[16][32]; /* operands are borrowed */
    static char *argv[16];
    struct call call = {.argc = 1, .argv = argv};

    argv[0] = words[0];
    for (; *arguments; arguments++, call.argc++) {
        argv[call.argc] = words[call.argc];
        (void)snprintf(words[call.argc], sizeof words[0], "%s", *arguments);
    }
    *values = (struct values){.seconds = 15};
    return arguments_parse(&verb, &call, values, operands);
}

#define PARSE(values, operands, ...)                                           \
    parse((const char *const[]){__VA_ARGS__, NULL}, values, operands)

static void options_and_operands_may_be_mixed(void **state)
{
    struct argument_texts operands;
    struct values values;

    (void)state;
    assert_int_equal(
        PARSE(&values, &operands, "a", "--quiet", "b", "--seconds", "7"),
        WEIR_OK);
    assert_int_equal(operands.count, 2);
    assert_null(operands.list[2]);
    assert_true(values.is_quiet);
    assert_int_equal(values.seconds, 7);
}

static void a_value_may_follow_an_equals_sign(void **state)
{
    struct argument_texts operands;
    struct values values;

    (void)state;
    assert_int_equal(
        PARSE(&values, &operands, "--timeout=1500ms", "--seconds=3", "a"),
        WEIR_OK);
    assert_int_equal(values.timeout_us, 1500000);
    assert_int_equal(values.seconds, 3);
}

static void what_is_not_given_keeps_its_default(void **state)
{
    struct argument_texts operands;
    struct values values;

    (void)state;
    assert_int_equal(PARSE(&values, &operands, "a"), WEIR_OK);
    assert_int_equal(values.seconds, 15);
    assert_false(values.is_quiet);
    assert_null(values.report);
}

static void an_option_may_be_repeated_when_it_takes_many(void **state)
{
    struct argument_texts operands;
    struct values values;

    (void)state;
    assert_int_equal(
        PARSE(&values, &operands, "--set", "a=1", "x", "--set=b=2"), WEIR_OK);
    assert_int_equal(values.sets.count, 2);
    assert_null(values.sets.list[2]);
}

static void two_dashes_end_the_options(void **state)
{
    struct argument_texts operands;
    struct values values;

    (void)state;
    assert_int_equal(PARSE(&values, &operands, "--", "--quiet"), WEIR_OK);
    assert_int_equal(operands.count, 1);
    assert_string_equal(operands.list[0], "--quiet");
    assert_false(values.is_quiet);
}

static void mistakes_are_refused(void **state)
{
    struct argument_texts operands;
    struct values values;

    (void)state;
    assert_int_equal(PARSE(&values, &operands, "--quite", "a"), WEIR_REJECT);
    assert_int_equal(PARSE(&values, &operands, "--quiet=yes", "a"),
                     WEIR_REJECT);
    assert_int_equal(PARSE(&values, &operands, "a", "--report"), WEIR_REJECT);
    assert_int_equal(PARSE(&values, &operands, "a", "--timeout", "10"),
                     WEIR_REJECT);
    assert_int_equal(PARSE(&values, &operands, "a", "--seconds", "ten"),
                     WEIR_REJECT);
    assert_int_equal(PARSE(&values, &operands, "--quiet"), WEIR_REJECT);
    assert_int_equal(PARSE(&values, &operands, "a", "b", "c"), WEIR_REJECT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_and_operands_may_be_mixed),
        cmocka_unit_test(a_value_may_follow_an_equals_sign),
        cmocka_unit_test(what_is_not_given_keeps_its_default),
        cmocka_unit_test(an_option_may_be_repeated_when_it_takes_many),
        cmocka_unit_test(two_dashes_end_the_options),
        cmocka_unit_test(mistakes_are_refused),
    };
    return cmocka_run_group_tests_name("arguments", tests, NULL, NULL);
}
