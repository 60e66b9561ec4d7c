/*
 * settings_test.c - what a handler reads of its options, which have no table,
 * and where its plugin is found.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "load_support.h"
#include "test.h"

#define LINKED(options)                                                        \
    COUNTER "processors: { handler: { linked: true, options: " options         \
            " } }\nfailure: { then: drop }\n"

static void load_linked(struct loaded *loaded, const char *text)
{
    load_with(loaded, &(struct topology_source){.file = "/conf/t.yaml",
                                                .text = text,
                                                .has_linked_handler = true});
    assert_string_equal(loaded->text, "");
}

static const struct weir_settings *options_of(const struct loaded *loaded)
{
    return loaded->topology->processors.handler.options;
}

static void a_handler_reads_any_options(void **state)
{
    const struct weir_settings *options;
    struct loaded loaded;

    (void)state;
    load_linked(&loaded, LINKED("{ currency: EUR, limit: 5, wait: 200ms, room: "
                                "64KiB, strict: true, list: [a, b], deep: { x: "
                                "{ y: z } }, a.b: dotted, empty: '' }"));
    options = options_of(&loaded);
    assert_true(loaded.topology->processors.handler.is_linked);
    assert_string_equal(weir_settings_string(options, "currency"), "EUR");
    assert_int_equal(weir_settings_int(options, "limit", 0), 5);
    assert_int_equal(weir_settings_int(options, "wait", 0), 200000);
    assert_int_equal(weir_settings_int(options, "room", 0), 65536);
    assert_true(weir_settings_bool(options, "strict", false));
    assert_int_equal(weir_settings_count(options, "list"), 2);
    assert_string_equal(weir_settings_item(options, "list", 1), "b");
    assert_null(weir_settings_item(options, "list", 2));
    assert_string_equal(weir_settings_string(options, "deep.x.y"), "z");
    assert_string_equal(weir_settings_string(options, "a.b"), "dotted");
    assert_string_equal(weir_settings_string(options, "empty"), "");
    assert_string_equal(
        weir_settings_string(weir_settings_group(options, "deep", 0), "x.y"),
        "z");
    assert_int_equal(weir_settings_count(options, "deep"), 1);
    assert_string_equal(weir_settings_key(options, "deep", 0), "x");
    assert_int_equal(weir_settings_count(options, ""), 9);
    assert_string_equal(weir_settings_key(options, "", 0), "currency");
    loaded_finish(&loaded);
}

static void what_isnt_there_is_the_fallback(void **state)
{
    const struct weir_settings *options;
    struct loaded loaded;

    (void)state;
    load_linked(&loaded, LINKED("{ a: text, list: [x] }"));
    options = options_of(&loaded);
    assert_false(weir_settings_has(options, "b"));
    assert_false(weir_settings_has(options, "a.b"));
    assert_false(weir_settings_has(options, "list.x"));
    assert_null(weir_settings_string(options, "b"));
    assert_null(weir_settings_string(options, "list"));
    assert_int_equal(weir_settings_int(options, "a", 7), 7);
    assert_int_equal(weir_settings_int(options, "b", 8), 8);
    assert_int_equal(weir_settings_int(options, "list", 9), 9);
    assert_true(weir_settings_bool(options, "a", true));
    assert_int_equal(weir_settings_count(options, "b"), 0);
    assert_int_equal(weir_settings_count(options, "a"), 1);
    assert_string_equal(weir_settings_item(options, "a", 0), "text");
    assert_null(weir_settings_item(options, "a", 1));
    assert_null(weir_settings_item(options, "b", 0));
    assert_null(weir_settings_key(options, "list", 0));
    assert_null(weir_settings_group(options, "a", 0));
    assert_null(weir_settings_group(options, "list", 0));
    loaded_finish(&loaded);
}

static void a_handler_without_options_has_none(void **state)
{
    struct loaded loaded;

    (void)state;
    load_linked(&loaded, COUNTER "processors: { handler: linked }\n"
                                 "failure: { then: drop }\n");
    assert_int_equal(weir_settings_count(options_of(&loaded), ""), 0);
    assert_string_equal(weir_settings_share(options_of(&loaded))->pipeline,
                        "t");
    loaded_finish(&loaded);
}

static void refusing_outside_of_check_does_nothing(void **state)
{
    struct loaded loaded;

    (void)state;
    load_linked(&loaded, LINKED("{ a: b }"));
    weir_settings_refuse(options_of(&loaded), "a", "is %s", "late");
    weir_settings_warn(options_of(&loaded), "a", "is %s", "late");
    assert_int_equal(loaded.errors.count, 0);
    loaded_finish(&loaded);
}

static void a_list_of_mappings_is_read_one_by_one(void **state)
{
    const struct weir_settings *settings, *binding;
    struct loaded loaded;

    (void)state;
    load_text(&loaded,
              "name: t\nproducer: { queue: { url: amqp://h, bindings: [ { "
              "exchange: a }, { exchange: b, routing_key: r } ] } }\n" REST);
    assert_string_equal(loaded.text, "");
    settings = loaded.topology->producer.settings[0];
    assert_int_equal(weir_settings_count(settings, "bindings"), 2);
    binding = weir_settings_group(settings, "bindings", 1);
    assert_string_equal(weir_settings_string(binding, "exchange"), "b");
    assert_string_equal(weir_settings_string(binding, "routing_key"), "r");
    assert_string_equal(weir_settings_share(binding)->pipeline, "t");
    assert_null(weir_settings_group(settings, "bindings", 2));
    assert_mentions(
        "name: t\nproducer: { queue: { url: amqp://h, bindings: [ { "
        "routing_key: r } ] } }\n" REST,
        "2:49: producer.queue.bindings[0].exchange: is required");
    loaded_finish(&loaded);
}

static void touch(const char *path)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_int_equal(fclose(file), 0);
}

#define PLUGIN(name)                                                           \
    COUNTER "processors: { handler: { plugin: " name " } }\n"                  \
            "failure: { then: drop }\n"

/* The plugin that is found; "": none, and the text says where it was not. */
static void assert_plugin(const char *folder, const char *text,
                          const char *name)
{
    char path[128], expected[256];
    struct loaded loaded;

    (void)snprintf(path, sizeof path, "%s/t.yaml", folder);
    (void)snprintf(expected, sizeof expected, "%s/%s", folder, name);
    load_with(&loaded, &(struct topology_source){.file = path, .text = text});
    assert_string_equal(loaded.text, "");
    assert_string_equal(loaded.topology->processors.handler.plugin, expected);
    loaded_finish(&loaded);
}

