/*
 * kafka_producer.c - reads topics as a member of a consumer group.
 *
 * librdkafka fetches ahead by itself, on threads of its own, into one queue per
 * partition; this connector reads those queues as demand allows, hands every
 * message to the intake with a ticket, and commits what was settled.
 *
 *     brokers ==> [queue per partition] --kafka_reader--> intake --> pipeline
 *        ^                                                             |
 *        |                               watermark <---- settle() -----+
 *        +------ kafka_commit <---- commit point
 *
 * pull() is a loop of three steps: serve the group (its events come out of
 * rd_kafka_consumer_poll(), which must be called all the time, also without
 * demand, or the group expels us), read, sleep.  It sleeps in poll(2) on two
 * descriptors: one that the client's queues write to, one for wake().
 *
 * Who does what:
 *     kafka_probe       are brokers and topics there, how many partitions
 *     kafka_limits      memory -> fetch limits
 *     kafka_assignment  rebalances: epochs begin and end
 *     kafka_start       where a partition begins;  kafka_gap: where it goes on
 *     kafka_reader      queues -> intake
 *     kafka_turns       which partitions are fetched, when they are many
 *     kafka_commit      watermark -> group
 *
 * Threads: the producer's, but for wake().
 */
#include "kafka_producer.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "clock.h"
#include "invariant.h"
#include "kafka_assignment.h"
#include "kafka_commit.h"
#include "kafka_conf.h"
#include "kafka_contact.h"
#include "kafka_end.h"
#include "kafka_gap.h"
#include "kafka_limits.h"
#include "kafka_loop.h"
#include "kafka_member.h"
#include "kafka_probe.h"
#include "kafka_questions.h"
#include "kafka_reader.h"
#include "kafka_turns.h"
#include "log.h"

enum {
    SERVE_US = 5000,     /* the group is looked after at least this often */
    TICK_US = 1000000,   /* positions and lag */
    END_TICK_US = 50000, /* the same, when the end is waited for */
    NAP_US = 100000
};

static enum weir_status build_conf(struct kafka_producer *kafka,
                                   const struct kafka_probe *probe,
                                   rd_kafka_conf_t **ret_conf,
                                   struct weir_error *err)
{
    const unsigned fetched = kafka->planned < kafka->turns.limit
                                 ? kafka->planned
                                 : kafka->turns.limit;
    const struct kafka_limits limits = kafka_limits_for(
        kafka->share->memory, fetched, probe->brokers, probe->sample.growth);
    char messages[24], kbytes[24], partition[24], fetch[24];
    const struct kafka_value defaults[] = {
        {"client.id", kafka->share->pipeline},
        {"reconnect.backoff.ms", "100"},
        {"reconnect.backoff.max.ms", "3000"},
        {"topic.metadata.refresh.interval.ms", "5000"},
        {"socket.keepalive.enable", "true"},
        {"fetch.wait.max.ms", "100"},
        {"queued.min.messages", messages},
        {"queued.max.messages.kbytes", kbytes},
        {"message.max.bytes", fetch},
        {"fetch.message.max.bytes", partition},
        {"fetch.max.bytes", fetch},
        {NULL, NULL}};
    const struct kafka_value fixed[] = {
        {"group.id", weir_settings_string(kafka->settings, "group")},
        {"partition.assignment.strategy",
         weir_settings_string(kafka->settings, "assignor")},
        {"enable.auto.commit", "false"},
        {"enable.auto.offset.store", "false"},
        {"auto.offset.reset", "error"},
        {"enable.partition.eof", "false"},
        {"log.queue", "true"},
        {NULL, NULL}};

    kafka->refill_after = (uint64_t)limits.queue_messages / 2;
    (void)snprintf(messages, sizeof messages, "%" PRId64,
                   limits.queue_messages);
    (void)snprintf(kbytes, sizeof kbytes, "%" PRId64, limits.queue_kbytes);
    (void)snprintf(partition, sizeof partition, "%" PRId64,
                   limits.partition_bytes);
    (void)snprintf(fetch, sizeof fetch, "%" PRId64, limits.fetch_bytes);
    return kafka_conf_build(kafka->settings, KAFKA_READS, defaults, fixed,
                            ret_conf, err);
}

/* What the client made of limits and properties, for comparisons. */
static void log_fetching(const rd_kafka_conf_t *conf)
{
    static const char *const names[] = {
        "queued.min.messages",     "queued.max.messages.kbytes",
        "fetch.message.max.bytes", "fetch.max.bytes",
        "message.max.bytes",       "fetch.wait.max.ms"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char value[64];
        size_t size = sizeof value;

        if (rd_kafka_conf_get(conf, names[i], value, &size) == RD_KAFKA_CONF_OK)
            log_write(WEIR_LOG_DEBUG, "kafka: %s=%s", names[i], value);
    }
}

