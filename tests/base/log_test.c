/*
 * log_test.c - log lines: level, form, length, rate.
 *
 * Lines go to standard error, so the test puts a pipe there; the limit's clock
 * is moved by hand.
 */
#include "test.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "clock.h"
#include "log.h"
#include "log_kind.h"

struct fixture {
    int64_t now_us;
    unsigned calls;
    enum weir_log_level level;
    char line[2000];
};

static struct fixture *current;
static enum log_format format_at_capture;

int64_t __wrap_clock_now_us(void);

int64_t __wrap_clock_now_us(void)
{
    return current->now_us;
}

static void remember(void *opaque, enum weir_log_level level, const char *line)
{
    struct fixture *fixture = opaque;

    fixture->calls++;
    fixture->level = level;
    (void)snprintf(fixture->line, sizeof fixture->line, "%s", line);
}

static int setup(void **state)
{
    static struct fixture fixture;

    /* Later than any before it: what is quiet now may speak. */
    fixture =
        (struct fixture){.now_us = fixture.now_us + 10000 * CLOCK_SECOND_US};
    current = &fixture;
    *state = &fixture;
    log_set_level(WEIR_LOG_INFO);
    log_set_format(LOG_TEXT);
    log_set_place(&(struct log_place){0});
    format_at_capture = LOG_TEXT;
    log_set_callback(remember, &fixture);
    return 0;
}

static int teardown(void **state)
{
    log_set_callback(remember, *state);
    current->now_us += 3600 * CLOCK_SECOND_US;
    log_end();
    log_set_callback(NULL, NULL);
    return 0;
}

/* What one call writes to standard error. */
static void capture_text(char *out, size_t size, const struct log_event *event,
                         const char *text)
{
    const int saved = dup(STDERR_FILENO);
    int ends[2];
    ssize_t got;

    log_set_callback(NULL, NULL);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    if (format_at_capture == LOG_AUTO)
        log_set_format(LOG_AUTO);
    log_event(event, "%s", text);
    assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
    got = read(ends[0], out, size - 1);
    assert_true(got > 0);
    out[got] = '\0';
    (void)close(ends[0]);
    (void)close(ends[1]);
    (void)close(saved);
}

static void capture(char *out, size_t size, const char *text)
{
    capture_text(out, size, &(struct log_event){.level = WEIR_LOG_WARNING},
                 text);
}

static void capture_event(char *out, size_t size, const struct log_event *event)
{
    capture_text(out, size, event, "of it");
}

static void a_line_below_the_level_is_not_written(void **state)
{
    struct fixture *fixture = *state;

    log_write(WEIR_LOG_DEBUG, "no");
    assert_int_equal(fixture->calls, 0);
    log_write(WEIR_LOG_INFO, "%s-%d", "yes", 1);
    assert_int_equal(fixture->calls, 1);
    assert_string_equal(fixture->line, "yes-1");
    assert_int_equal(fixture->level, WEIR_LOG_INFO);

    log_set_level(WEIR_LOG_ERROR);
    log_write(WEIR_LOG_WARNING, "no");
    assert_int_equal(fixture->calls, 1);
    log_set_level(WEIR_LOG_DEBUG);
    log_write(WEIR_LOG_DEBUG, "yes");
    assert_int_equal(fixture->calls, 2);
}

static void a_line_is_cut_off_at_its_limit(void **state)
{
    struct fixture *fixture = *state;
    char text[1500];

    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    log_write(WEIR_LOG_ERROR, "%s", text);
    assert_int_equal(strlen(fixture->line), 999);
}

static void text_has_time_level_and_line(void **state)
{
    char out[300];
    int year, length = 0;
    char level[16];

    (void)state;
    capture(out, sizeof out, "the disk is full");
    assert_int_equal(sscanf(out, "%d-%*d-%*dT%*d:%*d:%*d.%*3dZ %15s%n", &year,
                            level, &length),
                     2);
    assert_true(year >= 2024);
    assert_string_equal(level, "warning");
    assert_string_equal(out + length, " the disk is full\n");
}

static void text_stays_one_line_whatever_is_in_it(void **state)
{
    char out[300];

    (void)state;
    capture(out, sizeof out, "one\ntwo\r\x1b[31m");
    assert_non_null(strstr(out, "one two  [31m\n"));
    assert_ptr_equal(strchr(out, '\n'), out + strlen(out) - 1);
}

