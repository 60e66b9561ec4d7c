/*
 * exposition_test.c - labels of any bytes, and numbers, as Prometheus reads
 * them.
 */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exposition.h"

static void assert_sample(const char *pipeline, const char *label, double value,
                          const char *line)
{
    char *text = NULL;
    size_t size = 0;
    const struct exposition exposition = {.out = open_memstream(&text, &size),
                                          .pipeline = pipeline};

    assert_non_null(exposition.out);
    exposition_sample(&exposition, "weir_x_total", label ? "why" : NULL, label,
                      value);
    assert_int_equal(fclose(exposition.out), 0);
    assert_string_equal(text, line);
    free(text);
}

static void quotes_backslashes_and_newlines_are_escaped(void **state)
{
    (void)state;
    assert_sample("a\"b\\c\nd", NULL, 1,
                  "weir_x_total{pipeline=\"a\\\"b\\\\c\\nd\"} 1\n");
    assert_sample("p", "\"} 7\nx 1", 2,
                  "weir_x_total{pipeline=\"p\",why=\"\\\"} 7\\nx 1\"} 2\n");
}

static void what_is_no_utf8_does_not_spoil_the_page(void **state)
{
    (void)state;
    assert_sample("gr\xc3\xbcn", NULL, 1,
                  "weir_x_total{pipeline=\"gr\xc3\xbcn\"} 1\n");
    assert_sample("gr\xfcn", NULL, 1, "weir_x_total{pipeline=\"gr?n\"} 1\n");
}

static void numbers_are_exact(void **state)
{
    (void)state;
    assert_sample("p", NULL, 123456789012345,
                  "weir_x_total{pipeline=\"p\"} "
                  "123456789012345\n");
    assert_sample("p", NULL, 0.5, "weir_x_total{pipeline=\"p\"} 0.5\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_ALONE(quotes_backslashes_and_newlines_are_escaped),
        TEST_ALONE(what_is_no_utf8_does_not_spoil_the_page),
        TEST_ALONE(numbers_are_exact),
    };

    return cmocka_run_group_tests_name("exposition", tests, NULL, NULL);
}
