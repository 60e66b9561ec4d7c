/*
 * processor.c - the stage that runs the handler: N workers.
 *
 *     ready queue --hand--> prepare, handle each --+-- OK ------> batcher's box
 *         ^                                        +-- DONE ----> settled
 *         +---- retry: its lane, or the heap ------+-- RETRY
 *                                                  +-- REJECT --> failure.c
 *
 * Invariants: every message of a hand leaves it exactly once, before
 * ready_finish(); what goes to a batcher is there before the lane is anybody
 * else's, so that a lane's order holds across workers.
 *
 * A hand is as large as what the handler does in HAND_US, without what it
 * spends on preparing: 64 messages of a fast one, a single message of a slow
 * one, so that what is handled moves on.  Of a hand that takes longer, what is
 * not begun may be taken back meanwhile (hand.c): runner_run() then stops
 * before it. What was handled in front of it moves on with the hand.
 *
 * A full batcher stops its processors: what doesn't fit stays in hand, nothing
 * new is taken, and the ready queue stops the source.
 *
 * Threads: each worker has its own; they share the ready queue and the boxes.
 */
#include "processor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "span.h"
#include "telemetry.h"

/* Another worker is awake after some 25 us, and costs as much. */
enum { TICK_US = 100 * 1000, QUICK_US = 100 };

enum weir_status processor_init(struct processor *processor,
                                const struct processor_config *config)
{
    *processor = (struct processor){
        .run = config->run,
        .ready = config->ready,
        .crew = config->crew,
        .outlets = config->outlets,
        .outlet_count = config->outlet_count,
        .has_dead_letter = config->has_dead_letter,
        .worker = config->worker,
        .started = config->started,
        .opaque = config->opaque,
    };
    processor->out = calloc(config->outlet_count + 1, sizeof *processor->out);
    processor->last = calloc(config->outlet_count + 1, sizeof *processor->last);
    waiter_init(&processor->waiter, NULL, NULL);
    settler_init(&processor->settler, config->run);
    runner_init(&processor->runner, config->run, config->handler,
                config->options);
    processor->runner.place = config->worker.index;
    processor->runner.places = 1;
    failure_init(&processor->failure, config->run, config->ready,
                 &processor->runner, &processor->settler);
    processor->failure.limits = &processor->limits.retry;
    board_view_init(&processor->limits, BOARD_NO_BATCHER);
    (void)board_look(&config->run->board, &processor->limits);
    if (!processor->out || !processor->last)
        return WEIR_RETRY;
    for (size_t i = 0; i <= config->outlet_count; i++)
        mail_list_init(&processor->out[i]);
    return WEIR_OK;
}

void processor_finish(struct processor *processor)
{
    free(processor->out);
    free(processor->last);
    waiter_finish(&processor->waiter);
}

/* ---- where a message goes ---- */

static size_t find_outlet(const struct processor *processor, const char *name)
{
    size_t at = 0;

    while (at < processor->outlet_count &&
           strcmp(processor->outlets[at].name, name) != 0)
        at++;
    return at;
}

static void fail_route(struct processor *processor, struct weir_message *msg,
                       const char *name)
{
    char known[400] = "";
    size_t used = 0;

    for (size_t i = 0; i < processor->outlet_count && used < sizeof known; i++)
        used += (size_t)snprintf(known + used, sizeof known - used, "%s%s",
                                 i > 0 ? ", " : "", processor->outlets[i].name);
    message_set_reason(
        msg, &processor->runner.context,
        "routed to '%s', which is no batcher%s; there are: %s", name,
        processor->has_dead_letter && strcmp(name, "dead_letter") == 0
            ? " but for what failed"
            : "",
        known);
    failure_add(&processor->failure, msg, REJECTED_BATCHER);
}

/* Settles `msg` and returns a ghost of it that travels on; `msg` itself, to be
 * settled later, when there is no memory for one. */
static struct weir_message *settle_early(struct processor *processor,
                                         struct weir_message *msg)
{
    struct weir_message *ghost = message_move(processor->run, msg, true);

    if (!ghost)
        return msg;
    message_goes(processor->run, ghost,
                 (struct whereabouts){.where = WHERE_GHOST});
    ghost->is_ghost = true;
    atomic_fetch_add_explicit(&msg->epoch->ghosts, 1, memory_order_relaxed);
    settle(&processor->settler, msg, ENDING_DONE);
    return ghost;
}

