/*
 * harness.c - runs a whole pipeline in a test, against scripted ends.
 */
#include "harness.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "generator.h"
#include "passthrough.h"
#include "reload.h"

static const struct weir_handler *const handlers[] = {&weir_passthrough, NULL};

enum { TEXT_SIZE = 4000 };

int harness_setup(void **state)
{
    struct harness *harness = calloc(1, sizeof *harness);

    assert_non_null(harness);
    harness->source = producer_script_create();
    harness->sink = sink_script_create();
    harness->collection = collection_create();
    harness->source_ops = scripted_producer;
    harness->handler =
        (struct weir_handler){.abi_version = WEIR_ABI_VERSION,
                              .struct_size = sizeof(struct weir_handler),
                              .name = "test"};
    *state = harness;
    return 0;
}

int harness_teardown(void **state)
{
    struct harness *harness = *state;

    if (harness->is_running) {
        harness_drain(harness);
        (void)harness_end(harness);
    }
    if (harness->pipeline)
        assert_int_equal(harness_destroy(harness), WEIR_OK);
    producer_script_destroy(harness->source);
    sink_script_destroy(harness->sink);
    collection_destroy(harness->collection);
    free(harness);
    return 0;
}

/* Puts `with` in the place of each `name` of `text`. */
static void replace(char *text, const char *name, const char *with)
{
    char out[TEXT_SIZE];
    char *at = strstr(text, name);

    while (at) {
        (void)snprintf(out, sizeof out, "%.*s%s%s", (int)(at - text), text,
                       with, at + strlen(name));
        memcpy(text, out, sizeof out);
        at = strstr(text, name);
    }
}

static void name_ends(struct harness *harness, char *text)
{
    char with[200];

    (void)snprintf(with, sizeof with, "scripted: { script: \"%s\" }",
                   producer_script_handle(harness->source));
    replace(text, "SOURCE", with);
    (void)snprintf(with, sizeof with, "scripted_ordered: { script: \"%s\" }",
                   sink_script_handle(harness->sink));
    replace(text, "ORDERED_SINK", with);
    (void)snprintf(with, sizeof with, "scripted: { script: \"%s\" }",
                   sink_script_handle(harness->sink));
    replace(text, "SINK", with);
    (void)snprintf(with, sizeof with, "collecting: { into: \"%s\" }",
                   collection_handle(harness->collection));
    replace(text, "COLLECT", with);
}

/* Fails the test where it is refused. */
static struct topology *load(struct harness *harness, const char *text)
{
    const struct topology_source source = {.file = "test.yaml",
                                           .text = text,
                                           .until_end = harness->until_end,
                                           .has_linked_handler = true};
    const struct weir_producer_ops *const producers[] = {
        &harness->source_ops, &weir_generator_producer, NULL};
    const struct weir_sink_ops *const sinks[] = {
        &scripted_sink, &scripted_ordered_sink, &collecting_sink,
        harness->own_sink, NULL};
    const struct connectors all = {
        .producers = producers, .sinks = sinks, .handlers = handlers};
    struct topology_errors errors = {0};
    struct topology *topology = NULL;
    enum weir_status status;

    status = topology_load(&source, &all, &topology, &errors);
    for (size_t i = 0; status != WEIR_OK && i < errors.count; i++) {
        char line[600];

        (void)topology_error_format(&errors.list[i], line, sizeof line);
        print_error("%s\n", line);
    }
    topology_errors_finish(&errors);
    assert_int_equal(status, WEIR_OK);
    return topology;
}

static void *run(void *opaque)
{
    struct harness *harness = opaque;

    harness->exit_code = pipeline_run(harness->pipeline);
    return NULL;
}

int harness_join(struct harness *harness)
{
    (void)harness_end(harness);
    return harness_finish(harness);
}

void harness_create(struct harness *harness, const char *yaml)
{
    char text[TEXT_SIZE];
    struct weir_error err = {0};
    struct pipeline_options options = {0};

    (void)snprintf(text, sizeof text, "name: test\n%s", yaml);
    name_ends(harness, text);
    harness->topology = load(harness, text);
    options.connect_timeout_us = harness->connect_timeout_us;
    options.handler = harness->topology->processors.handler.is_linked
                          ? &harness->handler
                          : harness->topology->processors.handler.builtin;
    if (pipeline_create(harness->topology, &options, &harness->pipeline,
                        &err) != WEIR_OK)
        fail_msg("%s", err.text);
}

