/*
 * record_test.c - a record keeps what was received, byte by byte.
 *
 * Each is written into an allocation of exactly its size (and the tail behind
 * it), so that AddressSanitizer sees what is written or read beyond.
 */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "record.h"

#define BYTES(text) ((struct weir_bytes){text, sizeof(text) - 1})

static int setup(void **state)
{
    *state = NULL;
    return 0;
}

static int teardown(void **state)
{
    free(*state);
    return 0;
}

/* Freed by teardown. */
static const struct record *write_record(void **state,
                                         const struct weir_record *from)
{
    const size_t size = record_size(from);
    const struct record *record;

    assert_true(size > 0);
    free(*state);
    *state = malloc(size + RECORD_TAIL);
    assert_non_null(*state);
    memset(*state, 0xaa, size + RECORD_TAIL);
    record = record_write(*state, from);
    assert_int_equal(record->size, size);
    assert_int_equal(record->size % 8, 0);
    return record;
}

static void expect_bytes(struct weir_bytes have, struct weir_bytes want)
{
    assert_int_equal(have.size, want.size);
    assert_int_equal(have.data == NULL, want.data == NULL);
    if (want.size > 0)
        assert_memory_equal(have.data, want.data, want.size);
}

static const struct weir_bytes absent = {NULL, 0};
static const struct weir_bytes empty = {"", 0};

static void numbers_are_kept(void **state)
{
    const struct record *record =
        write_record(state, &(struct weir_record){.offset = INT64_MAX - 1,
                                                  .timestamp_ms = -1,
                                                  .deliveries = UINT32_MAX,
                                                  .omitted = (size_t)1 << 40});

    assert_true(record->offset == INT64_MAX - 1);
    assert_int_equal(record->timestamp_ms, -1);
    assert_true(record->deliveries == UINT32_MAX);
    assert_true(record->is_omitted);
    assert_true(record->omitted == UINT64_C(1) << 40);
}

static void absent_and_empty_payloads_differ(void **state)
{
    expect_bytes(record_payload(write_record(state, &(struct weir_record){0})),
                 absent);
    expect_bytes(record_payload(write_record(
                     state, &(struct weir_record){.payload = empty})),
                 empty);
}

static void absent_and_empty_keys_differ(void **state)
{
    expect_bytes(record_key(write_record(state, &(struct weir_record){0})),
                 absent);
    expect_bytes(
        record_key(write_record(state, &(struct weir_record){.key = empty})),
        empty);
}

static void keys_and_payloads_are_binary(void **state)
{
    const struct weir_bytes binary = BYTES("a\0b\xff\n");
    const struct record *record = write_record(
        state, &(struct weir_record){.key = binary, .payload = binary});

    expect_bytes(record_key(record), binary);
    expect_bytes(record_payload(record), binary);
}

/* Every size of payload and key, so that every padding occurs. */
static void payloads_are_aligned_and_followed_by_a_nul_and_64_bytes(
    void **state)
{
    static const char text[] = "0123456789012345678901234567890123456789";
    volatile char sum = 0;

    for (size_t size = 0; size < sizeof text; size++) {
        const struct weir_bytes bytes = {text, size};
        const struct weir_header header = {BYTES("n"), {text, size % 5}};
        const struct record *record = write_record(
            state, &(struct weir_record){.key = {text, size % 7},
                                         .payload = bytes,
                                         .headers = &header,
                                         .header_count = size % 2});
        const char *payload = record_payload(record).data;

        assert_int_equal((uintptr_t)payload % 8, 0);
        expect_bytes(record_payload(record), bytes);
        expect_bytes(record_key(record), (struct weir_bytes){text, size % 7});
        assert_int_equal(payload[size], '\0');
        for (int i = 0; i < 64; i++)
            sum = (char)(sum ^ payload[size + 1 + (size_t)i]);
        if (size % 2 == 1)
            expect_bytes(record_header(record, 0).value, header.value);
    }
    (void)sum; /* reading was the point: ASan would object */
}