static void route(struct processor *processor, struct weir_message *msg)
{
    const char *name = "default";
    size_t at;

    if (processor->outlet_count == 0) {
        processor->judged++;
        settle(&processor->settler, msg, ENDING_DONE);
        return;
    }
    if (msg->changes && msg->changes->batcher)
        name = msg->changes->batcher;
    at = find_outlet(processor, name);
    if (at == processor->outlet_count) {
        fail_route(processor, msg, name);
        return;
    }
    processor->judged++;
    if (msg->changes && msg->changes->is_early)
        msg = settle_early(processor, msg);
    msg->is_delivering = true;
    msg->deliveries = 1;
    message_goes(
        processor->run, msg,
        (struct whereabouts){.where = WHERE_BATCHER, .batcher = (uint32_t)at});
    span_add(&processor->out[at], &processor->last[at], msg);
}

/* ---- again, later ---- */

static struct weir_message *keep_apart(struct processor *processor,
                                       struct weir_message *msg)
{
    struct weir_message *copy = NULL;

    if (!message_is_alone(msg))
        copy = message_move(processor->run, msg, false);
    if (copy)
        settle(&processor->settler, msg, ENDING_MOVED);
    else
        message_forget_changes(msg);
    msg = copy ? copy : msg;
    message_note_failure(msg);
    message_goes(processor->run, msg,
                 (struct whereabouts){.where = WHERE_RETRY,
                                      .attempt = msg->attempt,
                                      .worker = processor->worker.index});
    return msg;
}

/* Returns when the lane may go on; 0: it isn't held. */
static int64_t retry(struct processor *processor, struct hand *hand,
                     struct weir_message *msg, struct mail_list *back)
{
    struct run *run = processor->run;
    const struct retry_limits *limits = &processor->limits.retry;
    const int64_t due_us =
        clock_after_us(failure_delay_us(limits, msg, msg->attempt));

    if (run_is_draining(run)) {
        settle(&processor->settler, msg, ENDING_LEFT);
        ready_abandon_lane(processor->ready, hand);
        hand->is_abandoned = true;
        return 0;
    }
    if (msg->attempt >= limits->attempts) {
        if (!msg->reason)
            message_set_reason(msg, &processor->runner.context,
                               "tried %u times, each answered: again",
                               (unsigned)msg->attempt);
        failure_add(&processor->failure, msg, REJECTED_RETRIES);
        return 0;
    }
    counter_add(&run->counters.retries, 1);
    settle_later(&processor->settler, msg, NULL);
    msg = keep_apart(processor, msg);
    if (!hand->lane) {
        if (!ready_delay(processor->ready, msg, due_us))
            settle(&processor->settler, msg, ENDING_LEFT);
        return 0;
    }
    msg->mail = (struct mail){.count = 1, .size = msg->record->size};
    mail_list_add(back, &msg->mail);
    return due_us;
}

static void give_up(struct processor *processor, struct hand *hand,
                    struct weir_message *msg)
{
    char name[160], why[1200];

    (void)snprintf(why, sizeof why, "the handler said WEIR_FATAL on %s%s%s",
                   message_name(msg, name, sizeof name),
                   msg->reason ? ": " : "", weir_message_reason(msg));
    settle(&processor->settler, msg, ENDING_LEFT);
    ready_abandon_lane(processor->ready, hand);
    hand->is_abandoned = true;
    processor->run->end(processor->run->end_opaque, RUN_END_GAVE_UP, why);
}

/* ---- one hand ---- */

static int64_t act(struct processor *processor, struct hand *hand,
                   struct weir_message *msg, enum weir_status result,
                   struct mail_list *back)
{
    /* Behind one that was left: it must not overtake it. */
    if (hand->lane && hand->is_abandoned)
        result = WEIR_AGAIN;
    switch (result) {
    case WEIR_OK:
        route(processor, msg);
        return 0;
    case WEIR_DONE:
        processor->judged++;
        settle(&processor->settler, msg, ENDING_DONE);
        return 0;
    case WEIR_RETRY:
        return retry(processor, hand, msg, back);
    case WEIR_REJECT:
        if (!msg->reason)
            message_set_reason(msg, &processor->runner.context,
                               "rejected by the handler");
        failure_add(&processor->failure, msg, REJECTED_HANDLER);
        return 0;
    case WEIR_FATAL:
        give_up(processor, hand, msg);
        return 0;
    case WEIR_AGAIN:
        settle(&processor->settler, msg, ENDING_LEFT);
        return 0;
    default:
        failure_add(&processor->failure, msg, REJECTED_NONSENSE);
        return 0;
    }
}

