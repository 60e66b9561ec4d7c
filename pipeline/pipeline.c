/*
 * pipeline.c - a topology that runs: stages, their threads, their end.
 *
 *     create    checks what the handler must have; takes no thread and no
 *               connection
 *     run       starts from the right to the left: sinks, batchers, processors;
 *               every handler's init() must be fine before anything connects;
 *               then the producers; watches; drains; balances the ledger
 *     destroy   frees everything, unless a thread is stuck in foreign code
 *
 * Threads: run() and destroy() on one; drain() and stats() on any.
 */
#include "pipeline.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "assembly.h"
#include "clock.h"
#include "hash.h"
#include "log.h"
#include "telemetry.h"

enum { TICK_US = 100 * 1000 };

/* ---- events ---- */

void pipeline_changed(void *opaque)
{
    struct pipeline *pipeline = opaque;
    const uint64_t one = 1;

    (void)!write(pipeline->events, &one, sizeof one);
}

static void tell_time(struct pipeline *pipeline)
{
    atomic_store_explicit(&pipeline->run.now_ms,
                          (uint32_t)(clock_now_us() / 1000),
                          memory_order_relaxed);
}

void pipeline_wait(struct pipeline *pipeline, int64_t deadline_us)
{
    struct pollfd events = {.fd = pipeline->events, .events = POLLIN};
    uint64_t count;

    if (poll(&events, 1, clock_until_ms(deadline_us, 1000)) > 0)
        (void)!read(pipeline->events, &count, sizeof count);
    tell_time(pipeline);
}

void pipeline_end(void *opaque, enum run_end end, const char *why)
{
    struct pipeline *pipeline = opaque;
    const unsigned bit = 1U << end;

    if (atomic_fetch_or_explicit(&pipeline->ends, bit, memory_order_acq_rel) &
        bit)
        return;
    log_write(end == RUN_END_ASKED ? WEIR_LOG_INFO : WEIR_LOG_ERROR,
              "%s: ending: %s", pipeline->topology->name, why);
    pipeline_changed(pipeline);
}

/* ---- making ---- */

static enum weir_status check_handler(const struct topology *topology,
                                      const struct weir_handler *handler,
                                      struct weir_error *err)
{
    for (size_t i = 0; i < topology->batcher_count; i++) {
        if (!topology->batchers[i].sink && !handler->handle_batch)
            return weir_fail(err, WEIR_REJECT,
                             "batchers.%s has no sink, and the handler %s has "
                             "no handle_batch: give it one of them",
                             topology->batchers[i].name, handler->name);
    }
    if (topology->producer.concurrency > RUN_MAX_HOMES)
        return weir_fail(err, WEIR_REJECT,
                         "producer.concurrency is %u, more than %d",
                         topology->producer.concurrency, RUN_MAX_HOMES);
    return WEIR_OK;
}

enum weir_status pipeline_create(const struct topology *topology,
                                 const struct pipeline_options *options,
                                 struct pipeline **ret_pipeline,
                                 struct weir_error *err)
{
    enum weir_status status = check_handler(topology, options->handler, err);
    struct pipeline *pipeline;

    if (status != WEIR_OK)
        return status;
    pipeline = calloc(1, sizeof *pipeline);
    if (!pipeline)
        return weir_fail(err, WEIR_RETRY, "out of memory");
    pipeline->topology = topology;
    pipeline->options = *options;
    status = assembly_build(pipeline, err);
    if (status != WEIR_OK) {
        assembly_free(pipeline);
        return status;
    }
    *ret_pipeline = pipeline;
    return WEIR_OK;
}

/* ---- running ---- */

static bool start_thread(struct pipeline *pipeline, pthread_t *thread,
                         void *(*main)(void *opaque), void *opaque,
                         const char *name)
{
    const int rc = pthread_create(thread, NULL, main, opaque);

    if (rc == 0) {
        (void)pthread_setname_np(*thread, name);
        return true;
    }
    log_write(WEIR_LOG_ERROR, "cannot start a thread: %s", strerror(rc));
    pipeline_end(pipeline, RUN_END_GAVE_UP, "cannot start a thread");
    return false;
}