static void json_lines_parse_whatever_is_in_them(void **state)
{
    const char *text = "a \"quoted\" \\ line\n\twith \x01 control";
    char out[1000];
    json_t *line;

    (void)state;
    log_set_format(LOG_JSON);
    capture(out, sizeof out, text);
    line = json_loads(out, 0, NULL);
    assert_non_null(line);
    assert_string_equal(json_string_value(json_object_get(line, "message")),
                        text);
    assert_string_equal(json_string_value(json_object_get(line, "level")),
                        "warning");
    assert_non_null(json_object_get(line, "time"));
    json_decref(line);
}

static void broken_utf8_does_not_break_a_json_line(void **state)
{
    char out[1000];
    json_t *line;

    (void)state;
    log_set_format(LOG_JSON);
    capture(out, sizeof out, "caf\xc3\xa9 \xff \xc3( \xed\xa0\x80 \xe2\x82");
    line = json_loads(out, 0, NULL);
    assert_non_null(line);
    assert_string_equal(json_string_value(json_object_get(line, "message")),
                        "caf\xc3\xa9 ? ?( ??? ??");
    json_decref(line);
}

static void a_limit_lets_a_burst_through_then_one_a_second(void **state)
{
    struct fixture *fixture = *state;
    struct log_limit limit = {0};
    unsigned suppressed = 99, passed = 0;

    for (int i = 0; i < 3; i++) {
        assert_true(log_limit_pass(&limit, 3, &suppressed));
        assert_int_equal(suppressed, 0);
    }
    assert_false(log_limit_pass(&limit, 3, &suppressed));
    for (int i = 0; i < 1000; i++) {
        fixture->now_us += CLOCK_SECOND_US / 100;
        passed += log_limit_pass(&limit, 3, &suppressed);
    }
    assert_int_equal(passed, 10);
}

static void what_was_left_out_is_counted_once(void **state)
{
    struct fixture *fixture = *state;
    struct log_limit limit = {0};
    unsigned suppressed = 99;

    assert_true(log_limit_pass(&limit, 1, &suppressed));
    for (int i = 0; i < 7; i++)
        assert_false(log_limit_pass(&limit, 1, &suppressed));
    assert_int_equal(suppressed, 0);

    fixture->now_us += CLOCK_SECOND_US;
    assert_true(log_limit_pass(&limit, 1, &suppressed));
    assert_int_equal(suppressed, 7);
    fixture->now_us += CLOCK_SECOND_US;
    assert_true(log_limit_pass(&limit, 1, &suppressed));
    assert_int_equal(suppressed, 0);
}

static void what_was_left_out_is_said_though_no_line_follows(void **state)
{
    struct fixture *fixture = *state;
    struct log_limit limit = {0};
    unsigned suppressed = 99;

    assert_int_equal(log_limit_due(&limit), 0);
    assert_int_equal(log_limit_end(&limit), 0);
    assert_true(log_limit_pass(&limit, 1, &suppressed));
    assert_false(log_limit_pass(&limit, 1, &suppressed));
    assert_false(log_limit_pass(&limit, 1, &suppressed));
    assert_int_equal(log_limit_due(&limit), 0);

    fixture->now_us += CLOCK_SECOND_US;
    assert_int_equal(log_limit_due(&limit), 2);
    assert_int_equal(log_limit_due(&limit), 0);
    assert_true(log_limit_pass(&limit, 1, &suppressed));
    assert_int_equal(suppressed, 0);

    assert_false(log_limit_pass(&limit, 1, &suppressed));
    assert_int_equal(log_limit_end(&limit), 1);
    assert_int_equal(log_limit_end(&limit), 0);
}

static void a_quiet_time_gives_the_whole_burst_back_and_no_more(void **state)
{
    struct fixture *fixture = *state;
    struct log_limit limit = {0};
    unsigned suppressed, passed = 0;

    while (log_limit_pass(&limit, 5, &suppressed))
        passed++;
    assert_int_equal(passed, 5);
    fixture->now_us += 3600 * CLOCK_SECOND_US;
    for (int i = 0; i < 100; i++)
        passed += log_limit_pass(&limit, 5, &suppressed);
    assert_int_equal(passed, 10);
}

static void a_slow_trickle_is_never_limited(void **state)
{
    struct fixture *fixture = *state;
    struct log_limit limit = {0};
    unsigned suppressed;

    for (int i = 0; i < 50; i++) {
        assert_true(log_limit_pass(&limit, 2, &suppressed));
        fixture->now_us += CLOCK_SECOND_US;
    }
}

