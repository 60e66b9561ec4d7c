/*
 * override_test.c - --set PATH=VALUE.
 */
#include <stdio.h>
#include <string.h>

#include "load_support.h"
#include "test.h"

static const char base[] = "name: t\n"
                           "producer:\n"
                           "  queue:\n"
                           "    url: amqp://h\n"
                           "    bindings: [{ exchange: a }, { exchange: b }]\n"
                           "batchers: { default: { sink: void } }\n" REST;

static void load_set(struct loaded *loaded, const char *text,
                     const char *assignment)
{
    const char *const overrides[] = {assignment, NULL};

    load_with(loaded, &(struct topology_source){.file = "/conf/t.yaml",
                                                .text = text,
                                                .overrides = overrides});
}

static void a_value_is_replaced(void **state)
{
    struct loaded loaded;

    (void)state;
    load_set(&loaded, base, "name=other");
    assert_string_equal(loaded.topology->name, "other");
    loaded_finish(&loaded);
}

static void a_value_and_what_leads_to_it_is_added(void **state)
{
    struct loaded loaded;

    (void)state;
    load_set(&loaded, base, "batchers.default.batch_size=10");
    assert_int_equal(loaded.topology->batchers[0].batch_size, 10);
    loaded_finish(&loaded);
    load_set(&loaded, base, "failure.retry.backoff.max=1m");
    assert_int_equal(loaded.topology->failure.backoff_max_us, 60000000);
    loaded_finish(&loaded);
}

static void an_element_of_a_list_is_named_by_its_index(void **state)
{
    struct loaded loaded;

    (void)state;
    load_set(&loaded, base, "producer.queue.bindings[1].routing_key=x");
    assert_string_equal(loaded.text, "");
    assert_string_equal(
        weir_settings_string(
            weir_settings_group(loaded.topology->producer.settings[0],
                                "bindings", 1),
            "routing_key"),
        "x");
    loaded_finish(&loaded);
}

static void a_name_alone_becomes_its_mapping(void **state)
{
    struct loaded loaded;

    (void)state;
    load_set(&loaded, COUNTER REST, "producer.counter.count=5");
    assert_string_equal(loaded.text, "");
    assert_int_equal(
        weir_settings_int(loaded.topology->producer.settings[0], "count", 0),
        5);
    loaded_finish(&loaded);
}

static void a_mapping_gives_way_to_a_name(void **state)
{
    struct loaded loaded;

    (void)state;
    load_set(&loaded, base, "producer=counter");
    assert_string_equal(loaded.topology->producer.ops->name, "counter");
    loaded_finish(&loaded);
}

static void keys_with_dots_are_found_and_made(void **state)
{
    static const char text[] =
        "name: t\n"
        "producer: { log: { topics: a, group: g, properties: { client.rack: a "
        "} } }\n" REST;
    struct loaded loaded;

    (void)state;
    load_set(&loaded, text, "producer.log.properties.client.rack=b");
    assert_string_equal(
        weir_settings_item(loaded.topology->producer.settings[0], "properties",
                           0),
        "b");
    loaded_finish(&loaded);
    load_set(&loaded, text, "producer.log.properties.fetch.min.bytes=1");
    assert_string_equal(weir_settings_key(loaded.topology->producer.settings[0],
                                          "properties", 1),
                        "fetch.min.bytes");
    loaded_finish(&loaded);
}

static void a_value_may_hold_an_equals_sign_and_commas(void **state)
{
    struct loaded loaded;

    (void)state;
    load_set(&loaded, base, "producer.queue.url=amqp://a?x=1,amqp://b");
    assert_string_equal(
        weir_settings_item(loaded.topology->producer.settings[0], "url", 0),
        "amqp://a?x=1");
    loaded_finish(&loaded);
}

static void assert_set_refused(const char *assignment, const char *errors)
{
    struct loaded loaded;

    load_set(&loaded, base, assignment);
    assert_string_equal(loaded.text, errors);
    assert_int_equal(loaded.status, WEIR_REJECT);
    loaded_finish(&loaded);
}

static void errors_name_the_option_and_come_last(void **state)
{
    static const char no_place[] = ": there is no such place: a path is keys "
                                   "with dots between them, as in "
                                   "batchers.default.batch_size\n";
    char expected[256];

    (void)state;
    assert_set_refused("batchers.default.batch_size=ten",
                       "--set: batchers.default.batch_size: `ten` is not a "
                       "whole number\n");
    assert_set_refused("batchers.default.btach_size=10",
                       "--set: batchers.default.btach_size: unknown key (did "
                       "you mean `batch_size`?)\n");
    assert_set_refused("name", "--set: a value is set with PATH=VALUE, as in "
                               "batchers.default.batch_size=10\n");
    assert_set_refused("=x", "--set: a value is set with PATH=VALUE, as in "
                             "batchers.default.batch_size=10\n");
    for (size_t i = 0; i < 6; i++) {
        static const char *const paths[] = {
            "producer..x",
            "producer.",
            "producer.queue.bindings.x",
            "producer.queue.bindings[2].x",
            "producer.queue.bindings[x",
            ".",
        };
        char assignment[64];

        (void)snprintf(assignment, sizeof assignment, "%s=1", paths[i]);
        (void)snprintf(expected, sizeof expected, "--set: %s%s", paths[i],
                       no_place);
        assert_set_refused(assignment, expected);
    }
}

static void a_secret_that_is_set_isnt_shown(void **state)
{
    struct loaded loaded;

    (void)state;
    load_set(&loaded, base, "producer.queue.pasword=hunter2");
    assert_int_equal(loaded.status, WEIR_REJECT);
    assert_null(strstr(loaded.text, "hunter2"));
    loaded_finish(&loaded);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_is_replaced),
        cmocka_unit_test(a_value_and_what_leads_to_it_is_added),
        cmocka_unit_test(an_element_of_a_list_is_named_by_its_index),
        cmocka_unit_test(a_name_alone_becomes_its_mapping),
        cmocka_unit_test(a_mapping_gives_way_to_a_name),
        cmocka_unit_test(keys_with_dots_are_found_and_made),
        cmocka_unit_test(a_value_may_hold_an_equals_sign_and_commas),
        cmocka_unit_test(errors_name_the_option_and_come_last),
        cmocka_unit_test(a_secret_that_is_set_isnt_shown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
