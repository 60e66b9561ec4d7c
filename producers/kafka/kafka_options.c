/*
 * kafka_options.c - what a topology says about a Kafka source.
 *
 * Threads: none of its own; nothing is kept.
 */
#include "kafka_options.h"

#include <inttypes.h>
#include <regex.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <weir/share.h>

#include "invariant.h"
#include "kafka_conf.h"

const struct weir_option kafka_options_table[] = {
    KAFKA_CONF_BROKERS,
    {.name = "group",
     .type = WEIR_OPTION_STRING,
     .flags = WEIR_OPTION_REQUIRED,
     .help = "Consumer group; its members share the partitions."},
    {.name = "topics",
     .type = WEIR_OPTION_LIST,
     .flags = WEIR_OPTION_REQUIRED,
     .help = "Topics to read; one that begins with ^ is a regular expression."},
    {.name = "start",
     .type = WEIR_OPTION_STRING,
     .fallback = "earliest",
     .help = "Where a new group begins: earliest, latest, or a time (RFC 3339, "
             "or milliseconds since 1970)."},
    {.name = "on_gap",
     .type = WEIR_OPTION_CHOICE,
     .fallback = "earliest",
     .choices = "earliest|latest|stop",
     .help = "Where to go on when the broker no longer has what comes next."},
    {.name = "assignor",
     .type = WEIR_OPTION_CHOICE,
     .fallback = "range",
     .choices = "range|roundrobin|cooperative-sticky",
     .help = "How members share the partitions; the same in all of them."},
    {.name = "max_uncommitted",
     .type = WEIR_OPTION_INT,
     .fallback = "100000",
     .min = 1,
     .max = INT64_C(10000000),
     .help = "Messages of one partition, from the committed offset to the "
             "newest; as many may repeat after a kill."},
    {.name = "commit_interval",
     .type = WEIR_OPTION_DURATION,
     .fallback = "1s",
     .min = 10000,
     .max = INT64_C(3600000000),
     .help = "How often offsets are committed."},
    {.name = "drain_timeout",
     .type = WEIR_OPTION_DURATION,
     .fallback = "5s",
     .min = 0,
     .max = INT64_C(3600000000),
     .help = "How long a partition that is taken away may finish what was "
             "begun."},
    KAFKA_CONF_TLS,
    KAFKA_CONF_SASL,
    KAFKA_CONF_PROPERTIES,
    {0},
};

/* RFC 3339 with Z or an offset; fractions are read to the millisecond. */
static bool parse_rfc3339(const char *text, int64_t *ret_ms)
{
    struct tm utc = {0};
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &utc);
    int64_t ms = 0, unit = 100, shift_s = 0;

    if (!rest)
        return false;
    if (*rest == '.')
        for (rest++; *rest >= '0' && *rest <= '9'; rest++, unit /= 10)
            ms += (*rest - '0') * unit;
    if (*rest == '+' || *rest == '-') {
        const int sign = *rest == '-' ? -1 : 1;
        int minutes;
        struct tm shift = {0};
        const char *end = strptime(rest + 1, "%H:%M", &shift);

        if (!end)
            return false;
        minutes = shift.tm_hour * 60 + shift.tm_min;
        shift_s = INT64_C(60) * sign * minutes;
        rest = end;
    } else if (*rest == 'Z' || *rest == 'z') {
        rest++;
    } else {
        return false;
    }
    *ret_ms = ((int64_t)timegm(&utc) - shift_s) * 1000 + ms;
    return *rest == '\0' && *ret_ms >= 0;
}

static bool parse_number(const char *text, int64_t *ret_ms)
{
    char *end = NULL;

    if (*text < '0' || *text > '9')
        return false;
    *ret_ms = strtoll(text, &end, 10);
    return *end == '\0';
}

enum weir_status kafka_options_parse_start(const char *text,
                                           enum kafka_start *ret_start,
                                           int64_t *ret_start_ms)
{
    int64_t ms = 0;

    if (strcmp(text, "earliest") == 0) {
        *ret_start = KAFKA_START_EARLIEST;
        return WEIR_OK;
    }
    if (strcmp(text, "latest") == 0) {
        *ret_start = KAFKA_START_LATEST;
        return WEIR_OK;
    }
    if (!parse_rfc3339(text, &ms) && !parse_number(text, &ms))
        return WEIR_REJECT;
    *ret_start = KAFKA_START_AT;
    *ret_start_ms = ms;
    return WEIR_OK;
}

