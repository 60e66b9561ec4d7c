/*
 * inspect.c - what a pipeline is doing now: for people and tools.
 *
 *     producers    ledger, limit, trouble, survey of their sources
 *     workers      slots (what is in hand), watch.c's time of each callback
 *     batchers     open batches, as of their last round
 *     mailboxes    under their locks, for the length of a look
 *
 * Nothing here asks a stage and waits for its answer: one that is stuck is what
 * the question is about.
 *
 * Threads: any.
 */
#include "inspect.h"

#include <stdlib.h>

#include <stdio.h>
#include <string.h>

#include "assembly.h"
#include "clock.h"
#include "dead_letter.h"

enum { SOURCE_ROOM = 16 };

static const char *const limits[PRODUCER_LIMIT_COUNT] = {
    [PRODUCER_FULL] = "full",    [PRODUCER_MEMORY] = "memory",
    [PRODUCER_FLOOD] = "flood",  [PRODUCER_RATE] = "rate",
    [PRODUCER_DRAINS] = "drain", [PRODUCER_PAUSED] = "paused"};

static const char *const holds[SOURCE_HOLD_COUNT] = {[SOURCE_WAITS] = "waiting",
                                                     [SOURCE_MEMORY] = "memory",
                                                     [SOURCE_WINDOW] = "window",
                                                     [SOURCE_DRAINS] = "drain"};

static const char *const places[WHERE_COUNT] = {
    [WHERE_QUEUE] = "queue",     [WHERE_HANDLER] = "handler",
    [WHERE_RETRY] = "retry",     [WHERE_REQUEUE] = "requeue",
    [WHERE_BATCHER] = "batcher", [WHERE_LETTERS] = "batcher",
    [WHERE_SINK] = "sink",       [WHERE_SINK_RETRY] = "sink_retry",
    [WHERE_GHOST] = "settled",   [WHERE_MOVED] = "queue"};

static void read_cause(struct cause *cause, struct inspect_trouble *trouble)
{
    trouble->wall_ms = cause_read(cause, trouble->text, sizeof trouble->text);
}

/* ---- sources ---- */

static void look_at_producer(struct producer *producer,
                             struct inspect_producer *to)
{
    to->is_connected =
        atomic_load_explicit(&producer->is_open, memory_order_relaxed);
    to->is_at_end =
        atomic_load_explicit(&producer->is_at_end, memory_order_relaxed);
    to->limit =
        limits[atomic_load_explicit(&producer->limit, memory_order_relaxed)];
    intake_ledger(&producer->intake, &to->ledger);
    read_cause(&producer->cause, &to->trouble);
}

static const char *batcher_of(const struct pipeline *pipeline,
                              const struct whereabouts *at)
{
    const unsigned letters = pipeline->batcher_count - 1;

    switch (at->where) {
    case WHERE_LETTERS:
        return pipeline->batchers[letters].config.name;
    case WHERE_BATCHER:
    case WHERE_SINK:
    case WHERE_SINK_RETRY:
        return at->batcher < pipeline->batcher_count
                   ? pipeline->batchers[at->batcher].config.name
                   : NULL;
    default:
        return NULL;
    }
}

static void copy_oldest(const struct pipeline *pipeline,
                        const struct source_oldest *from,
                        struct inspect_oldest *to)
{
    to->exists = from->exists;
    if (!from->exists)
        return;
    to->position = from->position;
    to->where = places[from->at.where];
    to->batcher = batcher_of(pipeline, &from->at);
    to->worker = from->at.worker;
    to->attempt = from->at.attempt;
    to->there_us = from->in_stage_us;
    to->oldest_us = from->oldest_us;
    (void)snprintf(to->why, sizeof to->why, "%s", from->why);
}

static int64_t behind_ms(const struct source_report *report, int64_t wall_ms)
{
    if (report->lag <= 0)
        return report->lag;
    if (report->newest_ms < 0)
        return -1;
    return wall_ms > report->newest_ms ? wall_ms - report->newest_ms : 0;
}

