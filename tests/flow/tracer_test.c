/*
 * tracer_test.c - which messages are sampled, and how their spans hang
 * together.
 */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include "rig.h"
#include "tracer.h"

#define TRACE  "4bf92f3577b34da6a3ce929d0e0e4736"
#define PARENT "00f067aa0ba902b7"

static struct rig *rig;
static struct traced last;
static unsigned taken;

static void take(void *opaque, const struct traced *traced)
{
    assert_ptr_equal(opaque, &last);
    last = *traced;
    taken++;
}

static struct tracer tracer;

static int setup(void **state)
{
    (void)state;
    rig = rig_create(WEIR_ORDERING_NONE);
    rig_begin(rig, 0);
    taken = 0;
    tracer =
        (struct tracer){.take = take, .opaque = &last, .seed = 42, .share = 0};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_serve(rig);
    rig_destroy(rig);
    return 0;
}

/* With that header; NULL: none. */
static void offer(const char *traceparent)
{
    const struct weir_header headers[] = {
        {weir_str("other"), weir_str("x")},
        {weir_str("traceparent"), weir_str(traceparent)}};
    const uint64_t ticket = rig->next_ticket++;

    assert_int_equal(weir_intake_add(&rig->intake, 0,
                                     &(struct weir_record){
                                         .ticket = ticket,
                                         .offset = (int64_t)ticket,
                                         .timestamp_ms = -1,
                                         .headers = headers,
                                         .header_count = traceparent ? 2 : 1}),
                     WEIR_OK);
    intake_flush(&rig->intake);
}

static bool samples(const char *traceparent)
{
    struct hand hand;
    bool is_sampled;

    offer(traceparent);
    rig_take(rig, &hand, 1);
    is_sampled = tracer_samples(&tracer, hand.messages[0]);
    assert_int_equal(tracer_begin(&tracer, hand.messages[0]) > 0, is_sampled);
    rig_finish_hand(rig, &hand, ENDING_DONE);
    return is_sampled;
}

static void the_flag_of_the_parent_decides(void **state)
{
    (void)state;
    tracer.share = 0;
    assert_true(samples("00-" TRACE "-" PARENT "-01"));
    assert_false(samples("00-" TRACE "-" PARENT "-00"));
    tracer.share = 1;
    assert_true(samples("00-" TRACE "-" PARENT "-01"));
    assert_false(samples("00-" TRACE "-" PARENT "-00"));
}

static void one_without_a_trace_begins_its_own_by_the_share(void **state)
{
    unsigned sampled = 0;

    (void)state;
    assert_false(samples(NULL));
    tracer.share = 1;
    assert_true(samples(NULL));
    assert_true(samples("00-" TRACE "-nonsense-00"));
    tracer.share = 0.25;
    for (unsigned i = 0; i < 2000; i++)
        sampled += samples(NULL) ? 1 : 0;
    assert_in_range(sampled, 400, 600);
}

static void nobody_is_asked_where_nobody_listens(void **state)
{
    struct hand hand;

    (void)state;
    tracer.take = NULL;
    offer("00-" TRACE "-" PARENT "-01");
    rig_take(rig, &hand, 1);
    assert_int_equal(tracer_begin(&tracer, hand.messages[0]), 0);
    rig_finish_hand(rig, &hand, ENDING_DONE);
}

static void a_span_is_a_child_of_the_messages_parent(void **state)
{
    char first[TRACE_SPAN_ID_SIZE];
    struct hand hand;

    (void)state;
    offer("00-" TRACE "-" PARENT "-01");
    rig_take(rig, &hand, 1);
    hand.messages[0]->attempt = 1;
    tracer_handled(&tracer, hand.messages[0], 3, 1000, "why not");
    assert_string_equal(last.trace_id, TRACE);
    assert_string_equal(last.parent_id, PARENT);
    assert_string_not_equal(last.span_id, PARENT);
    assert_string_equal(last.source, "t");
    assert_string_equal(last.reason, "why not");
    assert_int_equal(last.begin_us, 1000);
    assert_int_equal(last.worker, 3);
    assert_int_equal(last.attempt, 1);
    memcpy(first, last.span_id, sizeof first);
    hand.messages[0]->attempt = 2;
    tracer_handled(&tracer, hand.messages[0], 3, 1000, NULL);
    assert_string_equal(last.trace_id, TRACE);
    assert_string_not_equal(last.span_id, first);
    assert_null(last.reason);
    rig_finish_hand(rig, &hand, ENDING_DONE);
}

static void a_trace_of_its_own_is_valid_and_no_others(void **state)
{
    char first[TRACE_ID_SIZE];
    struct traceparent parent;
    char text[TRACEPARENT_SIZE];
    struct hand hand;

    (void)state;
    tracer.share = 1;
    offer(NULL);
    rig_take(rig, &hand, 1);
    tracer_handled(&tracer, hand.messages[0], 0, 1000, NULL);
    rig_finish_hand(rig, &hand, ENDING_DONE);
    assert_string_equal(last.parent_id, "");
    (void)snprintf(text, sizeof text, "00-%s-%s-01", last.trace_id,
                   last.span_id);
    assert_true(traceparent_parse(weir_str(text), &parent));
    memcpy(first, last.trace_id, sizeof first);
    offer(NULL);
    rig_take(rig, &hand, 1);
    tracer_handled(&tracer, hand.messages[0], 0, 1000, NULL);
    assert_string_not_equal(last.trace_id, first);
    assert_int_equal(taken, 2);
    rig_finish_hand(rig, &hand, ENDING_DONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_flag_of_the_parent_decides),
        TEST(one_without_a_trace_begins_its_own_by_the_share),
        TEST(nobody_is_asked_where_nobody_listens),
        TEST(a_span_is_a_child_of_the_messages_parent),
        TEST(a_trace_of_its_own_is_valid_and_no_others),
    };

    return cmocka_run_group_tests_name("tracer", tests, NULL, NULL);
}