/* What failed ends here; with `then: stop` its lane, too. */
static void finish_failures(struct processor *processor, struct hand *hand)
{
    failure_finish(&processor->failure);
    if (!processor->failure.has_stopped)
        return;
    ready_abandon_lane(processor->ready, hand);
    hand->is_abandoned = true;
    processor->failure.has_stopped = false;
}

/* Takes out what no handler may see; returns how many are left, in front. */
static uint32_t set_aside(struct processor *processor, struct hand *hand)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < hand->count; i++) {
        struct weir_message *msg = hand->messages[i];

        if (hand->is_abandoned || !runner_may_begin(processor->run, msg)) {
            settle(&processor->settler, msg, ENDING_LEFT);
        } else if (msg->is_requeue) {
            settle(&processor->settler, msg, ENDING_REQUEUED);
        } else if (msg->record->is_omitted) {
            message_set_reason(msg, &processor->runner.context,
                               "%llu bytes, more than max_message_bytes (%zu)",
                               (unsigned long long)msg->record->omitted,
                               processor->run->max_message_bytes);
            failure_add(&processor->failure, msg, REJECTED_SIZE);
            if (hand->lane)
                finish_failures(processor, hand);
        } else if (runner_is_condemned(&processor->runner, msg)) {
            failure_add(&processor->failure, msg, REJECTED_CRASHES);
            if (hand->lane)
                finish_failures(processor, hand);
        } else {
            hand->messages[count++] = msg;
        }
    }
    return count;
}

static bool is_fenced(const struct weir_message *msg, const void *opaque)
{
    (void)opaque;
    return message_is_fenced(msg);
}

static void leave(struct processor *processor, struct mail_list *list)
{
    struct mail *mail = mail_list_pop(list);

    while (mail) {
        struct weir_message *span = message_of(mail);
        const uint32_t count = mail->count;

        for (uint32_t i = 0; i < count; i++)
            settle(&processor->settler, &span[i], ENDING_LEFT);
        mail = mail_list_pop(list);
    }
    settler_flush(&processor->settler);
}

/* Waits for room, but not for a message that is fenced meanwhile. */
static void send(struct processor *processor, size_t at)
{
    struct mail_list *out = &processor->out[at];
    struct mailbox *box = processor->outlets[at].box;

    processor->last[at] = NULL;
    if (!out->head)
        return;
    atomic_fetch_add_explicit(&processor->outlets[at].messages, out->count,
                              memory_order_relaxed);
    if (run_is_aborting(processor->run)) /* nobody reads the box any more */
        leave(processor, out);
    while (out->head && mailbox_offer(box, out) != WEIR_OK) {
        struct mail_list fenced;

        mail_list_init(&fenced);
        mailbox_wait_room(box, &processor->waiter, out,
                          clock_after_us(TICK_US));
        if (run_is_aborting(processor->run))
            leave(processor, out);
        span_sift(out, is_fenced, NULL, &fenced);
        leave(processor, &fenced);
    }
}

/* What was not begun goes back to its lane, or is left with it. */
static void return_rest(struct processor *processor, struct hand *hand,
                        uint32_t first, uint32_t end, struct mail_list *back)
{
    for (uint32_t i = first; i < end; i++) {
        struct weir_message *msg = hand->messages[i];

        if (hand->is_abandoned) {
            settle(&processor->settler, msg, ENDING_LEFT);
            continue;
        }
        message_forget_changes(msg); /* it is prepared again, too */
        message_goes(processor->run, msg,
                     (struct whereabouts){.where = WHERE_QUEUE,
                                          .attempt = msg->attempt});
        msg->mail = (struct mail){.count = 1, .size = msg->record->size};
        mail_list_add(back, &msg->mail);
    }
}

/* While they are still ours.  A hand's work is shared out evenly: to look at
 * the clock for each message would cost more than many handlers. */
static void note_times(struct processor *processor, const struct hand *hand,
                       uint32_t ran)
{
    const int64_t since_us = hand->since_us;
    uint32_t alike = 0;

    if (ran == 0 || !hand->is_open)
        return;
    histogram_add(&processor->work, (clock_now_us() - since_us) / ran, ran);
    for (uint32_t i = 0; i < ran; i++) {
        const struct weir_message *msg = hand->messages[i];

        alike += msg->attempt <= 1 ? 1 : 0; /* a retry waits for its time */
        if (alike > 0 && (i + 1 == ran ||
                          hand->messages[i + 1]->taken_us != msg->taken_us)) {
            histogram_add(&processor->wait, since_us - msg->taken_us, alike);
            alike = 0;
        }
    }
}

