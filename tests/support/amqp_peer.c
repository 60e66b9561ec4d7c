/*
 * amqp_peer.c - a small AMQP 0-9-1 broker that can misbehave.
 *
 * A frame is type, channel (2 bytes), size (4), payload, 0xce.  Of methods, the
 * payload is class (2), method (2), arguments; only those that the answer or
 * the test depends on are read.
 *
 * Threads: one serves the client; the test's sends frames.  `lock` is held for
 * everything but waiting.
 */
#include "amqp_peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "amqp_frame.h"
#include "test.h"

enum {
    INPUT_SIZE = 262144,
    VERDICTS = 20000,
    METHODS = 64,
    HEAD = 7,
    PATIENCE_S = 10,
    FRAME_MAX = 131072
};

#define METHOD AMQP_FRAME_METHOD_ID

struct method_count {
    uint32_t method;
    unsigned count;
};

struct amqp_peer {
    struct amqp_peer_options options;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t thread;
    int listener, stop, client; /* client -1: none */
    int port;
    uint32_t ready;
    unsigned connections;
    bool is_deaf;
    struct amqp_peer_verdict verdicts[VERDICTS];
    size_t verdict_count;
    struct method_count methods[METHODS];
    uint64_t left; /* of the body that is being published */
    size_t published, heartbeats;
    uint8_t input[INPUT_SIZE];
    size_t input_size;
};

static void send_locked(struct amqp_peer *peer, const void *bytes, size_t size)
{
    const uint8_t *from = bytes;

    while (size > 0 && peer->client >= 0) {
        const ssize_t sent = send(peer->client, from, size, MSG_NOSIGNAL);

        if (sent <= 0)
            return;
        from += sent;
        size -= (size_t)sent;
    }
}

static void frame_locked(struct amqp_peer *peer, uint8_t type, uint16_t channel,
                         const void *payload, size_t size)
{
    const uint8_t end = 0xce;
    struct amqp_frame_payload head = {.size = 0};

    amqp_frame_put(&head, type, 1);
    amqp_frame_put(&head, channel, 2);
    amqp_frame_put(&head, size, 4);
    send_locked(peer, head.bytes, head.size);
    send_locked(peer, payload, size);
    send_locked(peer, &end, 1);
}

static void method_locked(struct amqp_peer *peer, uint16_t channel,
                          const struct amqp_frame_payload *payload)
{
    frame_locked(peer, 1, channel, payload->bytes, payload->size);
}

static void empty_locked(struct amqp_peer *peer, uint16_t channel,
                         uint32_t method)
{
    const struct amqp_frame_payload out = amqp_frame_begin(method);

    method_locked(peer, channel, &out);
}

static void start_locked(struct amqp_peer *peer)
{
    struct amqp_frame_payload out = amqp_frame_begin(METHOD(10, 10));

    amqp_frame_put(&out, 0, 1);
    amqp_frame_put(&out, 9, 1);
    amqp_frame_put(&out, 0, 4); /* no properties */
    amqp_frame_put_long_text(&out, "PLAIN");
    amqp_frame_put_long_text(&out, "en_US");
    method_locked(peer, 0, &out);
}

static void close_locked(struct amqp_peer *peer, uint16_t channel,
                         uint16_t code, const char *text)
{
    struct amqp_frame_payload out =
        amqp_frame_begin(channel ? METHOD(20, 40) : METHOD(10, 50));

    amqp_frame_put(&out, code, 2);
    amqp_frame_put_short_text(&out, text);
    amqp_frame_put(&out, 0, 4);
    method_locked(peer, channel, &out);
}

static void tune_locked(struct amqp_peer *peer)
{
    struct amqp_frame_payload out = amqp_frame_begin(METHOD(10, 30));

    if (peer->options.login_refusal) {
        close_locked(peer, 0, peer->options.login_refusal,
                     peer->options.refusal_text);
        return;
    }
    amqp_frame_put(&out, 2047, 2);
    amqp_frame_put(&out, FRAME_MAX, 4);
    amqp_frame_put(&out, peer->options.heartbeat_s, 2);
    method_locked(peer, 0, &out);
}

