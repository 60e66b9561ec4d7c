/*
 * link.c - one connection to a broker with one open channel.
 *
 * The library's calls block, some of them for ever.  Bounded here:
 *
 *     resolving      by the resolver alone
 *     TCP            5 s, ours (dial.c); with TLS by the library, with the
 *                    handshake
 *     login          10 s, handshake timeout
 *     channel, RPCs  10 s, rpc timeout
 *     writing        not at all: ask can_write() first, and a link that stays
 *                    unacknowledged for 30 s is ended by the kernel
 *
 * and all of it by wake(), which shuts the socket down.  A wake from before
 * open() may be stale (a settlement of the connection that was lost), so it
 * shortens the attempt to one second instead of failing it.
 *
 * A connection that had an error is never used again: the library's state
 * after one is undefined.
 *
 * Threads: the connection's own.
 */
#include "link.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "dial.h"
#include "trouble.h"

#define CONNECT_US   (5 * CLOCK_SECOND_US)
#define HANDSHAKE_US (10 * CLOCK_SECOND_US)
#define RPC_US       (10 * CLOCK_SECOND_US)
#define GOODBYE_US   (2 * CLOCK_SECOND_US)
#define WOKEN_US     (1 * CLOCK_SECOND_US)

enum { FRAME_MAX = 131072 };

/* What is left of an attempt, for one of its steps. */
static struct timeval step(int64_t deadline_us, int64_t longest_us)
{
    int64_t left_us = deadline_us - clock_now_us();

    if (left_us > longest_us)
        left_us = longest_us;
    if (left_us < 1000)
        left_us = 1000;
    return (struct timeval){.tv_sec = left_us / CLOCK_SECOND_US,
                            .tv_usec = left_us % CLOCK_SECOND_US};
}

static enum weir_status connect_plain(struct amqp_link *link,
                                      const struct amqp_url *url,
                                      int64_t deadline_us,
                                      struct amqp_guard *guard,
                                      struct weir_error *err)
{
    amqp_socket_t *socket = amqp_tcp_socket_new(link->connection);
    const int64_t connect_us = clock_after_us(CONNECT_US);
    enum weir_status status;
    int fd = -1;

    if (!socket)
        return weir_fail(err, WEIR_RETRY, "out of memory");
    status = amqp_dial(url->host, url->port,
                       connect_us < deadline_us ? connect_us : deadline_us,
                       guard, &fd, err);
    if (status != WEIR_OK)
        return status;
    amqp_tcp_socket_set_sockfd(socket, fd); /* it owns the descriptor now */
    return WEIR_OK;
}

/* The library has one code for every TCP failure: ask again, by ourselves. */
static enum weir_status explain_tcp(const struct amqp_url *url,
                                    struct amqp_guard *guard, const char *where,
                                    struct weir_error *err)
{
    int fd = -1;
    const enum weir_status status = amqp_dial(
        url->host, url->port, clock_after_us(WOKEN_US), guard, &fd, err);

    if (status != WEIR_OK)
        return status;
    close(fd);
    return weir_fail(err, WEIR_RETRY,
                     "%s: TLS handshake: the connection broke: is this a "
                     "TLS port?",
                     where);
}

static enum weir_status connect_tls(struct amqp_link *link,
                                    const struct amqp_url *url,
                                    const struct amqp_tls *tls,
                                    int64_t deadline_us,
                                    struct amqp_guard *guard,
                                    struct weir_error *err)
{
    amqp_socket_t *socket = amqp_ssl_socket_new(link->connection);
    const struct timeval timeout = step(deadline_us, HANDSHAKE_US);
    enum weir_status status;
    const char *verdict;
    int rc;