enum weir_status harness_reload(struct harness *harness, const char *yaml,
                                struct weir_error *err)
{
    struct weir_error own = {0};
    struct topology *next;
    char text[TEXT_SIZE];
    enum weir_status status;

    (void)snprintf(text, sizeof text, "%s%s",
                   strncmp(yaml, "name:", 5) == 0 ? "" : "name: test\n", yaml);
    name_ends(harness, text);
    next = load(harness, text);
    status = pipeline_reload(harness->pipeline, next, "test", err ? err : &own);
    topology_destroy(next);
    return status;
}

void harness_begin(struct harness *harness)
{
    harness->is_running = true;
    assert_int_equal(pthread_create(&harness->thread, NULL, run, harness), 0);
}

int harness_end(struct harness *harness)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 30;
    if (pthread_timedjoin_np(harness->thread, NULL, &until) != 0)
        fail_msg("the pipeline did not end within 30 s");
    harness->is_running = false;
    pipeline_stats(harness->pipeline, &harness->stats);
    return harness->exit_code;
}

enum weir_status harness_destroy(struct harness *harness)
{
    enum weir_status status;

    pipeline_stats(harness->pipeline, &harness->stats);
    status = pipeline_destroy(harness->pipeline);
    if (status != WEIR_OK)
        return status;
    harness->pipeline = NULL;
    topology_destroy(harness->topology);
    harness->topology = NULL;
    return WEIR_OK;
}

int harness_finish(struct harness *harness)
{
    const struct pipeline_stats *stats = &harness->stats;

    assert_int_equal(harness_destroy(harness), WEIR_OK);
    assert_int_equal(stats->received, stats->done + stats->rejected +
                                          stats->abandoned + stats->in_flight);
    assert_int_equal(stats->in_flight, 0);
    return harness->exit_code;
}

void harness_start(struct harness *harness, const char *yaml)
{
    harness_create(harness, yaml);
    harness_begin(harness);
}

int harness_run(struct harness *harness, const char *yaml)
{
    harness_start(harness, yaml);
    return harness_join(harness);
}

void harness_drain(struct harness *harness)
{
    pipeline_drain(harness->pipeline);
}

void harness_offer(struct harness *harness, int32_t partition, unsigned count)
{
    producer_script_begin(harness->source, 0, "t", partition);
    producer_script_add_many(harness->source, 0, count);
}

unsigned harness_settled(struct harness *harness, enum weir_outcome outcome)
{
    return producer_script_counts(harness->source).settled[outcome];
}

struct collection *harness_sunk(struct harness *harness)
{
    return sink_script_delivered(harness->sink);
}

void harness_wait(struct harness *harness,
                  bool (*is_true)(struct harness *harness))
{
    const int64_t deadline = clock_after_us(10 * CLOCK_SECOND_US);

    while (!is_true(harness)) {
        if (clock_now_us() > deadline)
            fail_msg("what the test waits for did not come true within 10 s");
        (void)poll(NULL, 0, 2);
    }
}

void gate_pass(struct gate *gate)
{
    (void)pthread_mutex_lock(&gate->lock);
    gate->waiting++;
    (void)pthread_cond_broadcast(&gate->changed);
    while (!gate->is_open)
        (void)pthread_cond_wait(&gate->changed, &gate->lock);
    gate->waiting--;
    (void)pthread_mutex_unlock(&gate->lock);
}

static void set(struct gate *gate, bool is_open)
{
    (void)pthread_mutex_lock(&gate->lock);
    gate->is_open = is_open;
    (void)pthread_cond_broadcast(&gate->changed);
    (void)pthread_mutex_unlock(&gate->lock);
}

void gate_open(struct gate *gate)
{
    set(gate, true);
}

void gate_close(struct gate *gate)
{
    set(gate, false);
}

void gate_await(struct gate *gate, unsigned count)
{
    struct timespec until;
    int rc = 0;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 10;
    (void)pthread_mutex_lock(&gate->lock);
    while (gate->waiting < count && rc == 0)
        rc = pthread_cond_timedwait(&gate->changed, &gate->lock, &until);
    rc = gate->waiting < count;
    (void)pthread_mutex_unlock(&gate->lock);
    if (rc)
        fail_msg("fewer than %u callbacks wait at the gate", count);
}
