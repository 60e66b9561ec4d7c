/*
 * runner_thread.c - runs a handler on the worker's own thread.
 *
 * The fastest way, and an honest one: a crash in the handler ends the process,
 * as in any C program, and the broker delivers again.
 *
 * What a callback answers is checked here, once for all stages: an answer that
 * is none becomes WEIR_STATUS_COUNT, and a message whose change could not be
 * kept for lack of memory becomes a retry, whatever the handler said.
 *
 * Threads: one worker's.  `slot` is read by others.
 */
#include <sys/syscall.h>
#include <unistd.h>

#include "batch.h"
#include "log.h"
#include "runner_journal.h"
#include "telemetry.h"
#include "tracer.h"

void runner_init(struct runner *runner, struct run *run,
                 const struct weir_handler *handler,
                 const struct weir_settings *options)
{
    *runner = (struct runner){
        .handler = *handler, .options = options, .context = {.run = run}};
}

enum weir_status runner_start(struct runner *runner,
                              const struct weir_worker *worker,
                              struct weir_error *err)
{
    enum weir_status status = WEIR_OK;

    *err = (struct weir_error){0};
    runner->worker = worker->index;
    atomic_store_explicit(&runner->slot.tid, syscall(SYS_gettid),
                          memory_order_relaxed);
    if (runner_journal_start(runner, err) != WEIR_OK)
        return WEIR_FATAL;
    if (runner->handler.init)
        status =
            runner->handler.init(worker, runner->options, &runner->state, err);
    if (status == WEIR_OK) {
        runner->is_started = true;
        return WEIR_OK;
    }
    if (err->text[0] == '\0')
        (void)weir_fail(err, WEIR_FATAL, "init returned %d and gave no reason",
                        (int)status);
    return WEIR_FATAL;
}

void runner_stop(struct runner *runner)
{
    if (runner->is_started && runner->handler.terminate)
        runner->handler.terminate(runner->state);
    runner->is_started = false;
    runner_journal_stop(runner);
}

bool runner_may_begin(const struct run *run, const struct weir_message *msg)
{
    return message_epoch_state(msg) == EPOCH_LIVE &&
           !atomic_load_explicit(&run->is_abandoning, memory_order_relaxed);
}

static enum weir_status checked(struct runner *runner, enum weir_status status)
{
    const bool is_out = runner->context.is_out_of_memory;

    runner->context.is_out_of_memory = false;
    if ((status == WEIR_OK || status == WEIR_DONE) && is_out)
        return WEIR_RETRY;
    switch (status) {
    case WEIR_OK:
    case WEIR_DONE:
    case WEIR_RETRY:
    case WEIR_REJECT:
    case WEIR_FATAL:
        return status;
    default:
        return WEIR_STATUS_COUNT;
    }
}

static void note_nonsense(struct runner *runner, struct weir_message *msg,
                          const char *callback, int answer)
{
    message_set_reason(msg, &runner->context,
                       "%s returned %d, which is no answer", callback, answer);
}

static void has_it(const struct runner *runner, struct weir_message *msg,
                   uint32_t attempt)
{
    message_goes(runner->context.run, msg,
                 (struct whereabouts){.where = WHERE_HANDLER,
                                      .attempt = attempt,
                                      .worker = runner->worker});
}

static struct weir_telemetry_event event_of(const struct runner *runner,
                                            const struct weir_message *msg)
{
    return (struct weir_telemetry_event){.kind = WEIR_TELEMETRY_MESSAGE,
                                         .worker = runner->worker,
                                         .count = 1,
                                         .message = msg};
}

/* Apart from handle(), which must not pay for what nobody listens to. */
static int64_t tell_begun(const struct runner *runner,
                          const struct weir_message *msg)
{
    const struct weir_telemetry_event event = event_of(runner, msg);

    return telemetry_start(runner->context.run, &event);
}

static void tell_over(const struct runner *runner,
                      const struct weir_message *msg, enum weir_status status,
                      int64_t told_us, int64_t traced_us)
{
    const struct weir_telemetry_event event = event_of(runner, msg);
    const char *reason = status == WEIR_OK || status == WEIR_DONE
                             ? NULL
                             : weir_message_reason(msg);

    telemetry_stop(runner->context.run, &event, told_us, reason);
    if (traced_us > 0)
        tracer_handled(&runner->context.run->tracer, msg, runner->worker,
                       traced_us, reason);
}