static void declare_locked(struct amqp_peer *peer, const uint8_t *arguments)
{
    struct amqp_frame_payload out = amqp_frame_begin(METHOD(50, 11));
    const size_t size = arguments[2];

    if (peer->options.declare_refusal) {
        close_locked(peer, 1, peer->options.declare_refusal,
                     peer->options.refusal_text);
        return;
    }
    amqp_frame_put(&out, size, 1);
    memcpy(out.bytes + out.size, arguments + 3, size);
    out.size += size;
    amqp_frame_put(&out, peer->ready, 4);
    amqp_frame_put(&out, 1, 4);
    method_locked(peer, 1, &out);
}

static void exchange_locked(struct amqp_peer *peer)
{
    if (peer->options.declare_refusal)
        close_locked(peer, 1, peer->options.declare_refusal,
                     peer->options.refusal_text);
    else
        empty_locked(peer, 1, METHOD(40, 11));
}

static void consume_locked(struct amqp_peer *peer)
{
    struct amqp_frame_payload out = amqp_frame_begin(METHOD(60, 21));

    amqp_frame_put_short_text(&out, "weir");
    method_locked(peer, 1, &out);
    peer->is_deaf = peer->options.consumes_silently;
}

static void open_locked(struct amqp_peer *peer, uint32_t method)
{
    struct amqp_frame_payload out = amqp_frame_begin(method);

    amqp_frame_put(&out, 0, method == METHOD(20, 11) ? 4 : 1);
    method_locked(peer, method == METHOD(20, 11) ? 1 : 0, &out);
}

static void cancel_ok_locked(struct amqp_peer *peer)
{
    struct amqp_frame_payload out = amqp_frame_begin(METHOD(60, 31));

    amqp_frame_put_short_text(&out, "weir");
    method_locked(peer, 1, &out);
}

static void note_verdict(struct amqp_peer *peer, uint16_t method,
                         const uint8_t *arguments)
{
    if (peer->verdict_count == VERDICTS)
        return;
    peer->verdicts[peer->verdict_count++] =
        (struct amqp_peer_verdict){.method = method,
                                   .tag = amqp_frame_get(arguments, 8),
                                   .flag = arguments[8] & 1};
}

static void count_method(struct amqp_peer *peer, uint32_t method)
{
    for (size_t i = 0; i < METHODS; i++) {
        if (peer->methods[i].count > 0 && peer->methods[i].method != method)
            continue;
        peer->methods[i].method = method;
        peer->methods[i].count++;
        return;
    }
}

static bool is_silent(const struct amqp_peer *peer, uint32_t method)
{
    switch (peer->options.silence) {
    case AMQP_PEER_SILENT_AT_ONCE:
        return true;
    case AMQP_PEER_SILENT_AFTER_LOGIN:
        return method == METHOD(20, 10);
    case AMQP_PEER_SILENT_AT_DECLARE:
        return method == METHOD(50, 10);
    default:
        return false;
    }
}

static void answer_locked(struct amqp_peer *peer, uint32_t method,
                          const uint8_t *arguments)
{
    count_method(peer, method);
    if (is_silent(peer, method))
        return;
    switch (method) {
    case METHOD(10, 11): /* start-ok */
        tune_locked(peer);
        break;
    case METHOD(10, 40): /* connection.open */
        open_locked(peer, METHOD(10, 41));
        break;
    case METHOD(10, 50): /* connection.close */
        empty_locked(peer, 0, METHOD(10, 51));
        break;
    case METHOD(20, 10): /* channel.open */
        open_locked(peer, METHOD(20, 11));
        break;
    case METHOD(40, 10): /* exchange.declare */
        exchange_locked(peer);
        break;
    case METHOD(50, 10): /* queue.declare */
        declare_locked(peer, arguments);
        break;
    case METHOD(60, 10): /* basic.qos */
        empty_locked(peer, 1, METHOD(60, 11));
        break;
    case METHOD(60, 20): /* basic.consume */
        consume_locked(peer);
        break;
    case METHOD(60, 30): /* basic.cancel */
        cancel_ok_locked(peer);
        break;
    case METHOD(60, 80): /* basic.ack */
    case METHOD(60, 90): /* basic.reject */
        note_verdict(peer, (uint16_t)method, arguments);
        break;
    case METHOD(85, 10): /* confirm.select */
        empty_locked(peer, 1, METHOD(85, 11));
        peer->is_deaf = peer->options.publishes_unread;
        break;
    default: /* tune-ok, close-ok, basic.publish: no answer */
        break;
    }
}