    if (!socket)
        return weir_fail(err, WEIR_RETRY, "out of memory");
    status = amqp_tls_prepare(socket, url->host, tls, &link->verdict, err);
    if (status != WEIR_OK)
        return status;
    rc = amqp_socket_open_noblock(socket, url->host, url->port, &timeout);
    if (rc == AMQP_STATUS_OK)
        return WEIR_OK;
    verdict = amqp_verdict_text(&link->verdict);
    if (verdict)
        return weir_fail(err, WEIR_RETRY,
                         "%s: the broker's certificate is not accepted: "
                         "%s: check tls.ca, the certificate and the url's host",
                         link->where, verdict);
    if (rc == AMQP_STATUS_SSL_CONNECTION_FAILED || rc == AMQP_STATUS_SSL_ERROR)
        return weir_fail(err, WEIR_RETRY,
                         "%s: TLS handshake failed: is this a TLS port "
                         "(5671), and does the broker want tls.cert?",
                         link->where);
    if (rc == AMQP_STATUS_TIMEOUT)
        return amqp_trouble_status(rc, link->where, "connecting with TLS", err);
    return explain_tcp(url, guard, link->where, err);
}

#define FLAG(text)                                                             \
    {                                                                          \
        .key = amqp_cstring_bytes(text), .value = {                            \
            .kind = AMQP_FIELD_KIND_BOOLEAN,                                   \
            .value = {.boolean = 1}                                            \
        }                                                                      \
    }

static amqp_rpc_reply_t login(struct amqp_link *link,
                              const struct amqp_url *url,
                              const struct amqp_link_options *options)
{
    amqp_table_entry_t flags[] = {
        FLAG("authentication_failure_close"), FLAG("basic.nack"),
        FLAG("connection.blocked"), FLAG("consumer_cancel_notify"),
        FLAG("publisher_confirms")};
    amqp_table_entry_t entries[] = {
        {.key = amqp_cstring_bytes("capabilities"),
         .value = {.kind = AMQP_FIELD_KIND_TABLE,
                   .value = {.table = {.num_entries =
                                           sizeof(flags) / sizeof(flags[0]),
                                       .entries = flags}}}},
        {.key = amqp_cstring_bytes("connection_name"),
         .value = {.kind = AMQP_FIELD_KIND_UTF8,
                   .value = {.bytes = amqp_cstring_bytes(options->name)}}}};
    const amqp_table_t properties = {.num_entries = 2, .entries = entries};

    return amqp_login_with_properties(
        link->connection, url->vhost, 0, FRAME_MAX, options->heartbeat_s,
        &properties, AMQP_SASL_METHOD_PLAIN, url->user, url->password);
}

#undef FLAG

/* A login that ends without a word is another protocol, most of the time; with
 * TLS 1.3 it is also how a broker refuses a certificate, or wants one. */
static enum weir_status explain_login(const struct amqp_link *link,
                                      const amqp_rpc_reply_t *reply,
                                      bool is_tls, struct weir_error *err)
{
    const int rc = reply->library_error;

    if (reply->reply_type != AMQP_RESPONSE_LIBRARY_EXCEPTION ||
        rc == AMQP_STATUS_TIMEOUT)
        return amqp_trouble_reply(reply, link->where, "logging in", err);
    if (is_tls)
        return weir_fail(err, WEIR_RETRY,
                         "%s: logging in: the broker ended it after the TLS "
                         "handshake (%s): it may want a certificate, or not "
                         "accept ours: check tls.cert and tls.key, and that "
                         "AMQP 0-9-1 is spoken on this port",
                         link->where, amqp_error_string2(rc));
    return weir_fail(err, WEIR_RETRY,
                     "%s: logging in: no AMQP 0-9-1 answer (%s): does "
                     "another protocol listen on this port? With TLS, write "
                     "amqps://.",
                     link->where, amqp_error_string2(rc));
}

static enum weir_status log_in(struct amqp_link *link,
                               const struct amqp_url *url,
                               const struct amqp_link_options *options,
                               int64_t deadline_us, struct weir_error *err)
{
    const struct timeval handshake = step(deadline_us, HANDSHAKE_US);
    amqp_rpc_reply_t reply;
    struct timeval rpc;

    if (amqp_set_handshake_timeout(link->connection, &handshake) !=
        AMQP_STATUS_OK)
        return weir_fail(err, WEIR_RETRY, "no handshake timeout");
    reply = login(link, url, options);
    if (reply.reply_type != AMQP_RESPONSE_NORMAL)
        return explain_login(link, &reply, url->is_tls, err);
    rpc = step(deadline_us, RPC_US);
    if (amqp_set_rpc_timeout(link->connection, &rpc) != AMQP_STATUS_OK)
        return weir_fail(err, WEIR_RETRY, "no rpc timeout");
    (void)amqp_channel_open(link->connection, AMQP_LINK_CHANNEL);
    return amqp_link_reply(link, "opening a channel", err);
}

