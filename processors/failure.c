/*
 * failure.c - what happens to messages that finally failed.
 *
 *     failed --> handle_failed() --> policy --> settled
 *
 * handle_failed() comes before settlement and at most once a message; its own
 * failure changes nothing.  The policy is the topology's `failure.then`, or the
 * one that the handler chose for the message, where the source can honour it.
 *
 *     dead_letter   to the batcher of that name; settled when its
 *                   destination has confirmed it                  rejected
 *     reject        the broker's dead-letter exchange has it      rejected
 *     drop          the broker is told that it is done            rejected
 *     requeue       after a backoff it goes back to the broker    abandoned
 *     requeue_once  the first time; then as reject
 *     stop          nothing is said to the broker; the run ends   abandoned
 *
 * Threads: its worker's.
 */
#include "failure.h"

#include <stdio.h>

#include <weir/producer.h>

#include "backoff.h"
#include "clock.h"
#include "dead_letter.h"
#include "log.h"
#include "message_fields.h"
#include "telemetry.h"

enum { BURST = 5 };

void failure_init(struct failure *failure, struct run *run, struct ready *ready,
                  struct runner *runner, struct settler *settler)
{
    *failure = (struct failure){
        .run = run, .ready = ready, .runner = runner, .settler = settler};
    mail_list_init(&failure->letters);
}

static enum weir_policy policy_of(const struct failure *failure,
                                  const struct weir_message *msg,
                                  enum reject_reason code)
{
    enum weir_policy policy = msg->policy ? (enum weir_policy)(msg->policy - 1)
                                          : failure->run->policy;

    if (policy == WEIR_POLICY_REQUEUE_ONCE)
        policy = msg->record->deliveries == 0 ? WEIR_POLICY_REQUEUE
                                              : WEIR_POLICY_REJECT;
    /* What is too large now is too large next time, and what took us down would
     * be refused again; what the broker would drop must be counted as what it
     * is. */
    if (policy == WEIR_POLICY_REQUEUE &&
        (msg->record->is_omitted || msg->record->is_last ||
         code == REJECTED_CRASHES))
        policy = WEIR_POLICY_REJECT;
    /* The queue's exchange gets all of it; a letter would have no payload. */
    if (policy == WEIR_POLICY_DEAD_LETTER && msg->record->is_omitted &&
        (failure->run->policies & WEIR_POLICY_BIT(WEIR_POLICY_REJECT)))
        policy = WEIR_POLICY_REJECT;
    return policy;
}

/* A flood shows its first ones of each moment, and costs no more. */
static void keep(struct failure *failure, const struct weir_message *msg,
                 enum reject_reason code)
{
    struct recent_failure recent = {
        .origin = msg->epoch->origin,
        .position = msg->record->offset >= 0 ? msg->record->offset
                                             : (int64_t)msg->ticket,
        .attempt = msg->is_delivering ? msg->deliveries : msg->attempt,
        .code = code,
        .stage = failure->batcher ? failure->batcher : "processors",
    };
    const uint32_t now_ms =
        atomic_load_explicit(&failure->run->now_ms, memory_order_relaxed);

    if (failure->recent_ms != now_ms)
        failure->recent_count = 0;
    failure->recent_ms = now_ms;
    if (++failure->recent_count > RECENT_COUNT)
        return;
    (void)snprintf(recent.reason, sizeof recent.reason, "%s",
                   weir_message_reason(msg));
    recent_add(&failure->run->recent, &recent);
}

static void say(const struct weir_message *msg)
{
    struct message_fields fields;
    char name[160];

    message_fields(msg, &fields);
    log_event(&(struct log_event){.level = WEIR_LOG_WARNING,
                                  .burst = BURST,
                                  .fields = fields.list,
                                  .field_count = fields.count},
              "%s failed: %s", message_name(msg, name, sizeof name),
              weir_message_reason(msg));
}

static void requeue(struct failure *failure, struct weir_message *msg)
{
    const uint32_t earlier = msg->record->deliveries;
    const struct retry_limits *limits = failure->limits;
    const int64_t delay =
        backoff_us(limits->backoff_min_us, limits->backoff_max_us, earlier + 1);
    struct weir_message *copy = NULL;

    if (run_is_draining(failure->run)) {
        settle(failure->settler, msg, ENDING_LEFT);
        return;
    }
    if (!message_is_alone(msg))
        copy = message_move(failure->run, msg, false);
    if (copy)
        settle(failure->settler, msg, ENDING_MOVED);
    else
        copy = msg;
    copy->is_requeue = true;
    if (!ready_delay(failure->ready, copy, clock_after_us(delay)))
        settle(failure->settler, copy, ENDING_LEFT);
}

