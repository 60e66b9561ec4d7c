/*
 * amqp_sink.c - publishes each message to an exchange, and waits for its
 * confirm.
 *
 *     batch --begin--> window [ 41 42 43 . . . ] --confirm--> delivered
 *       ^                         |      |
 *       |                       return  nack
 *       |                         v      v
 *       +-- lost connection    rejected  again
 *
 * write() takes a batch when the one before it is wholly under way, so up to
 * `window` messages of several batches are unconfirmed at a time; serving them
 * is one loop of reading, publishing and writing, none of which waits.
 *
 * Whatever ends the channel ends the connection with it: the runtime closes,
 * opens the next URL of the list, and writes again what has no outcome.
 * Sequence numbers never reach another channel, since the window goes with its
 * own.
 *
 * A message that the broker can't bear (larger than its limit, an exchange that
 * a template made up) makes it close the channel, with no word about which one
 * it was.  So what was unconfirmed then is published one by one when the next
 * connection is there, until the one that closes it again is alone, and is
 * rejected.
 *
 * Threads: the sink worker's; wake() from any.
 */
#include "amqp_sink.h"

#include <poll.h>

#include "address.h"
#include "clock.h"
#include "exchange_questions.h"
#include "publisher.h"
#include "sink_options.h"
#include "waker.h"

/* What is encoded before it is written. */
enum { WRITE_SIZE = 64 * 1024 };

struct amqp_sink {
    struct waker waker;
    struct publisher publisher;
    size_t url_index;          /* kept from open to open: the next one after a
                                  failure */
    struct weir_batch *batch;  /* being published, or NULL */
    size_t next, refused;      /* its first message to publish; how many had no
                                  way to be published */
    uint64_t careful, counted; /* messages to be published alone, kept; and
                                  confirms seen so far */
    bool is_open;
};

static enum weir_status amqp_open(void *self,
                                  const struct weir_settings *settings,
                                  struct weir_error *err)
{
    struct amqp_sink *amqp = self;
    struct amqp_url url;
    enum weir_status status = waker_open(&amqp->waker, err);

    if (status != WEIR_OK)
        return status;
    status = amqp_address_url(settings, amqp->url_index, &url, err);
    if (status != WEIR_OK)
        return status;
    status = publisher_open(&amqp->publisher, &url, settings, err);
    amqp_url_finish(&url);
    amqp->is_open = status == WEIR_OK;
    return status;
}

/* ---- a message that the broker can't bear ---- */

enum fault {
    FAULT_MESSAGE = 0, /* of the message */
    FAULT_IF_EXCHANGE, /* if it chose its exchange; else of the topology */
    FAULT_IF_NAME      /* if it chose exchange or routing key */
};

static const struct {
    int code;
    enum fault fault;
} faults[] = {
    {311, FAULT_MESSAGE}, /* too large */
    {403, FAULT_IF_NAME}, {404, FAULT_IF_EXCHANGE},
    {406, FAULT_MESSAGE}, /* a property that it refuses, or too large */
    {501, FAULT_MESSAGE}, /* frame error */
    {502, FAULT_MESSAGE}, /* syntax error */
    {540, FAULT_MESSAGE}, /* not implemented */
};

static bool is_fault_of_message(const struct publisher *publisher)
{
    const struct publication_plan *plan = &publisher->plan;
    const bool chose_exchange = publication_exchange_varies(plan);

    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        if (faults[i].code != publisher->closing.code)
            continue;
        switch (faults[i].fault) {
        case FAULT_MESSAGE:
            return true;
        case FAULT_IF_EXCHANGE:
            return chose_exchange;
        case FAULT_IF_NAME:
            return chose_exchange || publication_routing_key_varies(plan);
        }
    }
    return false;
}

/* The channel was closed.  Rejects the message that did it, if that is known;
 * if not, it will be. */
static void blame(struct amqp_sink *amqp)
{
    const struct publisher *publisher = &amqp->publisher;
    const size_t open = window_open_count(publisher->window);
    struct weir_message *msg;
    uint64_t tag;

    if (!is_fault_of_message(publisher))
        return;
    if (open > 1) {
        amqp->careful = open;
        return;
    }
    tag = window_find(publisher->window, 0, &msg);
    if (tag > 0)
        window_conclude(publisher->window, tag, WEIR_REJECT,
                        publisher->closing.text);
    if (amqp->careful > 0)
        amqp->careful--;
}

/* ---- serving ---- */

/* Outcomes so far, of this connection. */
static uint64_t outcomes(const struct amqp_sink *amqp)
{
    return window_concluded(amqp->publisher.window) + amqp->refused;
}

static bool may_publish(const struct amqp_sink *amqp)
{
    return amqp->batch &&
           (amqp->careful == 0 ||
            window_open_count(amqp->publisher.window) == 0) &&
           amqp_writer_pending(&amqp->publisher.writer) < WRITE_SIZE;
}

/* Begins the next message of the batch.  WEIR_AGAIN: not now. */
static enum weir_status publish_next(struct amqp_sink *amqp,
                                     struct weir_error *err)
{
    struct weir_batch *batch = amqp->batch;
    const size_t index = amqp->next;
    struct weir_error why = {.text = ""};
    const enum weir_status status =
        publisher_publish(&amqp->publisher, batch, index, &why);

