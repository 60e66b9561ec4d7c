/*
 * amqp_version.h - which rabbitmq-c this process runs with.
 */
#ifndef WEIR_CLIENTS_AMQP_VERSION_H
#define WEIR_CLIENTS_AMQP_VERSION_H

/* "0.11.0", of the library that was loaded, not of its headers. */
const char *amqp_client_version(void);

#endif
