/*
 * amqp_version.c - which rabbitmq-c this process runs with.
 */
#include "amqp_version.h"

#include "rabbitmq.h"

const char *amqp_client_version(void)
{
    return amqp_version();
}
