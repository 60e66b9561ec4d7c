/*
 * trouble.h - what the library or the broker says, as a sentence for people.
 */
#ifndef WEIR_CLIENTS_AMQP_TROUBLE_H
#define WEIR_CLIENTS_AMQP_TROUBLE_H

#include <stdbool.h>

#include <weir/status.h>

#include "rabbitmq.h"

/* A close that the broker sent, of a channel or of the connection. */
struct amqp_closing {
    int code; /* 0: the broker closed nothing */
    char text[160];
    bool is_channel;
};

/* Reads it off a method frame's or a reply's method. */
struct amqp_closing amqp_closing_of(const amqp_method_t *method);

/* WEIR_RETRY and "<where>: <doing>: ..."; `where` is "host:port as user". */
enum weir_status amqp_trouble_closing(const struct amqp_closing *closing,
                                      const char *where, const char *doing,
                                      struct weir_error *err);
enum weir_status amqp_trouble_status(int library_status, const char *where,
                                     const char *doing, struct weir_error *err);
enum weir_status amqp_trouble_reply(const amqp_rpc_reply_t *reply,
                                    const char *where, const char *doing,
                                    struct weir_error *err);

#endif
