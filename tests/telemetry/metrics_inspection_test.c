/*
 * metrics_inspection_test.c - series of what is there now, each once.
 */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "teller.h"

static struct {
    char text[16384]; /* "name label=value ... number", one a line */
    size_t size;
} told;

static void keep(void *self, const struct metric *metric,
                 const struct metric_labels *labels, double value)
{
    char line[1024];
    size_t size;

    (void)self;
    (void)snprintf(line, sizeof line, "%s", metric->name);
    for (const struct metric_label *label = labels->list; label->name;
         label++) {
        size = strlen(line);
        (void)snprintf(line + size, sizeof line - size, " %s=%s", label->name,
                       label->value);
    }
    told.size +=
        (size_t)snprintf(told.text + told.size, sizeof told.text - told.size,
                         "%s %g\n", line, value);
}

static struct inspect_source sources[4];
static struct inspection inspection;

static int setup(void **state)
{
    (void)state;
    memset(&told, 0, sizeof told);
    memset(sources, 0, sizeof sources);
    inspection = (struct inspection){.sources = sources};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    return 0;
}

static struct inspect_source partition(const char *topic, int32_t number)
{
    return (struct inspect_source){.name = topic,
                                   .partition = number,
                                   .epoch = 1,
                                   .lag = 100 + number,
                                   .behind_ms = 1500,
                                   .open = 7};
}

static const char *tell(void)
{
    const struct metrics_form form = {.number = keep};
    const struct teller teller = {.form = &form, .pipeline = "p"};

    told.size = 0;
    told.text[0] = '\0';
    metrics_inspection(&teller, &inspection);
    return told.text;
}

static void assert_told(const char *line)
{
    if (!strstr(told.text, line))
        fail_msg("`%s` is not in\n%s", line, told.text);
}

static unsigned times(const char *part)
{
    unsigned count = 0;

    for (const char *at = strstr(told.text, part); at;
         at = strstr(at + 1, part))
        count++;
    return count;
}

static void a_partition_has_its_lag_in_messages_and_in_time(void **state)
{
    (void)state;
    sources[0] = partition("orders", 3);
    sources[0].oldest =
        (struct inspect_oldest){.exists = true, .oldest_us = 2500000};
    inspection.source_count = 1;
    (void)tell();
#define LABELS " pipeline=p source=orders partition=3 producer=0 "
    assert_told("weir_partition_lag_messages" LABELS "103\n");
    assert_told("weir_partition_lag_seconds" LABELS "1.5\n");
    assert_told("weir_partition_open_messages" LABELS "7\n");
    assert_told("weir_partition_oldest_seconds" LABELS "2.5\n");
#undef LABELS
}

static void a_queue_has_no_number(void **state)
{
    (void)state;
    sources[0] = partition("q", -1);
    inspection.source_count = 1;
    (void)tell();
    assert_told("weir_partition_open_messages pipeline=p source=q producer=0 "
                "7\n");
}

static void what_is_not_known_is_not_told(void **state)
{
    (void)state;
    sources[0] = partition("orders", 0);
    sources[0].lag = -1;
    sources[0].behind_ms = -1;
    inspection.source_count = 1;
    (void)tell();
    assert_int_equal(times("weir_partition_lag"), 0);
    assert_int_equal(times("weir_partition_open_messages"), 1);
}

static void the_series_of_a_partition_go_with_it(void **state)
{
    (void)state;
    sources[0] = partition("orders", 0);
    sources[1] = partition("orders", 1);
    inspection.source_count = 2;
    (void)tell();
    assert_int_equal(times("partition=1 "), 4);
    inspection.source_count = 1;
    (void)tell();
    assert_int_equal(times("partition=1 "), 0);
    assert_int_equal(times("partition=0 "), 4);
}

static void one_that_goes_and_comes_is_told_once_as_it_is_now(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        sources[i] = partition("orders", 0);
        sources[i].epoch = (i + 1) % 3 + 1;
        sources[i].open = sources[i].epoch;
    }
    sources[3] = partition("orders", 0);
    sources[3].producer = 1;
    inspection.source_count = 4;
    (void)tell();
    assert_int_equal(times("weir_partition_open_messages"), 2);
    assert_told("weir_partition_open_messages pipeline=p source=orders "
                "partition=0 producer=0 3\n");
}

static void the_mailboxes_of_a_sink_are_one(void **state)
{
    static struct inspect_batcher batchers[] = {
        {.name = "default", .open_messages = 9}};
    static struct inspect_mailbox boxes[] = {
        {.to = INSPECT_PROCESSOR, .messages = 5, .max_messages = 20},
        {.to = INSPECT_BATCHER, .messages = 1, .bytes = 3, .max_bytes = 4},
        {.to = INSPECT_SINK, .messages = 10, .batches = 1, .max_batches = 2},
        {.to = INSPECT_SINK, .messages = 7, .worker = 1}};
    static struct inspect_worker workers[] = {
        {.stage = INSPECT_PROCESSOR, .in_hand = 2},
        {.stage = INSPECT_PROCESSOR, .index = 1, .in_hand = 3},
        {.stage = INSPECT_SINK, .in_hand = 4}};

    (void)state;
    inspection.batchers = batchers;
    inspection.batcher_count = 1;
    inspection.mailboxes = boxes;
    inspection.mailbox_count = 4;
    inspection.workers = workers;
    inspection.worker_count = 3;
    (void)tell();
#define SINK " pipeline=p stage=sink batcher=default "
    assert_told("weir_mailbox_messages pipeline=p stage=processor 5\n");
    assert_told("weir_mailbox_messages" SINK "17\n");
    assert_told("weir_mailbox_fill_ratio" SINK "0.5\n");
    assert_told("weir_mailbox_fill_ratio pipeline=p stage=batcher "
                "batcher=default 0.75\n");
    assert_told("weir_stage_messages pipeline=p stage=processor 5\n");
    assert_told("weir_stage_messages pipeline=p stage=batcher batcher=default "
                "9\n");
    assert_told("weir_stage_messages" SINK "4\n");
#undef SINK
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_partition_has_its_lag_in_messages_and_in_time),
        TEST(a_queue_has_no_number),
        TEST(what_is_not_known_is_not_told),
        TEST(the_series_of_a_partition_go_with_it),
        TEST(one_that_goes_and_comes_is_told_once_as_it_is_now),
        TEST(the_mailboxes_of_a_sink_are_one),
    };

    return cmocka_run_group_tests_name("metrics_inspection", tests, NULL, NULL);
}
