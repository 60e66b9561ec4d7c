/*
 * statsd_text_test.c - lines that nobody's name can break, in datagrams that
 * fit.
 */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include "statsd_text.h"

enum { PACKETS = 64 };

static struct {
    char packets[PACKETS][STATSD_PACKET_SIZE + 1];
    unsigned count;
} sent;

static void keep(void *opaque, const char *packet, size_t size)
{
    assert_ptr_equal(opaque, &sent);
    assert_true(size > 0 && size <= STATSD_PACKET_SIZE);
    assert_true(sent.count < PACKETS);
    memcpy(sent.packets[sent.count], packet, size);
    sent.packets[sent.count++][size] = '\0';
}

static struct statsd_text text;

static int setup(void **state)
{
    (void)state;
    memset(&sent, 0, sizeof sent);
    text =
        (struct statsd_text){.prefix = "weir", .send = keep, .opaque = &sent};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    return 0;
}

static void assert_line(enum metric_type type, const char *name,
                        const char *source, const char *line)
{
    const struct metric metric = {name, type, ""};
    const struct metric_labels labels = {
        {{"pipeline", "p"}, {source ? "source" : NULL, source}}};

    sent.count = 0;
    statsd_text_add(&text, &metric, &labels, "5|c");
    statsd_text_flush(&text);
    assert_int_equal(sent.count, 1);
    assert_string_equal(sent.packets[0], line);
}

static void names_are_those_of_prometheus_without_what_the_type_says(
    void **state)
{
    (void)state;
    assert_line(METRIC_COUNTER, "weir_retries_total", NULL,
                "weir.retries:5|c|#pipeline:p");
    assert_line(METRIC_HISTOGRAM, "weir_stage_wait_seconds", NULL,
                "weir.stage_wait:5|c|#pipeline:p");
    assert_line(METRIC_GAUGE, "weir_partition_lag_seconds", NULL,
                "weir.partition_lag_seconds:5|c|#pipeline:p");
    assert_line(METRIC_GAUGE, "process_x", NULL,
                "weir.process_x:5|c|#pipeline:p");
    text.prefix = "acme.weir";
    assert_line(METRIC_GAUGE, "weir_live", NULL,
                "acme.weir.live:5|c|#pipeline:p");
}

static void a_hostile_value_stays_within_its_tag(void **state)
{
    (void)state;
    assert_line(METRIC_GAUGE, "weir_x", "a\nweir.y:1|c|#b:c,d@0.1",
                "weir.x:5|c|#pipeline:p,source:a_weir.y_1_c__b_c_d_0.1");
    assert_line(METRIC_GAUGE, "weir_x", "\"quoted\" \\ \t\x7f",
                "weir.x:5|c|#pipeline:p,source:\"quoted\"_\\___");
    assert_line(METRIC_GAUGE, "weir_x", "", "weir.x:5|c|#pipeline:p,source:_");
    assert_line(METRIC_GAUGE, "weir_x", "gr\xc3\xbcn",
                "weir.x:5|c|#pipeline:p,source:gr\xc3\xbcn");
    assert_line(METRIC_GAUGE, "weir_x", "gr\xfcn",
                "weir.x:5|c|#pipeline:p,source:gr_n");
}

static void a_long_value_is_cut_between_characters(void **state)
{
    char value[400] = "", expected[400];

    (void)state;
    for (size_t i = 0; i < 150; i++)
        memcpy(value + 2 * i, "\xc3\xbc", 3);
    (void)snprintf(expected, sizeof expected,
                   "weir.x:5|c|#pipeline:p,source:%.254s", value);
    assert_line(METRIC_GAUGE, "weir_x", value, expected);
}

static void no_datagram_is_too_large_and_no_line_is_torn(void **state)
{
    const struct metric metric = {"weir_x_total", METRIC_COUNTER, ""};
    const struct metric_labels labels = {
        {{"pipeline", "a-pipeline"}, {"source", "a-topic"}}};
    static const char line[] = "weir.x:5|c|#pipeline:a-pipeline,source:a-topic";
    unsigned lines = 0;

    (void)state;
    for (unsigned i = 0; i < 100; i++)
        statsd_text_add(&text, &metric, &labels, "5|c");
    statsd_text_flush(&text);
    assert_in_range(sent.count, 2, 5);
    for (unsigned i = 0; i < sent.count; i++) {
        char *rest = NULL;

        for (const char *at = strtok_r(sent.packets[i], "\n", &rest); at;
             at = strtok_r(NULL, "\n", &rest)) {
            assert_string_equal(at, line);
            lines++;
        }
    }
    assert_int_equal(lines, 100);
}

static void a_line_that_fits_no_datagram_is_left_out(void **state)
{
    static char value[STATSD_PACKET_SIZE];
    const struct metric metric = {"weir_x", METRIC_GAUGE, ""};
    const struct metric_labels labels = {{{"pipeline", "p"}}};

    (void)state;
    memset(value, '1', sizeof value - 1);
    statsd_text_add(&text, &metric, &labels, value);
    statsd_text_add(&text, &metric, &labels, "1|g");
    statsd_text_flush(&text);
    assert_int_equal(sent.count, 1);
    assert_string_equal(sent.packets[0], "weir.x:1|g|#pipeline:p");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(names_are_those_of_prometheus_without_what_the_type_says),
        TEST(a_hostile_value_stays_within_its_tag),
        TEST(a_long_value_is_cut_between_characters),
        TEST(no_datagram_is_too_large_and_no_line_is_torn),
        TEST(a_line_that_fits_no_datagram_is_left_out),
    };

    return cmocka_run_group_tests_name("statsd_text", tests, NULL, NULL);
}
