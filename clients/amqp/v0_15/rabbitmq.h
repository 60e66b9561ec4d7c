/*
 * rabbitmq.h - the headers of rabbitmq-c from 0.12 on; CMake chooses.
 */
#ifndef WEIR_CLIENTS_AMQP_RABBITMQ_H
#define WEIR_CLIENTS_AMQP_RABBITMQ_H

#include <rabbitmq-c/amqp.h>
#include <rabbitmq-c/framing.h>
#include <rabbitmq-c/ssl_socket.h>
#include <rabbitmq-c/tcp_socket.h>

#endif