static enum weir_status handle(struct runner *runner, struct weir_message *msg)
{
    const struct run *run = runner->context.run;
    enum weir_status answer, status;
    int64_t told_us = 0, traced_us;

    slot_enter(&runner->slot, msg);
    runner_journal_enter(runner, JOURNAL_MESSAGE, &msg, 1);
    msg->context = &runner->context;
    msg->reason = NULL;
    msg->attempt++;
    has_it(runner, msg, msg->attempt);
    if (telemetry_wants(run, WEIR_TELEMETRY_MESSAGE))
        told_us = tell_begun(runner, msg);
    traced_us = tracer_begin(&run->tracer, msg);
    answer = runner->handler.handle_message(msg, runner->state);
    status = checked(runner, answer);
    if (status == WEIR_STATUS_COUNT)
        note_nonsense(runner, msg, "handle_message", (int)answer);
    if (told_us > 0 || traced_us > 0)
        tell_over(runner, msg, status, told_us, traced_us);
    msg->context = NULL;
    slot_leave(&runner->slot);
    return status;
}

/* WEIR_OK: each is handled next; else it is what became of all of them. */
static enum weir_status prepare(struct runner *runner,
                                struct weir_message **messages, uint32_t count)
{
    enum weir_status answer, status;

    slot_enter(&runner->slot, messages[0]);
    runner_journal_enter(runner, JOURNAL_MESSAGE, messages, count);
    for (uint32_t i = 0; i < count; i++) {
        messages[i]->context = &runner->context;
        has_it(runner, messages[i], messages[i]->attempt + 1);
    }
    answer = runner->handler.prepare_messages(messages, count, runner->state);
    status = checked(runner, answer);
    if (status == WEIR_DONE)
        status = WEIR_STATUS_COUNT;
    for (uint32_t i = 0; i < count; i++) {
        if (status != WEIR_OK)
            messages[i]->attempt++;
        if (status == WEIR_STATUS_COUNT)
            note_nonsense(runner, messages[i], "prepare_messages", (int)answer);
        else if (status != WEIR_OK && !messages[i]->reason)
            message_set_reason(messages[i], &runner->context,
                               "prepare_messages failed");
        messages[i]->context = NULL;
    }
    slot_leave(&runner->slot);
    return status;
}

/* One that was begun. */
static enum weir_status run_one(struct runner *runner, struct weir_message *msg)
{
    if (!runner_may_begin(runner->context.run, msg))
        return WEIR_AGAIN;
    return runner->handler.handle_message ? handle(runner, msg) : WEIR_OK;
}

static enum weir_status prepare_all(struct runner *runner,
                                    struct weir_message **messages,
                                    uint32_t count)
{
    if (!runner->handler.prepare_messages || count == 0 ||
        !runner_may_begin(runner->context.run, messages[0]))
        return WEIR_OK;
    return prepare(runner, messages, count);
}

/* In an ordered mode nothing may overtake it. */
static bool is_last(const struct runner *runner, enum weir_status result)
{
    return runner->context.run->ordering != WEIR_ORDERING_NONE &&
           (result == WEIR_RETRY || result == WEIR_FATAL);
}

static uint32_t run_together(struct runner *runner, struct hand *hand,
                             uint32_t count, enum weir_status *results)
{
    const enum weir_status all = prepare_all(runner, hand->messages, count);

    if (all == WEIR_OK)
        hand_open(hand, count);
    for (uint32_t i = 0; i < count; i++) {
        if (all == WEIR_OK && !hand_begin(hand))
            return i;
        results[i] = all == WEIR_OK ? run_one(runner, hand->messages[i]) : all;
        if (is_last(runner, results[i]))
            return i + 1;
    }
    return count;
}

/* One by one, since some of them may have to be alone. */
static uint32_t run_watched(struct runner *runner, struct hand *hand,
                            uint32_t count, enum weir_status *results)
{
    hand_open(hand, count);
    for (uint32_t i = 0; i < count; i++) {
        struct weir_message *msg = hand->messages[i];

        if (!hand_begin(hand))
            return i;
        runner_journal_begin(runner, JOURNAL_MESSAGE, msg);
        results[i] = prepare_all(runner, &msg, 1);
        if (results[i] == WEIR_OK)
            results[i] = run_one(runner, msg);
        runner_journal_leave(runner);
        runner_journal_end(runner, JOURNAL_MESSAGE, msg);
        if (is_last(runner, results[i]))
            return i + 1;
    }
    return count;
}