static void a_json_line_says_who_speaks_and_of_what(void **state)
{
    const struct log_place place = {.pipeline = "orders",
                                    .stage = "sink",
                                    .batcher = "default",
                                    .worker = 3};
    const struct log_field fields[] = {
        {.name = "topic", .text = "a \"topic\""},
        {.name = "offset", .number = -1},
    };
    const struct log_event event = {
        .level = WEIR_LOG_WARNING, .fields = fields, .field_count = 2};
    json_error_t error;
    char out[1000];
    json_t *line;

    (void)state;
    log_set_format(LOG_JSON);
    log_set_place(&place);
    capture_event(out, sizeof out, &event);
    line = json_loads(out, 0, &error);
    assert_non_null(line);
    assert_int_equal(json_unpack_ex(line, &error, JSON_VALIDATE_ONLY,
                                    "{s:s,s:s,s:s,s:s,s:s,s:s,s:i,s:s,s:i!}",
                                    "time", "level", "message", "pipeline",
                                    "stage", "batcher", "worker", "topic",
                                    "offset"),
                     0);
    assert_string_equal(json_string_value(json_object_get(line, "topic")),
                        "a \"topic\"");
    assert_int_equal(json_integer_value(json_object_get(line, "offset")), -1);
    assert_int_equal(json_integer_value(json_object_get(line, "worker")), 3);
    json_decref(line);
}

static void a_field_that_does_not_fit_leaves_a_whole_json_line(void **state)
{
    static char large[10000], text[1200];
    const struct log_field fields[] = {
        {.name = "large", .text = large},
        {.name = "small", .text = "fits"},
    };
    const struct log_event event = {
        .level = WEIR_LOG_ERROR, .fields = fields, .field_count = 2};
    static char out[20000];
    json_t *line;

    (void)state;
    memset(large, 1, sizeof large - 1); /* six times as long in JSON */
    memset(text, 1, sizeof text - 1);
    log_set_format(LOG_JSON);
    capture_text(out, sizeof out, &event, text);
    line = json_loads(out, 0, NULL);
    assert_non_null(line);
    assert_null(json_object_get(line, "large"));
    assert_non_null(json_object_get(line, "small"));
    json_decref(line);
}

static void without_a_terminal_auto_is_json(void **state)
{
    char out[300];

    (void)state;
    log_set_callback(NULL, NULL);
    capture(out, sizeof out, "before");
    assert_int_not_equal(out[0], '{');
    format_at_capture = LOG_AUTO;
    capture(out, sizeof out, "after");
    assert_int_equal(out[0], '{');
}

static void ten_thousand_lines_of_a_kind_are_a_few(void **state)
{
    struct fixture *fixture = *state;

    for (int i = 0; i < 10000; i++) {
        log_event(&(struct log_event){.level = WEIR_LOG_WARNING, .burst = 5},
                  "orders[0]@%d failed", i);
        fixture->now_us += CLOCK_SECOND_US / 10000;
    }
    assert_in_range(fixture->calls, 5, 6);
    log_remind();
    assert_in_range(fixture->calls, 5, 6);
    fixture->now_us += CLOCK_SECOND_US;
    log_remind();
    assert_in_range(fixture->calls, 6, 7);
    assert_non_null(strstr(fixture->line, "more like \"orders[0]@"));
    log_end();
    assert_in_range(fixture->calls, 6, 7);
}

static void the_next_line_says_how_many_were_left_out(void **state)
{
    struct fixture *fixture = *state;
    const struct log_event event = {.level = WEIR_LOG_INFO, .burst = 1};

    for (int i = 0; i < 9; i++) {
        if (i == 8)
            fixture->now_us += 10 * CLOCK_SECOND_US;
        log_event(&event, "number %d", i);
    }
    assert_int_equal(fixture->calls, 2);
    assert_string_equal(fixture->line,
                        "number 8 (7 more like it were left out)");
}

static void a_noisy_kind_silences_no_other(void **state)
{
    struct fixture *fixture = *state;

    for (int i = 0; i < 1000; i++)
        log_write(WEIR_LOG_INFO, "noise %d", i);
    assert_int_equal(fixture->calls, LOG_BURST);
    log_write(WEIR_LOG_INFO, "news");
    assert_string_equal(fixture->line, "news");
}

