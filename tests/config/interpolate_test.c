/*
 * interpolate_test.c - what is filled in, and what is never shown.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "load_support.h"
#include "test.h"

struct folder {
    char path[64];
};

static void write_file(const struct folder *folder, const char *name,
                       const char *text, size_t size)
{
    char path[128];
    FILE *file;

    (void)snprintf(path, sizeof path, "%s/%s", folder->path, name);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static void remove_file(const struct folder *folder, const char *name)
{
    char path[128];

    (void)snprintf(path, sizeof path, "%s/%s", folder->path, name);
    (void)remove(path);
}

static int setup(void **state)
{
    static struct folder folder;

    (void)snprintf(folder.path, sizeof folder.path, "/tmp/weir_conf_XXXXXX");
    assert_non_null(mkdtemp(folder.path));
    assert_int_equal(setenv("WEIR_T_SET", "value", 1), 0);
    assert_int_equal(setenv("WEIR_T_EMPTY", "", 1), 0);
    assert_int_equal(setenv("WEIR_T_SECRET", "hunter2", 1), 0);
    assert_int_equal(unsetenv("WEIR_T_UNSET"), 0);
    *state = &folder;
    return 0;
}

static int teardown(void **state)
{
    const struct folder *folder = *state;

    remove_file(folder, "secret");
    return rmdir(folder->path);
}

static void load_in(struct loaded *loaded, const struct folder *folder,
                    const char *text)
{
    char path[128];

    (void)snprintf(path, sizeof path, "%s/t.yaml", folder->path);
    load_with(loaded, &(struct topology_source){.file = path, .text = text});
}

/* What the counter's template becomes when it is written as `written`. */
static void assert_becomes(const struct folder *folder, const char *written,
                           const char *expected)
{
    struct loaded loaded;
    char text[512];

    (void)snprintf(
        text, sizeof text,
        "name: t\nproducer: { counter: { template: \"%s\" } }\n" REST, written);
    load_in(&loaded, folder, text);
    assert_string_equal(loaded.text, "");
    assert_string_equal(
        weir_settings_string(loaded.topology->producer.settings[0], "template"),
        expected);
    loaded_finish(&loaded);
}

static void variables_are_filled_in(void **state)
{
    (void)state;
    assert_becomes(*state, "${WEIR_T_SET}", "value");
    assert_becomes(*state, "a${WEIR_T_SET}b${WEIR_T_SET}", "avaluebvalue");
    assert_becomes(*state, "${WEIR_T_EMPTY}", "");
    assert_becomes(*state, "${WEIR_T_SET:-x}", "value");
    assert_becomes(*state, "${WEIR_T_EMPTY:-x}", "x");
    assert_becomes(*state, "${WEIR_T_UNSET:-x:-?y}", "x:-?y");
    assert_becomes(*state, "${WEIR_T_UNSET:-}", "");
    assert_becomes(*state, "${WEIR_T_SET:?must be}", "value");
}

static void a_dollar_is_a_dollar_elsewhere(void **state)
{
    assert_becomes(*state, "$${WEIR_T_SET} ${WEIR_T_SET}",
                   "${WEIR_T_SET} value");
    assert_becomes(*state, "$5 $$ $", "$5 $$ $");
    assert_becomes(*state, "${WEIR_T_SET}$", "value$");
    assert_becomes(*state, "%%{x} %{key}", "%%{x} %{key}");
}

static void a_value_cant_change_the_structure(void **state)
{
    assert_int_equal(setenv("WEIR_T_SET", "a }\nmemory: 1 ${WEIR_T_SECRET}", 1),
                     0);
    assert_becomes(*state, "${WEIR_T_SET}", "a }\nmemory: 1 ${WEIR_T_SECRET}");
}

static void a_comment_is_never_substituted(void **state)
{
    (void)state;
    assert_accepted("# ${WEIR_T_UNSET:?}\n" COUNTER REST);
}

static void values_of_every_type_may_be_filled_in(void **state)
{
    struct loaded loaded;

    assert_int_equal(setenv("WEIR_T_SET", "7", 1), 0);
    load_in(&loaded, *state,
            "name: t\nproducer: { counter: { count: \"${WEIR_T_SET}\" } }\n"
            "shutdown: { timeout: \"${WEIR_T_SET}s\" }\n" REST);
    assert_string_equal(loaded.text, "");
    assert_int_equal(
        weir_settings_int(loaded.topology->producer.settings[0], "count", 0),
        7);
    assert_int_equal(loaded.topology->shutdown_timeout_us, 7000000);
    loaded_finish(&loaded);
}

static void a_file_loses_one_newline(void **state)
{
    write_file(*state, "secret", "hunter2\n\n", 9);
    assert_becomes(*state, "${file:secret}", "hunter2\n");
    write_file(*state, "secret", "hunter2", 7);
    assert_becomes(*state, "${file:./secret}", "hunter2");
    write_file(*state, "secret", "", 0);
    assert_becomes(*state, "${file:secret}", "");
}

