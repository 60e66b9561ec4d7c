/*
 * http_peer.c - an HTTP server that says what it is told to, or nothing.
 *
 * Threads: one serves; `lock` is held for what the test reads.
 */
#include "http_peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "test.h"

enum { ROOM = 65536, PATIENCE_S = 10 };

struct http_peer {
    const char *answer;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t thread;
    int listener, stop, port;
    unsigned connections, requests;
    char request[ROOM];
    size_t size;
};

/* False: the test is over. */
static bool wait_readable(const struct http_peer *peer, int fd)
{
    struct pollfd files[] = {{.fd = fd, .events = POLLIN},
                             {.fd = peer->stop, .events = POLLIN}};

    return poll(files, 2, -1) > 0 && files[1].revents == 0;
}

static bool is_whole_locked(const struct http_peer *peer)
{
    const char *end = strstr(peer->request, "\r\n\r\n");
    const char *length = strcasestr(peer->request, "\r\ncontent-length:");
    size_t body = 0;

    if (!end)
        return false;
    if (length && length < end)
        body = strtoull(length + strlen("\r\ncontent-length:"), NULL, 10);
    return peer->size >= (size_t)(end + 4 - peer->request) + body;
}

static void note(struct http_peer *peer, const char *bytes, size_t size)
{
    pthread_mutex_lock(&peer->lock);
    if (peer->size + size < ROOM) {
        memcpy(peer->request + peer->size, bytes, size);
        peer->size += size;
        peer->request[peer->size] = '\0';
    }
    pthread_mutex_unlock(&peer->lock);
}

/* True: the request is whole, or what there is of it gets no answer. */
static bool take_request(struct http_peer *peer)
{
    bool is_over;

    pthread_mutex_lock(&peer->lock);
    is_over = !peer->answer || is_whole_locked(peer);
    if (is_over)
        peer->requests++;
    pthread_cond_signal(&peer->changed);
    pthread_mutex_unlock(&peer->lock);
    return is_over && peer->answer;
}

static void serve(struct http_peer *peer, int client)
{
    bool is_new = true;

    while (wait_readable(peer, client)) {
        char bytes[4096];
        const ssize_t size = recv(client, bytes, sizeof bytes, 0);

        if (size <= 0)
            return;
        if (is_new)
            peer->size = 0;
        note(peer, bytes, (size_t)size);
        is_new = take_request(peer);
        if (is_new &&
            send(client, peer->answer, strlen(peer->answer), MSG_NOSIGNAL) < 0)
            return;
    }
}

static void *run(void *opaque)
{
    struct http_peer *peer = opaque;

    while (wait_readable(peer, peer->listener)) {
        const int client = accept(peer->listener, NULL, NULL);

        if (client < 0)
            continue;
        pthread_mutex_lock(&peer->lock);
        peer->connections++;
        pthread_mutex_unlock(&peer->lock);
        serve(peer, client);
        close(client);
    }
    return NULL;
}

struct http_peer *http_peer_create(const char *answer)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr *const any = (struct sockaddr *)&address;
    socklen_t size = sizeof address;
    struct http_peer *peer = calloc(1, sizeof *peer);

    assert_non_null(peer);
    peer->answer = answer;
    pthread_mutex_init(&peer->lock, NULL);
    pthread_cond_init(&peer->changed, NULL);
    peer->stop = eventfd(0, EFD_CLOEXEC);
    peer->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(peer->listener, any, size), 0);
    assert_int_equal(listen(peer->listener, 16), 0);
    assert_int_equal(getsockname(peer->listener, any, &size), 0);
    peer->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&peer->thread, NULL, run, peer), 0);
    return peer;
}

void http_peer_destroy(struct http_peer *peer)
{
    if (!peer)
        return;
    (void)eventfd_write(peer->stop, 1);
    pthread_join(peer->thread, NULL);
    close(peer->listener);
    close(peer->stop);
    pthread_cond_destroy(&peer->changed);
    pthread_mutex_destroy(&peer->lock);
    free(peer);
}

int http_peer_port(const struct http_peer *peer)
{
    return peer->port;
}

void http_peer_await(struct http_peer *peer, unsigned requests)
{
    struct timespec until;
    int rc = 0;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_S;
    pthread_mutex_lock(&peer->lock);
    while (peer->requests < requests && rc == 0)
        rc = pthread_cond_timedwait(&peer->changed, &peer->lock, &until);
    pthread_mutex_unlock(&peer->lock);
    assert_int_equal(rc, 0);
}

const char *http_peer_request(struct http_peer *peer)
{
    return peer->request;
}

unsigned http_peer_connections(struct http_peer *peer)
{
    unsigned connections;

    pthread_mutex_lock(&peer->lock);
    connections = peer->connections;
    pthread_mutex_unlock(&peer->lock);
    return connections;
}
