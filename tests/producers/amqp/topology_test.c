/*
 * topology_test.c - what a topology file says reaches the broker.
 */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amqp_producer.h"
#include "clock.h"
#include "real_broker.h"
#include "test_intake.h"
#include "topology.h"

enum { SKIPPED = 77 };

static const struct weir_producer_ops *const producers[] = {&weir_amqp_producer,
                                                            NULL};
static const struct weir_sink_ops *const sinks[] = {NULL};
static const struct weir_handler handler = {.abi_version = WEIR_ABI_VERSION,
                                            .struct_size = sizeof(handler),
                                            .name = "passthrough"};
static const struct weir_handler *const handlers[] = {&handler, NULL};
static const struct connectors connectors = {
    .producers = producers, .sinks = sinks, .handlers = handlers};

struct fixture {
    struct topology *topology;
    struct topology_errors errors;
    char text[4096];
};

static int setup(void **state)
{
    *state = calloc(1, sizeof(struct fixture));
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    topology_destroy(fixture->topology);
    topology_errors_finish(&fixture->errors);
    free(fixture);
    return 0;
}

static enum weir_status load(struct fixture *fixture, const char *options)
{
    const struct topology_source source = {.file = "/t.yaml",
                                           .text = fixture->text};

    (void)snprintf(fixture->text, sizeof(fixture->text),
                   "name: orders\n"
                   "producer:\n"
                   "  amqp:\n"
                   "    url: %s\n"
                   "    queue: weir-test-topology\n"
                   "%s"
                   "processors: { handler: passthrough }\n"
                   "failure: { then: reject }\n",
                   real_broker_url() ? real_broker_url() : "amqp://broker",
                   options);
    return topology_load(&source, &connectors, &fixture->topology,
                         &fixture->errors);
}

static void must_load(struct fixture *fixture, const char *options)
{
    char text[500];

    if (load(fixture, options) == WEIR_OK)
        return;
    (void)topology_error_format(&fixture->errors.list[0], text, sizeof(text));
    fail_msg("%s", text);
}

static void a_queue_is_declared_and_bound_as_written(void **state)
{
    struct fixture *fixture = *state;
    struct weir_intake *intake = test_intake_create(&weir_amqp_producer);
    struct real_broker *broker = real_broker_create();
    struct weir_error err = {.text = ""};

    must_load(fixture, "    declare: { type: quorum, arguments: { "
                       "x-max-length: 1000 } }\n"
                       "    bindings:\n"
                       "      - { exchange: amq.direct, routing_key: a }\n"
                       "      - { exchange: amq.fanout }\n");
    real_broker_delete(broker, "weir-test-topology");
    if (weir_amqp_producer.open(test_intake_self(intake),
                                fixture->topology->producer.settings[0],
                                &err) != WEIR_OK)
        fail_msg("%s", err.text);
    real_broker_publish_to(broker, "amq.direct", "a", "one");
    real_broker_publish_to(broker, "amq.fanout", "any", "two");
    test_intake_pull_until(intake, 10, 2);

    assert_string_equal(test_intake_record(intake, 0)->payload, "one");
    assert_string_equal(test_intake_record(intake, 1)->payload, "two");
    test_intake_close(intake);
    test_intake_destroy(intake);
    real_broker_delete(broker, "weir-test-topology");
    real_broker_destroy(broker);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_queue_is_declared_and_bound_as_written),
    };

    if (!real_broker_is_there())
        return SKIPPED;
    return cmocka_run_group_tests_name("amqp_topology", tests, NULL, NULL);
}
