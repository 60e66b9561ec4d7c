/*
 * statsd.c - sends metrics to a StatsD receiver, by UDP.
 *
 * UDP waits for nobody: a datagram that has no receiver is lost, and what it
 * said with it.  So nothing here can hold a pipeline up, and a receiver that is
 * away costs what sending costs.  What can take long is to ask a name server,
 * which is done outside (errand.c), and again every minute, because agents
 * move.
 *
 * Trouble is said once, until it is over.
 *
 * Threads: start and stop on the caller's; the rest on its own.
 */
#include "statsd.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "endpoint.h"
#include "errand.h"
#include "log.h"
#include "statsd_form.h"

enum { PATIENCE_US = 1000 * 1000 };

#define ASK_AGAIN_US (60 * CLOCK_SECOND_US)

struct statsd {
    struct metrics_source source;
    struct endpoint_name name;
    int fd;           /* connected; -1: not yet */
    int64_t asked_us; /* when its address was asked for */
    const char *said; /* trouble that is not over; NULL: none */
    bool has_trouble; /* this time */
    struct statsd_form form;
    struct errand *errand;
};

static void complain(struct statsd *statsd, const char *trouble)
{
    statsd->has_trouble = true;
    if (statsd->said && strcmp(statsd->said, trouble) == 0)
        return;
    statsd->said = trouble;
    log_write(WEIR_LOG_WARNING,
              "telemetry.statsd: %s:%s: %s; metrics are lost until that is "
              "over",
              statsd->name.host, statsd->name.port, trouble);
}

/* ---- its address ---- */

static int connect_one(const struct addrinfo *address)
{
    const int fd = socket(address->ai_family,
                          SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd >= 0 && connect(fd, address->ai_addr, address->ai_addrlen) == 0)
        return fd;
    if (fd >= 0)
        (void)close(fd);
    return -1;
}

static void connect_first(struct statsd *statsd,
                          const struct addrinfo *addresses)
{
    int fd = -1;

    for (; addresses && fd < 0; addresses = addresses->ai_next)
        fd = connect_one(addresses);
    if (fd < 0) {
        complain(statsd, strerror(errno));
        return;
    }
    if (statsd->fd >= 0)
        (void)close(statsd->fd);
    statsd->fd = fd;
}

/* False: it was left behind meanwhile. */
static bool find_address(struct statsd *statsd, struct errand *errand)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_DGRAM,
                                   .ai_flags = AI_NUMERICSERV};
    struct addrinfo *addresses = NULL;
    bool is_back;
    int rc;

    errand_go_out(errand);
    rc = getaddrinfo(statsd->name.host, statsd->name.port, &hints, &addresses);
    is_back = errand_come_back(errand);
    if (is_back && rc == 0)
        connect_first(statsd, addresses);
    else if (is_back && statsd->fd < 0)
        complain(statsd, gai_strerror(rc));
    if (rc == 0)
        freeaddrinfo(addresses);
    statsd->asked_us = clock_now_us();
    return is_back;
}

static bool is_to_ask(const struct statsd *statsd)
{
    return statsd->fd < 0 ||
           (!statsd->name.is_numeric &&
            clock_now_us() - statsd->asked_us >= ASK_AGAIN_US);
}

/* ---- sending ---- */

static void send_packet(void *opaque, const char *packet, size_t size)
{
    struct statsd *statsd = opaque;

    if (send(statsd->fd, packet, size, MSG_NOSIGNAL) >= 0)
        return;
    if (errno == ECONNREFUSED) /* of what was sent before: nobody was there */
        complain(statsd, "nobody listens there");
    else if (errno != EAGAIN && errno != EWOULDBLOCK)
        complain(statsd, strerror(errno));
}

static void send_all(struct statsd *statsd)
{
    const struct metrics_form form = statsd_form_of(&statsd->form);

    if (statsd->fd < 0)
        return;
    statsd->has_trouble = false;
    /* Without memory some were not told; the next time has them. */
    if (metrics_tell(&statsd->source, &form) == WEIR_OK)
        statsd_text_flush(&statsd->form.text);
    if (!statsd->said || statsd->has_trouble)
        return;
    statsd->said = NULL;
    log_write(WEIR_LOG_INFO, "telemetry.statsd: %s:%s: it is sent again",
              statsd->name.host, statsd->name.port);
}

static void run(void *self, struct errand *errand)
{
    struct statsd *statsd = self;
    const int64_t interval_us =
        statsd->source.topology->telemetry.statsd.interval_us;
    bool is_last = false;

    while (!is_last) {
        if (is_to_ask(statsd) && !find_address(statsd, errand))
            return;
        is_last = errand_wait(errand, clock_after_us(interval_us));
        send_all(statsd);
    }
}

static void destroy(void *self)
{
    struct statsd *statsd = self;

    if (statsd->fd >= 0)
        (void)close(statsd->fd);
    statsd_form_finish(&statsd->form);
    free(statsd);
}

enum weir_status statsd_start(const struct metrics_source *source,
                              struct statsd **ret_statsd,
                              struct weir_error *err)
{
    const struct topology_statsd *from = &source->topology->telemetry.statsd;
    struct statsd *statsd = calloc(1, sizeof *statsd);
    const struct errand_config config = {.name = "weir-statsd",
                                         .pipeline = source->topology->name,
                                         .self = statsd,
                                         .run = run,
                                         .destroy = destroy};
    enum weir_status status;

    if (!statsd)
        return weir_fail(err, WEIR_RETRY, "no memory");
    statsd->source = *source;
    statsd->fd = -1;
    statsd->form.text.prefix = from->prefix;
    statsd->form.text.send = send_packet;
    statsd->form.text.opaque = statsd;
    status = endpoint_split(from->address, &statsd->name, err);
    if (status == WEIR_OK)
        status = errand_start(&config, &statsd->errand, err);
    if (status == WEIR_OK)
        *ret_statsd = statsd;
    else
        destroy(statsd);
    return status;
}

void statsd_stop(struct statsd *statsd)
{
    if (statsd)
        errand_stop(statsd->errand, PATIENCE_US);
}
