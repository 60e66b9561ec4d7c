/*
 * metrics_counters.c - the part of the metrics that only rises.
 *
 * Each counter is a row of a table.  Names follow the conventions of the field:
 * base units, `_total` on what only rises, no label whose values others choose
 * without a bound.
 *
 * Threads: any.
 */
#include <string.h>

#include "teller.h"

/* A member of struct pipeline_stats; rows of one name follow each other, and
 * differ by their label. */
struct counter {
    const char *name;
    const char *label, *value; /* or NULL */
    size_t offset;
    const char *help; /* of the first row of a name */
};

#define COUNTER(name, member, help)                                            \
    {                                                                          \
        "weir_" name "_total", NULL, NULL,                                     \
            offsetof(struct pipeline_stats, member), help                      \
    }
#define LABELLED(name, label, value, member, help)                             \
    {                                                                          \
        "weir_" name "_total", label, value,                                   \
            offsetof(struct pipeline_stats, member), help                      \
    }
#define REJECTION(value, member)                                               \
    LABELLED("rejections", "reason", value, member,                            \
             "Messages that failed for good, by reason.")
#define CLOSED(value, member)                                                  \
    LABELLED("batches_closed", "closed_by", value, member,                     \
             "Batches that were closed, by what closed them.")

static const struct counter counters[] = {
    COUNTER(
        "messages_received", received,
        "Deliveries that were taken in; a message may come more than once."),
    COUNTER("messages_done", done, "Messages that were finished."),
    COUNTER("messages_rejected", rejected,
            "Messages that failed for good and were settled."),
    COUNTER("messages_abandoned", abandoned,
            "Messages that were left to the broker, to be delivered again."),
    REJECTION("handler", rejected_by_handler),
    REJECTION("retries", rejected_retries),
    REJECTION("size", rejected_size),
    REJECTION("batcher", rejected_batcher),
    REJECTION("sink", rejected_sink),
    REJECTION("nonsense", rejected_nonsense),
    REJECTION("crashes", rejected_crashes),
    COUNTER("retries", retries, "Messages that were to be tried again."),
    COUNTER("sink_retries", sink_retries,
            "Writes, or attempts to connect, that a destination did not take."),
    COUNTER("reconnects", reconnects, "Connections that were made anew."),
    COUNTER("restarts", restarts,
            "Instances of stages that failed for good and were replaced."),
    COUNTER("fenced", fenced,
            "Messages that came back after their partition or channel was "
            "gone."),
    COUNTER("dead_letters", dead_letters,
            "Dead letters that their destination confirmed."),
    COUNTER("dead_letter_errors", dead_letter_errors,
            "Dead letters that their destination did not take at once."),
    COUNTER("flood_stops", flood_stops,
            "Times that the source was stopped because too many failed."),
    COUNTER("callback_errors", callback_errors,
            "Callbacks of the handler that failed, or wished what can't be."),
    COUNTER("handler_stuck", handler_stuck,
            "Callbacks that ran longer than processors.timeout."),
    COUNTER("failed_after_settle", failed_after_settle,
            "Messages that failed after they had been settled early."),
    COUNTER("refused_settlements", refused_settlements,
            "Second settlements of a message, which were refused."),
    COUNTER("gap_messages", gaps, "Messages that the broker no longer had."),
    COUNTER("last_deliveries", last_deliveries,
            "Deliveries that the broker would not have repeated."),
    CLOSED("size", closed_size),
    CLOSED("bytes", closed_bytes),
    CLOSED("timeout", closed_timeout),
    CLOSED("flush", closed_flush),
    CLOSED("drain", closed_drain),
    CLOSED("starved", closed_starved),
    CLOSED("revoke", closed_revoke),
    CLOSED("keys", closed_keys),
    {NULL, NULL, NULL, 0, NULL},
};

#undef COUNTER
#undef LABELLED
#undef REJECTION
#undef CLOSED

void metrics_counters(const struct teller *teller,
                      const struct pipeline_stats *stats)
{
    for (const struct counter *row = counters; row->name; row++) {
        const struct metric metric = {row->name, METRIC_COUNTER, row->help};
        const struct metric_label labels[] = {{row->label, row->value},
                                              {NULL, NULL}};
        uint64_t value;

        memcpy(&value, (const char *)stats + row->offset, sizeof value);
        teller_number(teller, &metric, labels, (double)value);
    }
}