static bool start_workers(struct pipeline *pipeline)
{
    for (unsigned i = 0; i < pipeline->sink_count; i++) {
        struct sink *sink = &pipeline->sinks[i];

        if (!start_thread(pipeline, &sink->thread, sink_main, sink,
                          "weir-sink"))
            return false;
        pipeline->sinks_up++;
    }
    for (unsigned i = 0; i < pipeline->batcher_count; i++) {
        struct batcher *batcher = &pipeline->batchers[i];

        if (!start_thread(pipeline, &batcher->thread, batcher_main, batcher,
                          "weir-batcher"))
            return false;
        pipeline->batchers_up++;
    }
    for (unsigned i = 0; i < pipeline->processor_count; i++) {
        struct processor *processor = &pipeline->processors[i];

        if (!start_thread(pipeline, &processor->thread, processor_main,
                          processor, "weir-processor"))
            return false;
        pipeline->processors_up++;
    }
    return true;
}

/* 0: some init() is under way, 1: all were fine, -1: one failed. */
static int start_state(struct pipeline *pipeline, const char **ret_why)
{
    int state = 1;

    for (unsigned i = 0; i < pipeline->processors_up + pipeline->sinks_up;
         i++) {
        const bool is_sink = i >= pipeline->processors_up;
        const unsigned at = is_sink ? i - pipeline->processors_up : i;
        /* Partner: the stores at the top of the workers' threads. */
        const int one =
            atomic_load_explicit(is_sink ? &pipeline->sinks[at].start
                                         : &pipeline->processors[at].start,
                                 memory_order_acquire);

        if (one < 0)
            *ret_why = is_sink ? pipeline->sinks[at].err.text
                               : pipeline->processors[at].err.text;
        state = one < state ? one : state;
    }
    return state;
}

/* False: an init() failed, or the run was ended before all were done. */
static bool wait_for_inits(struct pipeline *pipeline)
{
    const char *why = "";
    char text[400];
    int state = start_state(pipeline, &why);

    while (state == 0 && !atomic_load_explicit(&pipeline->is_drain_asked,
                                               memory_order_acquire)) {
        watch(pipeline);
        pipeline_wait(pipeline, clock_after_us(TICK_US));
        state = start_state(pipeline, &why);
    }
    if (state < 0) {
        (void)snprintf(text, sizeof text, "the handler %s can't start: %s",
                       pipeline->options.handler->name, why);
        pipeline_end(pipeline, RUN_END_INIT, text);
    }
    return state > 0;
}

static bool start_producers(struct pipeline *pipeline)
{
    atomic_store_explicit(&pipeline->run.is_started, true,
                          memory_order_release);
    for (unsigned i = 0; i < pipeline->sinks_up; i++)
        sink_wake(&pipeline->sinks[i]);
    for (unsigned i = 0; i < pipeline->producer_count; i++) {
        struct producer *producer = &pipeline->producers[i];

        if (!start_thread(pipeline, &producer->thread, producer_main, producer,
                          "weir-producer"))
            return false;
        pipeline->producers_up++;
    }
    return true;
}

static bool should_run(const struct pipeline *pipeline)
{
    return !atomic_load_explicit(&pipeline->is_drain_asked,
                                 memory_order_acquire) &&
           atomic_load_explicit(&pipeline->ends, memory_order_acquire) == 0;
}

static void join_all(struct pipeline *pipeline)
{
    for (unsigned i = 0; i < pipeline->processors_up; i++)
        (void)pthread_join(pipeline->processors[i].thread, NULL);
    for (unsigned i = 0; i < pipeline->batchers_up; i++)
        (void)pthread_join(pipeline->batchers[i].thread, NULL);
    for (unsigned i = 0; i < pipeline->sinks_up; i++)
        (void)pthread_join(pipeline->sinks[i].thread, NULL);
    for (unsigned i = 0; i < pipeline->producers_up; i++)
        (void)pthread_join(pipeline->producers[i].thread, NULL);
    for (unsigned i = 0; i < pipeline->producer_count; i++)
        producer_book_late(&pipeline->producers[i]);
}

void pipeline_ledger(const struct pipeline *pipeline,
                     struct weir_ledger *ret_ledger)
{
    *ret_ledger = (struct weir_ledger){0};
    for (unsigned i = 0; i < pipeline->producer_count; i++) {
        struct weir_ledger one;

        intake_ledger(&pipeline->producers[i].intake, &one);
        ret_ledger->received += one.received;
        ret_ledger->done += one.done;
        ret_ledger->rejected += one.rejected;
        ret_ledger->abandoned += one.abandoned;
        ret_ledger->in_flight += one.in_flight;
    }
}

/* True when every message that entered has ended, or is known to be in hands
 * that are stuck. */
