/*
 * assembly.h - the stages of one run, as the files of this folder share them.
 */
#ifndef WEIR_PIPELINE_ASSEMBLY_H
#define WEIR_PIPELINE_ASSEMBLY_H

#include "batcher.h"
#include "crew.h"
#include "pipeline.h"
#include "processor.h"
#include "producer.h"
#include "rate.h"
#include "reload.h"
#include "sink.h"
#include "supervision.h"
#include "template.h"
#include "tuning.h"

/* What the watch has seen of one worker. */
struct watched {
    uint64_t serial;
    _Atomic uint64_t shown_serial; /* since when that callback runs */
    _Atomic int64_t since_us;
    bool is_said;
};

struct pipeline {
    const struct topology *topology;
    struct pipeline_options options;
    struct run run;
    struct ready *ready;
    struct crew crew; /* of the processors */
    struct template *ordering_key;
    struct rate rate; /* the producers share it */
    struct supervision supervision;

    pthread_mutex_t lock; /* of what follows */
    struct tuning tuning; /* what holds now, but for the rate limit and the log
                             level, which others may set */
    struct reload_view reloaded;

    struct batch_limits *limits; /* that are posted, of each batcher */

    struct producer *producers;
    struct processor *processors;
    struct batcher *batchers;
    struct outlet *outlets; /* one per batcher */
    struct sink *sinks;     /* of all batchers, one after the other; those of
                               `dead_letter`, like it, are the last */
    unsigned producer_count, processor_count, batcher_count, sink_count;
    unsigned journal_places; /* that sinks have */

    /* How far starting came. */
    unsigned producers_up, processors_up, batchers_up, sinks_up;

    int events; /* an eventfd: something changed, or a drain was asked for */
    _Atomic bool is_drain_asked;
    _Atomic bool is_pause_asked;
    _Atomic int64_t pulse_us; /* the last time that all of ours answered */
    _Atomic int64_t moved_us; /* the last time that there was no work, or some
                                 of it was done */
    uint64_t moved;           /* what had moved by then */
    _Atomic unsigned ends;    /* bits of enum run_end */

    struct watched *watched; /* processors, then sinks */
    struct weir_ledger last_ledger;
    int64_t still_since_us, asked_us, started_us, pulse_asked_us;
    bool has_connected, has_asked;
    unsigned empty_rounds; /* in which nobody had anything */

    bool is_late;           /* set by the drain */
    _Atomic bool is_stuck;  /* likewise; statistics read it meanwhile */
    uint64_t left_in_hands; /* abandoned in hands that are stuck */
};

static inline bool pipeline_has_ended(const struct pipeline *pipeline,
                                      enum run_end end)
{
    return (atomic_load_explicit(&pipeline->ends, memory_order_acquire) &
            (1U << end)) != 0;
}

/* Makes every stage.  What it made before it failed is there to be freed. */
WEIR_MUST_USE
enum weir_status assembly_build(struct pipeline *pipeline,
                                struct weir_error *err);
void assembly_free(struct pipeline *pipeline);

/* For the stages, which know no pipeline: something changed; end the run, and
 * say why.  Any thread. */
void pipeline_changed(void *opaque);
void pipeline_end(void *opaque, enum run_end end, const char *why);
int64_t pipeline_replace(void *opaque, const char *why);

/* One value of those that hold now.  Any thread. */
int64_t pipeline_tuned(struct pipeline *pipeline, enum tuning_key key);

/* All of them, from now on.  Any thread, not two at once. */
void pipeline_tune(struct pipeline *pipeline, const struct tuning *to);

/* To the stages' board, what pipeline->tuning has for them. */
void change_post(struct pipeline *pipeline);

/* Sleeps until something changed, or the deadline. */
void pipeline_wait(struct pipeline *pipeline, int64_t deadline_us);

/* The sum over all producers. */
void pipeline_ledger(const struct pipeline *pipeline,
                     struct weir_ledger *ret_ledger);

/* Stops everything, in order, under one deadline. */
void drain(struct pipeline *pipeline);

/* After a drain that left threads stuck: true when they have ended since, and
 * what they had is booked. */
bool drain_again(struct pipeline *pipeline);

/* Looks for workers that are stuck, ends that were reached, and messages that
 * nobody has. */
void watch(struct pipeline *pipeline);

/* Notes that the threads of the run go on, and whether messages do. */
void pulse(struct pipeline *pipeline, int64_t now);

/* After the run: says which batchers got no message. */
void watch_idle_batchers(const struct pipeline *pipeline);

#endif
