/*
 * admin_test.c - the keys of `admin`, and what of a configuration may be shown.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load_support.h"
#include "settings_tree.h"
#include "test.h"

static void nothing_is_served_where_admin_is_not_written(void **state)
{
    struct loaded loaded;

    (void)state;
    load_text(&loaded, COUNTER REST);
    assert_int_equal(loaded.status, WEIR_OK);
    assert_null(loaded.topology->admin.listen);
    assert_int_equal(loaded.topology->admin.stalled_us, 60 * 1000 * 1000);
    loaded_finish(&loaded);
}

static void what_is_not_written_listens_on_this_machine(void **state)
{
    struct loaded loaded;

    (void)state;
    load_text(&loaded, COUNTER REST "admin: {}\n");
    assert_int_equal(loaded.status, WEIR_OK);
    assert_string_equal(loaded.topology->admin.listen, "127.0.0.1:9464");
    assert_null(loaded.topology->admin.token);
    assert_null(loaded.topology->admin.cert);
    loaded_finish(&loaded);
}

static void every_key_is_read(void **state)
{
    struct loaded loaded;

    (void)state;
    load_text(&loaded, COUNTER REST
              "admin: { listen: \"[::1]:80\", token: a-secret-of-sixteen, "
              "tls: { cert: c.pem, key: /k.pem }, stalled_after: 5s }\n");
    assert_int_equal(loaded.status, WEIR_OK);
    assert_string_equal(loaded.topology->admin.listen, "[::1]:80");
    assert_string_equal(loaded.topology->admin.token, "a-secret-of-sixteen");
    assert_string_equal(loaded.topology->admin.cert, "/conf/c.pem");
    assert_string_equal(loaded.topology->admin.key, "/k.pem");
    assert_int_equal(loaded.topology->admin.stalled_us, 5 * 1000 * 1000);
    loaded_finish(&loaded);
}

static void what_is_wrong_with_it_is_said_at_its_place(void **state)
{
    (void)state;
    assert_refused(COUNTER REST "admin:\n  listen: example.com:80\n",
                   "/conf/t.yaml:6:11: admin.listen: `example.com:80` is no "
                   "numeric address: write it as in 127.0.0.1:9464 or "
                   "[::1]:9464\n");
    assert_mentions(COUNTER REST "admin: { listen: here }\n",
                    "admin.listen: `here` is no address and port");
    assert_mentions(COUNTER REST "admin: { tls: { cert: c.pem } }\n",
                    "admin.tls.key: is required");
}

static void a_token_that_can_be_guessed_is_refused_and_not_quoted(void **state)
{
    struct loaded loaded;

    (void)state;
    load_text(&loaded, COUNTER REST "admin: { token: fifteen-letters }\n");
    assert_int_equal(loaded.status, WEIR_REJECT);
    assert_non_null(strstr(loaded.text, "admin.token: has 16 to 512"));
    assert_null(strstr(loaded.text, "fifteen"));
    loaded_finish(&loaded);
    assert_mentions(COUNTER REST "admin: { token: \"sixteen letters and\" }\n",
                    "admin.token: has 16");
}

static void a_token_that_others_can_read_is_warned_of(void **state)
{
    (void)state;
    assert_mentions(COUNTER REST "admin: { listen: 0.0.0.0:9464, token: "
                                 "sixteen-letters- }\n",
                    "others on the way can read the token");
    assert_accepted(COUNTER REST "admin: { token: sixteen-letters- }\n");
    assert_accepted(COUNTER REST "admin: { listen: 0.0.0.0:9464 }\n");
}

/* What is shown of the handler's option or the setting at `path`. */
static void assert_shown(const struct weir_settings *settings, const char *name,
                         const char *shown)
{
    const struct weir_settings *child = settings->first;
    char out[256];

    while (child && strcmp(child->name, name) != 0)
        child = child->next;
    assert_non_null(child);
    assert_string_equal(settings_shown(child, out, sizeof out), shown);
}

static void secrets_are_struck_out(void **state)
{
    const struct weir_settings *options;
    struct loaded loaded;

    (void)state;
    assert_int_equal(setenv("PLANTED", "planted-secret", 1), 0);
    load_text(&loaded,
              COUNTER "processors:\n"
                      "  handler:\n"
                      "    plugin: " WEIR_ANY_FILE "\n"
                      "    options:\n"
                      "      currency: EUR\n"
                      "      filled_in: \"x${PLANTED}\"\n"
                      "      api_token: planted-secret\n"
                      "      DB_PASSWORD: planted-secret\n"
                      "      url: https://me:planted-secret@host/p?a@b\n"
                      "failure: { then: drop }\n"
                      "admin: { token: \"${PLANTED}-and-more\" }\n");
    assert_string_equal(loaded.text, "");
    options = loaded.topology->processors.handler.options;
    assert_shown(options, "currency", "EUR");
    assert_shown(options, "filled_in", "***");
    assert_shown(options, "api_token", "***");
    assert_shown(options, "DB_PASSWORD", "***");
    assert_shown(options, "url", "https://***@b");
    for (const struct weir_settings *group = loaded.topology->own->first; group;
         group = group->next) {
        if (strcmp(group->name, "admin") == 0)
            assert_shown(group, "token", "***");
    }
    loaded_finish(&loaded);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_ALONE(nothing_is_served_where_admin_is_not_written),
        TEST_ALONE(what_is_not_written_listens_on_this_machine),
        TEST_ALONE(every_key_is_read),
        TEST_ALONE(what_is_wrong_with_it_is_said_at_its_place),
        TEST_ALONE(a_token_that_can_be_guessed_is_refused_and_not_quoted),
        TEST_ALONE(a_token_that_others_can_read_is_warned_of),
        TEST_ALONE(secrets_are_struck_out),
    };

    return cmocka_run_group_tests_name("config_admin", tests, NULL, NULL);
}
