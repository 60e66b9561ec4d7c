/*
 * kafka_sink.c - writes to topics of Apache Kafka.
 *
 * librdkafka sends by itself, on threads of its own, in order and without
 * repeating itself (it is an idempotent producer); this connector hands it
 * messages, and turns its delivery reports into outcomes.
 *
 *     write() -> parcels --kafka_send--> client ==> brokers
 *                   ^                      |
 *     outcomes <----+---- kafka_report <---+ poll(), flush()
 *
 * A batch is taken whole.  What of it the client has no room for waits in its
 * parcel, and until it is away no other batch is taken; nothing is dropped, and
 * no message has a time to live.  A lost connection is the client's business:
 * it sends again what wasn't confirmed, and the broker knows what it has.
 * Only when the client itself is at its end, poll() asks for another one, and
 * all that has no outcome is written again, in its order, by the runtime.
 *
 * Who does what:
 *     kafka_target   which topic and key a message gets
 *     kafka_parcel   batches, message by message
 *     kafka_send     messages -> client
 *     kafka_report   reports -> outcomes, order
 *
 * Invariant: an outcome OK is set from a report that the broker has the
 * message, acknowledged by all in-sync replicas, and from nothing else.
 *
 * Threads: the sink worker's, but for wake().
 */
#include "kafka_sink.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "clock.h"
#include "kafka_conf.h"
#include "kafka_contact.h"
#include "kafka_end.h"
#include "kafka_report.h"
#include "kafka_send.h"
#include "kafka_sink_options.h"
#include "kafka_sink_questions.h"
#include "kafka_writer.h"
#include "log.h"

enum {
    NAP_US = 100000,
    CHECK_US = 1000000,
    CLIENT_MESSAGE_COST = 256,
    MIN_LARGEST = 2 << 20
};

/* The broker decides what is too large; the client only refuses what would
 * break the connection. */
static int64_t largest_message(const struct weir_share *share)
{
    const int64_t twice = 2 * (int64_t)share->max_message_bytes;

    return twice > MIN_LARGEST ? twice : MIN_LARGEST;
}

/*
 * Milliseconds that the client waits for more.  A batch that is alone is
 * complete, and nothing follows before its reports.  Otherwise the client's own
 * default: with less there are more requests than it may have in flight, and
 * then librdkafka 2.0 spins until one is answered, which takes half as much CPU
 * again as all the rest.
 */
static const char *linger_of(const struct weir_share *share)
{
    return share->open_batches > 1 ? "5" : "0";
}

static enum weir_status build_conf(const struct kafka_writer *writer,
                                   rd_kafka_conf_t **ret_conf,
                                   struct weir_error *err)
{
    const int64_t memory = (int64_t)writer->share->memory;
    const int64_t largest = largest_message(writer->share);
    char message[24], kbytes[24], messages[24], batch[24];
    const struct kafka_value defaults[] = {
        {"client.id", writer->share->pipeline},
        {"reconnect.backoff.ms", "100"},
        {"reconnect.backoff.max.ms", "3000"},
        {"topic.metadata.refresh.interval.ms", "5000"},
        {"topic.metadata.propagation.max.ms", "10000"},
        {"socket.keepalive.enable", "true"},
        {"socket.nagle.disable", "true"},
        {"linger.ms", linger_of(writer->share)},
        {"message.max.bytes", message},
        {"queue.buffering.max.kbytes", kbytes},
        {"queue.buffering.max.messages", messages},
        {NULL, NULL}};
    const struct kafka_value fixed[] = {
        {"enable.idempotence", "true"},
        {"acks", "all"},
        {"message.timeout.ms", "0"},
        {"partitioner", weir_settings_string(writer->settings, "partitioner")},
        {"compression.type",
         weir_settings_string(writer->settings, "compression")},
        {"log.queue", "true"},
        {writer->batch_size > 0 ? "batch.size" : NULL, batch},
        {NULL, NULL}};

    (void)snprintf(message, sizeof message, "%" PRId64, largest);
    (void)snprintf(kbytes, sizeof kbytes, "%" PRId64,
                   (memory > largest ? memory : largest) / 1024 + 1);
    (void)snprintf(messages, sizeof messages, "%" PRId64,
                   memory / CLIENT_MESSAGE_COST + 1);
    (void)snprintf(batch, sizeof batch, "%zu", writer->batch_size);
    return kafka_conf_build(writer->settings, KAFKA_WRITES, defaults, fixed,
                            ret_conf, err);
}

/* What the client made of defaults and properties, for comparisons. */
static void log_sending(const rd_kafka_conf_t *conf)
{
    static const char *const names[] = {"linger.ms",
                                        "batch.size",
                                        "batch.num.messages",
                                        "message.max.bytes",
                                        "queue.buffering.max.messages",
                                        "queue.buffering.max.kbytes",
                                        "compression.type",
                                        "socket.nagle.disable",
                                        "enable.idempotence"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char value[64];
        size_t size = sizeof value;

        if (rd_kafka_conf_get(conf, names[i], value, &size) == RD_KAFKA_CONF_OK)
            log_write(WEIR_LOG_DEBUG, "kafka: %s=%s", names[i], value);
    }
}

