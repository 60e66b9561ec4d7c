/*
 * demo.c - weir demo: the main job, on a Kafka that is part of the process.
 *
 *     feed --> embedded broker --> pipeline: access_log --> pipe --> book
 *       ^ confirmed ids ------------------------------------------> book
 *
 * The pipeline is an ordinary one, from an ordinary topology, and consumes over
 * a socket.  Half-way the broker goes down for three seconds and comes back. At
 * the end every id that the broker confirmed to the feed is looked up among
 * those that came out: that none is missing is what this is a demo of.
 *
 * Time is counted from the first message that arrives, since a group needs some
 * seconds to form.  Nothing is written to disk; the port ends with the process.
 *
 * Threads: this one feeds, hears and draws; the pipeline has its supervisor on
 * one of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arguments.h"
#include "clock.h"
#include "demo_book.h"
#include "demo_feed.h"
#include "demo_handler.h"
#include "demo_view.h"
#include "embedded_kafka.h"
#include "loaded.h"
#include "log.h"
#include "pipeline.h"
#include "signals.h"
#include "verb.h"

enum {
    SECONDS_DEFAULT = 15,
    SECONDS_MIN = 10,
    SECONDS_MAX = 3600,
    LINES_PER_SECOND = 1000,
    PARTITIONS = 4,
    TICK_MS = 10,
    TOPOLOGY_SIZE = 2048
};

#define DOWN_US   (3 * CLOCK_SECOND_US)
#define START_US  (20 * CLOCK_SECOND_US) /* for the first message to arrive */
#define FINISH_US (20 * CLOCK_SECOND_US) /* for the last one */

static const char topology_text[] =
    "name: demo\n"
    "producer:\n"
    "  kafka:\n"
    "    brokers: %s\n"
    "    group: demo\n"
    "    topics: [access_log]\n"
    "    properties:\n"
    "      session.timeout.ms: \"10000\"\n"
    "      heartbeat.interval.ms: \"500\"\n"
    "      fetch.wait.max.ms: \"10\"\n"
    "      reconnect.backoff.max.ms: \"500\"\n"
    "processors:\n"
    "  handler: { linked: true, options: { witness: %d } }\n"
    "  concurrency: 2\n"
    "batchers:\n"
    "  default: { batch_size: 100, batch_timeout: 200ms }\n"
    "failure: { then: drop }\n"
    "memory: 64MiB\n";

struct demo {
    struct embedded_kafka *kafka;
    struct demo_book *book;
    struct demo_view *view;
    struct signals *signals;
    struct loaded loaded;
    struct pipeline *pipeline;
    int hear, tell; /* the witness pipe */
    pthread_t thread;
    bool is_running, is_broker_up;
    int exit;         /* of the pipeline */
    int64_t begin_us; /* of the feed */
    int64_t first_us; /* the first message arrived; 0: not yet */
    int64_t down_us;  /* the broker went down; 0: not yet */
    int64_t length_us;
    uint64_t next_id, capacity;
    _Atomic bool is_asked_to_end;
};

static void ask_to_end(void *opaque)
{
    struct demo *demo = opaque;

    atomic_store(&demo->is_asked_to_end, true);
}

static void on_confirmed(void *opaque, uint64_t id)
{
    struct demo *demo = opaque;

    demo_book_confirmed(demo->book, id);
}

/* Reads what the witness has told; waits for at most `timeout_ms`.  False: the
 * pipeline has let go of the pipe. */
static bool hear(struct demo *demo, int timeout_ms)
{
    struct pollfd pipe_end = {.fd = demo->hear, .events = POLLIN};
    struct demo_event events[256];
    ssize_t size;

    if (poll(&pipe_end, 1, timeout_ms) <= 0)
        return true;
    while ((size = read(demo->hear, events, sizeof events)) > 0) {
        for (size_t i = 0; i < (size_t)size / sizeof events[0]; i++)
            demo_book_arrived(demo->book, events[i].id,
                              events[i].is_rejected != 0);
        if (demo->first_us == 0)
            demo->first_us = clock_now_us();
    }
    return size != 0;
}

/* As many lines as are due by now. */
static void feed(struct demo *demo, int64_t now_us)
{
    const uint64_t due = (uint64_t)(now_us - demo->begin_us) *
                         LINES_PER_SECOND / (uint64_t)CLOCK_SECOND_US;
    char line[DEMO_FEED_LINE_MAX];

    while (demo->next_id < due && demo->next_id < demo->capacity) {
        const uint64_t id = demo->next_id;
        const struct weir_bytes key = {&id, sizeof id};
        const struct weir_bytes payload = {line, demo_feed_line(id, line)};

        if (embedded_kafka_send(demo->kafka, id, key, payload) != WEIR_OK)
            return;
        demo_book_sent(demo->book, id);
        demo->next_id++;
    }
}