static enum weir_status create_client(struct kafka_producer *kafka,
                                      const struct kafka_probe *probe,
                                      struct weir_error *err)
{
    rd_kafka_conf_t *conf = NULL;
    char why[200];
    enum weir_status status = build_conf(kafka, probe, &conf, err);

    if (status != WEIR_OK)
        return status;
    log_fetching(conf);
    kafka_trouble_listen(&kafka->trouble, conf);
    rd_kafka_conf_set_rebalance_cb(conf, kafka_assignment_rebalance);
    kafka->rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
    if (!kafka->rk) {
        rd_kafka_conf_destroy(conf);
        return weir_fail(err, WEIR_FATAL, "cannot start: %s", why);
    }
    (void)rd_kafka_poll_set_consumer(kafka->rk);
    (void)rd_kafka_set_log_queue(kafka->rk, NULL);
    return WEIR_OK;
}

static enum weir_status create_queues(struct kafka_producer *kafka,
                                      struct weir_error *err)
{
    const uint64_t one = 1;
    const int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    if (fd < 0)
        return weir_fail(err, WEIR_RETRY, "no descriptor: %s", strerror(errno));
    kafka->fd = fd + 1;
    kafka->group_queue = rd_kafka_queue_get_consumer(kafka->rk);
    kafka->commit.queue = rd_kafka_queue_new(kafka->rk);
    rd_kafka_queue_io_event_enable(kafka->group_queue, fd, &one, sizeof one);
    rd_kafka_queue_io_event_enable(kafka->commit.queue, fd, &one, sizeof one);
    if (kafka->share->until_end)
        kafka->assignment.ends = rd_kafka_topic_partition_list_new(16);
    return WEIR_OK;
}

static enum weir_status subscribe(struct kafka_producer *kafka,
                                  struct weir_error *err)
{
    const size_t count = weir_settings_count(kafka->settings, "topics");
    rd_kafka_topic_partition_list_t *topics =
        rd_kafka_topic_partition_list_new((int)count);
    rd_kafka_resp_err_t rc;

    for (size_t i = 0; i < count; i++)
        rd_kafka_topic_partition_list_add(
            topics, weir_settings_item(kafka->settings, "topics", i),
            RD_KAFKA_PARTITION_UA);
    rc = rd_kafka_subscribe(kafka->rk, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    if (rc != RD_KAFKA_RESP_ERR_NO_ERROR)
        return weir_fail(err, WEIR_RETRY, "cannot subscribe: %s",
                         rd_kafka_err2str(rc));
    return WEIR_OK;
}

static enum weir_status kafka_open(void *self,
                                   const struct weir_settings *settings,
                                   struct weir_error *err)
{
    struct kafka_producer *kafka = self;
    struct kafka_probe probe = {.brokers = 1, .partitions = 1};
    enum weir_status status;

    kafka->settings = settings;
    kafka->share = weir_settings_share(settings);
    kafka->trouble = (struct kafka_trouble){0};
    kafka_options_read(settings, &kafka->options);
    kafka->trouble.owner = kafka;
    kafka_access_read(settings, KAFKA_READS, &kafka->trouble.access);

