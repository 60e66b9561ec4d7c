/*
 * rabbitmq.h - the headers of rabbitmq-c up to 0.11; CMake chooses.
 */
#ifndef WEIR_CLIENTS_AMQP_RABBITMQ_H
#define WEIR_CLIENTS_AMQP_RABBITMQ_H

#include <amqp.h>
#include <amqp_framing.h>
#include <amqp_ssl_socket.h>
#include <amqp_tcp_socket.h>

#endif