static struct inspect_source copy_source(const struct pipeline *pipeline,
                                         const struct source_report *report,
                                         unsigned producer)
{
    struct inspect_source source = {
        .producer = producer,
        .name = report->name,
        .partition = report->partition,
        .epoch = report->epoch,
        .facts = report->facts,
        .lag = report->lag,
        .behind_ms = behind_ms(report, clock_wall_ms()),
        .open = report->open,
        .open_bytes = report->open_bytes,
        .waiting = report->waiting,
        .hold = holds[report->hold],
    };

    copy_oldest(pipeline, &report->oldest, &source.oldest);
    return source;
}

/* A few more may have begun since they were counted: then there is room. */
static enum weir_status read_sources(struct survey *survey,
                                     struct source_report **ret_reports,
                                     size_t *ret_count)
{
    const size_t room = survey_read(survey, NULL, 0) + SOURCE_ROOM;
    struct source_report *reports = calloc(room, sizeof *reports);
    size_t count;

    if (!reports)
        return WEIR_RETRY;
    count = survey_read(survey, reports, room);
    *ret_count = count < room ? count : room;
    *ret_reports = reports;
    return WEIR_OK;
}

static enum weir_status add_sources(struct pipeline *pipeline,
                                    unsigned producer,
                                    struct inspection *inspection)
{
    struct survey *survey = &pipeline->producers[producer].intake.survey;
    struct source_report *reports = NULL;
    struct inspect_source *sources;
    size_t count = 0;

    if (read_sources(survey, &reports, &count) != WEIR_OK)
        return WEIR_RETRY;
    sources = realloc(inspection->sources,
                      (inspection->source_count + count + 1) * sizeof *sources);
    if (!sources) {
        free(reports);
        return WEIR_RETRY;
    }
    inspection->sources = sources;
    for (size_t i = 0; i < count; i++)
        sources[inspection->source_count++] =
            copy_source(pipeline, &reports[i], producer);
    free(reports);
    return WEIR_OK;
}

/* ---- workers ---- */

static void look_at_slot(const struct slot *slot, const struct watched *watched,
                         struct inspect_worker *to)
{
    /* Partner: slot_enter(). */
    const struct origin *origin =
        atomic_load_explicit(&slot->origin, memory_order_acquire);
    const uint64_t serial =
        atomic_load_explicit(&slot->serial, memory_order_relaxed);

    to->in_hand = atomic_load_explicit(&slot->held, memory_order_relaxed);
    if (!origin)
        return;
    to->name = origin->topic;
    to->partition = origin->partition;
    to->position = atomic_load_explicit(&slot->position, memory_order_relaxed);
    /* Partner: watch.c. */
    if (atomic_load_explicit(&watched->shown_serial, memory_order_acquire) ==
        serial)
        to->for_us =
            clock_now_us() -
            atomic_load_explicit(&watched->since_us, memory_order_relaxed);
}

static void look_at_processor(const struct processor *processor,
                              const struct watched *watched,
                              struct inspect_worker *to)
{
    *to = (struct inspect_worker){.stage = INSPECT_PROCESSOR,
                                  .index = processor->worker.index};
    to->is_over =
        atomic_load_explicit(&processor->is_over, memory_order_relaxed);
    look_at_slot(&processor->runner.slot, watched, to);
}

static void look_at_sink(struct sink *sink, const struct watched *watched,
                         struct inspect_worker *to)
{
    const int64_t down_us =
        atomic_load_explicit(&sink->down_us, memory_order_relaxed);

    *to = (struct inspect_worker){.stage = INSPECT_SINK,
                                  .batcher = sink->config.batcher_index,
                                  .index = sink->config.worker.index};
    to->is_over = atomic_load_explicit(&sink->is_over, memory_order_relaxed);
    to->is_connected =
        atomic_load_explicit(&sink->is_connected, memory_order_relaxed);
    to->down_us = down_us > 0 ? clock_now_us() - down_us : 0;
    to->retrying = atomic_load_explicit(&sink->retrying, memory_order_relaxed);
    read_cause(&sink->cause, &to->trouble);
    look_at_slot(&sink->runner.slot, watched, to);
}

