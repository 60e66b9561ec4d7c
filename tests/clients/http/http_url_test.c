/*
 * http_url_test.c - userinfo is apart from what may be shown.
 */
#include "test.h"

#include <string.h>

#include "http_url.h"

static void userinfo_is_taken_apart(void **state)
{
    static const struct {
        const char *text, *shown, *user, *password;
    } cases[] = {
        {"http://h", "http://h", NULL, NULL},
        {"http://h:15672/", "http://h:15672", NULL, NULL},
        {"https://u:p@h/a/b/", "https://h/a/b", "u", "p"},
        {"http://%75:a%40b%3a%2f@h:1", "http://h:1", "u", "a@b:/"},
        {"http://u@h", "http://h", "u", NULL},
        {"http://u:p@[::1]:7/x?token=p#p", "http://[::1]:7/x", "u", "p"},
        {"HTTP://h", "http://h", NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct http_url url = {.text = NULL};
        struct weir_error err = {.text = ""};

        if (http_url_parse(cases[i].text, &url, &err) != WEIR_OK)
            fail_msg("%s: %s", cases[i].text, err.text);
        assert_string_equal(url.text, cases[i].shown);
        assert_int_equal(!url.user, !cases[i].user);
        assert_int_equal(!url.password, !cases[i].password);
        if (cases[i].user)
            assert_string_equal(url.user, cases[i].user);
        if (cases[i].password)
            assert_string_equal(url.password, cases[i].password);
        http_url_finish(&url);
    }
}

static void what_is_wrong_is_said_without_the_password(void **state)
{
    static const char *const cases[] = {"",
                                        "u:secret@h",
                                        "amqp://u:secret@h",
                                        "secret://h",
                                        "file:///etc/secret",
                                        "http://",
                                        "http://u:secret@",
                                        "http://u:secret@h:99999",
                                        "http://u:secret@h:x/"};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct http_url url = {.text = NULL};
        struct weir_error err = {.text = ""};

        if (http_url_parse(cases[i], &url, &err) != WEIR_REJECT)
            fail_msg("%s is taken as %s", cases[i], url.text);
        assert_non_null(strstr(err.text, "http://"));
        assert_null(strstr(err.text, "secret"));
        assert_null(url.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_ALONE(userinfo_is_taken_apart),
        TEST_ALONE(what_is_wrong_is_said_without_the_password),
    };
    return cmocka_run_group_tests_name("http_url", tests, NULL, NULL);
}