static size_t batch_size_of(const rd_kafka_conf_t *conf)
{
    char value[32] = "0";
    size_t size = sizeof value;

    (void)rd_kafka_conf_get(conf, "batch.size", value, &size);
    return strtoull(value, NULL, 10);
}

static enum weir_status create_client(struct kafka_writer *writer,
                                      struct weir_error *err)
{
    rd_kafka_conf_t *conf = NULL;
    char why[200];
    enum weir_status status = build_conf(writer, &conf, err);

    if (status != WEIR_OK)
        return status;
    log_sending(conf);
    writer->batch_size = batch_size_of(conf);
    kafka_trouble_listen(&writer->trouble, conf);
    rd_kafka_conf_set_dr_msg_cb(conf, kafka_report);
    writer->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    if (!writer->rk) {
        rd_kafka_conf_destroy(conf);
        return weir_fail(err, WEIR_FATAL, "kafka: cannot start: %s", why);
    }
    (void)rd_kafka_set_log_queue(writer->rk, NULL);
    return WEIR_OK;
}

static enum weir_status create_queue(struct kafka_writer *writer,
                                     struct weir_error *err)
{
    const uint64_t one = 1;
    const int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    if (fd < 0)
        return weir_fail(err, WEIR_RETRY, "kafka: no descriptor: %s",
                         strerror(errno));
    writer->fd = fd + 1;
    writer->queue = rd_kafka_queue_get_main(writer->rk);
    rd_kafka_queue_io_event_enable(writer->queue, fd, &one, sizeof one);
    return WEIR_OK;
}

/* A fixed topic that isn't there is said now, and nothing is taken. */
static enum weir_status judge_contact(struct kafka_writer *writer,
                                      const struct rd_kafka_metadata *metadata,
                                      struct weir_error *err)
{
    if (writer->rejects_unknown_topics)
        return WEIR_OK;
    for (int i = 0; i < metadata->topic_cnt; i++) {
        const struct rd_kafka_metadata_topic *topic = &metadata->topics[i];

        if (kafka_errors_verdict(topic->err) == KAFKA_NO_TOPIC)
            return weir_fail(err, WEIR_RETRY,
                             "kafka: the topic '%s' is not there (brokers "
                             "'%s'): create it, or see `unknown_topic`",
                             topic->topic, writer->trouble.access.brokers);
    }
    return WEIR_OK;
}

/* A wake doesn't cut it short: whatever there is to do needs a broker. */
static enum weir_status make_contact(struct kafka_writer *writer,
                                     struct weir_error *err)
{
    const struct kafka_contact contact = {.rk = writer->rk,
                                          .trouble = &writer->trouble};
    const struct rd_kafka_metadata *metadata = NULL;
    struct weir_error why = {0};
    enum weir_status status = kafka_contact_await(&contact, &metadata, &why);

    if (status != WEIR_OK)
        return weir_fail(err, status, "kafka: %s", why.text);
    status = judge_contact(writer, metadata, err);
    rd_kafka_metadata_destroy(metadata);
    return status;
}

static enum weir_status kafka_open(void *self,
                                   const struct weir_settings *settings,
                                   struct weir_error *err)
{
    struct kafka_writer *writer = self;
    enum weir_status status;

    writer->settings = settings;
    writer->share = weir_settings_share(settings);
    writer->trouble = (struct kafka_trouble){.owner = writer};
    kafka_access_read(settings, KAFKA_WRITES, &writer->trouble.access);
    writer->window = UINT32_MAX;
    writer->rejects_unknown_topics =
        strcmp(weir_settings_string(settings, "unknown_topic"), "reject") == 0;

    status = waker_open(&writer->waker, err);
    if (status == WEIR_OK)
        status = create_client(writer, err);
    if (status == WEIR_OK)
        status = create_queue(writer, err);
    if (status == WEIR_OK)
        status = kafka_target_open(&writer->target, writer->rk, settings, err);
    if (status == WEIR_OK)
        status = make_contact(writer, err);
    return status; /* when it is not WEIR_OK the runtime calls kafka_close() */
}

static bool take_event(const struct kafka_writer *writer)
{
    eventfd_t count;

    return eventfd_read(writer->fd - 1, &count) == 0;
}

/* Hears what the client has to say, and hands it what there is room for. */
static enum weir_status serve(struct kafka_writer *writer,
                              struct weir_error *err)
{
    enum weir_status status = WEIR_OK;

    /* The event is taken before the queue is looked at: what comes later makes
     * another one. */
    (void)take_event(writer);
    (void)rd_kafka_poll(writer->rk, 0);
    kafka_parcels_say(&writer->parcels);
    if (writer->trouble.is_fatal && !writer->tear.is_over) {
        (void)weir_fail(&writer->err, WEIR_RETRY, "kafka: %s",
                        writer->trouble.text);
        kafka_report_give_up(writer);
    }
    if (writer->away == 0 ||
        (writer->tear.is_over && clock_now_us() >= writer->tear.patience_us))
        status = kafka_report_mend(writer, err);
    if (status == WEIR_OK)
        status = kafka_send(writer, err);
    return status;
}

