/*
 * harness.h - runs a whole pipeline in a test, against scripted ends.
 *
 * Arrange: a harness, its source script, its sink script or collection, a
 * handler.  Act: harness_start() with the rest of a topology.  Assert: on what
 * the ends saw and on the ledger, which must balance in every test.
 */
#ifndef WEIR_TEST_HARNESS_H
#define WEIR_TEST_HARNESS_H

#include "test.h"

#include <pthread.h>

#include "clock.h"
#include "collecting_sink.h"
#include "pipeline.h"
#include "scripted_producer.h"
#include "scripted_sink.h"
#include "topology.h"

struct harness {
    struct producer_script *source;
    struct sink_script *sink;
    struct collection *collection;
    struct weir_handler handler;         /* set its callbacks before start */
    struct weir_producer_ops source_ops; /* the scripted one's, to be varied */
    const struct weir_sink_ops
        *own_sink;              /* a connector of the test's, or NULL */
    bool until_end;             /* as with `--until-end`; set before start */
    int64_t connect_timeout_us; /* as with `--connect-timeout`; 0: never */
    struct topology *topology;
    struct pipeline *pipeline;
    pthread_t thread;
    bool is_running;
    int exit_code;
    struct pipeline_stats stats; /* after harness_join() */
};

/* For setup and teardown of a test. */
int harness_setup(void **state);
int harness_teardown(void **state);

/*
 * Starts a run.  `yaml` is a topology; SOURCE, SINK, ORDERED_SINK and COLLECT
 * in it stand for the harness's own connectors:
 *
 *     producer: { SOURCE }
 *     processors: { handler: linked }
 *     batchers: { default: { sink: { SINK } } }
 *     failure: { then: drop }
 */
void harness_start(struct harness *harness, const char *yaml);

/* Waits for the end by itself, destroys the pipeline; returns the exit code.
 * Fails the test after 30 s. */
int harness_join(struct harness *harness);

/* join() in two parts, for runs that end while a thread is stuck: destroy()
 * then answers WEIR_AGAIN.  Both fill in `stats`. */
int harness_end(struct harness *harness);
enum weir_status harness_destroy(struct harness *harness);
/* After end(): what join() does then. */
int harness_finish(struct harness *harness);

/* start() and join(). */
int harness_run(struct harness *harness, const char *yaml);

/* start() in two parts: the topology is loaded; it runs. */
void harness_create(struct harness *harness, const char *yaml);
void harness_begin(struct harness *harness);

/* Another topology while it runs: what pipeline_reload() answers.  `err` may be
 * NULL. */
enum weir_status harness_reload(struct harness *harness, const char *yaml,
                                struct weir_error *err);

void harness_drain(struct harness *harness);

/* The source "t" of that partition, and `count` messages of it. */
void harness_offer(struct harness *harness, int32_t partition, unsigned count);

/* How many the source was told to have ended so. */
unsigned harness_settled(struct harness *harness, enum weir_outcome outcome);

/* What SINK has delivered. */
struct collection *harness_sunk(struct harness *harness);

/* Waits until `is_true(harness)`, at most 10 s; else fails the test. */
void harness_wait(struct harness *harness,
                  bool (*is_true)(struct harness *harness));

/* A handler's own gate: callbacks wait at it until it is opened. */
struct gate {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_open;
    unsigned waiting;
};

#define GATE_CLOSED                                                            \
    {                                                                          \
        PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, 0          \
    }

void gate_pass(struct gate *gate); /* waits while it is closed */
void gate_open(struct gate *gate);
void gate_close(struct gate *gate);
/* Waits until `count` threads wait at it, at most 10 s; else fails the test. */
void gate_await(struct gate *gate, unsigned count);

#endif