static void look_at_workers(struct pipeline *pipeline,
                            struct inspection *inspection)
{
    struct inspect_worker *to = inspection->workers;
    const struct watched *watched = pipeline->watched;

    for (unsigned i = 0; i < pipeline->processor_count; i++)
        look_at_processor(&pipeline->processors[i], watched++, to++);
    for (unsigned i = 0; i < pipeline->sink_count; i++)
        look_at_sink(&pipeline->sinks[i], watched++, to++);
    inspection->worker_count = (size_t)(to - inspection->workers);
}

/* ---- batchers and mailboxes ---- */

static void look_at_batcher(const struct batcher *batcher,
                            struct inspect_batcher *to)
{
    const int64_t oldest_us =
        atomic_load_explicit(&batcher->shown_oldest_us, memory_order_relaxed);

    *to = (struct inspect_batcher){.name = batcher->config.name};
    to->open_batches =
        atomic_load_explicit(&batcher->shown_batches, memory_order_relaxed);
    to->open_messages =
        atomic_load_explicit(&batcher->shown_messages, memory_order_relaxed);
    to->oldest_us = oldest_us > 0 ? clock_now_us() - oldest_us : 0;
    to->is_blocked =
        atomic_load_explicit(&batcher->is_blocked, memory_order_relaxed);
}

static struct inspect_mailbox look_at_box(struct mailbox *box)
{
    struct mailbox_view view;

    mailbox_look(box, &view);
    return (struct inspect_mailbox){
        .messages = view.messages,
        .max_messages = view.max_messages,
        .batches = view.letters,
        .max_batches = view.max_letters,
        .bytes = view.bytes,
        .max_bytes = view.max_bytes,
        .has_waiting_readers = view.readers > 0,
        .has_waiting_writers = view.writers > 0,
    };
}

static void add_box(struct inspection *inspection,
                    const struct inspect_mailbox *box)
{
    inspection->mailboxes[inspection->mailbox_count++] = *box;
}

static void look_at_queue(struct pipeline *pipeline,
                          struct inspection *inspection)
{
    const struct topology_processors *from = &pipeline->topology->processors;
    struct inspect_mailbox box = {.from = INSPECT_PRODUCER,
                                  .to = INSPECT_PROCESSOR,
                                  .max_messages =
                                      from->concurrency * from->max_demand};
    struct ready_view view;

    ready_look(pipeline->ready, &view);
    box.messages = view.waiting;
    box.has_waiting_readers = view.asleep > 0;
    for (size_t i = 0; i < inspection->producer_count; i++)
        box.has_waiting_writers |=
            inspection->producers[i].limit == limits[PRODUCER_FULL];
    inspection->in_backoff = view.delayed + view.held_lanes;
    add_box(inspection, &box);
}

static void look_at_boxes_of(struct batcher *batcher, unsigned index,
                             struct inspection *inspection)
{
    struct inspect_mailbox box = look_at_box(&batcher->inbox);

    box.from = INSPECT_PROCESSOR;
    box.to = INSPECT_BATCHER;
    box.batcher = index;
    box.batches = 0; /* spans of messages */
    add_box(inspection, &box);
    for (unsigned i = 0; i < batcher->box_count; i++) {
        box = look_at_box(&batcher->boxes[i]);
        box.from = INSPECT_BATCHER;
        box.to = INSPECT_SINK;
        box.batcher = index;
        box.worker = i;
        box.has_waiting_writers = inspection->batchers[index].is_blocked &&
                                  box.batches >= box.max_batches;
        add_box(inspection, &box);
    }
}