static void move_broker(struct demo *demo, int64_t now_us)
{
    if (demo->first_us == 0)
        return;
    if (demo->down_us == 0 && now_us - demo->first_us >= demo->length_us / 2) {
        demo_view_say(demo->view, "-- the broker goes down for 3 seconds");
        embedded_kafka_go_down(demo->kafka);
        demo->down_us = now_us;
        demo->is_broker_up = false;
    }
    if (!demo->is_broker_up && now_us - demo->down_us >= DOWN_US) {
        embedded_kafka_come_back(demo->kafka);
        demo->is_broker_up = true;
        demo_view_say(demo->view, "-- the broker is back");
    }
}

static void show(struct demo *demo, int64_t now_us)
{
    struct pipeline_stats stats;
    struct demo_result result;

    pipeline_stats(demo->pipeline, &stats);
    demo_book_result(demo->book, &result);
    demo_view_show(
        demo->view,
        &(struct demo_sight){
            .elapsed_us = demo->first_us ? now_us - demo->first_us : 0,
            .length_us = demo->length_us,
            .sent = result.sent,
            .confirmed = result.confirmed,
            .delivered = result.delivered,
            .rejected = result.rejected,
            .in_flight = stats.in_flight,
            .is_broker_up = demo->is_broker_up,
            .is_started = demo->first_us != 0,
        });
}

static void tick(struct demo *demo)
{
    embedded_kafka_poll(demo->kafka, 0, on_confirmed, demo);
    (void)hear(demo, TICK_MS);
    show(demo, clock_now_us());
}

/* Feeds until the time is over.  False: nothing ever arrived. */
static bool play(struct demo *demo)
{
    demo->begin_us = clock_now_us();
    while (!atomic_load(&demo->is_asked_to_end)) {
        const int64_t now_us = clock_now_us();

        if (demo->first_us != 0 && now_us - demo->first_us >= demo->length_us)
            return true;
        if (demo->first_us == 0 && now_us - demo->begin_us >= START_US)
            return false;
        feed(demo, now_us);
        move_broker(demo, now_us);
        tick(demo);
    }
    demo_view_say(demo->view, "-- ending early");
    return true;
}

/* Until all that was sent is confirmed and has arrived, or too long. */
static void finish(struct demo *demo)
{
    const int64_t deadline_us = clock_after_us(FINISH_US);
    struct demo_result result;

    if (!demo->is_broker_up)
        embedded_kafka_come_back(demo->kafka);
    demo->is_broker_up = true;
    do {
        tick(demo);
        demo_book_result(demo->book, &result);
    } while ((embedded_kafka_waiting(demo->kafka) > 0 || result.lost > 0) &&
             clock_now_us() < deadline_us);
}

static void *run_pipeline(void *opaque)
{
    struct demo *demo = opaque;

    demo->exit = pipeline_run(demo->pipeline);
    (void)close(demo->tell);
    demo->tell = -1;
    return NULL;
}

/* Drains; hears what arrives until the pipeline has let go of the pipe. */
static void stop_pipeline(struct demo *demo)
{
    if (!demo->is_running)
        return;
    pipeline_drain(demo->pipeline);
    while (hear(demo, -1))
        continue;
    (void)pthread_join(demo->thread, NULL);
    demo->is_running = false;
}

static enum weir_status open_pipe(struct demo *demo, struct weir_error *err)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) != 0)
        return weir_fail(err, WEIR_FATAL, "no pipe: %s", strerror(errno));
    demo->hear = ends[0];
    demo->tell = ends[1];
    if (fcntl(demo->hear, F_SETFL, O_NONBLOCK) != 0)
        return weir_fail(err, WEIR_FATAL, "no pipe: %s", strerror(errno));
    return WEIR_OK;
}

static enum weir_status start_pipeline(struct demo *demo,
                                       struct weir_error *err)
{
    char text[TOPOLOGY_SIZE];
    const struct loaded_request request = {
        .file = "demo", .text = text, .linked = &demo_handler};
    const struct pipeline_options options = {.handler = &demo_handler};
    enum weir_status status;

    (void)snprintf(text, sizeof text, topology_text,
                   embedded_kafka_brokers(demo->kafka), demo->tell);
    status = loaded_open_or_say(&request, &demo->loaded);
    if (status != WEIR_OK)
        return weir_fail(err, status, "its own topology is refused");
    status =
        pipeline_create(demo->loaded.topology, &options, &demo->pipeline, err);
    if (status != WEIR_OK)
        return status;
    if (pthread_create(&demo->thread, NULL, run_pipeline, demo) != 0)
        return weir_fail(err, WEIR_FATAL, "cannot start a thread");
    demo->is_running = true;
    return WEIR_OK;
}

static enum weir_status start(struct demo *demo, struct weir_error *err)
{
    static const struct embedded_kafka_topic topic = {"access_log", PARTITIONS};
    const struct signals_config handlers = {.drain = ask_to_end,
                                            .drain_opaque = demo};
    enum weir_status status = signals_start(&handlers, &demo->signals, err);