static void a_plugin_is_found_beside_the_file_or_in_the_path(void **state)
{
    char folder[] = "/tmp/weir_plugin_XXXXXX";
    char beside[64], in_path[64], sub[64];

    (void)state;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(beside, sizeof beside, "%s/orders.so", folder);
    (void)snprintf(sub, sizeof sub, "%s/sub", folder);
    (void)snprintf(in_path, sizeof in_path, "%s/sub/other.so", folder);
    assert_int_equal(mkdir(sub, 0700), 0);
    touch(beside);
    touch(in_path);
    assert_plugin(folder, PLUGIN("./orders.so"), "orders.so");
    assert_plugin(folder, PLUGIN("./orders"), "orders.so");
    assert_plugin(folder, PLUGIN("sub/other"), "sub/other.so");
    assert_plugin(folder, PLUGIN("orders"), "orders.so");
    assert_int_equal(setenv("WEIR_HANDLER_PATH", "/nowhere::sub", 1), 0);
    assert_plugin(folder, PLUGIN("other"), "sub/other.so");
    assert_int_equal(unsetenv("WEIR_HANDLER_PATH"), 0);
    assert_int_equal(remove(beside), 0);
    assert_int_equal(remove(in_path), 0);
    assert_int_equal(rmdir(sub), 0);
    assert_int_equal(rmdir(folder), 0);
}

static void a_plugin_that_isnt_there_is_said_with_the_places(void **state)
{
    (void)state;
    assert_refused(PLUGIN("./gone"),
                   "/conf/t.yaml:3:34: processors.handler.plugin: the plugin "
                   "isn't there; looked for /conf/gone.so\n");
    assert_int_equal(setenv("WEIR_HANDLER_PATH", "/a:/b", 1), 0);
    assert_mentions(PLUGIN("gone"), "looked for /a/gone.so, /b/gone.so, "
                                    "/conf/gone.so, /");
    assert_mentions(PLUGIN("gone"), "/weir/handlers/gone.so");
    assert_int_equal(unsetenv("WEIR_HANDLER_PATH"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_handler_reads_any_options),
        cmocka_unit_test(what_isnt_there_is_the_fallback),
        cmocka_unit_test(a_handler_without_options_has_none),
        cmocka_unit_test(refusing_outside_of_check_does_nothing),
        cmocka_unit_test(a_list_of_mappings_is_read_one_by_one),
        cmocka_unit_test(a_plugin_is_found_beside_the_file_or_in_the_path),
        cmocka_unit_test(a_plugin_that_isnt_there_is_said_with_the_places),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