static void more_kinds_than_there_is_room_for_are_written(void **state)
{
    static const char kinds[3 * LOG_KIND_COUNT];
    struct fixture *fixture = *state;

    for (int i = 0; i < 3 * LOG_KIND_COUNT; i++)
        log_event(
            &(struct log_event){.level = WEIR_LOG_INFO, .kind = &kinds[i]},
            "kind %d", i);
    assert_int_equal(fixture->calls, 3 * LOG_KIND_COUNT);
}

static void another_pipeline_has_its_own_count(void **state)
{
    const struct log_place other = {.pipeline = "other"};
    struct fixture *fixture = *state;

    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 1000; i++)
            log_write(WEIR_LOG_INFO, "the same noise");
        assert_int_equal(fixture->calls, (round + 1) * LOG_BURST);
        log_set_place(&other);
    }
    log_end();
    assert_int_equal(fixture->calls, 2 * LOG_BURST + 2);
}

static void a_prelude_is_written_with_the_line(void **state)
{
    char out[300];

    (void)state;
    log_set_prelude("\r\033[K");
    capture(out, sizeof out, "told");
    log_set_prelude(NULL);
    assert_memory_equal(out, "\r\033[K2", 5);
    assert_non_null(strstr(out, " told\n"));
}

static void a_level_is_known_by_its_name(void **state)
{
    enum weir_log_level level;

    (void)state;
    for (unsigned i = 0; i < WEIR_LOG_LEVEL_COUNT; i++) {
        assert_true(log_level_parse(log_level_name(i), &level));
        assert_int_equal(level, i);
        log_set_level(level);
        assert_int_equal(log_level(), i);
    }
    assert_false(log_level_parse("loud", &level));
}

static void the_same_trouble_is_said_once_and_another_at_once(void **state)
{
    struct log_repeat repeat = {0};
    unsigned suppressed = 9;

    (void)state;
    assert_true(log_repeat_pass(&repeat, "refused", &suppressed));
    assert_int_equal(suppressed, 0);
    assert_false(log_repeat_pass(&repeat, "refused", &suppressed));
    assert_false(log_repeat_pass(&repeat, "refused", &suppressed));

    assert_true(log_repeat_pass(&repeat, "does not resolve", &suppressed));
    assert_int_equal(suppressed, 2);
}

/* A client may tell the same trouble in two ways, by turns. */
static void troubles_that_take_turns_are_each_said_once(void **state)
{
    static const char *const turns[] = {"closed", "no TLS", "refused"};
    struct log_repeat repeat = {0};
    unsigned suppressed = 9, said = 0;

    (void)state;
    for (unsigned i = 0; i < 30; i++)
        said += log_repeat_pass(&repeat, turns[i % 3], &suppressed);
    assert_int_equal(said, 3);
    assert_true(log_repeat_pass(&repeat, "does not resolve", &suppressed));
    assert_int_equal(suppressed, 27);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_line_below_the_level_is_not_written),
        TEST(a_line_is_cut_off_at_its_limit),
        TEST(text_has_time_level_and_line),
        TEST(text_stays_one_line_whatever_is_in_it),
        TEST(json_lines_parse_whatever_is_in_them),
        TEST(broken_utf8_does_not_break_a_json_line),
        TEST(a_json_line_says_who_speaks_and_of_what),
        TEST(a_field_that_does_not_fit_leaves_a_whole_json_line),
        TEST(without_a_terminal_auto_is_json),
        TEST(ten_thousand_lines_of_a_kind_are_a_few),
        TEST(the_next_line_says_how_many_were_left_out),
        TEST(a_noisy_kind_silences_no_other),
        TEST(more_kinds_than_there_is_room_for_are_written),
        TEST(another_pipeline_has_its_own_count),
        TEST(a_prelude_is_written_with_the_line),
        TEST(a_level_is_known_by_its_name),
        TEST(a_limit_lets_a_burst_through_then_one_a_second),
        TEST(what_was_left_out_is_counted_once),
        TEST(what_was_left_out_is_said_though_no_line_follows),
        TEST(a_quiet_time_gives_the_whole_burst_back_and_no_more),
        TEST(a_slow_trickle_is_never_limited),
        TEST(the_same_trouble_is_said_once_and_another_at_once),
        TEST(troubles_that_take_turns_are_each_said_once),
    };
    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