    status = waker_open(&kafka->waker, err);
    if (status == WEIR_OK)
        status = kafka_probe_run(kafka, &probe, err);
    if (probe.partitions > kafka->planned)
        kafka->planned = probe.partitions;
    kafka->turns.limit = kafka_limits_partitions(
        kafka->share->memory, kafka->share->max_message_bytes,
        probe.sample.batch);
    if (status == WEIR_OK)
        status = create_client(kafka, &probe, err);
    if (status == WEIR_OK)
        status = create_queues(kafka, err);
    if (status == WEIR_OK)
        status = subscribe(kafka, err);
    return status; /* when it is not WEIR_OK the runtime calls kafka_close() */
}

/* Rebalances, errors and log lines; the partitions' messages don't come here,
 * but errors that concern the group or a topic as a whole do. */
static void serve_group(struct kafka_producer *kafka)
{
    rd_kafka_message_t *msg = rd_kafka_consumer_poll(kafka->rk, 0);

    while (msg) {
        kafka_trouble_note(&kafka->trouble, msg->err,
                           rd_kafka_message_errstr(msg));
        rd_kafka_message_destroy(msg);
        msg = rd_kafka_consumer_poll(kafka->rk, 0);
    }
}

/* What keeps messages from coming, as long as it lasts. */
static const char *impediment(const struct kafka_producer *kafka)
{
    if (kafka->trouble.is_cut_off)
        return "no broker answers; the client goes on trying";
    if (!kafka->assignment.has_joined || kafka->assignment.pending)
        return "the group has given it no partitions yet";
    return NULL;
}

static void serve(struct kafka_producer *kafka, bool has_fired, unsigned demand)
{
    const int64_t now = clock_now_us();

    if (has_fired)
        kafka_reader_wake(kafka);
    if (has_fired || now >= kafka->serve_us) {
        serve_group(kafka);
        kafka_assignment_serve(kafka);
        kafka->serve_us = now + SERVE_US;
        weir_intake_set_impediment(kafka->intake, impediment(kafka));
    }
    if (!kafka->is_draining)
        kafka_turns_serve(kafka, demand > 0);
    if (now >= kafka->tick_us) {
        if (kafka->trouble.is_cut_off)
            (void)kafka_contact_check(kafka->rk, &kafka->trouble);
        kafka_reader_tick(kafka);
        if (kafka->has_gap)
            kafka_gap_serve(kafka);
        kafka->tick_us =
            now + (kafka->share->until_end ? END_TICK_US : TICK_US);
    }
    kafka_commit_serve(kafka);
}

/* Everything up to the end was read and settled; not yet always committed. */
static bool is_at_end(const struct kafka_producer *kafka)
{
    if (!kafka->assignment.has_joined || kafka->assignment.pending)
        return false;
    for (size_t i = 0; i < kafka->partitions.size; i++) {
        const struct kafka_partition *part = kafka->partitions.list[i];

        if (part && watermark_commit_point(part->mark) < part->end &&
            part->committed < part->end)
            return false;
    }
    return true;
}

static bool is_done(struct kafka_producer *kafka)
{
    const bool is_ending =
        kafka->is_draining || (kafka->share->until_end && is_at_end(kafka));

    /* At the end nothing more comes that would be worth waiting for. */
    kafka->commit.is_urgent |= is_ending;
    return is_ending && kafka_commit_is_complete(kafka);
}

/* Limits hold for each partition's queue, so more partitions than they were
 * made for would take more memory than we have. */
static enum weir_status check_plan(struct kafka_producer *kafka,
                                   struct weir_error *err)
{
    unsigned count = 0;

    for (size_t i = 0; i < kafka->partitions.size; i++)
        count += kafka->partitions.list[i] ? 1 : 0;
    if (count <= kafka->planned)
        return WEIR_OK;
    kafka->planned = count;
    return weir_fail(err, WEIR_RETRY,
                     "%u partitions by now: opening anew, so that all of them "
                     "fit the memory",
                     count);
}

static enum weir_status failure(const struct kafka_producer *kafka,
                                struct weir_error *err)
{
    if (kafka->is_stopped)
        return weir_fail(err, WEIR_REJECT, "%s; `on_gap: stop`",
                         kafka->stop_text);
    if (kafka->trouble.is_fatal)
        return weir_fail(err, WEIR_FATAL, "%s", kafka->trouble.text);
    return WEIR_OK;
}

static bool take_event(const struct kafka_producer *kafka)
{
    eventfd_t count;

    return eventfd_read(kafka->fd - 1, &count) == 0;
}

/* True when it was woken. */
static bool sleep_until(struct kafka_producer *kafka, int64_t deadline_us)
{
    const int64_t nap_us = clock_after_us(NAP_US);

    return (waker_wait(&kafka->waker, kafka->fd - 1, POLLIN,
                       deadline_us < nap_us ? deadline_us : nap_us) &
            WAKER_WOKEN) != 0;
}

static enum weir_status kafka_pull(void *self, struct weir_intake *intake,
                                   unsigned demand, int64_t deadline_us,
                                   struct weir_error *err)
{
    struct kafka_producer *kafka = self;
    enum weir_status status = WEIR_AGAIN;
    bool is_woken = false;

