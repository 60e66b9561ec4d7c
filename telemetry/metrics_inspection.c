/*
 * metrics_inspection.c - the part of the metrics that says where messages are.
 *
 *     partitions and queues    lag in messages and in time, what is open
 *     mailboxes                what waits before a stage, and how full it is
 *     stages                   what they have in hand
 *
 * A partition that was taken away has no series any more: it is not in the
 * inspection, and nothing here remembers it.  So there are as many series as
 * partitions are ours, and no message chooses a label.
 *
 * Threads: any.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "teller.h"

enum { NUMBER_SIZE = 16 };

enum mailbox_gauge { MAILBOX_MESSAGES = 0, MAILBOX_FILL };

static const struct metric mailbox_gauges[] = {
    [MAILBOX_MESSAGES] = {"weir_mailbox_messages", METRIC_GAUGE,
                          "Messages that wait before a stage."},
    [MAILBOX_FILL] = {"weir_mailbox_fill_ratio", METRIC_GAUGE,
                      "How full the fullest mailbox before a stage is, of 1."},
};

static const char *const stages[INSPECT_STAGE_COUNT] = {
    [INSPECT_PRODUCER] = "producer",
    [INSPECT_PROCESSOR] = "processor",
    [INSPECT_BATCHER] = "batcher",
    [INSPECT_SINK] = "sink"};

/* ---- partitions and queues ---- */

/* Below 0: it is not known. */
static double lag(const struct inspect_source *source)
{
    return (double)source->lag;
}

static double lag_seconds(const struct inspect_source *source)
{
    return source->behind_ms < 0 ? -1 : (double)source->behind_ms / 1e3;
}

static double open_messages(const struct inspect_source *source)
{
    return (double)source->open;
}

static double oldest_seconds(const struct inspect_source *source)
{
    return source->oldest.exists ? (double)source->oldest.oldest_us / 1e6 : 0;
}

static const struct source_gauge {
    struct metric metric;
    double (*read)(const struct inspect_source *source);
} source_gauges[] = {
    {{"weir_partition_lag_messages", METRIC_GAUGE,
      "Messages of a partition or queue that are still at the broker; absent "
      "while it is unknown."},
     lag},
    {{"weir_partition_lag_seconds", METRIC_GAUGE,
      "While there is a lag, how old the newest message is that was taken in, "
      "by its timestamp."},
     lag_seconds},
    {{"weir_partition_open_messages", METRIC_GAUGE,
      "Messages of a partition or queue that were taken in and are not "
      "settled."},
     open_messages},
    {{"weir_partition_oldest_seconds", METRIC_GAUGE,
      "For how long the message has been the oldest that holds a partition or "
      "queue; 0: none does."},
     oldest_seconds},
};

/* A queue has no number; that of the producer tells its consumers apart. */
static void tell_source(const struct teller *teller,
                        const struct source_gauge *gauge,
                        const struct inspect_source *source)
{
    const double value = gauge->read(source);
    char partition[NUMBER_SIZE], producer[NUMBER_SIZE];
    const struct metric_label labels[] = {
        {"source", source->name},
        {"partition", source->partition < 0 ? NULL : partition},
        {"producer", producer},
        {NULL, NULL}};

    (void)snprintf(partition, sizeof partition, "%d", source->partition);
    (void)snprintf(producer, sizeof producer, "%u", source->producer);
    if (value >= 0)
        teller_number(teller, &gauge->metric, labels, value);
}

/* Of a source that is there twice, since it was taken away and comes back, the
 * newer one is first. */
static int compare(const void *left, const void *right)
{
    const struct inspect_source *a = left, *b = right;
    const int by_name = strcmp(a->name, b->name);

    if (by_name != 0)
        return by_name;
    if (a->partition != b->partition)
        return a->partition < b->partition ? -1 : 1;
    if (a->producer != b->producer)
        return a->producer < b->producer ? -1 : 1;
    return (a->epoch < b->epoch) - (a->epoch > b->epoch);
}

static bool is_same(const struct inspect_source *a,
                    const struct inspect_source *b)
{
    return a->producer == b->producer && a->partition == b->partition &&
           strcmp(a->name, b->name) == 0;
}

