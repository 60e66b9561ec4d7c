/*
 * amqp_subject.c - the AMQP producer, with the RabbitMQ that WEIR_AMQP names.
 */
#include "producer_subjects.h"

#include "amqp_producer.h"
#include "real_broker.h"
#include "test.h"
#include "test_settings.h"

#define QUEUE "weir_contract"

enum { MESSAGE_SIZE = 4096 };

static void *prepare_amqp(struct weir_settings *settings, size_t count)
{
    static const char *const arguments[] = {"x-queue-type", "quorum", NULL};
    struct real_broker *broker;

    if (!real_broker_is_there())
        return NULL;
    broker = real_broker_create();
    real_broker_declare(broker, QUEUE, arguments);
    real_broker_publish(broker, QUEUE, 0, (unsigned)count);
    test_settings_set(settings, "url", real_broker_url());
    test_settings_set(settings, "queue", QUEUE);
    /* So that all of them fit into one prefetch. */
    test_settings_share(settings)->max_message_bytes = MESSAGE_SIZE;
    test_settings_share(settings)->until_end = true;
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

const struct producer_subject producer_subjects[] = {
    {.ops = &weir_amqp_producer,
     .prepare = prepare_amqp,
     .finish = finish_amqp,
     .spoil = spoil_amqp},
    {0},
};
