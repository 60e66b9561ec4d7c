/*
 * bare_amqp_sink.c - the confirm loop of who knows the client well: publishes
 * while the window has room, and reads confirms when it has none.
 *
 * usage: bench_bare_amqp_sink URL QUEUE TYPE COUNT OUT WINDOW
 *
 * It ends when COUNT messages of 100 bytes are confirmed.  Each is persistent
 * and mandatory, and has the time it was made at, as weir's have.
 *
 * Threads: one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "meter.h"
#include "queue.h"

enum { CHANNEL = 1, WAIT_MS = 60000, SIZE = 100, PERSISTENT = 2 };

struct publisher {
    amqp_connection_state_t link;
    struct meter meter;
    const char *queue;
    uint64_t sent, open, window;
    unsigned char *is_confirmed; /* of each number in the window */
    uint64_t first;              /* the oldest that is not */
};

static void confirm_one(struct publisher *publisher, uint64_t tag)
{
    unsigned char *slot = &publisher->is_confirmed[tag % publisher->window];

    if (tag < publisher->first || *slot)
        return;
    *slot = 1;
    publisher->open--;
}

static void confirm(struct publisher *publisher, const amqp_basic_ack_t *ack)
{
    if (ack->multiple) {
        for (uint64_t tag = publisher->first; tag < ack->delivery_tag; tag++)
            confirm_one(publisher, tag);
    }
    confirm_one(publisher, ack->delivery_tag);
    while (publisher->first <= publisher->sent &&
           publisher->is_confirmed[publisher->first % publisher->window]) {
        publisher->is_confirmed[publisher->first % publisher->window] = 0;
        publisher->first++;
    }
}

/* Reads what is there, and waits for it if `wait_ms`. */
static void read_confirms(struct publisher *publisher, int wait_ms)
{
    amqp_frame_t frame;

    while (queue_frame(publisher->link, &frame, wait_ms)) {
        if (frame.frame_type != AMQP_FRAME_METHOD ||
            frame.payload.method.id != AMQP_BASIC_ACK_METHOD) {
            (void)fprintf(stderr, "bare_amqp_sink: something else came\n");
            exit(69);
        }
        confirm(publisher, frame.payload.method.decoded);
        wait_ms = 0;
    }
    if (wait_ms > 0) {
        (void)fprintf(stderr, "bare_amqp_sink: no confirm comes\n");
        exit(69);
    }
    amqp_maybe_release_buffers(publisher->link);
}

static void publish(struct publisher *publisher)
{
    char text[SIZE];
    const amqp_basic_properties_t properties = {
        ._flags = AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_TIMESTAMP_FLAG,
        .delivery_mode = PERSISTENT,
        .timestamp = (uint64_t)time(NULL)};
    const amqp_bytes_t body = {sizeof text, text};

    memset(text, 'x', sizeof text);
    (void)snprintf(text, sizeof text, "%llu",
                   (unsigned long long)publisher->sent);
    meter_handle(&publisher->meter, text, sizeof text);
    if (amqp_basic_publish(publisher->link, CHANNEL, amqp_empty_bytes,
                           amqp_cstring_bytes(publisher->queue), 1, 0,
                           &properties, body) != AMQP_STATUS_OK)
        exit(69);
    publisher->sent++;
    publisher->open++;
}

int main(int argc, char **argv)
{
    struct publisher publisher = {.first = 1};
    uint64_t count;

    if (argc < 7) {
        (void)fprintf(stderr, "usage: bench_bare_amqp_sink URL QUEUE TYPE "
                              "COUNT OUT WINDOW\n");
        return 64;
    }
    count = strtoull(argv[4], NULL, 10);
    publisher.window = strtoull(argv[6], NULL, 10);
    publisher.queue = argv[2];
    publisher.is_confirmed = calloc(publisher.window, 1);
    if (!publisher.is_confirmed)
        return 70;
    publisher.link = queue_open(argv[1], argv[2], argv[3]);
    (void)amqp_confirm_select(publisher.link, CHANNEL);
    queue_must(publisher.link, "asking for confirms");
    while (publisher.sent < count || publisher.open > 0) {
        while (publisher.sent < count &&
               publisher.sent + 1 - publisher.first < publisher.window)
            publish(&publisher);
        read_confirms(&publisher, WAIT_MS);
    }
    meter_finish(&publisher.meter, argv[5]);
    queue_close(publisher.link);
    free(publisher.is_confirmed);
    return 0;
}