static void assert_refuses(const struct folder *folder, const char *written,
                           const char *why)
{
    struct loaded loaded;
    char text[512];

    (void)snprintf(
        text, sizeof text,
        "name: t\nproducer: { counter: { template: \"%s\" } }\n" REST, written);
    load_in(&loaded, folder, text);
    assert_int_equal(loaded.status, WEIR_REJECT);
    assert_int_equal(loaded.errors.count, 1);
    assert_int_equal(loaded.errors.list[0].line, 2);
    assert_int_equal(loaded.errors.list[0].column, 34);
    assert_string_equal(loaded.errors.list[0].path,
                        "producer.counter.template");
    assert_string_equal(loaded.errors.list[0].text, why);
    loaded_finish(&loaded);
}

static void what_cant_be_filled_in_is_refused(void **state)
{
    assert_refuses(*state, "${WEIR_T_UNSET}",
                   "the environment has no WEIR_T_UNSET: set it, or write "
                   "${WEIR_T_UNSET:-default}");
    assert_refuses(
        *state, "${WEIR_T_UNSET:?the url of the broker}",
        "the environment has no WEIR_T_UNSET: the url of the broker");
    assert_refuses(*state, "${WEIR_T_EMPTY:?}",
                   "the environment has no WEIR_T_EMPTY: it must be set");
    assert_refuses(*state, "a${WEIR_T_SET",
                   "`${` without `}`; a literal ${ is written $${");
    assert_refuses(*state, "${WEIR_T_UNSET:-${WEIR_T_SET}}",
                   "${...} can't be nested");
    assert_refuses(*state, "${file:secret}",
                   "${file:secret}: the file can't be opened: No such file or "
                   "directory");
    write_file(*state, "secret", "a\0b", 3);
    assert_refuses(*state, "${file:secret}",
                   "${file:secret}: the file is not text, it holds a NUL");
    for (size_t i = 0; i < 4; i++) {
        static const char *const places[] = {"${}", "${1A}", "${A B}",
                                             "${A:=b}"};

        assert_refuses(*state, places[i],
                       "what stands in ${...} is VAR, VAR:-default, "
                       "VAR:?message or file:path; a literal ${ is written "
                       "$${");
    }
}

static void keys_are_not_filled_in(void **state)
{
    (void)state;
    assert_mentions(COUNTER "\"${WEIR_T_SET}\": x\n" REST,
                    "${...} is filled in in values, not in keys");
}

static void assert_hides(const struct folder *folder, const char *text)
{
    struct loaded loaded;

    load_in(&loaded, folder, text);
    assert_int_equal(loaded.status, WEIR_REJECT);
    assert_null(strstr(loaded.text, "hunter2"));
    loaded_finish(&loaded);
}

static void secrets_are_never_shown(void **state)
{
    write_file(*state, "secret", "hunter2\n", 8);
    assert_hides(*state, COUNTER REST "memory: ${file:secret}\n");
    assert_hides(*state, COUNTER REST "log: { level: \"${file:secret}\" }\n");
    assert_hides(*state, "name: t\nproducer: ${file:secret}\n" REST);
    assert_hides(*state, COUNTER "processors: { handler: \"${file:secret}\" "
                                 "}\nfailure: { then: drop }\n");
    assert_hides(*state, COUNTER "processors: { handler: { plugin: "
                                 "\"${file:secret}\" } }\n"
                                 "failure: { then: drop }\n");
    assert_hides(*state,
                 "name: t\n"
                 "producer: { log: { topics: a, group: g, sasl: { mechanism: "
                 "PLAIN, password: [hunter2] } } }\n" REST);
    assert_hides(*state, "name: t\n"
                         "producer: { log: { topics: a, group: g, sasl: { "
                         "mechanism: PLAIN, pasword: hunter2 } } }\n" REST);
    assert_hides(*state, "name: t\n"
                         "producer: { log: { topics: a, group: g, sasl: { "
                         "mechanism: PLAIN, pin: hunter2 } } }\n" REST);
    assert_hides(*state, COUNTER REST "memory: amqp://user:hunter2@host/v\n");
    assert_hides(*state, COUNTER REST "memory: amqp://hunter2@h\n");
    assert_hides(*state, "name: t\n"
                         "producer: amqp://user:hunter2@host\n" REST);
}

static void a_template_from_a_file_is_not_shown(void **state)
{
#define KEYED                                                                  \
    COUNTER "processors: { handler: passthrough, ordering: key, "              \
            "ordering_key: \"${file:secret}\" }\nfailure: { then: drop }\n"
    write_file(*state, "secret", "%{hunter2}%{topic}\n", 19);
    assert_hides(*state, KEYED);
    write_file(*state, "secret", "%{topic}%{hunter2\n", 18);
    assert_hides(*state, KEYED);
#undef KEYED
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(variables_are_filled_in),
        TEST(a_dollar_is_a_dollar_elsewhere),
        TEST(a_value_cant_change_the_structure),
        TEST(a_comment_is_never_substituted),
        TEST(values_of_every_type_may_be_filled_in),
        TEST(a_file_loses_one_newline),
        TEST(what_cant_be_filled_in_is_refused),
        TEST(keys_are_not_filled_in),
        TEST(secrets_are_never_shown),
        TEST(a_template_from_a_file_is_not_shown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
