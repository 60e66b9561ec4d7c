/*
 * assembly.c - the stages of one run, made from a topology.
 *
 *     producers --> ready queue --> processors --> batchers --> sinks
 *
 * Each is made after what it is given: a sink after its batcher, whose box it
 * empties, a processor after all batchers, whose inboxes it fills.  Everything
 * is there before the first thread is.
 *
 * Threads: the one that makes and frees the pipeline.
 */
#include "assembly.h"

#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "journal.h"

static void poke(void *opaque)
{
    struct pipeline *pipeline = opaque;

    for (unsigned i = 0; i < pipeline->batcher_count; i++)
        batcher_poke(&pipeline->batchers[i]);
    for (unsigned i = 0; i < pipeline->sink_count; i++)
        sink_poke(&pipeline->sinks[i]);
}

static void has_room(void *opaque)
{
    batcher_has_room(opaque);
}

/* What a handler may choose for a message: no more than the topology could. */
static unsigned policies_of(const struct topology *topology)
{
    const struct topology_processors *processors = &topology->processors;
    const unsigned requeues = WEIR_POLICY_BIT(WEIR_POLICY_REQUEUE) |
                              WEIR_POLICY_BIT(WEIR_POLICY_REQUEUE_ONCE);
    unsigned policies = topology->producer.ops->policies;

    policies &= ~WEIR_POLICY_BIT(WEIR_POLICY_DEAD_LETTER); /* no connector's */
    if (topology->has_dead_letter)
        policies |= WEIR_POLICY_BIT(WEIR_POLICY_DEAD_LETTER);
    if (topology->until_end || (processors->ordering != WEIR_ORDERING_NONE &&
                                !processors->requeue_breaks_order))
        policies &= ~requeues;
    return policies;
}

static void init_rate(struct pipeline *pipeline,
                      const struct topology_producer *from)
{
    const struct rate_limit limit = {
        .messages = from->rate_limit.messages,
        .bytes = from->rate_limit.bytes,
        .interval_us = from->rate_limit.interval_us,
    };

    rate_init(&pipeline->rate, from->concurrency, &limit);
}

static void init_run(struct pipeline *pipeline)
{
    const struct topology *topology = pipeline->topology;
    const struct topology_failure *failure = &topology->failure;
    struct run *run = &pipeline->run;

    run->name = topology->name;
    run->source = topology->producer.ops->name;
    if (gethostname(run->host, sizeof run->host - 1) != 0)
        run->host[0] = '\0';
    run->ordering = topology->processors.ordering;
    run->policy = failure->then;
    run->policies = policies_of(topology);
    run->max_message_bytes = topology->producer.max_message_bytes;
    run->is_strict = getenv("WEIR_STRICT") != NULL;
    run->budget.limit = topology->memory / 2;
    recent_init(&run->recent);
    tap_init(&run->tap);
    flood_init(&run->flood, &(struct flood_limit){failure->stop_percent,
                                                  failure->stop_over_us});
    run->home_count = topology->producer.concurrency;
    run->poke = poke;
    run->changed = pipeline_changed;
    run->end = pipeline_end;
    run->replace = pipeline_replace;
    run->poke_opaque = pipeline;
    run->changed_opaque = pipeline;
    run->end_opaque = pipeline;
    supervision_init(&pipeline->supervision, topology->max_restarts,
                     topology->restart_window_us);
    init_rate(pipeline, &topology->producer);
}

static enum weir_status init_producers(struct pipeline *pipeline)
{
    const struct topology_producer *from = &pipeline->topology->producer;

    pipeline->producers =
        calloc(from->concurrency, sizeof *pipeline->producers);
    if (!pipeline->producers)
        return WEIR_RETRY;
    pipeline->producer_count = from->concurrency;
    for (unsigned i = 0; i < from->concurrency; i++) {
        const struct producer_config config = {
            .run = &pipeline->run,
            .ready = pipeline->ready,
            .ops = from->ops,
            .settings = from->settings[i],
            .ordering_key = pipeline->ordering_key,
            .rate = &pipeline->rate,
            .index = i,
        };

        if (producer_init(&pipeline->producers[i], &config) != WEIR_OK)
            return WEIR_RETRY;
    }
    return WEIR_OK;
}

static enum weir_status init_batchers(struct pipeline *pipeline)
{
    const struct topology *topology = pipeline->topology;
    const struct topology_processors *processors = &topology->processors;
    const size_t count = topology->batcher_count;