static void drop_client_locked(struct amqp_peer *peer)
{
    if (peer->client >= 0)
        close(peer->client);
    peer->client = -1;
    peer->input_size = 0;
    peer->is_deaf = false;
}

static void greet_locked(struct amqp_peer *peer)
{
    if (peer->options.greeting) {
        send_locked(peer, peer->options.greeting,
                    strlen(peer->options.greeting));
        drop_client_locked(peer);
    } else if (peer->options.silence != AMQP_PEER_SILENT_AT_ONCE) {
        start_locked(peer);
    }
}

/* A header, or a part of a body, of `size` bytes. */
static void take_content(struct amqp_peer *peer, uint8_t type,
                         const uint8_t *payload, size_t size)
{
    if (type == 8)
        peer->heartbeats++;
    if (type == 2)
        peer->left = amqp_frame_get(payload + 4, 8);
    else if (type == 3)
        peer->left -= size;
    else
        return;
    if (peer->left == 0)
        peer->published++;
}

/* Takes one frame, or the protocol header, off the input; false: incomplete. */
static bool take_input_locked(struct amqp_peer *peer)
{
    size_t size = 8;

    if (peer->input_size < size)
        return false;
    if (peer->input[0] == 'A') {
        greet_locked(peer);
    } else {
        size = HEAD + amqp_frame_get(peer->input + 3, 4) + 1;
        if (peer->input_size < size)
            return false;
        if (peer->input[0] == 1)
            answer_locked(peer, (uint32_t)amqp_frame_get(peer->input + HEAD, 4),
                          peer->input + HEAD + 4);
        take_content(peer, peer->input[0], peer->input + HEAD, size - HEAD - 1);
    }
    if (peer->input_size < size)
        return false; /* the client is gone */
    peer->input_size -= size;
    memmove(peer->input, peer->input + size, peer->input_size);
    return true;
}

static void read_client_locked(struct amqp_peer *peer)
{
    const ssize_t got = recv(peer->client, peer->input + peer->input_size,
                             INPUT_SIZE - peer->input_size, MSG_DONTWAIT);

    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) {
        drop_client_locked(peer);
        return;
    }
    peer->input_size += (size_t)got;
    while (take_input_locked(peer))
        continue;
}

static void accept_locked(struct amqp_peer *peer)
{
    const int client = accept(peer->listener, NULL, NULL);
    const int on = 1;

    if (client < 0)
        return;
    (void)setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    drop_client_locked(peer);
    peer->client = client;
    peer->connections++;
}

static void *serve(void *opaque)
{
    struct amqp_peer *peer = opaque;
    struct pollfd fds[3] = {{.fd = peer->stop, .events = POLLIN},
                            {.fd = peer->listener, .events = POLLIN},
                            {.fd = -1, .events = POLLIN}};

    while (fds[0].revents == 0) {
        (void)poll(fds, 3, 1000);
        pthread_mutex_lock(&peer->lock);
        if (fds[2].revents != 0 && fds[2].fd == peer->client)
            read_client_locked(peer);
        if (fds[1].revents & POLLIN)
            accept_locked(peer);
        fds[2].fd = peer->is_deaf ? -1 : peer->client;
        pthread_cond_broadcast(&peer->changed);
        pthread_mutex_unlock(&peer->lock);
    }
    return NULL;
}