static enum weir_status kafka_write(void *self, struct weir_batch *batch,
                                    struct weir_error *err)
{
    struct kafka_writer *writer = self;
    enum weir_status status = serve(writer, err);

    if (status != WEIR_OK)
        return status;
    if (writer->parcels.here > 0 || writer->tear.is_torn)
        return WEIR_AGAIN;
    if (kafka_parcels_add(&writer->parcels, batch) != WEIR_OK)
        return weir_fail(err, WEIR_RETRY, "out of memory");
    return kafka_send(writer, err);
}

/* WEIR_AGAIN: the deadline came, or a wake. */
static enum weir_status wait_more(struct kafka_writer *writer,
                                  int64_t deadline_us)
{
    const int64_t nap_us = clock_after_us(NAP_US);
    const bool is_last = deadline_us <= nap_us;
    const unsigned cause = waker_wait(&writer->waker, writer->fd - 1, POLLIN,
                                      is_last ? deadline_us : nap_us);

    if ((cause & WAKER_WOKEN) || (cause == 0 && is_last))
        return WEIR_AGAIN;
    return WEIR_OK;
}

/* WEIR_HOLD: no broker is there, and the client tries by itself. */
static enum weir_status judge_link(struct kafka_writer *writer,
                                   struct weir_error *err)
{
    if (!writer->trouble.is_cut_off)
        return WEIR_OK;
    if (clock_now_us() >= writer->check_us) {
        writer->check_us = clock_after_us(CHECK_US);
        if (kafka_contact_check(writer->rk, &writer->trouble))
            return WEIR_OK;
    }
    return weir_fail(err, WEIR_HOLD, "kafka: no broker answers (brokers '%s')",
                     writer->trouble.access.brokers);
}

static enum weir_status kafka_poll(void *self, int64_t deadline_us,
                                   struct weir_error *err)
{
    struct kafka_writer *writer = self;
    enum weir_status status;

    writer->parcels.settled = 0;
    do {
        status = serve(writer, err);
        if (status != WEIR_OK)
            return status;
    } while (writer->parcels.settled == 0 &&
             wait_more(writer, deadline_us) == WEIR_OK);
    return judge_link(writer, err);
}

static enum weir_status judge_flush(struct kafka_writer *writer,
                                    struct weir_error *err)
{
    const enum weir_status status = judge_link(writer, err);

    return status == WEIR_OK ? WEIR_AGAIN : status;
}

static enum weir_status kafka_flush(void *self, int64_t deadline_us,
                                    struct weir_error *err)
{
    struct kafka_writer *writer = self;
    enum weir_status status = serve(writer, err);

    while (status == WEIR_OK && writer->parcels.head) {
        if (wait_more(writer, deadline_us) == WEIR_AGAIN)
            return serve(writer, err) == WEIR_OK && !writer->parcels.head
                       ? WEIR_OK
                       : judge_flush(writer, err);
        status = serve(writer, err);
    }
    return status;
}

static void kafka_wake(void *self)
{
    struct kafka_writer *writer = self;

    waker_wake(&writer->waker);
}

/* What has no outcome is the runtime's again; what the client still has of it
 * is thrown away, as far as it isn't under way. */
static void kafka_close(void *self, int64_t deadline_us)
{
    struct kafka_writer *writer = self;

    kafka_target_close(&writer->target);
    if (writer->queue)
        rd_kafka_queue_destroy(writer->queue);
    if (writer->rk) {
        (void)rd_kafka_purge(writer->rk, RD_KAFKA_PURGE_F_QUEUE |
                                             RD_KAFKA_PURGE_F_INFLIGHT |
                                             RD_KAFKA_PURGE_F_NON_BLOCKING);
        if (!kafka_end(writer->rk, deadline_us))
            log_write(WEIR_LOG_WARNING,
                      "kafka: the client did not close in time, left behind");
    }
    if (writer->fd > 0)
        (void)close(writer->fd - 1);
    waker_close(&writer->waker);
    kafka_parcels_finish(&writer->parcels);
    writer->rk = NULL;
    writer->queue = NULL;
    writer->fd = 0;
    writer->away = 0;
    writer->away_cost = 0;
    writer->tear = (struct kafka_tear){0};
}

const struct weir_sink_ops weir_kafka_sink = {
    .name = "kafka",
    .help = "Topics of Apache Kafka, by an idempotent producer.",
    .options = kafka_sink_options_table,
    .self_size = sizeof(struct kafka_writer),
    .is_ordered = true,
    .has_client = true,
    .check = kafka_sink_options_check,
    .probe = kafka_sink_questions_ask,
    .open = kafka_open,
    .write = kafka_write,
    .poll = kafka_poll,
    .flush = kafka_flush,
    .wake = kafka_wake,
    .close = kafka_close,
};