static void look_at_mailboxes(struct pipeline *pipeline,
                              struct inspection *inspection)
{
    look_at_queue(pipeline, inspection);
    for (unsigned i = 0; i < pipeline->batcher_count; i++) {
        look_at_batcher(&pipeline->batchers[i], &inspection->batchers[i]);
        look_at_boxes_of(&pipeline->batchers[i], i, inspection);
    }
    inspection->batcher_count = pipeline->batcher_count;
}

/* ---- all of it ---- */

static enum weir_status copy_failures(struct pipeline *pipeline,
                                      struct inspection *inspection)
{
    struct recent_failure *recent = calloc(RECENT_COUNT, sizeof *recent);
    size_t count;

    _Static_assert((int)INSPECT_FAILURES == (int)RECENT_COUNT,
                   "as many as are kept");
    if (!recent)
        return WEIR_RETRY;
    count = recent_read(&pipeline->run.recent, recent);
    for (size_t i = 0; i < count; i++) {
        struct inspect_failure *to = &inspection->failures[i];

        *to = (struct inspect_failure){
            .number = recent[i].number,
            .wall_ms = recent[i].wall_ms,
            .name = recent[i].origin->topic,
            .partition = recent[i].origin->partition,
            .position = recent[i].position,
            .attempt = recent[i].attempt,
            .code = dead_letter_code(recent[i].code),
            .stage = recent[i].stage,
        };
        memcpy(to->reason, recent[i].reason, sizeof to->reason);
    }
    inspection->failure_count = count;
    free(recent);
    return WEIR_OK;
}

static size_t boxes_of(const struct pipeline *pipeline)
{
    size_t count = 1;

    for (unsigned i = 0; i < pipeline->batcher_count; i++)
        count += 1 + pipeline->batchers[i].box_count;
    return count;
}

static enum weir_status make_room(const struct pipeline *pipeline,
                                  struct inspection *inspection)
{
    const size_t workers =
        (size_t)pipeline->processor_count + pipeline->sink_count;

    inspection->producers =
        calloc(pipeline->producer_count + 1, sizeof *inspection->producers);
    inspection->workers = calloc(workers + 1, sizeof *inspection->workers);
    inspection->batchers =
        calloc(pipeline->batcher_count + 1, sizeof *inspection->batchers);
    inspection->mailboxes =
        calloc(boxes_of(pipeline), sizeof *inspection->mailboxes);
    return inspection->producers && inspection->workers &&
                   inspection->batchers && inspection->mailboxes
               ? WEIR_OK
               : WEIR_RETRY;
}

static enum weir_status look(struct pipeline *pipeline,
                             struct inspection *inspection)
{
    const struct budget *budget = &pipeline->run.budget;

    inspection->name = pipeline->topology->name;
    inspection->wall_ms = clock_wall_ms();
    inspection->memory_used =
        atomic_load_explicit(&budget->used, memory_order_relaxed);
    inspection->memory_limit = budget->limit;
    for (unsigned i = 0; i < pipeline->producer_count; i++) {
        look_at_producer(&pipeline->producers[i], &inspection->producers[i]);
        if (add_sources(pipeline, i, inspection) != WEIR_OK)
            return WEIR_RETRY;
    }
    inspection->producer_count = pipeline->producer_count;
    look_at_workers(pipeline, inspection);
    look_at_mailboxes(pipeline, inspection);
    pipeline_stats(pipeline, &inspection->stats);
    return copy_failures(pipeline, inspection);
}

enum weir_status pipeline_inspect(struct pipeline *pipeline,
                                  struct inspection **ret_inspection)
{
    struct inspection *inspection = calloc(1, sizeof *inspection);

    if (!inspection || make_room(pipeline, inspection) != WEIR_OK ||
        look(pipeline, inspection) != WEIR_OK) {
        inspection_destroy(inspection);
        return WEIR_RETRY;
    }
    *ret_inspection = inspection;
    return WEIR_OK;
}

void inspection_destroy(struct inspection *inspection)
{
    if (!inspection)
        return;
    free(inspection->producers);
    free(inspection->sources);
    free(inspection->workers);
    free(inspection->batchers);
    free(inspection->mailboxes);
    free(inspection);
}