/* Returns how many were run. */
static uint32_t run_hand(struct processor *processor, struct hand *hand)
{
    enum weir_status results[CHUNK_SLOTS];
    const uint32_t count = set_aside(processor, hand);
    const uint32_t ran = hand->is_abandoned ? 0
                                            : runner_run(&processor->runner,
                                                         hand, count, results);
    const uint32_t end = hand_close(hand, count);
    struct mail_list back;
    int64_t due_us = 0;

    note_times(processor, hand, ran);
    mail_list_init(&back);
    for (uint32_t i = 0; i < ran; i++) {
        due_us = act(processor, hand, hand->messages[i], results[i], &back);
        if (hand->lane)
            finish_failures(processor, hand);
    }
    finish_failures(processor, hand);
    if (processor->judged > 0)
        counter_add(&processor->run->counters.judged, processor->judged);
    processor->judged = 0;
    return_rest(processor, hand, ran, end, &back);
    runner_release(&processor->runner);
    settler_flush(&processor->settler);
    mail_list_join(&processor->out[processor->outlet_count],
                   &processor->failure.letters);
    for (size_t i = 0;
         i < processor->outlet_count + (processor->has_dead_letter ? 1 : 0);
         i++)
        send(processor, i);
    ready_finish(processor->ready, hand, &back, due_us);
    leave(processor, &back); /* a drain has begun, nothing waits any more */
    return ran;
}

/* The same, for whoever wants to know. */
static uint32_t run_told(struct processor *processor, struct hand *hand)
{
    const struct run *run = processor->run;
    const struct weir_telemetry_event event = {.kind = WEIR_TELEMETRY_PROCESSOR,
                                               .worker =
                                                   processor->worker.index,
                                               .count = hand->count};
    const int64_t told_us = telemetry_start(run, &event);
    const uint32_t ran = run_hand(processor, hand);

    telemetry_stop(run, &event, told_us, NULL);
    return ran;
}

/* How much to take next time, after `count` messages took `took_us`. */
static uint32_t appetite(uint32_t limit, uint32_t count, int64_t took_us)
{
    int64_t fitting;

    if (took_us <= HAND_US)
        return limit < CHUNK_SLOTS ? 2 * limit : CHUNK_SLOTS;
    fitting = count * (int64_t)HAND_US / took_us;
    return fitting > 1 ? (uint32_t)fitting : 1;
}

/* How many are over in QUICK_US, as fast as these were. */
static uint32_t quick(uint32_t count, int64_t took_us)
{
    const int64_t fitting =
        took_us > 0 ? count * (int64_t)QUICK_US / took_us : CHUNK_SLOTS;

    return fitting < CHUNK_SLOTS ? (uint32_t)fitting : CHUNK_SLOTS;
}

/* False: it is over.  A hand of none: nothing came, or the worker rests. */
static bool take(struct processor *processor, struct hand *hand, uint32_t limit)
{
    const int64_t deadline_us = clock_after_us(TICK_US);
    bool goes_on = true;

    hand->count = 0;
    if (crew_may_work(processor->crew, processor->worker.index, deadline_us))
        goes_on = ready_take(processor->ready, hand, limit, deadline_us);
    (void)board_look(&processor->run->board, &processor->limits);
    return goes_on;
}

void *processor_main(void *opaque)
{
    struct processor *processor = opaque;
    const struct log_place place = {.pipeline = processor->run->name,
                                    .stage = "processor",
                                    .worker = processor->worker.index};
    enum weir_status status;
    uint32_t limit = 1, few = 0;
    struct hand hand;

    log_set_place(&place);
    status =
        runner_start(&processor->runner, &processor->worker, &processor->err);
    /* Partner: the load in pipeline.c's start. */
    atomic_store_explicit(&processor->start, status == WEIR_OK ? 1 : -1,
                          memory_order_release);
    processor->started(processor->opaque);
    while (status == WEIR_OK && take(processor, &hand, limit)) {
        uint32_t ran;

        if (hand.count == 0)
            continue;
        slot_hold(&processor->runner.slot, hand.count);
        hand.quick = few;
        ran = run_told(processor, &hand);
        if (hand.is_open) {
            const int64_t took_us = clock_now_us() - hand.since_us;

            limit = appetite(limit, ran, took_us);
            few = quick(ran, took_us);
        }
        slot_hold(&processor->runner.slot, 0);
    }
    runner_stop(&processor->runner);
    atomic_store_explicit(&processor->is_over, true, memory_order_release);
    return NULL;
}