uint32_t runner_run(struct runner *runner, struct hand *hand, uint32_t count,
                    enum weir_status *results)
{
    uint32_t ran;

    if (runner_journal_has_suspects(runner))
        return run_watched(runner, hand, count, results);
    ran = run_together(runner, hand, count, results);
    runner_journal_leave(runner);
    return ran;
}

/* Why a message fails that follows handle_batch()'s answer, unless it said. */
static void explain(struct runner *runner, struct weir_message *msg,
                    enum weir_status status, enum weir_status answer)
{
    if (status == WEIR_STATUS_COUNT)
        note_nonsense(runner, msg, "handle_batch", (int)answer);
    else if (status == WEIR_REJECT && !msg->reason)
        message_set_reason(msg, &runner->context,
                           "handle_batch rejected the batch");
}

enum weir_status runner_run_batch(struct runner *runner,
                                  struct weir_batch *batch)
{
    const enum journal_callback callback = runner->of_batch;
    const uint32_t count = batch->count;
    struct weir_message *only = count == 1 ? batch->messages[0] : NULL;
    enum weir_status answer, status;

    if (batch_seal(batch) != WEIR_OK)
        return WEIR_RETRY; /* no memory: later */
    slot_enter(&runner->slot, weir_batch_message(batch, 0));
    runner_journal_begin(runner, callback, only);
    runner_journal_enter(runner, callback, batch->messages, count);
    for (size_t i = 0; i < count; i++)
        weir_batch_message(batch, i)->context = &runner->context;
    answer = runner->handler.handle_batch(batch, runner->state);
    status = checked(runner, answer);
    runner_journal_leave(runner);
    runner_journal_end(runner, callback, only);
    for (uint32_t i = 0; i < count; i++) {
        weir_batch_message(batch, i)->context = NULL;
        if (batch_outcome(batch, i) == WEIR_STATUS_COUNT)
            explain(runner, weir_batch_message(batch, i), status, answer);
    }
    batch_unseal(batch);
    slot_leave(&runner->slot);
    return status;
}

static void run_failed(struct runner *runner, struct weir_message **messages,
                       uint32_t count)
{
    struct weir_message *only = count == 1 ? messages[0] : NULL;
    enum weir_status status;

    slot_enter(&runner->slot, messages[0]);
    for (uint32_t i = 0; i < count; i++)
        messages[i]->context = &runner->context;
    runner_journal_begin(runner, JOURNAL_FAILED, only);
    runner_journal_enter(runner, JOURNAL_FAILED, messages, count);
    status = runner->handler.handle_failed(messages, count, runner->state);
    runner_journal_leave(runner);
    runner_journal_end(runner, JOURNAL_FAILED, only);
    runner->context.is_out_of_memory = false;
    for (uint32_t i = 0; i < count; i++)
        messages[i]->context = NULL;
    slot_leave(&runner->slot);
    if (status != WEIR_OK)
        counter_add(&runner->context.run->counters.callback_errors, 1);
}

/* One by one where some have to be alone; not at all what may not. */
static void run_failed_watched(struct runner *runner,
                               struct weir_message **messages, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        unsigned crashes = 0;
        char name[160];

        if (!runner_journal_forbids(runner, JOURNAL_FAILED, messages[i],
                                    &crashes)) {
            run_failed(runner, &messages[i], 1);
            continue;
        }
        log_write(WEIR_LOG_WARNING,
                  "%s is kept from handle_failed, which it took down with the "
                  "process %u times, alone",
                  message_name(messages[i], name, sizeof name), crashes);
        counter_add(&runner->context.run->counters.callback_errors, 1);
    }
}

void runner_run_failed(struct runner *runner, struct weir_message **messages,
                       uint32_t count)
{
    if (!runner->is_started || !runner->handler.handle_failed || count == 0)
        return;
    if (runner_journal_is_watchful(runner))
        run_failed_watched(runner, messages, count);
    else
        run_failed(runner, messages, count);
}

void runner_release(struct runner *runner)
{
    if (runner->context.arena)
        arena_release(runner->context.arena, 1);
    runner->context.arena = NULL;
}