    if (status != WEIR_OK)
        return status;
    demo->book = demo_book_create(demo->capacity);
    demo->view = demo_view_create(stdout, isatty(STDOUT_FILENO) == 1);
    log_set_level(isatty(STDOUT_FILENO) == 1 ? WEIR_LOG_WARNING
                                             : WEIR_LOG_ERROR);
    if (!demo->book || !demo->view)
        return weir_fail(err, WEIR_RETRY, "no memory");
    status = open_pipe(demo, err);
    if (status != WEIR_OK)
        return status;
    status = embedded_kafka_start(&topic, &demo->kafka, err);
    if (status != WEIR_OK)
        return status;
    demo_view_say(demo->view,
                  "An embedded Kafka on %s gets %d access log lines a second, "
                  "some of them broken;\nweir turns them into JSON objects.",
                  embedded_kafka_brokers(demo->kafka), LINES_PER_SECOND);
    return start_pipeline(demo, err);
}

static int print_result(const struct demo *demo)
{
    struct demo_result result;

    demo_book_compare(demo->book, &result);
    demo_view_say(
        demo->view,
        "sent %llu lines, %llu confirmed by the broker\n"
        "delivered %llu, rejected %llu broken ones, %llu repeated\n"
        "%llu lost",
        (unsigned long long)result.sent, (unsigned long long)result.confirmed,
        (unsigned long long)result.delivered,
        (unsigned long long)result.rejected,
        (unsigned long long)result.repeated, (unsigned long long)result.lost);
    if (result.lost > 0)
        (void)fprintf(stderr, "weir demo: the first one lost is %llu\n",
                      (unsigned long long)result.first_lost);
    if (result.misjudged > 0)
        (void)fprintf(stderr, "weir demo: %llu lines were misjudged\n",
                      (unsigned long long)result.misjudged);
    if (result.lost > 0 || result.misjudged > 0)
        return VERB_EXIT_FAILED;
    return demo->exit;
}

/* False: a thread is stuck, and nothing may be freed under it. */
static bool clean_up(struct demo *demo)
{
    if (demo->pipeline && pipeline_destroy(demo->pipeline) != WEIR_OK)
        return false;
    loaded_close(&demo->loaded);
    embedded_kafka_stop(demo->kafka);
    demo_view_destroy(demo->view);
    demo_book_destroy(demo->book);
    signals_stop(demo->signals);
    if (demo->hear >= 0)
        (void)close(demo->hear);
    if (demo->tell >= 0)
        (void)close(demo->tell);
    return true;
}

static int demo_play(int64_t seconds)
{
    struct demo demo = {
        .hear = -1,
        .tell = -1,
        .is_broker_up = true,
        .length_us = seconds * CLOCK_SECOND_US,
        .capacity = (uint64_t)(seconds + START_US / CLOCK_SECOND_US + 1) *
                    LINES_PER_SECOND,
    };
    struct weir_error err = {0};
    int code = VERB_EXIT_FAILED;

    if (start(&demo, &err) != WEIR_OK) {
        (void)fprintf(stderr, "weir demo: %s\n", err.text);
    } else if (!play(&demo)) {
        (void)fprintf(stderr, "weir demo: nothing arrived\n");
        stop_pipeline(&demo);
    } else {
        finish(&demo);
        stop_pipeline(&demo);
        code = print_result(&demo);
    }
    if (!clean_up(&demo)) {
        (void)fflush(NULL);
        _exit(code);
    }
    return code;
}

struct demo_values {
    int64_t seconds;
};

static const struct argument demo_options[] = {
    {"--seconds", "N", ARGUMENT_INT, offsetof(struct demo_values, seconds),
     "how long it plays: 10 to 3600 (15)"},
    {0},
};

static int demo_run(const struct verb *verb, const struct call *call)
{
    struct demo_values values = {.seconds = SECONDS_DEFAULT};
    struct argument_texts operands;

    if (arguments_parse(verb, call, &values, &operands) != WEIR_OK)
        return VERB_EXIT_USAGE;
    if (values.seconds < SECONDS_MIN || values.seconds > SECONDS_MAX)
        return usage_error(verb, "--seconds is between %d and %d", SECONDS_MIN,
                           SECONDS_MAX);
    return demo_play(values.seconds);
}

const struct verb verb_demo = {
    .name = "demo",
    .operands = "",
    .summary = "shows weir at work, on a Kafka inside the process",
    .text = "Access log lines, some of them broken, go through an embedded "
            "broker and the\naccess-log handler.  Half-way the broker goes "
            "down for three seconds.  At the end\neach line that the broker "
            "confirmed is looked up among those delivered.\n",
    .example = "  weir demo\n"
               "  weir demo --seconds 30\n",
    .options = demo_options,
    .run = demo_run,
};