static void check_start(const struct weir_settings *settings)
{
    const char *text = weir_settings_string(settings, "start");
    enum kafka_start start;
    int64_t start_ms;

    if (kafka_options_parse_start(text, &start, &start_ms) != WEIR_OK)
        weir_settings_refuse(settings, "start",
                             "'%s' is not earliest, latest or a time such as "
                             "2026-01-31T08:00:00Z or 1769846400000",
                             text);
}

static void check_topics(const struct weir_settings *settings)
{
    for (size_t i = 0; i < weir_settings_count(settings, "topics"); i++) {
        const char *topic = weir_settings_item(settings, "topics", i);
        regex_t regex;
        char why[100];
        int rc;

        if (topic[0] != '^')
            continue;
        rc = regcomp(&regex, topic, REG_EXTENDED | REG_NOSUB);
        if (rc == 0) {
            regfree(&regex);
            continue;
        }
        (void)regerror(rc, &regex, why, sizeof why);
        weir_settings_refuse(settings, "topics",
                             "'%s' is not a regular expression: %s", topic,
                             why);
    }
}

static void check_window(const struct weir_settings *settings)
{
    const struct weir_share *share = weir_settings_share(settings);
    const int64_t window = weir_settings_int(settings, "max_uncommitted", 0);

    if (window < 2 * (int64_t)share->largest_batch)
        weir_settings_refuse(settings, "max_uncommitted",
                             "%" PRId64 " can't fill batches of %u: use at "
                             "least twice the largest `batch_size`",
                             window, share->largest_batch);
}

static void check_drain(const struct weir_settings *settings)
{
    const int64_t drain_us = weir_settings_int(settings, "drain_timeout", 0);
    const int64_t poll_ms = kafka_conf_number(settings, "max.poll.interval.ms");

    if (drain_us > poll_ms * 1000 / 4)
        weir_settings_refuse(settings, "drain_timeout",
                             "the group waits for it: use at most a quarter "
                             "of max.poll.interval.ms (%" PRId64 " ms)",
                             poll_ms);
}

/* The member stays in its group, since polling goes on; the next one doesn't
 * know how often the message was tried. */
static void check_held(const struct weir_settings *settings)
{
    const struct weir_share *share = weir_settings_share(settings);
    const int64_t poll_ms = kafka_conf_number(settings, "max.poll.interval.ms");

    if (share->held_us <= poll_ms * 1000)
        return;
    weir_settings_warn(settings, "",
                       "failure.retry and processors.timeout may hold a "
                       "message for %" PRId64 " s, more than "
                       "max.poll.interval.ms (%" PRId64 " s): weir stays in "
                       "the group, but when its partition moves meanwhile the "
                       "attempts begin anew: lower attempts, backoff.max or "
                       "timeout, or raise max.poll.interval.ms",
                       share->held_us / 1000000, poll_ms / 1000);
}

void kafka_options_check(const struct weir_settings *settings)
{
    check_start(settings);
    check_topics(settings);
    check_window(settings);
    check_drain(settings);
    check_held(settings);
    kafka_conf_check(settings, KAFKA_READS);
}

void kafka_options_read(const struct weir_settings *settings,
                        struct kafka_options *ret_options)
{
    const char *on_gap = weir_settings_string(settings, "on_gap");

    *ret_options = (struct kafka_options){
        .max_uncommitted =
            (uint64_t)weir_settings_int(settings, "max_uncommitted", 100000),
        .commit_interval_us =
            weir_settings_int(settings, "commit_interval", 1000000),
        .drain_timeout_us =
            weir_settings_int(settings, "drain_timeout", 5000000),
    };
    INVARIANT(kafka_options_parse_start(weir_settings_string(settings, "start"),
                                        &ret_options->start,
                                        &ret_options->start_ms) == WEIR_OK);
    if (strcmp(on_gap, "latest") == 0)
        ret_options->on_gap = KAFKA_GAP_LATEST;
    if (strcmp(on_gap, "stop") == 0)
        ret_options->on_gap = KAFKA_GAP_STOP;
}
