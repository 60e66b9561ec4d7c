/*
 * plugin_test.c - which shared objects are handlers, and what is said of those
 * that are not.
 */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "plugin.h"

/* The sentence with which `file` is refused. */
static struct weir_error refusal(const char *file)
{
    struct plugin *plugin = NULL;
    struct weir_error err = {0};
    char path[512];

    (void)snprintf(path, sizeof path, "%s%s%s", *file == '/' ? "" : PLUGINS,
                   *file == '/' ? "" : "/", file);
    assert_int_equal(plugin_open(path, &plugin, &err), WEIR_REJECT);
    assert_null(plugin);
    assert_non_null(strstr(err.text, path));
    return err;
}

static void assert_says(const char *file, const char *what)
{
    const struct weir_error err = refusal(file);

    if (!strstr(err.text, what))
        fail_msg("\"%s\" doesn't say \"%s\"", err.text, what);
}

static void a_plugin_of_this_abi_is_loaded(void **state)
{
    struct plugin *plugin = NULL;
    const struct weir_handler *handler;

    (void)state;
    assert_int_equal(plugin_open(PLUGINS "/good.so", &plugin, NULL), WEIR_OK);
    handler = plugin_handler(plugin);
    assert_string_equal(handler->name, "good");
    assert_int_equal(handler->handle_message(NULL, NULL), WEIR_DONE);
    assert_true(handler->terminate != NULL);
    assert_true(handler->init == NULL);
    plugin_close(plugin);
}

static void an_older_plugin_has_no_callbacks_it_does_not_know(void **state)
{
    struct plugin *plugin = NULL;
    const struct weir_handler *handler;

    (void)state;
    assert_int_equal(plugin_open(PLUGINS "/older.so", &plugin, NULL), WEIR_OK);
    handler = plugin_handler(plugin);
    assert_string_equal(handler->name, "older");
    assert_int_equal(handler->struct_size, sizeof *handler);
    assert_int_equal(handler->handle_message(NULL, NULL), WEIR_DONE);
    assert_true(handler->handle_batch == NULL);
    assert_true(handler->handle_failed == NULL);
    assert_true(handler->terminate == NULL);
    plugin_close(plugin);
}

static void a_newer_plugin_is_refused_with_both_versions(void **state)
{
    char ours[32];

    (void)state;
    (void)snprintf(ours, sizeof ours, "has %zu", sizeof(struct weir_handler));
    assert_says("newer.so", "built for a newer weir");
    assert_says("newer.so", ours);
    assert_says("newer.so", "weir " WEIR_VERSION);
}

static void another_abi_is_refused_with_both_versions(void **state)
{
    (void)state;
    assert_says("other_abi.so", "built for a newer weir: it has ABI 2, "
                                "weir " WEIR_VERSION " has ABI 1");
    assert_says("old_abi.so",
                "has ABI 0, weir " WEIR_VERSION " has ABI 1; compile it again");
}

static void a_table_without_a_size_is_refused(void **state)
{
    (void)state;
    assert_says("tiny.so", "define it with WEIR_HANDLER()");
}

static void a_missing_file_is_said_to_be_missing(void **state)
{
    (void)state;
    assert_says("absent.so", "there is no such file");
}

static void what_is_no_shared_object_is_said_to_be_none(void **state)
{
    char path[] = "/tmp/weir-plugin-test-XXXXXX";
    const int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    assert_says(path, "is not a shared object");
    assert_int_equal(write(fd, "#include <weir/handler.h>\n", 26), 26);
    assert_says(path, "is not a shared object");
    (void)close(fd);
    (void)unlink(path);
}

static void an_object_that_is_cut_off_is_refused(void **state)
{
    char path[] = "/tmp/weir-plugin-test-XXXXXX";
    const int fd = mkstemp(path);
    FILE *good = fopen(PLUGINS "/good.so", "rb");
    char head[64];

    (void)state;
    assert_true(fd >= 0);
    assert_non_null(good);
    assert_int_equal(fread(head, 1, sizeof head, good), sizeof head);
    (void)fclose(good);
    assert_int_equal(write(fd, head, sizeof head), sizeof head);
    (void)close(fd);
    assert_says(path, "cannot be loaded");
    (void)unlink(path);
}

static void an_object_without_the_symbol_is_refused(void **state)
{
    (void)state;
    assert_says("no_symbol.so", "has no symbol weir_handler");
}

static void an_unresolved_symbol_is_found_at_loading_and_named(void **state)
{
    (void)state;
    assert_says("unresolved.so", "unresolved symbol forgotten_library_call");
    assert_says("unresolved_weir.so", "built for a newer weir: it calls "
                                      "weir_message_from_tomorrow()");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plugin_of_this_abi_is_loaded),
        cmocka_unit_test(an_older_plugin_has_no_callbacks_it_does_not_know),
        cmocka_unit_test(a_newer_plugin_is_refused_with_both_versions),
        cmocka_unit_test(another_abi_is_refused_with_both_versions),
        cmocka_unit_test(a_table_without_a_size_is_refused),
        cmocka_unit_test(a_missing_file_is_said_to_be_missing),
        cmocka_unit_test(what_is_no_shared_object_is_said_to_be_none),
        cmocka_unit_test(an_object_that_is_cut_off_is_refused),
        cmocka_unit_test(an_object_without_the_symbol_is_refused),
        cmocka_unit_test(an_unresolved_symbol_is_found_at_loading_and_named),
    };
    return cmocka_run_group_tests_name("plugin", tests, NULL, NULL);
}
