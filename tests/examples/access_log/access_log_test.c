/*
 * access_log_test.c - what the handler makes of a message.
 *
 * The message is a fake that keeps what was done to it: the handler's own work
 * is tested, not the runtime's.
 */
#include <stdio.h>
#include <string.h>

#include "access_log.h"
#include "test.h"

enum { PAYLOAD_SIZE = 4096 };

struct weir_message {
    struct weir_bytes received;
    char payload[PAYLOAD_SIZE];
    size_t payload_size;
    char key[16], reason[240];
    bool is_out_of_memory;
};

struct weir_bytes weir_message_payload(const struct weir_message *msg)
{
    return msg->received;
}

void *weir_message_reserve(struct weir_message *msg, size_t size)
{
    assert_true(size <= PAYLOAD_SIZE);
    return msg->is_out_of_memory ? NULL : msg->payload;
}

void weir_message_commit(struct weir_message *msg, size_t size)
{
    msg->payload_size = size;
}

void weir_message_set_batch_key(struct weir_message *msg, struct weir_bytes key)
{
    assert_true(key.size < sizeof(msg->key));
    memcpy(msg->key, key.data, key.size);
}

enum weir_status weir_message_reject(struct weir_message *msg, const char *fmt,
                                     ...)
{
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(msg->reason, sizeof(msg->reason), fmt, args);
    va_end(args);
    return WEIR_REJECT;
}

static enum weir_status handle(struct weir_message *msg, const char *line)
{
    msg->received = WEIR_STR(line);
    return access_log_handler.handle_message(msg, NULL);
}

static void a_log_line_goes_on_as_json_under_its_status_class(void **state)
{
    struct weir_message msg = {.payload_size = 0};

    (void)state;
    assert_int_equal(
        handle(&msg, "h - - [17/May/2015:10:05:03 +0000] \"GET / HTTP/1.1\" "
                     "404 - \"-\" \"-\""),
        WEIR_OK);

    assert_string_equal(msg.key, "4xx");
    assert_string_equal(
        msg.payload,
        "{\"host\":\"h\",\"user\":\"-\",\"time\":\"17/May/2015:10:05:03 "
        "+0000\",\"method\":\"GET\",\"path\":\"/\",\"protocol\":\"HTTP/1.1\","
        "\"status\":404,\"bytes\":null,\"referer\":\"-\",\"agent\":\"-\"}");
    assert_int_equal(msg.payload_size, strlen(msg.payload));
}

static void anything_else_is_rejected_with_reason_and_column(void **state)
{
    struct weir_message msg = {.payload_size = 0};

    (void)state;
    assert_int_equal(handle(&msg, "no log line"), WEIR_REJECT);

    assert_string_equal(msg.reason, "column 12: user: no space behind it");
    assert_string_equal(msg.key, "");
}

static void an_absent_payload_is_rejected(void **state)
{
    struct weir_message msg = {.payload_size = 0};

    (void)state;
    assert_int_equal(handle(&msg, NULL), WEIR_REJECT);

    assert_string_equal(msg.reason, "column 1: host: missing");
}

static void without_memory_it_asks_to_be_called_again(void **state)
{
    struct weir_message msg = {.is_out_of_memory = true};

    (void)state;
    assert_int_equal(
        handle(&msg, "h - - [17/May/2015:10:05:03 +0000] \"GET / HTTP/1.1\" "
                     "404 - \"-\" \"-\""),
        WEIR_RETRY);

    assert_string_equal(msg.key, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_log_line_goes_on_as_json_under_its_status_class),
        cmocka_unit_test(anything_else_is_rejected_with_reason_and_column),
        cmocka_unit_test(an_absent_payload_is_rejected),
        cmocka_unit_test(without_memory_it_asks_to_be_called_again),
    };
    return cmocka_run_group_tests_name("access_log", tests, NULL, NULL);
}
