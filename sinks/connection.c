/*
 * connection.c - whether a sink's destination is there, and what to do if not.
 *
 * A destination that is down (a lost connection, a whole batch that answers
 * RETRY) is no message's fault: the batch is held without limit, attempts stay
 * as they are, the source stops when the pipeline is full.
 *
 *     RETRY   closed; opened again with jitter and damping, for ever
 *     HOLD    the client tries by itself, and keeps what it has
 *     FATAL   closed and opened anew in the same way, on the restart budget
 *     else    the run ends
 *
 * Reconnecting is done here, once for all connectors.
 *
 * Invariants: what the connector had and said nothing of is taken back before
 * it is opened again, in front of what is newer.  `run.down` counts the workers
 * whose destination is not there.
 *
 * Threads: the sink worker's.
 */
#include "connection.h"

#include <stdio.h>

#include "clock.h"
#include "conclude.h"
#include "queue.h"
#include "show.h"

enum { CLOSE_US = 1000 * 1000 };

void connection_set_down(struct sink *sink, bool is_down)
{
    if (is_down != sink->is_down)
        atomic_fetch_add_explicit(&sink->config.run->down,
                                  is_down ? 1U : (unsigned)-1,
                                  memory_order_relaxed);
    sink->is_down = is_down;
    show_connected(sink, !is_down && sink->is_open);
}

void connection_give_up(struct sink *sink, const struct weir_error *err)
{
    struct run *run = sink->config.run;
    char why[400];

    (void)snprintf(why, sizeof why, "batcher %s: %s", sink->config.batcher,
                   err->text[0] ? err->text : "the sink gave up");
    sink->has_failed = true;
    run->end(run->end_opaque, RUN_END_GAVE_UP, why);
}

/* False: the restart budget is used up. */
static bool may_replace(struct sink *sink, const struct weir_error *err)
{
    struct run *run = sink->config.run;
    int64_t delay_us;
    char why[400];

    (void)snprintf(why, sizeof why, "batcher %s: %s", sink->config.batcher,
                   err->text[0] ? err->text : "the sink failed");
    delay_us = run->replace(run->end_opaque, why);
    sink->has_failed = delay_us < 0;
    sink->retry_at_us = clock_after_us(delay_us);
    return delay_us >= 0;
}

static void count_trouble(struct sink *sink)
{
    counter_add(&sink->config.run->counters.sink_retries, 1);
    if (sink->config.is_dead_letter)
        counter_add(&sink->config.run->counters.dead_letter_errors, 1);
}

static void say_down(struct sink *sink, const struct weir_error *err)
{
    unsigned suppressed = 0;

    connection_set_down(sink, true);
    cause_tell(&sink->cause, err->text);
    if (log_repeat_pass(&sink->trouble, err->text, &suppressed))
        log_write(WEIR_LOG_WARNING,
                  "batcher %s: %s; what was taken is held, trying again%s",
                  sink->config.batcher, err->text,
                  suppressed > 0 ? " (said every 10 s)" : "");
}

void connection_wait(struct sink *sink, const struct weir_error *err)
{
    count_trouble(sink);
    say_down(sink, err);
}

void connection_close(struct sink *sink, int64_t deadline_us)
{
    if (sink->is_open && sink->config.ops)
        sink->config.ops->close(sink->self, deadline_us);
    sink->is_open = false;
}

/* What the sink has and said nothing of comes back, before what is newer. */
static void take_back_written(struct sink *sink)
{
    struct weir_batch *batch = queue_pop(&sink->written);
    struct batch_queue left;

    queue_init(&left);
    while (batch) {
        conclude(sink, batch, &left);
        batch = queue_pop(&sink->written);
    }
    sink->written_count = 0;
    queue_join_front(&sink->held, &left);
}

/* What it has goes to what is opened in its place. */
static void replace(struct sink *sink, const struct weir_error *err)
{
    if (!may_replace(sink, err))
        return;
    connection_close(sink, clock_after_us(CLOSE_US));
    connection_set_down(sink, true);
    cause_tell(&sink->cause, err->text);
    take_back_written(sink);
}

void connection_open(struct sink *sink)
{
    const struct weir_sink_ops *ops = sink->config.ops;
    struct weir_error err = {0};
    enum weir_status status = WEIR_OK;

    if (ops)
        status = ops->open(sink->self, sink->config.settings, &err);
    if (status == WEIR_OK) {
        sink->is_open = true;
        sink->is_full = false;
        reconnect_opened(&sink->reconnect);
        connection_set_down(sink, false);
        sink->config.run->changed(sink->config.run->changed_opaque);
        return;
    }
    ops->close(sink->self, clock_after_us(CLOSE_US));
    if (status == WEIR_FATAL) {
        replace(sink, &err);
        return;
    }
    connection_wait(sink, &err);
    sink->retry_at_us = clock_after_us(reconnect_delay_us(&sink->reconnect));
}

static void disconnect(struct sink *sink, const struct weir_error *err)
{
    counter_add(&sink->config.run->counters.reconnects, 1);
    connection_close(sink, clock_after_us(CLOSE_US));
    connection_wait(sink, err);
    take_back_written(sink);
    sink->retry_at_us = clock_after_us(reconnect_delay_us(&sink->reconnect));
}

/* The client still has what was written, and tries by itself. */
static void wait_for_client(struct sink *sink, const struct weir_error *err)
{
    if (!sink->is_down)
        count_trouble(sink);
    say_down(sink, err);
}

/* What a call of the connector answered, other than what is normal for it. */
void connection_answer(struct sink *sink, enum weir_status status,
                       const struct weir_error *err)
{
    if (status == WEIR_OK || status == WEIR_AGAIN)
        return;
    if (status == WEIR_RETRY)
        disconnect(sink, err);
    else if (status == WEIR_HOLD)
        wait_for_client(sink, err);
    else if (status == WEIR_FATAL)
        replace(sink, err);
    else
        connection_give_up(sink, err);
}

/* What poll() or flush() answered. */
void connection_answer_service(struct sink *sink, enum weir_status status,
                               const struct weir_error *err)
{
    if (status == WEIR_OK || status == WEIR_AGAIN)
        connection_set_down(sink, false);
    connection_answer(sink, status, err);
}
