/*
 * scripted_sink.h - a destination that fails as a test tells it to.
 *
 *     sink: { scripted: { script: "<sink_script_handle()>" } }
 *
 * What nothing is said about is delivered at once.  All functions may be called
 * from any thread, also while the sink runs.
 */
#ifndef WEIR_TEST_SCRIPTED_SINK_H
#define WEIR_TEST_SCRIPTED_SINK_H

#include <limits.h>
#include <stdbool.h>

#include <weir/sink.h>

#include "collecting_sink.h"

/* The first sets outcomes in any order, also after a failure. */
extern const struct weir_sink_ops scripted_sink;
extern const struct weir_sink_ops scripted_ordered_sink;

#define SINK_SCRIPT_ALWAYS UINT_MAX

struct sink_script;

struct sink_script *sink_script_create(void);
void sink_script_destroy(struct sink_script *script); /* NULL is fine */
const char *sink_script_handle(const struct sink_script *script);

/* The next `times` open(), write() or poll() calls that nothing was said about
 * answer this: WEIR_AGAIN (write only), WEIR_HOLD (poll only), WEIR_RETRY,
 * WEIR_FATAL. */
void sink_script_open(struct sink_script *script, enum weir_status status,
                      unsigned times);
void sink_script_write(struct sink_script *script, enum weir_status status,
                       unsigned times);
void sink_script_poll(struct sink_script *script, enum weir_status status,
                      unsigned times);

/* The next `times` deliveries of messages with this payload (NULL: any) end
 * with WEIR_RETRY or WEIR_REJECT, and this reason. */
void sink_script_message(struct sink_script *script, const char *payload,
                         enum weir_status status, unsigned times,
                         const char *reason);

/* Outcomes are set in poll() or flush(), the last message's first;
 * `is_stalled`: not before sink_script_release(). */
void sink_script_set_late(struct sink_script *script, bool is_stalled);
void sink_script_release(struct sink_script *script);

/* What was delivered, in the order in which it was confirmed. */
struct collection *sink_script_delivered(struct sink_script *script);

unsigned sink_script_opens(struct sink_script *script);
unsigned sink_script_writes(struct sink_script *script);

#endif
