/*
 * letters.c - what becomes of a dead letter after its sink said something.
 *
 *     OK       the message it was made of is settled: rejected, and only now
 *     RETRY    held, again after its backoff, without limit
 *     REJECT   once more, at once, without its payload; again refused: the run
 *              stops, and the message is left
 *
 * There is nowhere else to go: the failure policy is what sent it here, and
 * applying it again would go round in circles.  In an ordered mode the lane is
 * held as in any sink.
 *
 * Threads: the sink worker's.
 */
#include "letters.h"

#include <stdio.h>

#include "clock.h"
#include "conclude.h"
#include "dead_letter.h"
#include "queue.h"

static void delivered(struct sink *sink, struct weir_message *msg)
{
    struct counters *counters = &sink->config.run->counters;

    counter_add(&counters->dead_letters, 1);
    counter_add(&counters->rejected[msg->code], 1);
    conclude_end(sink, msg, ENDING_DROPPED);
}

static void hold(struct sink *sink, struct weir_message *msg, int64_t due_us)
{
    const bool is_ordered = sink->config.run->ordering != WEIR_ORDERING_NONE;

    message_goes(sink->config.run, msg,
                 (struct whereabouts){.where = WHERE_SINK_RETRY,
                                      .attempt = msg->deliveries,
                                      .worker = sink->config.worker.index,
                                      .batcher = sink->config.batcher_index});
    if (msg->deliveries < UINT32_MAX)
        msg->deliveries++;
    if ((is_ordered ? lanes_hold(sink, msg, due_us)
                    : heap_push(&sink->retries, due_us, msg)) != WEIR_OK)
        conclude_no_memory(sink, msg);
}

static void say(struct sink *sink, const struct weir_message *msg,
                const char *why, const char *then)
{
    unsigned suppressed = 0;
    char name[160];

    if (log_repeat_pass(&sink->trouble, why, &suppressed))
        log_write(WEIR_LOG_WARNING, "batcher %s did not take %s: %s; %s",
                  sink->config.batcher, message_name(msg, name, sizeof name),
                  why, then);
}

static void stop(struct sink *sink, struct weir_message *msg, const char *why)
{
    const struct weir_bytes reason =
        weir_message_find_header(msg, "weir-reason");
    struct run *run = sink->config.run;
    const uint64_t lane = msg->lane;
    char name[160], text[1400];

    (void)snprintf(text, sizeof text,
                   "%s failed (%.*s), and no dead letter of it could be "
                   "written, also without its payload: %s",
                   message_name(msg, name, sizeof name), (int)reason.size,
                   (const char *)reason.data, why);
    run->end(run->end_opaque, RUN_END_STOPPED, text);
    conclude_end(sink, msg, ENDING_LEFT);
    if (run->ordering != WEIR_ORDERING_NONE)
        lanes_give_up(sink, lane);
}

static void refused(struct sink *sink, struct weir_message *msg,
                    const char *why)
{
    if (!why)
        why = "refused, and no reason was given";
    counter_add(&sink->config.run->counters.dead_letter_errors, 1);
    if (!dead_letter_omit_payload(msg)) {
        stop(sink, msg, why);
        return;
    }
    say(sink, msg, why, "once more, without the payload");
    hold(sink, msg, 0);
}

static void again(struct sink *sink, struct weir_message *msg, const char *why)
{
    const struct run *run = sink->config.run;
    const struct retry_limits *limits = &sink->limits.retry;
    const int64_t delay_us = backoff_us(
        limits->backoff_min_us, limits->backoff_max_us, msg->deliveries);

    counter_add(&sink->config.run->counters.dead_letter_errors, 1);
    if (!why)
        why = "no reason was given";
    note_write(&msg->chunk->why, why); /* a letter is alone */
    if (control_is_asked(&sink->controls, CONTROL_DRAIN) &&
        run->ordering == WEIR_ORDERING_NONE) {
        conclude_end(sink, msg, ENDING_LEFT);
        return;
    }
    say(sink, msg, why, "it is held, trying again");
    hold(sink, msg, clock_after_us(delay_us));
}

bool letters_conclude(struct sink *sink, struct weir_message *msg,
                      enum weir_status outcome, const char *why)
{
    switch (outcome) {
    case WEIR_STATUS_COUNT:
        return false;
    case WEIR_OK:
    case WEIR_DONE:
        delivered(sink, msg);
        return true;
    case WEIR_RETRY:
        again(sink, msg, why);
        return true;
    default: /* handle_batch() says why in the message */
        refused(sink, msg, why || sink->config.ops ? why : msg->reason);
        return true;
    }
}
