/*
 * embed_test.c - pipelines inside a program, by <weir/pipeline.h>.
 */
#include "test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include <weir/pipeline.h>
#include <weir/telemetry.h>

/* How often the handler was called; all workers. */
struct world {
    _Atomic unsigned long handled;
    _Atomic unsigned errors;
    char first_error[512];
};

static enum weir_status handle_message(struct weir_message *msg, void *state)
{
    (void)state;
    if (weir_message_payload(msg).size == 0)
        return WEIR_REJECT;
    return WEIR_OK;
}

static const struct weir_handler handler = {
    .abi_version = WEIR_ABI_VERSION,
    .struct_size = sizeof(struct weir_handler),
    .name = "test",
    .handle_message = handle_message,
};

static void keep_log(void *opaque, enum weir_log_level level, const char *line)
{
    struct world *world = opaque;

    if (level == WEIR_LOG_ERROR && atomic_fetch_add(&world->errors, 1) == 0)
        (void)snprintf(world->first_error, sizeof world->first_error, "%s",
                       line);
}

static int setup(void **state)
{
    static struct world world;

    world = (struct world){.errors = 0};
    weir_set_log(keep_log, &world);
    *state = &world;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    weir_set_log(NULL, NULL);
    return 0;
}

static struct weir_pipeline *create(const char *producer)
{
    char topology[512];
    struct weir_pipeline *pipeline = NULL;
    const struct weir_pipeline_config config = {.topology = topology,
                                                .handler = &handler};
    struct weir_error err = {0};

    (void)snprintf(topology, sizeof topology,
                   "name: test\n"
                   "producer: { generator: { %s } }\n"
                   "processors: { handler: linked, concurrency: 2 }\n"
                   "batchers: { default: { batch_timeout: 10ms, sink: discard "
                   "} }\n"
                   "failure: { then: drop }\n",
                   producer);
    if (weir_pipeline_create(&config, &pipeline, &err) != WEIR_OK)
        fail_msg("%s", err.text);
    return pipeline;
}

static void assert_done(const struct weir_pipeline *pipeline, uint64_t least)
{
    struct weir_ledger ledger;

    weir_pipeline_ledger(pipeline, &ledger);
    assert_true(ledger.done >= least);
    assert_int_equal(ledger.in_flight, 0);
    assert_int_equal(ledger.received,
                     ledger.done + ledger.rejected + ledger.abandoned);
}

static void a_pipeline_runs_to_its_sources_end(void **state)
{
    struct weir_pipeline *pipeline = create("count: 1000");

    (void)state;
    assert_int_equal(weir_pipeline_run(pipeline), 0);
    assert_done(pipeline, 1000);
    assert_int_equal(weir_pipeline_destroy(pipeline), WEIR_OK);
}

static void count_batches(void *opaque,
                          const struct weir_telemetry_event *event)
{
    _Atomic unsigned long *messages = opaque;

    if (event->phase == WEIR_TELEMETRY_STOP)
        *messages += event->count;
}

static void what_a_pipeline_does_is_told_to_who_listens(void **state)
{
    struct weir_pipeline *pipeline = create("count: 1000");
    _Atomic unsigned long messages = 0;

    (void)state;
    weir_telemetry_attach(pipeline, WEIR_TELEMETRY_BIT(WEIR_TELEMETRY_BATCH),
                          count_batches, &messages);
    assert_int_equal(weir_pipeline_run(pipeline), 0);
    assert_int_equal(messages, 1000);
    assert_int_equal(weir_pipeline_destroy(pipeline), WEIR_OK);
}

struct job {
    struct weir_pipeline *pipeline;
    int code;
};

static void *run(void *opaque)
{
    struct job *job = opaque;

    job->code = weir_pipeline_run(job->pipeline);
    return NULL;
}

/* Until it has done something. */
static void await_work(const struct weir_pipeline *pipeline)
{
    struct weir_ledger ledger = {.done = 0};

    while (ledger.done == 0)
        weir_pipeline_ledger(pipeline, &ledger);
}

static void any_thread_may_drain(void **state)
{
    struct weir_pipeline *pipeline = create("rate: 10000");
    struct job job = {.pipeline = pipeline, .code = -1};
    pthread_t thread;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, run, &job), 0);
    await_work(pipeline);
    weir_pipeline_drain(pipeline);
    weir_pipeline_drain(pipeline);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(job.code, 0);
    assert_done(pipeline, 1);
    assert_int_equal(weir_pipeline_destroy(pipeline), WEIR_OK);
}

static void a_drain_before_the_run_ends_it_at_once(void **state)
{
    struct weir_pipeline *pipeline = create("rate: 1");

    (void)state;
    weir_pipeline_drain(pipeline);
    assert_int_equal(weir_pipeline_run(pipeline), 0);
    assert_done(pipeline, 0);
    assert_int_equal(weir_pipeline_destroy(pipeline), WEIR_OK);
}

static void several_pipelines_live_side_by_side(void **state)
{
    struct weir_pipeline *first = create("count: 500");
    struct weir_pipeline *second = create("count: 700");
    struct job job = {.pipeline = first, .code = -1};
    pthread_t thread;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, run, &job), 0);
    assert_int_equal(weir_pipeline_run(second), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(job.code, 0);
    assert_done(first, 500);
    assert_done(second, 700);
    assert_int_equal(weir_pipeline_destroy(first), WEIR_OK);
    assert_int_equal(weir_pipeline_destroy(second), WEIR_OK);
}

static void one_that_never_ran_can_be_destroyed(void **state)
{
    (void)state;
    assert_int_equal(weir_pipeline_destroy(create("count: 1")), WEIR_OK);
    assert_int_equal(weir_pipeline_destroy(NULL), WEIR_OK);
}

static void every_error_is_logged_and_the_first_is_returned(void **state)
{
    struct world *world = *state;
    const struct weir_pipeline_config config = {
        .topology = "name: test\n"
                    "producer: { generator: { cuont: 1 } }\n"
                    "processors: { handler: linked }\n"
                    "failure: { then: dorp }\n",
        .file = "orders.yaml",
        .handler = &handler,
    };
    struct weir_pipeline *pipeline = NULL;
    struct weir_error err = {0};

    assert_int_equal(weir_pipeline_create(&config, &pipeline, &err),
                     WEIR_REJECT);
    assert_null(pipeline);
    assert_non_null(strstr(err.text, "orders.yaml:2:"));
    assert_non_null(strstr(err.text, "cuont"));
    assert_int_equal(world->errors, 2);
    assert_non_null(strstr(world->first_error, "cuont"));
}

static void without_a_handler_linked_is_refused(void **state)
{
    const struct weir_pipeline_config config = {
        .topology = "name: test\n"
                    "producer: { generator: { count: 1 } }\n"
                    "processors: { handler: linked }\n"
                    "failure: { then: drop }\n",
    };
    struct weir_pipeline *pipeline = NULL;
    struct weir_error err = {0};

    (void)state;
    assert_int_equal(weir_pipeline_create(&config, &pipeline, &err),
                     WEIR_REJECT);
    assert_non_null(strstr(err.text, "topology:3:"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_pipeline_runs_to_its_sources_end),
        TEST(what_a_pipeline_does_is_told_to_who_listens),
        TEST(any_thread_may_drain),
        TEST(a_drain_before_the_run_ends_it_at_once),
        TEST(several_pipelines_live_side_by_side),
        TEST(one_that_never_ran_can_be_destroyed),
        TEST(every_error_is_logged_and_the_first_is_returned),
        TEST(without_a_handler_linked_is_refused),
    };
    return cmocka_run_group_tests_name("embed", tests, NULL, NULL);
}
