/*
 * fill_amqp.c - puts persistent messages into a queue, each confirmed.
 *
 * usage: bench_fill_amqp URL QUEUE TYPE COUNT SIZE RATE
 *
 * With a RATE (messages a second, 0: as fast as it goes) each begins with the
 * monotonic time at which it was made, in nanoseconds.
 *
 * Threads: one.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "meter.h"
#include "queue.h"

enum { CHANNEL = 1, WINDOW = 4000, PERSISTENT = 2, WAIT_MS = 60000 };

struct filler {
    amqp_connection_state_t link;
    const char *queue;
    char *payload;
    size_t size;
    uint64_t sent, confirmed;
};

/* Until at most `open` are unconfirmed. */
static void await_confirms(struct filler *filler, uint64_t open)
{
    while (filler->sent - filler->confirmed > open) {
        amqp_frame_t frame;
        const amqp_basic_ack_t *ack;

        if (!queue_frame(filler->link, &frame, WAIT_MS)) {
            (void)fprintf(stderr, "fill_amqp: no confirmation comes\n");
            exit(69);
        }
        if (frame.frame_type != AMQP_FRAME_METHOD)
            continue;
        if (frame.payload.method.id != AMQP_BASIC_ACK_METHOD)
            exit(69);
        ack = frame.payload.method.decoded;
        if (ack->multiple)
            filler->confirmed = ack->delivery_tag;
        else
            filler->confirmed++;
        amqp_maybe_release_buffers(filler->link);
    }
}

static void publish(struct filler *filler)
{
    const amqp_basic_properties_t properties = {
        ._flags = AMQP_BASIC_DELIVERY_MODE_FLAG, .delivery_mode = PERSISTENT};
    const amqp_bytes_t body = {filler->size, filler->payload};

    if (amqp_basic_publish(filler->link, CHANNEL, amqp_empty_bytes,
                           amqp_cstring_bytes(filler->queue), 0, 0, &properties,
                           body) != AMQP_STATUS_OK)
        exit(69);
    filler->sent++;
}

static void sleep_until(int64_t ns)
{
    const struct timespec until = {ns / 1000000000, ns % 1000000000};

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) ==
           EINTR)
        ;
}

static void fill(struct filler *filler, uint64_t count, long rate)
{
    const int64_t begin_ns = meter_now_ns();

    while (filler->sent < count) {
        if (rate > 0) {
            sleep_until(begin_ns + (int64_t)filler->sent * (1000000000 / rate));
            const int64_t now_ns = meter_now_ns();
            memcpy(filler->payload, &now_ns, sizeof now_ns);
        }
        publish(filler);
        if (filler->sent - filler->confirmed >= WINDOW)
            await_confirms(filler, WINDOW / 2);
    }
    await_confirms(filler, 0);
}

int main(int argc, char **argv)
{
    struct filler filler = {0};

    if (argc < 7) {
        (void)fprintf(stderr, "usage: bench_fill_amqp URL QUEUE TYPE COUNT "
                              "SIZE RATE\n");
        return 64;
    }
    filler.queue = argv[2];
    filler.size = strtoul(argv[5], NULL, 10);
    filler.payload = calloc(1, filler.size + sizeof(int64_t));
    if (!filler.payload)
        return 70;
    filler.link = queue_open(argv[1], argv[2], argv[3]);
    (void)amqp_confirm_select(filler.link, CHANNEL);
    queue_must(filler.link, "asking for confirmations");
    fill(&filler, strtoull(argv[4], NULL, 10), strtol(argv[6], NULL, 10));
    queue_close(filler.link);
    free(filler.payload);
    return 0;
}
