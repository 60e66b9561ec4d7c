/*
 * admin.c - health, metrics and changes of one pipeline, over HTTP.
 *
 *     poll --> server_serve --> respond --> pages
 *      ^                                      | read what stages publish,
 *      +-- rest, if it took too much <--------+ ask by control requests
 *
 * Listening begins before anything connects, so that a port that is taken ends
 * the start.  From then on one thread answers, until the run has ended: how a
 * drain goes on can be seen.  It takes no lock that a stage holds for longer
 * than a copy, uses no more than its allowance, and gives way to all others.
 *
 * Threads: start and stop on the caller's; the rest on its own.
 */
#include "admin.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "allowance.h"
#include "clock.h"
#include "endpoint.h"
#include "log.h"
#include "respond.h"
#include "server.h"
#include "thread.h"
#include "waker.h"

enum { TICK_MS = 1000, REST_MAX_US = 1000 * 1000, PEM_MAX = 256 * 1024 };

struct admin {
    struct admin_config config;
    struct site site;
    struct endpoint endpoint;
    struct server *server;
    struct waker waker;
    char *cert, *key;
    pthread_t thread;
    _Atomic bool is_ended;
};

/* ---- listening ---- */

/* The key that says where to listen. */
static const char *listen_key(const struct admin_config *config)
{
    return config->topology->admin.listen ? "admin.listen"
                                          : config->listen_name;
}

static enum weir_status refuse_address(const struct admin *admin, int error,
                                       struct weir_error *err)
{
    char text[ENDPOINT_TEXT_SIZE];

    endpoint_format(&admin->endpoint, text);
    if (error == EADDRINUSE)
        return weir_fail(err, WEIR_REJECT,
                         "%s: %s is in use by another program: choose another "
                         "port, or end that program",
                         listen_key(&admin->config), text);
    return weir_fail(err, WEIR_REJECT, "%s: cannot listen on %s: %s",
                     listen_key(&admin->config), text, strerror(error));
}

/* With the port that was chosen, where any was fine. */
static enum weir_status listen_there(struct admin *admin, int *ret_fd,
                                     struct weir_error *err)
{
    struct sockaddr *address = (struct sockaddr *)&admin->endpoint.address;
    const int one = 1;
    const int fd = socket(address->sa_family,
                          SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return refuse_address(admin, errno, err);
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, address, admin->endpoint.size) != 0 ||
        listen(fd, SOMAXCONN) != 0) {
        const int error = errno;

        (void)close(fd);
        return refuse_address(admin, error, err);
    }
    (void)getsockname(fd, address, &admin->endpoint.size);
    *ret_fd = fd;
    return WEIR_OK;
}

static enum weir_status read_pem(const char *key, const char *path,
                                 char **ret_text, struct weir_error *err)
{
    FILE *file = fopen(path, "re");
    char *text = file ? calloc(1, PEM_MAX + 1) : NULL;
    const size_t size = text ? fread(text, 1, PEM_MAX, file) : 0;
    const int error = errno;

    if (file)
        (void)fclose(file);
    *ret_text = text;
    if (size > 0)
        return WEIR_OK;
    return weir_fail(err, WEIR_REJECT, "%s: cannot read %s: %s", key, path,
                     text && error == 0 ? "it is empty" : strerror(error));
}

static enum weir_status read_tls(struct admin *admin, struct weir_error *err)
{
    const struct topology_admin *from = &admin->config.topology->admin;
    enum weir_status status = WEIR_OK;

    if (!from->cert)
        return WEIR_OK;
    errno = 0;
    status = read_pem("admin.tls.cert", from->cert, &admin->cert, err);
    if (status == WEIR_OK)
        status = read_pem("admin.tls.key", from->key, &admin->key, err);
    return status;
}

static enum weir_status open_server(struct admin *admin, struct weir_error *err)
{
    struct server_config config = {.site = &admin->site};
    enum weir_status status = read_tls(admin, err);
    struct weir_error why = {0};

