/*
 * ordering_test.c - which messages share a lane, chosen when they come in.
 */
#include "test.h"

#include "rig.h"

static int setup(void **state)
{
    *state = rig_create(WEIR_ORDERING_KEY);
    rig_begin(*state, 0);
    return 0;
}

static int setup_partition(void **state)
{
    *state = rig_create(WEIR_ORDERING_PARTITION);
    rig_begin(*state, 0);
    return 0;
}

static int teardown(void **state)
{
    rig_destroy(*state);
    return 0;
}

static uint64_t lane_of(struct rig *rig, uint32_t source,
                        const struct weir_record *record)
{
    struct hand hand;
    uint64_t lane;

    assert_int_equal(weir_intake_add(&rig->intake, source, record), WEIR_OK);
    intake_flush(&rig->intake);
    rig_take(rig, &hand, 1);
    lane = hand.messages[0]->lane;
    rig_finish_hand(rig, &hand, ENDING_DONE);
    rig_serve(rig);
    return lane;
}

static uint64_t lane_of_key(struct rig *rig, uint32_t source,
                            struct weir_bytes key)
{
    return lane_of(rig, source, &(struct weir_record){.key = key});
}

static void one_key_of_one_partition_is_one_lane(void **state)
{
    struct rig *rig = *state;

    rig_begin(rig, 1);
    assert_true(lane_of_key(rig, 0, weir_str("a")) ==
                lane_of_key(rig, 0, weir_str("a")));
    assert_true(lane_of_key(rig, 0, weir_str("a")) !=
                lane_of_key(rig, 0, weir_str("b")));
    assert_true(lane_of_key(rig, 0, weir_str("a")) !=
                lane_of_key(rig, 1, weir_str("a")));
    assert_true(lane_of_key(rig, 0, (struct weir_bytes){"a\0x", 3}) !=
                lane_of_key(rig, 0, (struct weir_bytes){"a\0y", 3}));
}

static void a_lane_is_the_same_in_the_next_epoch(void **state)
{
    struct rig *rig = *state;
    const uint64_t lane = lane_of_key(rig, 0, weir_str("a"));

    weir_intake_end(&rig->intake, 0);
    rig_begin(rig, 0);
    assert_true(lane_of_key(rig, 0, weir_str("a")) == lane);
}

static void messages_without_a_key_have_no_order(void **state)
{
    const struct weir_bytes absent = {NULL, 0}, empty = {"", 0};

    assert_true(lane_of_key(*state, 0, absent) !=
                lane_of_key(*state, 0, absent));
    assert_true(lane_of_key(*state, 0, empty) == lane_of_key(*state, 0, empty));
}

static void a_partition_is_one_lane_whatever_the_keys(void **state)
{
    struct rig *rig = *state;
    const uint64_t lane = lane_of_key(rig, 0, weir_str("a"));

    rig_begin(rig, 1);
    assert_true(lane_of_key(rig, 0, weir_str("b")) == lane);
    assert_true(lane_of_key(rig, 0, weir_str(NULL)) == lane);
    assert_true(lane_of_key(rig, 1, weir_str("a")) != lane);
}

/* ---- a key made of something else ---- */

struct parts {
    const char *key, *header, *routing_key;
};

static uint64_t lane_by(struct rig *rig, const char *text,
                        const struct parts *parts)
{
    const struct weir_header headers[] = {
        {weir_str("x"), weir_str("not the last one")},
        {weir_str("x"), weir_str(parts->header)}};
    const struct weir_header property = {weir_str("routing_key"),
                                         weir_str(parts->routing_key)};
    struct template *template = NULL;
    struct weir_error err;
    uint64_t lane;

    assert_int_equal(template_parse(text, &template, &err), WEIR_OK);
    rig->intake.ordering_key = template;
    lane = lane_of(rig, 0,
                   &(struct weir_record){.key = weir_str(parts->key),
                                         .headers = headers,
                                         .header_count = 2,
                                         .properties = &property,
                                         .property_count = 1});
    rig->intake.ordering_key = NULL;
    template_destroy(template);
    return lane;
}

