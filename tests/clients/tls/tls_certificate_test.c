/*
 * tls_certificate_test.c - what the dates of a certificate mean, and that a
 * server that shows none is not waited for.
 */
#include "test.h"

#include <string.h>

#include "clock.h"
#include "findings.h"
#include "http_peer.h"
#include "tls_certificate.h"

#define DAY_S INT64_C(86400)

static void its_dates_are_judged_by_our_clock(void **state)
{
    static const struct {
        struct tls_certificate certificate;
        enum weir_severity severity;
        const char *word;
    } cases[] = {
        {{-DAY_S, 30 * DAY_S}, WEIR_SEVERITY_OK, "30 more days"},
        {{-DAY_S, 3 * DAY_S}, WEIR_SEVERITY_WARNING, "expires in 3 days"},
        {{-9 * DAY_S, -2 * DAY_S}, WEIR_SEVERITY_ERROR, "expired 2 days ago"},
        {{600, 30 * DAY_S}, WEIR_SEVERITY_ERROR, "isn't valid yet"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct weir_findings findings;

        findings_init(&findings);
        tls_certificate_judge(&cases[i].certificate, "broker", &findings);
        assert_int_equal(findings.count, 1);
        assert_int_equal(findings.list[0].severity, cases[i].severity);
        if (!strstr(findings.list[0].what, cases[i].word))
            fail_msg("%s: %s", cases[i].word, findings.list[0].what);
        findings_finish(&findings);
    }
}

static void a_server_that_says_nothing_is_given_up_in_time(void **state)
{
    struct http_peer *peer = http_peer_create(NULL);
    struct tls_certificate certificate;
    struct weir_error err;

    (void)state;
    assert_int_equal(tls_certificate_ask("127.0.0.1", http_peer_port(peer),
                                         clock_after_us(CLOCK_SECOND_US / 10),
                                         &certificate, &err),
                     WEIR_RETRY);
    http_peer_destroy(peer);
}

static void a_file_without_a_certificate_is_an_error(void **state)
{
    struct weir_findings findings;

    (void)state;
    findings_init(&findings);
    tls_certificate_probe_file("tls.cert", "/dev/null", &findings);
    assert_int_equal(findings.count, 1);
    assert_int_equal(findings.list[0].severity, WEIR_SEVERITY_ERROR);
    findings_finish(&findings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_ALONE(its_dates_are_judged_by_our_clock),
        TEST_ALONE(a_server_that_says_nothing_is_given_up_in_time),
        TEST_ALONE(a_file_without_a_certificate_is_an_error),
    };
    return cmocka_run_group_tests_name("tls_certificate", tests, NULL, NULL);
}
