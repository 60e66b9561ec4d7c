/*
 * topology_share.c - every connector instance gets its part of the topology.
 *
 * Memory: one half is for what clients buffer, the other for messages in
 * flight.  Where a sink has a client that keeps copies, the first half is
 * divided once more: a quarter for the producers, a quarter for the sinks.
 *
 *     in_flight = sum over batchers of
 *                     batch_size * concurrency * (max_in_flight + 1)
 *                 + 64 for each processor
 *
 * (`dead_letter` is not counted: it is not meant to be busy)
 * is what keeps every batch (those under way, and the one that fills) and every
 * worker busy; a producer that is pushed to asks for no more.
 *
 * A connector's check() sees its first instance, once, when its own options
 * are sound; so what it refuses isn't a consequence of another error there.
 *
 * Threads: none; the loader's.
 */
#include "topology_build.h"

#include <limits.h>
#include <string.h>

#define FOREVER_US (INT64_C(1000000) * 86400 * 365)

enum { CHUNK_MESSAGES = 64 };

static unsigned count_in_flight(const struct topology *topology)
{
    uint64_t count =
        (uint64_t)CHUNK_MESSAGES * topology->processors.concurrency;

    for (size_t i = 0; i < topology_routable(topology); i++) {
        const struct topology_batcher *batcher = &topology->batchers[i];

        count += (uint64_t)batcher->batch_size * batcher->concurrency *
                 (batcher->max_in_flight + 1);
    }
    return count < UINT_MAX ? (unsigned)count : UINT_MAX;
}

static unsigned largest_batch(const struct topology *topology)
{
    unsigned largest = 0;

    for (size_t i = 0; i < topology->batcher_count; i++) {
        if (topology->batchers[i].batch_size > largest)
            largest = topology->batchers[i].batch_size;
    }
    return largest;
}

/* All attempts as slow as they may be, of the handler and of the delivery. */
static int64_t longest_us(const struct topology *topology)
{
    const struct topology_failure *failure = &topology->failure;
    int64_t step = failure->backoff_min_us, total = 0;

    for (unsigned i = 1; i < failure->attempts && total < FOREVER_US; i++) {
        total += 2 * step;
        step = 2 * step < failure->backoff_max_us ? 2 * step
                                                  : failure->backoff_max_us;
    }
    for (unsigned i = 0; i < failure->attempts && total < FOREVER_US; i++)
        total += topology->processors.timeout_us;
    return total;
}

static struct weir_share common_share(const struct topology *topology)
{
    return (struct weir_share){
        .pipeline = topology->name,
        .count = 1,
        .max_message_bytes = topology->producer.max_message_bytes,
        .in_flight = count_in_flight(topology),
        .largest_batch = largest_batch(topology),
        .ordering = topology->processors.ordering,
        .ordering_key = topology->processors.ordering_key,
        .policy = topology->failure.then,
        .held_us = longest_us(topology),
        .requeue_breaks_order = topology->processors.requeue_breaks_order,
        .until_end = topology->until_end,
        .workers = topology->processors.concurrency,
    };
}

/* One copy per instance; NULL when out of memory. */
static struct weir_settings **make_instances(const struct build *build,
                                             const struct weir_settings *from,
                                             struct weir_share share,
                                             unsigned count)
{
    struct storage *storage = build->reader.storage;
    struct weir_settings **instances =
        storage_alloc(storage, count * sizeof(void *));

    share.count = count;
    for (unsigned i = 0; instances && i < count; i++) {
        share.index = i;
        instances[i] = settings_clone(storage, from, &share);
        if (!instances[i])
            return NULL;
    }
    return instances;
}

static void call_check(const struct build *build,
                       const struct build_connector *connector,
                       void (*check)(const struct weir_settings *settings),
                       struct weir_settings *first)
{
    if (!check || !connector->is_sound)
        return;
    first->root->report = build->reader.report;
    check(first);
    first->root->report = NULL;
}

/* Of sinks with a client. */
static unsigned count_clients(const struct topology *topology)
{
    unsigned count = 0;

    for (size_t i = 0; i < topology->batcher_count; i++) {
        if (topology->batchers[i].sink &&
            topology->batchers[i].sink->has_client)
            count += topology->batchers[i].concurrency;
    }
    return count;
}

static void share_producer(struct build *build, struct weir_share share)
{
    struct topology_producer *producer = &build->topology->producer;

    if (!build->connector.settings)
        return;
    share.memory = build->topology->memory /
                   (count_clients(build->topology) > 0 ? 4 : 2) /
                   producer->concurrency;
    producer->settings = make_instances(build, build->connector.settings, share,
                                        producer->concurrency);
    if (producer->settings)
        call_check(build, &build->connector, producer->ops->check,
                   producer->settings[0]);
}

static void share_batcher(struct build *build, size_t index,
                          struct weir_share share)
{
    struct topology_batcher *batcher = &build->topology->batchers[index];
    const struct build_batcher *made = &build->batchers[index];

    if (!made->sink.settings)
        return;
    const size_t clients = count_clients(build->topology);

    if (batcher->sink->has_client && clients > 0)
        share.memory = build->topology->memory / 4 / clients;
    share.open_batches = batcher->max_in_flight;
    batcher->settings =
        make_instances(build, made->sink.settings, share, batcher->concurrency);
    if (batcher->settings)
        call_check(build, &made->sink, batcher->sink->check,
                   batcher->settings[0]);
}

/* What failed once would fail for ever. */
static void check_loop(const struct build *build)
{
    const struct topology *topology = build->topology;
    const struct weir_producer_ops *producer = topology->producer.ops;
    const size_t last = topology->batcher_count - 1;
    const struct topology_batcher *batcher;

    if (!topology->has_dead_letter || !producer || !producer->reads)
        return;
    batcher = &topology->batchers[last];
    if (!batcher->settings || !topology->producer.settings ||
        strcmp(batcher->sink->name, producer->name) != 0 ||
        !build->batchers[last].sink.is_sound || !build->connector.is_sound)
        return;
    if (producer->reads(topology->producer.settings[0], batcher->settings[0]))
        report_value(build->reader.report,
                     build->batchers[last].sink.settings->node,
                     "the producer reads what is written here: a dead letter "
                     "would come back and fail again, for ever");
}

static void share_handler(struct build *build, struct weir_share share)
{
    struct topology_handler *handler = &build->topology->processors.handler;

    if (!handler->options)
        return;
    share.count = build->topology->processors.concurrency;
    handler->options =
        settings_clone(build->reader.storage, handler->options, &share);
}

void build_shares(struct build *build)
{
    const struct weir_share share = common_share(build->topology);

    if (storage_is_exhausted(build->reader.storage))
        return;
    share_producer(build, share);
    for (size_t i = 0; i < build->topology->batcher_count; i++)
        share_batcher(build, i, share);
    check_loop(build);
    share_handler(build, share);
}