static void the_ordering_key_may_be_a_property_or_a_header(void **state)
{
    static const struct {
        const char *text;
        bool by_key, by_header, by_property; /* what makes lanes differ */
    } rows[] = {{"%{routing_key}", false, false, true},
                {"%{header.x}", false, true, false},
                {"%{key}", true, false, false},
                {"%{key}/%{header.x}", true, true, false},
                {"%{topic}-%{partition}", false, false, false}};
    const struct parts one = {"k", "h", "r"};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *text = rows[i].text;
        const uint64_t lane = lane_by(*state, text, &one);

        assert_int_equal(
            lane_by(*state, text, &(struct parts){"K", "h", "r"}) != lane,
            rows[i].by_key);
        assert_int_equal(
            lane_by(*state, text, &(struct parts){"k", "H", "r"}) != lane,
            rows[i].by_header);
        assert_int_equal(
            lane_by(*state, text, &(struct parts){"k", "h", "R"}) != lane,
            rows[i].by_property);
    }
}

static uint64_t lane_at(struct rig *rig, const char *text, int64_t offset,
                        int64_t timestamp_ms)
{
    struct template *template = NULL;
    struct weir_error err;
    uint64_t lane;

    assert_int_equal(template_parse(text, &template, &err), WEIR_OK);
    rig->intake.ordering_key = template;
    lane = lane_of(
        rig, 0,
        &(struct weir_record){.offset = offset, .timestamp_ms = timestamp_ms});
    rig->intake.ordering_key = NULL;
    template_destroy(template);
    return lane;
}

static void the_ordering_key_may_be_a_place_or_a_time(void **state)
{
    const int64_t large = INT64_MAX;

    assert_true(lane_at(*state, "%{timestamp}", 1, large) ==
                lane_at(*state, "%{timestamp}", 2, large));
    assert_true(lane_at(*state, "%{timestamp}", 1, large) !=
                lane_at(*state, "%{timestamp}", 1, large - 1));
    assert_true(lane_at(*state, "%{offset}", large, 5) ==
                lane_at(*state, "%{offset}", large, 6));
    assert_true(lane_at(*state, "%{timestamp}", 1, -1) !=
                lane_at(*state, "%{timestamp}", 1, -1));
}

static void an_ordering_key_that_comes_out_empty_is_no_key(void **state)
{
    const struct parts none = {"k", NULL, NULL};

    assert_true(lane_by(*state, "%{routing_key}", &none) !=
                lane_by(*state, "%{routing_key}", &none));
    assert_true(lane_by(*state, "%{header.absent}", &none) !=
                lane_by(*state, "%{header.absent}", &none));
}

/* Longer than what is kept of it, and alike in that. */
static void a_very_long_ordering_key_is_cut(void **state)
{
    static char text[3000];

    for (size_t i = 0; i < sizeof text - 1; i++)
        text[i] = 'x';
    assert_true(lane_by(*state, "%{key}", &(struct parts){text, "h", "r"}) ==
                lane_by(*state, "%{key}", &(struct parts){text, "h", "r"}));
}

#define TEST_PARTITION(name)                                                   \
    cmocka_unit_test_setup_teardown(name, setup_partition, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_key_of_one_partition_is_one_lane),
        TEST(a_lane_is_the_same_in_the_next_epoch),
        TEST(messages_without_a_key_have_no_order),
        TEST_PARTITION(a_partition_is_one_lane_whatever_the_keys),
        TEST(the_ordering_key_may_be_a_property_or_a_header),
        TEST(the_ordering_key_may_be_a_place_or_a_time),
        TEST(an_ordering_key_that_comes_out_empty_is_no_key),
        TEST(a_very_long_ordering_key_is_cut),
    };

    return cmocka_run_group_tests_name("ordering", tests, NULL, NULL);
}
