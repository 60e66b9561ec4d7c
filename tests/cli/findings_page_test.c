/*
 * findings_page_test.c - what connectors found, as `weir check` prints it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "findings_page.h"
#include "test.h"

static void what_a_broker_names_is_one_line_and_moves_no_cursor(void **state)
{
    struct inquiry_subject subject = {.path = "producer.amqp"};
    const struct inquiry inquiry = {.list = &subject, .count = 1};
    const struct findings_page page = {.file = "t.yaml", .inquiry = &inquiry};
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    (void)state;
    assert_non_null(out);
    findings_init(&subject.findings);
    weir_findings_add(&subject.findings, WEIR_SEVERITY_WARNING, "queue a\nb",
                      "see \x1b[2J", "its policy is \x1b]0;x\a\nok  forged");
    findings_page_text(&page, out);
    assert_int_equal(fclose(out), 0);
    assert_string_equal(text,
                        "warning  producer.amqp: queue a\\nb: its policy is "
                        "\\x1b]0;x\\x07\\nok  forged: see \\x1b[2J\n"
                        "t.yaml: 0 errors, 1 warning, 0 unknown\n");
    free(text);
    findings_finish(&subject.findings);
}

static void what_is_no_utf8_is_found_by_programs_too(void **state)
{
    struct inquiry_subject subject = {.path = "producer.amqp"};
    const struct inquiry inquiry = {.list = &subject, .count = 1};
    const struct topology_errors none = {0};
    const struct findings_page page = {
        .file = "t\xff.yaml", .errors = &none, .inquiry = &inquiry};
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    (void)state;
    assert_non_null(out);
    findings_init(&subject.findings);
    weir_findings_add(&subject.findings, WEIR_SEVERITY_ERROR, "queue \xfe",
                      NULL, "is no queue");
    assert_int_equal(findings_page_json(&page, out), WEIR_OK);
    assert_int_equal(fclose(out), 0);
    assert_non_null(strstr(text, "\"where\": \"queue ?\""));
    assert_non_null(strstr(text, "\"what\": \"is no queue\""));
    assert_non_null(strstr(text, "\"file\": \"t?.yaml\""));
    free(text);
    findings_finish(&subject.findings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_broker_names_is_one_line_and_moves_no_cursor),
        cmocka_unit_test(what_is_no_utf8_is_found_by_programs_too),
    };

    return cmocka_run_group_tests_name("findings_page", tests, NULL, NULL);
}
