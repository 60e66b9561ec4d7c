/*
 * amqp_sink_subject.c - the AMQP sink, with the RabbitMQ that WEIR_AMQP names.
 */
#include "sink_subjects.h"

#include "amqp_sink.h"
#include "real_broker.h"
#include "test.h"
#include "test_settings.h"

#define QUEUE "weir_sink_contract"

static void *prepare_amqp(struct weir_settings *settings)
{
    static const char *const arguments[] = {"x-queue-type", "quorum", NULL};
    struct real_broker *broker;

    if (!real_broker_is_there())
        return NULL;
    broker = real_broker_create();
    real_broker_declare(broker, QUEUE, arguments);
    test_settings_set(settings, "url", real_broker_url());
    test_settings_set(settings, "routing_key", QUEUE);
    return broker;
}

static void finish_amqp(void *prepared)
{
    real_broker_delete(prepared, QUEUE);
    real_broker_destroy(prepared);
}

static void spoil_amqp(struct weir_settings *settings, void *prepared)
{
    (void)prepared;
    test_settings_set(settings, "url", "amqp://127.0.0.1:1/");
}

const struct sink_subject sink_subjects[] = {
    {.name = "amqp",
     .ops = &weir_amqp_sink,
     .prepare = prepare_amqp,
     .finish = finish_amqp,
     .spoil = spoil_amqp},
    {0},
};