    kafka->intake = intake;
    while (status == WEIR_AGAIN) {
        /* The event is taken before the queues are looked at: kafka_reader. */
        serve(kafka, take_event(kafka), demand);
        status = failure(kafka, err);
        if (status == WEIR_OK)
            status = check_plan(kafka, err);
        if (status != WEIR_OK)
            break;
        status = WEIR_AGAIN;
        if (!kafka->is_draining && kafka_reader_read(kafka, demand) > 0)
            status = WEIR_OK;
        else if (is_done(kafka))
            status = WEIR_DONE;
        else if (is_woken || clock_now_us() >= deadline_us)
            break;
        else
            is_woken = sleep_until(kafka, deadline_us);
    }
    kafka->intake = NULL;
    return status;
}

static void settle_run(struct kafka_producer *kafka,
                       const struct weir_settlement *run)
{
    struct kafka_partition *part = kafka->partitions.list[run->source];

    /* What isn't done is left to the broker: the commit stays below it. */
    if (run->outcome != WEIR_OUTCOME_DONE)
        return;
    for (uint64_t i = 0; i < run->count; i++)
        (void)watermark_settle(part->mark, run->first + i);
    kafka_commit_hasten(kafka, part);
}

static enum weir_status kafka_settle(void *self,
                                     const struct weir_settlement *settlements,
                                     size_t count, struct weir_error *err)
{
    struct kafka_producer *kafka = self;

    (void)err;
    for (size_t i = 0; i < count; i++) {
        INVARIANT(settlements[i].source < kafka->partitions.size);
        INVARIANT(kafka->partitions.list[settlements[i].source]);
        settle_run(kafka, &settlements[i]);
    }
    return WEIR_OK;
}

static void set_held(struct kafka_producer *kafka, uint32_t source,
                     bool is_held)
{
    if (source < kafka->partitions.size && kafka->partitions.list[source])
        kafka->partitions.list[source]->is_held = is_held;
}

static void kafka_hold(void *self, uint32_t source)
{
    set_held(self, source, true);
}

static void kafka_release(void *self, uint32_t source)
{
    set_held(self, source, false);
}

static void kafka_describe(const void *self, uint32_t source,
                           struct weir_source_facts *facts)
{
    const struct kafka_producer *kafka = self;
    const struct kafka_partition *part =
        source < kafka->partitions.size ? kafka->partitions.list[source] : NULL;

    if (!part)
        return;
    facts->position = part->stash ? part->stash->offset : part->next;
    facts->committed = part->committed;
    facts->window = kafka_partition_window(part);
    facts->window_limit = kafka->options.max_uncommitted;
}

static void kafka_wake(void *self)
{
    struct kafka_producer *kafka = self;

    waker_wake(&kafka->waker);
}

static void kafka_drain(void *self)
{
    struct kafka_producer *kafka = self;

    kafka->is_draining = true;
}

static void kafka_close(void *self, int64_t deadline_us)
{
    struct kafka_producer *kafka = self;

    if (kafka->fd > 0 && kafka_commit_wait(kafka, deadline_us) != WEIR_OK)
        log_write(WEIR_LOG_WARNING, "kafka: the last offsets could not be "
                                    "committed: some messages will repeat");
    kafka_assignment_finish(kafka);
    if (kafka->group_queue)
        rd_kafka_queue_destroy(kafka->group_queue);
    if (kafka->commit.queue)
        rd_kafka_queue_destroy(kafka->commit.queue);
    if (kafka->rk && !kafka_end(kafka->rk, deadline_us))
        log_write(WEIR_LOG_WARNING,
                  "kafka: the client did not close in time, left behind");
    if (kafka->fd > 0)
        (void)close(kafka->fd - 1);
    waker_close(&kafka->waker);
    free(kafka->headers);
    kafka->headers = NULL;
    kafka->header_room = 0;
    kafka->rk = NULL;
    kafka->group_queue = NULL;
    kafka->commit = (struct kafka_commit){0};
    kafka->turns = (struct kafka_turns){0};
    kafka->fd = 0;
    kafka->is_draining = kafka->has_gap = kafka->is_stopped = false;
}

const struct weir_producer_ops weir_kafka_producer = {
    .name = "kafka",
    .help = "Topics of Apache Kafka, as a member of a consumer group.",
    .options = kafka_options_table,
    .self_size = sizeof(struct kafka_producer),
    .policies =
        WEIR_POLICY_BIT(WEIR_POLICY_DROP) | WEIR_POLICY_BIT(WEIR_POLICY_STOP),
    .backlog = WEIR_BACKLOG_ABANDON,
    .ordering = WEIR_ORDERING_PARTITION,
    .fields = "topic|partition|offset|timestamp|key|header.",
    .check = kafka_options_check,
    .reads = kafka_loop_reads,
    .probe = kafka_questions_ask,
    .open = kafka_open,
    .pull = kafka_pull,
    .settle = kafka_settle,
    .hold = kafka_hold,
    .release = kafka_release,
    .describe = kafka_describe,
    .wake = kafka_wake,
    .drain = kafka_drain,
    .close = kafka_close,
};