static void stop(struct failure *failure, struct weir_message *msg)
{
    char name[160], why[1200];

    (void)snprintf(why, sizeof why, "%s failed and `then: stop`: %s",
                   message_name(msg, name, sizeof name),
                   weir_message_reason(msg));
    failure->has_stopped = true;
    failure->run->end(failure->run->end_opaque, RUN_END_STOPPED, why);
    settle(failure->settler, msg, ENDING_LEFT);
}

/* Without memory for the letter the message is left, and a run that can't keep
 * its promises ends. */
static void dead_letter(struct failure *failure, struct weir_message *msg,
                        enum reject_reason code)
{
    struct run *run = failure->run;
    struct weir_message *letter = msg;

    if (!message_is_alone(msg) && !run_is_aborting(run)) {
        letter = message_move(run, msg, true);
        if (letter)
            settle(failure->settler, msg, ENDING_MOVED);
        else
            letter = msg;
    }
    if (run_is_aborting(run) || !message_is_alone(letter) ||
        dead_letter_make(run, letter, code, failure->batcher) != WEIR_OK) {
        settle(failure->settler, letter, ENDING_LEFT);
        if (!run_is_aborting(run))
            run->end(run->end_opaque, RUN_END_GAVE_UP,
                     "out of memory: no dead letter could be made of a "
                     "message");
        return;
    }
    letter->is_delivering = true;
    letter->deliveries = 1;
    message_goes(run, letter, (struct whereabouts){.where = WHERE_LETTERS});
    letter->mail = (struct mail){.count = 1, .size = letter->record->size};
    mail_list_add(&failure->letters, &letter->mail);
}

/* Whether too many fail is looked at from time to time, but soon enough that
 * not much more fails meanwhile. */
static void count(struct failure *failure)
{
    struct run *run = failure->run;

    if (!failure->batcher)
        counter_add(&run->counters.judged, 1);
    counter_add(&run->counters.failed, 1);
    if (run->flood.limit.percent > 0 && ++failure->failed % CHUNK_SLOTS == 0)
        run->changed(run->changed_opaque);
}

static void apply(struct failure *failure, struct weir_message *msg,
                  enum reject_reason code)
{
    say(msg);
    msg->code = (uint8_t)code;
    keep(failure, msg, code);
    count(failure);
    switch (policy_of(failure, msg, code)) {
    case WEIR_POLICY_REQUEUE:
        requeue(failure, msg);
        return;
    case WEIR_POLICY_DEAD_LETTER:
        dead_letter(failure, msg, code);
        return;
    case WEIR_POLICY_STOP:
        stop(failure, msg);
        return;
    case WEIR_POLICY_DROP:
        counter_add(&failure->run->counters.rejected[code], 1);
        settle(failure->settler, msg, ENDING_DROPPED);
        return;
    default:
        counter_add(&failure->run->counters.rejected[code], 1);
        settle(failure->settler, msg, ENDING_DISCARDED);
        return;
    }
}

void failure_add(struct failure *failure, struct weir_message *msg,
                 enum reject_reason code)
{
    message_forget_changes(msg);
    if (msg->is_ghost) {
        settle(failure->settler, msg, ENDING_DROPPED);
        return;
    }
    if (failure->count == CHUNK_SLOTS)
        failure_finish(failure);
    failure->messages[failure->count] = msg;
    failure->codes[failure->count++] = code;
}

void failure_finish(struct failure *failure)
{
    const struct weir_telemetry_event event = {.kind = WEIR_TELEMETRY_FAILED,
                                               .batcher = failure->batcher,
                                               .worker =
                                                   failure->runner->worker,
                                               .count = failure->count};
    int64_t told_us;

    if (failure->count == 0)
        return;
    told_us = telemetry_start(failure->run, &event);
    runner_run_failed(failure->runner, failure->messages, failure->count);
    for (uint32_t i = 0; i < failure->count; i++)
        apply(failure, failure->messages[i], failure->codes[i]);
    failure->count = 0;
    telemetry_stop(failure->run, &event, told_us, NULL);
}

int64_t failure_delay_us(const struct retry_limits *limits,
                         const struct weir_message *msg, uint32_t attempt)
{
    if (msg->changes && msg->changes->retry_after_us >= 0)
        return msg->changes->retry_after_us;
    return backoff_us(limits->backoff_min_us, limits->backoff_max_us, attempt);
}
