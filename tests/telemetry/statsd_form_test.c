/*
 * statsd_form_test.c - what changed since it was told last, and timings out of
 * buckets.
 */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "histogram.h"
#include "statsd_form.h"

static struct {
    char text[4096]; /* since it was read last */
    size_t size;
} sent;

static void keep(void *opaque, const char *packet, size_t size)
{
    (void)opaque;
    assert_true(sent.size + size + 1 < sizeof sent.text);
    memcpy(sent.text + sent.size, packet, size);
    sent.size += size;
    sent.text[sent.size++] = '\n';
    sent.text[sent.size] = '\0';
}

static struct statsd_form form;

static int setup(void **state)
{
    (void)state;
    memset(&sent, 0, sizeof sent);
    form = (struct statsd_form){.text = {.prefix = "weir", .send = keep}};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    statsd_form_finish(&form);
    return 0;
}

static const struct metric counter = {"weir_x_total", METRIC_COUNTER, ""};
static const struct metric gauge = {"weir_x", METRIC_GAUGE, ""};
static const struct metric timing = {"weir_x_seconds", METRIC_HISTOGRAM, ""};

static void tell(const struct metric *metric, const char *source, double value)
{
    const struct metrics_form to = statsd_form_of(&form);
    const struct metric_labels labels = {
        {{"pipeline", "p"}, {source ? "source" : NULL, source}}};

    to.number(to.self, metric, &labels, value);
}

static void assert_sent(const char *text)
{
    statsd_text_flush(&form.text);
    assert_string_equal(sent.text, text);
    sent.size = 0;
    sent.text[0] = '\0';
}

static void a_counter_is_sent_as_what_it_grew_by(void **state)
{
    (void)state;
    tell(&counter, NULL, 5);
    assert_sent("weir.x:5|c|#pipeline:p\n");
    tell(&counter, NULL, 5);
    assert_sent("");
    tell(&counter, NULL, 1e12);
    assert_sent("weir.x:999999999995|c|#pipeline:p\n");
}

static void each_series_grows_by_itself(void **state)
{
    (void)state;
    tell(&counter, "a", 5);
    tell(&counter, "b", 7);
    tell(&counter, "a", 6);
    assert_sent("weir.x:5|c|#pipeline:p,source:a\n"
                "weir.x:7|c|#pipeline:p,source:b\n"
                "weir.x:1|c|#pipeline:p,source:a\n");
}

static void a_gauge_is_sent_as_it_is(void **state)
{
    (void)state;
    tell(&gauge, NULL, 5);
    tell(&gauge, NULL, 5);
    tell(&gauge, NULL, 0.25);
    assert_sent("weir.x:5|g|#pipeline:p\nweir.x:5|g|#pipeline:p\n"
                "weir.x:0.250000|g|#pipeline:p\n");
}

/* As a receiver reads them: how many, and what they add up to. */
static void read_timings(double *ret_count, double *ret_ms)
{
    char *rest = NULL;

    *ret_count = *ret_ms = 0;
    statsd_text_flush(&form.text);
    for (char *line = strtok_r(sent.text, "\n", &rest); line;
         line = strtok_r(NULL, "\n", &rest)) {
        double ms, rate = 1;

        if (sscanf(line, "weir.x:%lf|ms|@%lf|#pipeline:p", &ms, &rate) != 2)
            assert_int_equal(sscanf(line, "weir.x:%lf|ms|#pipeline:p", &ms), 1);
        *ret_count += 1 / rate;
        *ret_ms += ms / rate;
    }
    sent.size = 0;
    sent.text[0] = '\0';
}

static struct histogram histogram;

static void tell_histogram(void)
{
    const struct metrics_form to = statsd_form_of(&form);
    const struct metric_labels labels = {{{"pipeline", "p"}}};
    struct histogram_view view = {0};

    histogram_merge(&histogram, &view);
    to.histogram(to.self, &timing, &labels, &view);
}

static void timings_have_the_true_number_and_mean(void **state)
{
    double count, ms;

    (void)state;
    memset(&histogram, 0, sizeof histogram);
    histogram_add(&histogram, 7, 3000000);
    histogram_add(&histogram, 700, 1);
    histogram_add(&histogram, 40000, 7);
    histogram_add(&histogram, 90 * INT64_C(1000000), 2);
    tell_histogram();
    read_timings(&count, &ms);
    assert_float_equal(count, 3000010, 1e-3);
    assert_float_equal(ms, 21000 + 0.7 + 280 + 180000, 1);
    histogram_add(&histogram, 30, 4);
    tell_histogram();
    read_timings(&count, &ms);
    assert_float_equal(count, 4, 1e-9);
    assert_float_equal(ms, 0.12, 1e-4);
    tell_histogram();
    assert_sent("");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_counter_is_sent_as_what_it_grew_by),
        TEST(each_series_grows_by_itself),
        TEST(a_gauge_is_sent_as_it_is),
        TEST(timings_have_the_true_number_and_mean),
    };

    return cmocka_run_group_tests_name("statsd_form", tests, NULL, NULL);
}