    if (status == WEIR_RETRY)
        return weir_fail(err, status, "%s", why.text);
    if (status == WEIR_AGAIN)
        return status;
    amqp->next++;
    if (amqp->next == weir_batch_count(batch))
        amqp->batch = NULL;
    if (status == WEIR_REJECT) {
        amqp->refused++;
        weir_batch_set_outcome(batch, index, 1, status, why.text);
    }
    return WEIR_OK;
}

/* Publishes as much as window and socket take. */
static enum weir_status push(struct amqp_sink *amqp, struct weir_error *err)
{
    for (;;) {
        enum weir_status status = WEIR_OK;
        const size_t before = amqp->next;

        while (status == WEIR_OK && may_publish(amqp))
            status = publish_next(amqp, err);
        if (status == WEIR_RETRY)
            return status;
        status = publisher_write(&amqp->publisher, err);
        if (status != WEIR_OK)
            return status;
        if (!may_publish(amqp) || amqp->next == before)
            return WEIR_OK;
    }
}

static void note_confirms(struct amqp_sink *amqp)
{
    const uint64_t confirmed = window_confirmed(amqp->publisher.window);
    const uint64_t more = confirmed - amqp->counted;

    amqp->counted = confirmed;
    amqp->careful -= amqp->careful < more ? amqp->careful : more;
}

static enum weir_status serve(struct amqp_sink *amqp, struct weir_error *err)
{
    const enum weir_status status = publisher_read(&amqp->publisher, err);

    note_confirms(amqp);
    if (status == WEIR_RETRY) {
        if (amqp->publisher.closing.code)
            blame(amqp);
        return status;
    }
    return push(amqp, err);
}

static int64_t earlier(int64_t a_us, int64_t b_us)
{
    return a_us < b_us ? a_us : b_us;
}

/* Sleeps until there is something to do; true: woken by wake(). */
static bool sleep_until(struct amqp_sink *amqp, int64_t deadline_us)
{
    const struct amqp_writer *writer = &amqp->publisher.writer;
    const short events =
        amqp_writer_pending(writer) > 0 ? POLLIN | POLLOUT : POLLIN;
    const unsigned cause =
        waker_wait(&amqp->waker, amqp->publisher.link.socket, events,
                   earlier(deadline_us, amqp_writer_due_us(writer)));

    return cause & WAKER_WOKEN;
}

static enum weir_status amqp_write(void *self, struct weir_batch *batch,
                                   struct weir_error *err)
{
    struct amqp_sink *amqp = self;
    enum weir_status status;

    if (amqp->batch)
        return WEIR_AGAIN;
    amqp->batch = batch;
    amqp->next = 0;
    status = serve(amqp, err); /* it may be long since the last poll() */
    if (status != WEIR_OK)
        amqp->batch = NULL; /* what has no outcome is the runtime's again */
    return status;
}

/* `status`, or that the broker lets nobody publish. */
static enum weir_status or_blocked(const struct amqp_sink *amqp,
                                   enum weir_status status,
                                   struct weir_error *err)
{
    if (!amqp->publisher.is_blocked)
        return status;
    return weir_fail(err, WEIR_HOLD,
                     "%s: the broker blocks publishers (an alarm: memory or "
                     "disk)",
                     amqp->publisher.link.where);
}

static enum weir_status amqp_poll(void *self, int64_t deadline_us,
                                  struct weir_error *err)
{
    struct amqp_sink *amqp = self;
    const uint64_t before = outcomes(amqp);

    for (;;) {
        const enum weir_status status = serve(amqp, err);

        if (status != WEIR_OK)
            return status;
        if (outcomes(amqp) > before || clock_now_us() >= deadline_us ||
            sleep_until(amqp, deadline_us))
            return or_blocked(amqp, WEIR_OK, err);
    }
}

static enum weir_status amqp_flush(void *self, int64_t deadline_us,
                                   struct weir_error *err)
{
    struct amqp_sink *amqp = self;

    for (;;) {
        const enum weir_status status = serve(amqp, err);

        if (status != WEIR_OK)
            return status;
        if (!amqp->batch && window_open_count(amqp->publisher.window) == 0)
            return WEIR_OK;
        if (clock_now_us() >= deadline_us || sleep_until(amqp, deadline_us))
            return or_blocked(amqp, WEIR_AGAIN, err);
    }
}

static void amqp_wake(void *self)
{
    struct amqp_sink *amqp = self;

    waker_wake(&amqp->waker);
}

/* What the next open() needs stays: which URL, whom to be careful with, and a
 * wake() that is due. */
static void amqp_close(void *self, int64_t deadline_us)
{
    struct amqp_sink *amqp = self;
    const struct publisher *publisher = &amqp->publisher;

    if (!amqp->is_open ||
        (publisher->link.is_broken && !publisher->closing.is_channel))
        amqp->url_index++;
    publisher_close(&amqp->publisher, deadline_us);
    waker_close(&amqp->waker);
    amqp->batch = NULL;
    amqp->refused = 0;
    amqp->counted = 0;
    amqp->is_open = false;
}

const struct weir_sink_ops weir_amqp_sink = {
    .name = "amqp",
    .help = "Publishes each message to an AMQP 0-9-1 broker, such as RabbitMQ.",
    .options = amqp_sink_options,
    .self_size = sizeof(struct amqp_sink),
    .check = amqp_sink_check,
    .probe = exchange_questions_ask,
    .open = amqp_open,
    .write = amqp_write,
    .poll = amqp_poll,
    .flush = amqp_flush,
    .wake = amqp_wake,
    .close = amqp_close,
};