static bool balances(struct pipeline *pipeline)
{
    struct weir_ledger ledger;
    char origin[160];

    pipeline_ledger(pipeline, &ledger);
    if (ledger.received == ledger.done + ledger.rejected + ledger.abandoned +
                               ledger.in_flight &&
        ledger.in_flight <= pipeline->left_in_hands)
        return true;
    for (unsigned i = 0; i < pipeline->producer_count; i++) {
        if (intake_name_open(&pipeline->producers[i].intake, origin,
                             sizeof origin))
            log_write(WEIR_LOG_ERROR,
                      "the ledger does not balance: %llu messages are open and "
                      "no stage has them, of %s",
                      (unsigned long long)ledger.in_flight, origin);
    }
    return false;
}

static int exit_code(struct pipeline *pipeline)
{
    struct weir_ledger ledger;
    const bool is_balanced = pipeline->is_stuck || balances(pipeline);

    pipeline_ledger(pipeline, &ledger);
    if (pipeline->is_late || pipeline->is_stuck)
        log_write(WEIR_LOG_WARNING,
                  "%s: the deadline passed; %llu messages of this run are left "
                  "to the broker",
                  pipeline->topology->name,
                  (unsigned long long)ledger.abandoned + ledger.in_flight);
    if (!is_balanced)
        return PIPELINE_EXIT_LEAK;
    if (pipeline_has_ended(pipeline, RUN_END_INIT))
        return PIPELINE_EXIT_CONFIG;
    if (pipeline_has_ended(pipeline, RUN_END_GAVE_UP))
        return PIPELINE_EXIT_GAVE_UP;
    if (pipeline_has_ended(pipeline, RUN_END_STOPPED))
        return PIPELINE_EXIT_STOPPED;
    if (pipeline_has_ended(pipeline, RUN_END_ABSENT))
        return PIPELINE_EXIT_ABSENT;
    if (pipeline->is_late || pipeline->is_stuck)
        return PIPELINE_EXIT_LATE;
    if (pipeline->topology->until_end &&
        !pipeline_has_ended(pipeline, RUN_END_ASKED))
        return PIPELINE_EXIT_LATE; /* interrupted before the end */
    return PIPELINE_EXIT_OK;
}

void pipeline_set_telemetry(struct pipeline *pipeline, unsigned kinds,
                            weir_telemetry_fn fn, void *opaque)
{
    pipeline->run.telemetry_kinds = fn ? kinds : 0;
    pipeline->run.telemetry = fn;
    pipeline->run.telemetry_opaque = opaque;
}

void pipeline_set_tracer(struct pipeline *pipeline,
                         const struct pipeline_tracer *tracer)
{
    const uint64_t words[] = {(uint64_t)clock_now_us(),
                              (uint64_t)clock_wall_ms(), (uint64_t)getpid()};
    uint64_t seed;

    /* What is chosen need not be secret, but others'. */
    if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) != (ssize_t)sizeof seed)
        seed = hash_bytes(words, sizeof words, 0);
    pipeline->run.tracer = (struct tracer){.take = tracer->take,
                                           .opaque = tracer->opaque,
                                           .seed = seed,
                                           .share = tracer->share};
}

int pipeline_run(struct pipeline *pipeline)
{
    const struct weir_telemetry_event event = {.kind = WEIR_TELEMETRY_TOPOLOGY};
    int64_t told_us;
    const struct log_place here = {.pipeline = pipeline->topology->name};
    const struct log_place nowhere = {0};
    int code;

    log_set_place(&here);
    told_us = telemetry_start(&pipeline->run, &event);
    pipeline->started_us = clock_now_us();
    tell_time(pipeline);
    if (start_workers(pipeline) && wait_for_inits(pipeline) &&
        should_run(pipeline) && start_producers(pipeline)) {
        while (should_run(pipeline)) {
            watch(pipeline);
            pipeline_wait(pipeline, clock_after_us(TICK_US));
        }
    }
    drain(pipeline);
    if (!pipeline->is_stuck)
        join_all(pipeline);
    watch_idle_batchers(pipeline);
    code = exit_code(pipeline);
    telemetry_stop(&pipeline->run, &event, told_us,
                   code == PIPELINE_EXIT_OK ? NULL : "the exit code is not 0");
    log_end();
    log_set_place(&nowhere);
    return code;
}

void pipeline_drain(struct pipeline *pipeline)
{
    atomic_store_explicit(&pipeline->is_drain_asked, true,
                          memory_order_release);
    pipeline_changed(pipeline);
}

enum weir_status pipeline_destroy(struct pipeline *pipeline)
{
    if (!pipeline)
        return WEIR_OK;
    if (pipeline->is_stuck) {
        if (!drain_again(pipeline))
            return WEIR_AGAIN;
        join_all(pipeline);
    }
    assembly_free(pipeline);
    return WEIR_OK;
}
