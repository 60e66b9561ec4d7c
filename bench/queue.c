/*
 * queue.c - a plain connection to a RabbitMQ queue.
 *
 * Threads: that of the caller.
 */
#include "queue.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>

enum { CHANNEL = 1, FRAME_MAX = 131072, HEARTBEAT_S = 60 };

static void fail(const char *what)
{
    (void)fprintf(stderr, "bench: %s failed\n", what);
    exit(69);
}

void queue_must(amqp_connection_state_t link, const char *what)
{
    if (amqp_get_rpc_reply(link).reply_type != AMQP_RESPONSE_NORMAL)
        fail(what);
}

amqp_connection_state_t queue_open(char *url, const char *queue,
                                   const char *type)
{
    struct amqp_connection_info info;
    amqp_connection_state_t link = amqp_new_connection();
    amqp_socket_t *socket = amqp_tcp_socket_new(link);
    amqp_table_entry_t entry = {
        .key = amqp_cstring_bytes("x-queue-type"),
        .value = {.kind = AMQP_FIELD_KIND_UTF8,
                  .value.bytes = amqp_cstring_bytes(type)}};
    const amqp_table_t arguments = {1, &entry};

    if (amqp_parse_url(url, &info) != AMQP_STATUS_OK ||
        amqp_socket_open(socket, info.host, info.port) != AMQP_STATUS_OK)
        fail("connecting");
    if (amqp_login(link, info.vhost, 0, FRAME_MAX, HEARTBEAT_S,
                   AMQP_SASL_METHOD_PLAIN, info.user, info.password)
            .reply_type != AMQP_RESPONSE_NORMAL)
        fail("logging in");
    (void)amqp_channel_open(link, CHANNEL);
    queue_must(link, "opening a channel");
    (void)amqp_queue_declare(link, CHANNEL, amqp_cstring_bytes(queue), 0, 1, 0,
                             0, arguments);
    queue_must(link, "declaring the queue");
    return link;
}

void queue_close(amqp_connection_state_t link)
{
    (void)amqp_connection_close(link, AMQP_REPLY_SUCCESS);
    (void)amqp_destroy_connection(link);
}

int queue_frame(amqp_connection_state_t link, amqp_frame_t *frame, int wait_ms)
{
    for (;;) {
        struct timeval none = {0, 0};
        struct pollfd fd = {amqp_get_sockfd(link), POLLIN, 0};
        const int rc = amqp_simple_wait_frame_noblock(link, frame, &none);

        if (rc == AMQP_STATUS_OK)
            return 1;
        if (rc != AMQP_STATUS_TIMEOUT)
            fail("reading");
        if (poll(&fd, 1, wait_ms) == 0)
            return 0;
    }
}