static enum weir_status open_within(struct amqp_link *link,
                                    const struct amqp_url *url,
                                    const struct amqp_link_options *options,
                                    int64_t deadline_us,
                                    struct amqp_guard *guard,
                                    struct weir_error *err)
{
    enum weir_status status;

    link->connection = amqp_new_connection();
    if (!link->connection)
        return weir_fail(err, WEIR_RETRY, "out of memory");
    if (url->is_tls)
        status = connect_tls(link, url, &options->tls, deadline_us, guard, err);
    else
        status = connect_plain(link, url, deadline_us, guard, err);
    if (status != WEIR_OK)
        return status;
    link->socket = amqp_get_sockfd(link->connection);
    amqp_dial_tune(link->socket);
    amqp_guard_watch(guard, link->socket);
    return log_in(link, url, options, deadline_us, err);
}

enum weir_status amqp_link_open(struct amqp_link *link,
                                const struct amqp_url *url,
                                const struct amqp_link_options *options,
                                struct amqp_guard *guard,
                                struct weir_error *err)
{
    const bool was_woken = amqp_guard_take(guard);
    int64_t deadline_us = clock_after_us(
        was_woken ? WOKEN_US : CONNECT_US + HANDSHAKE_US + RPC_US);
    enum weir_status status;

    if (options->deadline_us > 0 && options->deadline_us < deadline_us)
        deadline_us = options->deadline_us;

    *link = (struct amqp_link){.socket = -1};
    (void)snprintf(link->where, sizeof(link->where), "%s:%d as %s", url->host,
                   url->port, url->user);
    status = open_within(link, url, options, deadline_us, guard, err);
    if (status == WEIR_OK) {
        amqp_link_set_timeout(link, RPC_US);
        return WEIR_OK;
    }
    amqp_guard_unwatch(guard);
    if (amqp_guard_is_woken(guard))
        status = weir_fail(err, WEIR_RETRY, "%s: connecting was interrupted",
                           link->where);
    link->is_broken = true;
    amqp_link_close(link, 0);
    return status;
}

void amqp_link_close(struct amqp_link *link, int64_t deadline_us)
{
    if (!link->connection)
        return;
    if (!link->is_broken && deadline_us > clock_now_us() &&
        amqp_link_can_write(link)) {
        const struct timeval timeout = step(deadline_us, GOODBYE_US);

        (void)amqp_set_rpc_timeout(link->connection, &timeout);
        (void)amqp_connection_close(link->connection, AMQP_REPLY_SUCCESS);
    }
    amqp_destroy_connection(link->connection);
    link->connection = NULL;
    link->socket = -1;
}

bool amqp_link_can_write(const struct amqp_link *link)
{
    struct pollfd fds = {.fd = link->socket, .events = POLLOUT};

    return poll(&fds, 1, 0) == 1 && (fds.revents & POLLOUT);
}

void amqp_link_set_timeout(struct amqp_link *link, int64_t timeout_us)
{
    const struct timeval timeout = {.tv_sec = timeout_us / CLOCK_SECOND_US,
                                    .tv_usec = timeout_us % CLOCK_SECOND_US};

    (void)amqp_set_rpc_timeout(link->connection, &timeout);
}

enum weir_status amqp_link_reply(struct amqp_link *link, const char *doing,
                                 struct weir_error *err)
{
    const amqp_rpc_reply_t reply = amqp_get_rpc_reply(link->connection);

    if (reply.reply_type == AMQP_RESPONSE_NORMAL)
        return WEIR_OK;
    /* A closed channel leaves the connection fit for a goodbye. */
    link->is_broken = reply.reply_type != AMQP_RESPONSE_SERVER_EXCEPTION ||
                      reply.reply.id != AMQP_CHANNEL_CLOSE_METHOD;
    return amqp_trouble_reply(&reply, link->where, doing, err);
}

enum weir_status amqp_link_fail(struct amqp_link *link, int library_status,
                                const char *doing, struct weir_error *err)
{
    link->is_broken = true;
    return amqp_trouble_status(library_status, link->where, doing, err);
}