    pipeline->batchers = calloc(count + 1, sizeof *pipeline->batchers);
    pipeline->outlets = calloc(count + 1, sizeof *pipeline->outlets);
    if (!pipeline->batchers || !pipeline->outlets)
        return WEIR_RETRY;
    for (size_t i = 0; i < count; i++) {
        const struct topology_batcher *from = &topology->batchers[i];
        const struct batcher_config config = {
            .run = &pipeline->run,
            .name = from->name,
            .index = (unsigned)i,
            .workers = from->concurrency,
            .inbox_messages = processors->concurrency * processors->max_demand,
            .inbox_bytes = pipeline->run.budget.limit / 4,
        };

        pipeline->batcher_count++;
        if (batcher_init(&pipeline->batchers[i], &config) != WEIR_OK)
            return WEIR_RETRY;
        pipeline->outlets[i].name = from->name;
        pipeline->outlets[i].box = &pipeline->batchers[i].inbox;
    }
    return WEIR_OK;
}

/* For what a worker has in handle_batch(), or in handle_failed(), at once; the
 * processors have one each. */
static unsigned journal_places(const struct pipeline *pipeline, size_t batcher)
{
    const struct topology *topology = pipeline->topology;
    const struct topology_batcher *from = &topology->batchers[batcher];
    const unsigned left = JOURNAL_PLACES - topology->processors.concurrency -
                          pipeline->journal_places;
    unsigned places = 1;

    if (!from->sink)
        places = (from->batch_size + JOURNAL_AT_ONCE - 1) / JOURNAL_AT_ONCE;
    else if (batcher == topology_routable(topology))
        places = 0; /* dead letters have failed already */
    return places < left ? places : left;
}

static enum weir_status init_sink(struct pipeline *pipeline, size_t batcher,
                                  unsigned worker)
{
    const struct topology *topology = pipeline->topology;
    const struct topology_batcher *from = &topology->batchers[batcher];
    struct batcher *feeder = &pipeline->batchers[batcher];
    const bool is_dead_letter = batcher == topology_routable(topology);
    const struct sink_config config = {
        .run = &pipeline->run,
        .ready = pipeline->ready,
        .batcher = from->name,
        .batcher_index = (unsigned)batcher,
        .box = &feeder->boxes[feeder->box_count > 1 ? worker : 0],
        .has_room = has_room,
        .has_room_opaque = feeder,
        .ops = from->sink,
        .settings = from->sink ? from->settings[worker] : NULL,
        .handler = pipeline->options.handler,
        .options = topology->processors.handler.options,
        .worker = {from->name, worker, from->concurrency},
        .max_in_flight = from->max_in_flight,
        .letters = topology->has_dead_letter && !is_dead_letter
                       ? &pipeline->batchers[topology->batcher_count - 1].inbox
                       : NULL,
        .is_dead_letter = is_dead_letter,
        .place = topology->processors.concurrency + pipeline->journal_places,
        .places = journal_places(pipeline, batcher),
        .started = pipeline_changed,
        .opaque = pipeline,
    };

    pipeline->journal_places += config.places;
    return sink_init(&pipeline->sinks[pipeline->sink_count++], &config);
}

static enum weir_status init_sinks(struct pipeline *pipeline)
{
    const struct topology *topology = pipeline->topology;
    unsigned count = 0;

    for (size_t i = 0; i < topology->batcher_count; i++)
        count += topology->batchers[i].concurrency;
    pipeline->sinks = calloc(count + 1, sizeof *pipeline->sinks);
    if (!pipeline->sinks)
        return WEIR_RETRY;
    for (size_t i = 0; i < topology->batcher_count; i++) {
        for (unsigned w = 0; w < topology->batchers[i].concurrency; w++) {
            if (init_sink(pipeline, i, w) != WEIR_OK)
                return WEIR_RETRY;
        }
    }
    return WEIR_OK;
}

static enum weir_status init_processors(struct pipeline *pipeline)
{
    const struct topology_processors *from = &pipeline->topology->processors;

    pipeline->processors =
        calloc(from->concurrency, sizeof *pipeline->processors);
    if (!pipeline->processors)
        return WEIR_RETRY;
    for (unsigned i = 0; i < from->concurrency; i++) {
        const struct processor_config config = {
            .run = &pipeline->run,
            .ready = pipeline->ready,
            .crew = &pipeline->crew,
            .outlets = pipeline->outlets,
            .outlet_count = topology_routable(pipeline->topology),
            .has_dead_letter = pipeline->topology->has_dead_letter,
            .handler = pipeline->options.handler,
            .options = from->handler.options,
            .worker = {NULL, i, from->concurrency},
            .started = pipeline_changed,
            .opaque = pipeline,
        };

        pipeline->processor_count++;
        if (processor_init(&pipeline->processors[i], &config) != WEIR_OK)
            return WEIR_RETRY;
    }
    return WEIR_OK;
}