static void headers_repeat_and_keep_their_order(void **state)
{
    const struct weir_header headers[] = {
        {BYTES("x"), BYTES("1")},   {BYTES("y"), BYTES("\0\1")},
        {BYTES("x"), BYTES("two")}, {BYTES("x"), absent},
        {BYTES("x"), empty},        {empty, BYTES("nameless")},
    };
    const struct record *record =
        write_record(state, &(struct weir_record){.payload = BYTES("p"),
                                                  .headers = headers,
                                                  .header_count = 6});

    assert_int_equal(record->header_count, 6);
    for (size_t i = 0; i < 6; i++) {
        expect_bytes(record_header(record, i).name, headers[i].name);
        expect_bytes(record_header(record, i).value, headers[i].value);
    }
}

static void properties_stand_beside_headers(void **state)
{
    const struct weir_header headers[] = {{BYTES("h"), BYTES("header")}};
    const struct weir_header properties[] = {
        {BYTES("routing_key"), BYTES("a.b")}, {BYTES("type"), absent}};
    const struct record *record =
        write_record(state, &(struct weir_record){.headers = headers,
                                                  .header_count = 1,
                                                  .properties = properties,
                                                  .property_count = 2});

    expect_bytes(record_header(record, 0).value, BYTES("header"));
    expect_bytes(record_property(record, 0).name, BYTES("routing_key"));
    expect_bytes(record_property(record, 0).value, BYTES("a.b"));
    expect_bytes(record_property(record, 1).value, absent);

    record = write_record(state, &(struct weir_record){.properties = properties,
                                                       .property_count = 2});
    expect_bytes(record_property(record, 1).name, BYTES("type"));
}

static void a_record_can_be_moved_by_copying_its_bytes(void **state)
{
    const struct weir_header header = {BYTES("h"), BYTES("v")};
    const struct record *record =
        write_record(state, &(struct weir_record){.key = BYTES("key"),
                                                  .payload = BYTES("payload"),
                                                  .headers = &header,
                                                  .header_count = 1});
    struct record *copy = malloc(record->size);

    assert_non_null(copy);
    memcpy(copy, record, record->size);
    memset(*state, 0, record->size);
    expect_bytes(record_key(copy), BYTES("key"));
    expect_bytes(record_payload(copy), BYTES("payload"));
    expect_bytes(record_header(copy, 0).name, BYTES("h"));
    expect_bytes(record_header(copy, 0).value, BYTES("v"));
    free(copy);
}

static void what_no_record_can_hold_has_no_size(void **state)
{
    const struct weir_header none[1] = {{empty, absent}};

    (void)state;
    assert_int_equal(
        record_size(&(struct weir_record){.payload = {"", INT32_MAX}}), 0);
    assert_int_equal(record_size(&(struct weir_record){
                         .payload = {"", (size_t)UINT32_MAX + 100}}),
                     0);
    assert_int_equal(record_size(&(struct weir_record){.properties = none,
                                                       .property_count = 0,
                                                       .header_count = 0,
                                                       .key = {"", INT32_MAX}}),
                     0);
}

static void as_many_headers_as_are_counted_are_kept_and_not_one_more(
    void **state)
{
    struct weir_header *headers = calloc(UINT16_MAX + 1, sizeof *headers);
    struct weir_record from = {.headers = headers, .header_count = UINT16_MAX};
    const struct record *record;

    assert_non_null(headers);
    headers[UINT16_MAX - 1].value = BYTES("last");
    record = write_record(state, &from);
    expect_bytes(record_header(record, UINT16_MAX - 1).value, BYTES("last"));
    from.header_count++;
    assert_int_equal(record_size(&from), 0);
    free(headers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(numbers_are_kept),
        TEST(absent_and_empty_payloads_differ),
        TEST(absent_and_empty_keys_differ),
        TEST(keys_and_payloads_are_binary),
        TEST(payloads_are_aligned_and_followed_by_a_nul_and_64_bytes),
        TEST(headers_repeat_and_keep_their_order),
        TEST(properties_stand_beside_headers),
        TEST(a_record_can_be_moved_by_copying_its_bytes),
        TEST(what_no_record_can_hold_has_no_size),
        TEST(as_many_headers_as_are_counted_are_kept_and_not_one_more),
    };

    return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