static int listen_on_loopback(int *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof(address);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

struct amqp_peer *amqp_peer_create(const struct amqp_peer_options *options)
{
    struct amqp_peer *peer = calloc(1, sizeof(*peer));

    assert_non_null(peer);
    peer->options = *options;
    peer->client = -1;
    peer->listener = listen_on_loopback(&peer->port);
    peer->stop = eventfd(0, EFD_CLOEXEC);
    assert_true(peer->stop >= 0);
    assert_int_equal(pthread_mutex_init(&peer->lock, NULL), 0);
    assert_int_equal(pthread_cond_init(&peer->changed, NULL), 0);
    assert_int_equal(pthread_create(&peer->thread, NULL, serve, peer), 0);
    return peer;
}

void amqp_peer_destroy(struct amqp_peer *peer)
{
    const uint64_t one = 1;

    if (!peer)
        return;
    assert_int_equal(write(peer->stop, &one, sizeof(one)), sizeof(one));
    pthread_join(peer->thread, NULL);
    drop_client_locked(peer); /* nobody else is left */
    close(peer->listener);
    close(peer->stop);
    pthread_cond_destroy(&peer->changed);
    pthread_mutex_destroy(&peer->lock);
    free(peer);
}

int amqp_peer_port(const struct amqp_peer *peer)
{
    return peer->port;
}

void amqp_peer_set_ready(struct amqp_peer *peer, uint32_t ready)
{
    pthread_mutex_lock(&peer->lock);
    peer->ready = ready;
    pthread_mutex_unlock(&peer->lock);
}

void amqp_peer_send(struct amqp_peer *peer, const void *bytes, size_t size)
{
    pthread_mutex_lock(&peer->lock);
    send_locked(peer, bytes, size);
    pthread_mutex_unlock(&peer->lock);
}

void amqp_peer_send_frame(struct amqp_peer *peer, uint8_t type,
                          uint16_t channel, const void *payload, size_t size)
{
    pthread_mutex_lock(&peer->lock);
    frame_locked(peer, type, channel, payload, size);
    pthread_mutex_unlock(&peer->lock);
}

void amqp_peer_send_close(struct amqp_peer *peer, uint16_t channel,
                          uint16_t code, const char *text)
{
    pthread_mutex_lock(&peer->lock);
    close_locked(peer, channel, code, text);
    pthread_mutex_unlock(&peer->lock);
}

void amqp_peer_cut(struct amqp_peer *peer)
{
    pthread_mutex_lock(&peer->lock);
    drop_client_locked(peer);
    pthread_mutex_unlock(&peer->lock);
}

static void await_count(struct amqp_peer *peer, const size_t *of, size_t count)
{
    struct timespec deadline;
    int rc = 0;

    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += PATIENCE_S;
    pthread_mutex_lock(&peer->lock);
    while (*of < count && rc == 0)
        rc = pthread_cond_timedwait(&peer->changed, &peer->lock, &deadline);
    pthread_mutex_unlock(&peer->lock);
    assert_int_equal(rc, 0);
}

void amqp_peer_await_verdicts(struct amqp_peer *peer, size_t count)
{
    await_count(peer, &peer->verdict_count, count);
}

size_t amqp_peer_verdict_count(struct amqp_peer *peer)
{
    size_t count;

    pthread_mutex_lock(&peer->lock);
    count = peer->verdict_count;
    pthread_mutex_unlock(&peer->lock);
    return count;
}

struct amqp_peer_verdict amqp_peer_verdict(struct amqp_peer *peer, size_t index)
{
    struct amqp_peer_verdict verdict;

    pthread_mutex_lock(&peer->lock);
    assert_true(index < peer->verdict_count);
    verdict = peer->verdicts[index];
    pthread_mutex_unlock(&peer->lock);
    return verdict;
}

void amqp_peer_await_published(struct amqp_peer *peer, size_t count)
{
    await_count(peer, &peer->published, count);
}

void amqp_peer_await_heartbeats(struct amqp_peer *peer, size_t count)
{
    await_count(peer, &peer->heartbeats, count);
}

size_t amqp_peer_published(struct amqp_peer *peer)
{
    size_t count;

    pthread_mutex_lock(&peer->lock);
    count = peer->published;
    pthread_mutex_unlock(&peer->lock);
    return count;
}

unsigned amqp_peer_connections(struct amqp_peer *peer)
{
    unsigned count;

    pthread_mutex_lock(&peer->lock);
    count = peer->connections;
    pthread_mutex_unlock(&peer->lock);
    return count;
}

unsigned amqp_peer_method_count(struct amqp_peer *peer, uint32_t method)
{
    unsigned count = 0;

    pthread_mutex_lock(&peer->lock);
    for (size_t i = 0; i < METHODS; i++) {
        if (peer->methods[i].count > 0 && peer->methods[i].method == method)
            count = peer->methods[i].count;
    }
    pthread_mutex_unlock(&peer->lock);
    return count;
}