static void tell_sources(const struct teller *teller,
                         const struct inspection *inspection)
{
    const struct inspect_source *sources = inspection->sources;
    const size_t gauges = sizeof source_gauges / sizeof source_gauges[0];

    if (inspection->source_count > 0)
        qsort(inspection->sources, inspection->source_count, sizeof *sources,
              compare);
    for (size_t g = 0; g < gauges; g++) {
        for (size_t i = 0; i < inspection->source_count; i++) {
            if (i == 0 || !is_same(&sources[i - 1], &sources[i]))
                tell_source(teller, &source_gauges[g], &sources[i]);
        }
    }
}

/* ---- mailboxes ---- */

static double share(uint64_t used, uint64_t limit)
{
    return limit > 0 ? (double)used / (double)limit : 0;
}

/* How full it is, by the limit that is nearest. */
static double fill(const struct inspect_mailbox *box)
{
    double most = share(box->messages, box->max_messages);
    const double batches = share(box->batches, box->max_batches);
    const double bytes = share(box->bytes, box->max_bytes);

    most = batches > most ? batches : most;
    return bytes > most ? bytes : most;
}

/* The workers of a sink have one each: they are added up. */
static void tell_mailboxes(const struct teller *teller,
                           const struct inspection *inspection,
                           enum mailbox_gauge gauge)
{
    for (size_t i = 0; i < inspection->mailbox_count;) {
        const struct inspect_mailbox *first = &inspection->mailboxes[i];
        const bool has_batcher = first->to != INSPECT_PROCESSOR;
        const struct metric_label labels[] = {
            {"stage", stages[first->to]},
            {"batcher",
             has_batcher ? inspection->batchers[first->batcher].name : NULL},
            {NULL, NULL}};
        double messages = 0, fullest = 0;

        for (; i < inspection->mailbox_count; i++) {
            const struct inspect_mailbox *box = &inspection->mailboxes[i];

            if (box->to != first->to || box->batcher != first->batcher)
                break;
            messages += box->messages;
            fullest = fill(box) > fullest ? fill(box) : fullest;
        }
        teller_number(teller, &mailbox_gauges[gauge], labels,
                      gauge == MAILBOX_MESSAGES ? messages : fullest);
    }
}

/* ---- stages ---- */

static double in_hand(const struct inspection *inspection,
                      enum inspect_stage stage, size_t batcher)
{
    double sum = 0;

    if (stage == INSPECT_BATCHER)
        return inspection->batchers[batcher].open_messages;
    for (size_t i = 0; i < inspection->worker_count; i++) {
        const struct inspect_worker *worker = &inspection->workers[i];

        if (worker->stage == stage &&
            (stage == INSPECT_PROCESSOR || worker->batcher == batcher))
            sum += worker->in_hand;
    }
    return sum;
}

static void tell_stage(const struct teller *teller,
                       const struct inspection *inspection,
                       enum inspect_stage stage, size_t batcher)
{
    static const struct metric metric = {
        "weir_stage_messages", METRIC_GAUGE,
        "Messages that a stage's workers have in hand, or a batcher in open "
        "batches."};
    const struct metric_label labels[] = {
        {"stage", stages[stage]},
        {"batcher", stage == INSPECT_PROCESSOR
                        ? NULL
                        : inspection->batchers[batcher].name},
        {NULL, NULL}};

    teller_number(teller, &metric, labels, in_hand(inspection, stage, batcher));
}

void metrics_inspection(const struct teller *teller,
                        const struct inspection *inspection)
{
    static const struct metric used = {
        "weir_messages_memory_bytes", METRIC_GAUGE,
        "Memory of the messages that are in flight."};
    static const struct metric limit = {
        "weir_messages_memory_limit_bytes", METRIC_GAUGE,
        "The part of `memory` that messages in flight may have."};
    static const struct metric backoff = {
        "weir_messages_in_backoff", METRIC_GAUGE,
        "Messages, or in ordered modes lanes, that wait to be tried again."};

    teller_number(teller, &used, NULL, (double)inspection->memory_used);
    teller_number(teller, &limit, NULL, (double)inspection->memory_limit);
    teller_number(teller, &backoff, NULL, inspection->in_backoff);
    tell_sources(teller, inspection);
    tell_mailboxes(teller, inspection, MAILBOX_MESSAGES);
    tell_mailboxes(teller, inspection, MAILBOX_FILL);
    tell_stage(teller, inspection, INSPECT_PROCESSOR, 0);
    for (size_t i = 0; i < inspection->batcher_count; i++) {
        tell_stage(teller, inspection, INSPECT_BATCHER, i);
        tell_stage(teller, inspection, INSPECT_SINK, i);
    }
}
