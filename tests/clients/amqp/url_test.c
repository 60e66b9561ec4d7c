/*
 * url_test.c - URLs mean what people think, and tell no secrets.
 */
#include "test.h"

#include <string.h>

#include "url.h"

static void every_part_has_its_default(void **state)
{
    static const struct {
        const char *text, *host, *user, *password, *vhost;
        int port;
        bool is_tls;
    } cases[] = {
        {"amqp://h", "h", "guest", "guest", "/", 5672, false},
        {"amqp://h/", "h", "guest", "guest", "/", 5672, false},
        {"amqps://h", "h", "guest", "guest", "/", 5671, true},
        {"AMQP://h:99", "h", "guest", "guest", "/", 99, false},
        {"amqp://u@h", "h", "u", "", "/", 5672, false},
        {"amqp://u:@h", "h", "u", "", "/", 5672, false},
        {"amqp://u:p@h:1/v", "h", "u", "p", "v", 1, false},
        {"amqp://h/%2f", "h", "guest", "guest", "/", 5672, false},
        {"amqp://h/a%2Fb", "h", "guest", "guest", "a/b", 5672, false},
        {"amqp://%75:a%40b%3a%2f@h", "h", "u", "a@b:/", "/", 5672, false},
        {"amqp://u:p:q@h", "h", "u", "p:q", "/", 5672, false},
        {"amqp://[::1]", "::1", "guest", "guest", "/", 5672, false},
        {"amqp://u:p@[fe80::2]:7/v", "fe80::2", "u", "p", "v", 7, false},
        {"amqp://h/%c3%a9", "h", "guest", "guest", "\xc3\xa9", 5672, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct amqp_url url;
        struct weir_error err = {.text = ""};

        if (amqp_url_parse(cases[i].text, &url, &err) != WEIR_OK)
            fail_msg("%s: %s", cases[i].text, err.text);
        assert_string_equal(url.host, cases[i].host);
        assert_string_equal(url.user, cases[i].user);
        assert_string_equal(url.password, cases[i].password);
        assert_string_equal(url.vhost, cases[i].vhost);
        assert_int_equal(url.port, cases[i].port);
        assert_int_equal(url.is_tls, cases[i].is_tls);
        amqp_url_finish(&url);
    }
}

static void what_is_wrong_is_said_without_the_password(void **state)
{
    static const struct {
        const char *text, *word;
    } cases[] = {
        {"", "amqp://"},
        {"http://h", "amqp://"},
        {"h:5672", "amqp://"},
        {"amqp://", "no host"},
        {"amqp:///v", "no host"},
        {"amqp://u:secret@", "no host"},
        {"amqp://u:secret@h:0", "port"},
        {"amqp://u:secret@h:65536", "port"},
        {"amqp://u:secret@h:99999999999999999999", "port"},
        {"amqp://u:secret@h:x", "port"},
        {"amqp://u:secret@h:", "port"},
        {"amqp://u:secret@h/a/b", "%2f"},
        {"amqp://u:secret@h/v?heartbeat=5", "options of their own"},
        {"amqp://u:sec#ret@h", "%23"},
        {"amqp://u:sec/ret@h", "%2f"},
        {"amqp://u:sec@ret@h", "%40"},
        {"amqp://:secret@h", "no user"},
        {"amqp://u:secret%@h", "%25"},
        {"amqp://u:secret%zz@h", "%25"},
        {"amqp://u:secret%00@h", "%25"},
        {"amqp://u:secret@[::1", "[address]"},
        {"amqp://u:secret@[::1]x", "[address]"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct amqp_url url = {.host = NULL};
        struct weir_error err = {.text = ""};

        assert_int_equal(amqp_url_parse(cases[i].text, &url, &err),
                         WEIR_REJECT);
        if (!strstr(err.text, cases[i].word))
            fail_msg("%s: %s", cases[i].text, err.text);
        assert_null(strstr(err.text, "sec"));
        assert_null(url.host);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_ALONE(every_part_has_its_default),
        TEST_ALONE(what_is_wrong_is_said_without_the_password),
    };
    return cmocka_run_group_tests_name("amqp_url", tests, NULL, NULL);
}