    if (status == WEIR_OK)
        status = listen_there(admin, &config.fd, err);
    if (status != WEIR_OK)
        return status;
    config.cert = admin->cert;
    config.key = admin->key;
    status = server_open(&config, &admin->server, &why);
    if (status != WEIR_OK)
        return weir_fail(err, status, "%s: %s",
                         admin->cert ? "admin.tls" : "admin", why.text);
    return waker_open(&admin->waker, err);
}

/* ---- the thread ---- */

static int64_t cpu_us(void)
{
    struct timespec used;

    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return used.tv_sec * CLOCK_SECOND_US + used.tv_nsec / 1000;
}

static bool is_ended(const struct admin *admin)
{
    return atomic_load_explicit(&admin->is_ended, memory_order_acquire);
}

static void *admin_main(void *opaque)
{
    struct admin *admin = opaque;
    const struct log_place place = {.pipeline = admin->config.topology->name,
                                    .stage = "admin"};
    struct allowance allowance;

    log_set_place(&place);
    thread_give_way();
    allowance_init(&allowance, clock_now_us(), cpu_us());
    while (!is_ended(admin)) {
        int64_t rest_us;

        (void)waker_wait(
            &admin->waker, server_fd(admin->server), POLLIN,
            clock_after_us(INT64_C(1000) *
                           server_wait_ms(admin->server, TICK_MS)));
        server_serve(admin->server, clock_now_us());
        rest_us = allowance_rest_us(&allowance, clock_now_us(), cpu_us());
        if (rest_us > 0)
            (void)waker_wait(
                &admin->waker, -1, 0,
                clock_after_us(rest_us < REST_MAX_US ? rest_us : REST_MAX_US));
    }
    return NULL;
}

static void destroy(struct admin *admin)
{
    server_close(admin->server);
    waker_close(&admin->waker);
    free(admin->cert);
    free(admin->key);
    free(admin);
}

static enum weir_status start(struct admin *admin, struct weir_error *err)
{
    char where[ENDPOINT_TEXT_SIZE];
    enum weir_status status = open_server(admin, err);
    int rc;

    if (status != WEIR_OK)
        return status;
    rc = thread_start(&admin->thread, "weir-admin", admin_main, admin);
    if (rc != 0)
        return weir_fail(err, WEIR_RETRY, "admin: cannot start a thread: %s",
                         strerror(rc));
    endpoint_format(&admin->endpoint, where);
    log_write(WEIR_LOG_INFO, "%s: admin interface on %s://%s%s",
              admin->config.topology->name, admin->cert ? "https" : "http",
              where, admin->config.topology->admin.token ? "" : ", read only");
    return WEIR_OK;
}

enum weir_status admin_start(const struct admin_config *config,
                             struct admin **ret_admin, struct weir_error *err)
{
    const char *listen = config->topology->admin.listen;
    struct endpoint endpoint;
    struct weir_error why;
    enum weir_status status;
    struct admin *admin;

    *ret_admin = NULL;
    if (!listen)
        listen = config->listen;
    if (!listen)
        return WEIR_OK;
    if (endpoint_parse(listen, &endpoint, &why) != WEIR_OK)
        return weir_fail(err, WEIR_REJECT, "%s: %s", listen_key(config),
                         why.text);
    admin = calloc(1, sizeof *admin);
    if (!admin)
        return weir_fail(err, WEIR_RETRY, "no memory");
    admin->config = *config;
    admin->endpoint = endpoint;
    admin->site = (struct site){.config = &admin->config,
                                .is_loopback = endpoint_is_loopback(&endpoint)};
    status = start(admin, err);
    if (status == WEIR_OK)
        *ret_admin = admin;
    else
        destroy(admin);
    return status;
}

unsigned admin_port(const struct admin *admin)
{
    return endpoint_port(&admin->endpoint);
}

void admin_stop(struct admin *admin)
{
    if (!admin)
        return;
    atomic_store_explicit(&admin->is_ended, true, memory_order_release);
    waker_wake(&admin->waker);
    (void)pthread_join(admin->thread, NULL);
    destroy(admin);
}
