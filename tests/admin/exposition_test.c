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
    const struct metric metric = {"weir_x_total", METRIC_COUNTER, "Help."};
    const struct metric_labels labels = {
        {{"pipeline", pipeline}, {label ? "why" : NULL, label}}};
    char *text = NULL, expected[256];
    size_t size = 0;
    struct exposition exposition = {.out = open_memstream(&text, &size)};
    const struct metrics_form form = exposition_form(&exposition);

    assert_non_null(exposition.out);
    form.number(form.self, &metric, &labels, value);
    assert_int_equal(fclose(exposition.out), 0);
    (void)snprintf(expected, sizeof expected,
                   "# HELP weir_x_total Help.\n# TYPE weir_x_total counter\n%s",
                   line);
    assert_string_equal(text, expected);
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

static void a_family_begins_once(void **state)
{
    const struct metric metric = {"weir_x_total", METRIC_COUNTER, "Help."};
    const struct metric_labels labels = {{{"pipeline", "p"}}};
    char *text = NULL;
    size_t size = 0;
    struct exposition exposition = {.out = open_memstream(&text, &size)};
    const struct metrics_form form = exposition_form(&exposition);

    (void)state;
    form.number(form.self, &metric, &labels, 1);
    form.number(form.self, &metric, &labels, 2);
    assert_int_equal(fclose(exposition.out), 0);
    assert_string_equal(text, "# HELP weir_x_total Help.\n"
                              "# TYPE weir_x_total counter\n"
                              "weir_x_total{pipeline=\"p\"} 1\n"
                              "weir_x_total{pipeline=\"p\"} 2\n");
    free(text);
}

static void a_histogram_is_cumulative_and_in_seconds(void **state)
{
    struct histogram_view view = {
        .counts = {[0] = 1, [6] = 2}, .count = 4, .sum_us = 1500000};
    const struct metric metric = {"weir_x_seconds", METRIC_HISTOGRAM, "Help."};
    const struct metric_labels labels = {
        {{"pipeline", "p"}, {"stage", "sink"}, {"batcher", "a\"b"}}};
    char *text = NULL;
    size_t size = 0;
    struct exposition exposition = {.out = open_memstream(&text, &size)};
    const struct metrics_form form = exposition_form(&exposition);

    (void)state;
    view.counts[HISTOGRAM_BOUNDS] = 1;
    form.histogram(form.self, &metric, &labels, &view);
    assert_int_equal(fclose(exposition.out), 0);
#define LABELS "{pipeline=\"p\",stage=\"sink\",batcher=\"a\\\"b\""
    assert_non_null(
        strstr(text, "weir_x_seconds_bucket" LABELS ",le=\"1e-05\"} 1\n"));
    assert_non_null(
        strstr(text, "weir_x_seconds_bucket" LABELS ",le=\"0.001\"} 3\n"));
    assert_non_null(
        strstr(text, "weir_x_seconds_bucket" LABELS ",le=\"60\"} 3\n"));
    assert_non_null(
        strstr(text, "weir_x_seconds_bucket" LABELS ",le=\"+Inf\"} 4\n"));
    assert_non_null(strstr(text, "weir_x_seconds_sum" LABELS "} 1.500000\n"));
    assert_non_null(strstr(text, "weir_x_seconds_count" LABELS "} 4\n"));
#undef LABELS
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_ALONE(quotes_backslashes_and_newlines_are_escaped),
        TEST_ALONE(what_is_no_utf8_does_not_spoil_the_page),
        TEST_ALONE(numbers_are_exact),
        TEST_ALONE(a_family_begins_once),
        TEST_ALONE(a_histogram_is_cumulative_and_in_seconds),
    };

    return cmocka_run_group_tests_name("exposition", tests, NULL, NULL);
}