static enum weir_status open_journal(struct pipeline *pipeline,
                                     struct weir_error *err)
{
    const struct topology *topology = pipeline->topology;
    const struct journal_config config = {
        .folder = topology->state,
        .pipeline = topology->name,
        .max_crashes = topology->failure.max_crashes,
    };

    return topology->state ? journal_open(&config, &pipeline->run.journal, err)
                           : WEIR_OK;
}

/* What stages look at from their init on. */
static enum weir_status init_values(struct pipeline *pipeline)
{
    const struct topology *topology = pipeline->topology;

    (void)pthread_mutex_init(&pipeline->lock, NULL);
    crew_init(&pipeline->crew, topology->processors.concurrency);
    pipeline->reloaded.generation = 1;
    pipeline->limits =
        calloc(topology->batcher_count + 1, sizeof *pipeline->limits);
    if (board_init(&pipeline->run.board, (unsigned)topology->batcher_count) !=
            WEIR_OK ||
        tuning_read(topology, &pipeline->tuning) != WEIR_OK ||
        !pipeline->limits)
        return WEIR_RETRY;
    change_post(pipeline);
    return WEIR_OK;
}

enum weir_status assembly_build(struct pipeline *pipeline,
                                struct weir_error *err)
{
    const struct topology_processors *from = &pipeline->topology->processors;
    const struct ready_limits limits = {.workers = from->concurrency,
                                        .max_demand = from->max_demand,
                                        .min_demand = from->min_demand};
    enum weir_status status = WEIR_OK;

    init_run(pipeline);
    if (init_values(pipeline) != WEIR_OK)
        status = weir_fail(err, WEIR_RETRY, "out of memory");
    pipeline->events = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (status == WEIR_OK && from->ordering_key)
        status =
            template_parse(from->ordering_key, &pipeline->ordering_key, err);
    if (status == WEIR_OK)
        status = open_journal(pipeline, err);
    if (status != WEIR_OK)
        return status;
    pipeline->ready = ready_create(&pipeline->run, &limits);
    if (pipeline->events < 0 || !pipeline->ready ||
        init_producers(pipeline) != WEIR_OK ||
        init_batchers(pipeline) != WEIR_OK || init_sinks(pipeline) != WEIR_OK ||
        init_processors(pipeline) != WEIR_OK)
        return weir_fail(err, WEIR_RETRY, "out of memory");
    pipeline->watched = calloc(pipeline->processor_count + pipeline->sink_count,
                               sizeof *pipeline->watched);
    return pipeline->watched ? WEIR_OK
                             : weir_fail(err, WEIR_RETRY, "out of memory");
}

void assembly_free(struct pipeline *pipeline)
{
    for (unsigned i = 0; i < pipeline->processor_count; i++)
        processor_finish(&pipeline->processors[i]);
    for (unsigned i = 0; i < pipeline->sink_count; i++)
        sink_finish(&pipeline->sinks[i]);
    for (unsigned i = 0; i < pipeline->batcher_count; i++)
        batcher_finish(&pipeline->batchers[i]);
    ready_destroy(pipeline->ready);
    crew_finish(&pipeline->crew);
    board_finish(&pipeline->run.board);
    tuning_finish(&pipeline->tuning);
    (void)pthread_mutex_destroy(&pipeline->lock);
    for (unsigned i = 0; i < pipeline->producer_count; i++)
        producer_finish(&pipeline->producers[i]);
    rate_finish(&pipeline->rate);
    template_destroy(pipeline->ordering_key);
    supervision_finish(&pipeline->supervision);
    recent_finish(&pipeline->run.recent);
    tap_finish(&pipeline->run.tap);
    journal_close(pipeline->run.journal);
    free(pipeline->limits);
    free(pipeline->watched);
    free(pipeline->processors);
    free(pipeline->sinks);
    free(pipeline->batchers);
    free(pipeline->outlets);
    free(pipeline->producers);
    if (pipeline->events >= 0)
        (void)close(pipeline->events);
    free(pipeline);
}
