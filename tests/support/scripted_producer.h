/*
 * scripted_producer.h - a source that behaves as a test tells it to.
 *
 *     producer: { scripted: { script: "<producer_script_handle()>" } }
 *
 * The steps are made before the run and happen in their order, but records of a
 * source that is held wait while other sources go on.  After the last step
 * pull() answers WEIR_DONE when everything is settled, or waits for a drain
 * (producer_script_set_endless()).
 *
 * A disconnect gives back what a broker would: after the next open() the
 * sources that were begun begin again, and what was offered in them and not
 * settled as done or discarded is offered again, first, with one delivery more.
 * A requeued record is offered again in the same way, at once.
 */
#ifndef WEIR_TEST_SCRIPTED_PRODUCER_H
#define WEIR_TEST_SCRIPTED_PRODUCER_H

#include <stdbool.h>

#include <weir/producer.h>

extern const struct weir_producer_ops scripted_producer;

enum { SCRIPT_SOURCE_COUNT = 64 };

struct producer_script;

struct producer_script *producer_script_create(void);
void producer_script_destroy(struct producer_script *script); /* NULL is fine */
const char *producer_script_handle(const struct producer_script *script);

/* Steps; each before the run. */
void producer_script_begin(struct producer_script *script, uint32_t source,
                           const char *topic, int32_t partition);
void producer_script_add(struct producer_script *script, uint32_t source,
                         const char *key, const char *payload);
/* `count` records with keys NULL and payloads "source:0", "source:1", ... */
void producer_script_add_many(struct producer_script *script, uint32_t source,
                              unsigned count);
void producer_script_add_omitted(struct producer_script *script,
                                 uint32_t source, size_t size);
/* The record that was added last: requeued, its broker would drop it. */
void producer_script_mark_last(struct producer_script *script);
/* Calls weir_intake_await() for at most `span_us`. */
void producer_script_await(struct producer_script *script, uint32_t source,
                           int64_t span_us);
void producer_script_end(struct producer_script *script, uint32_t source);
void producer_script_disconnect(struct producer_script *script);
void producer_script_fail(struct producer_script *script); /* WEIR_FATAL */
/* Goes on when producer_script_continue() was called once more. */
void producer_script_pause(struct producer_script *script);
void producer_script_set_endless(struct producer_script *script);

/* Any thread, while it runs and after it. */
void producer_script_continue(struct producer_script *script);

struct producer_script_counts {
    unsigned opens, offered, holds, releases, drains;
    unsigned settled[WEIR_OUTCOME_COUNT]; /* records */
    unsigned awaits_ended, awaits_late;
};
struct producer_script_counts producer_script_counts(
    struct producer_script *script);

/* Of record `index`, counted as they were added: its last settlement; -1: none
 * yet. */
int producer_script_outcome(struct producer_script *script, size_t index);

/* Waits until `count` settlements were made; false at the deadline. */
bool producer_script_wait(struct producer_script *script, unsigned count,
                          int64_t deadline_us);

#endif
