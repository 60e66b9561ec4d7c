/*
 * amqp_producer.c - a queue of an AMQP 0-9-1 broker.
 *
 * The broker pushes up to `prefetch` messages and cuts off a client that does
 * not read for 30 s, while the pipeline takes messages by demand and may take
 * none for hours.  So frames are always read, and what there is no demand for
 * waits in a stash:
 *
 *     socket -> frames -> assembly -> [ stash ] -> intake
 *                            |                        |
 *                          acks (begun)             settle()
 *                            |                        |
 *     socket <---- frames <--+------------------------+
 *
 * pull() is one loop: offer, read, write what is due, and only when the library
 * has nothing more and nothing was offered, sleep on the socket and on wake().
 * Where messages come fast it takes a short nap first, so that they gather, see
 * pace.c; unless the broker waits for us.
 *
 * One channel is one epoch.  Whatever ends the channel ends the connection with
 * it: the runtime closes, and opens the next URL of the list.  Tags are never
 * seen by another channel than theirs, because the runtime drops settlements
 * from before an open().
 *
 * The end, asked for by `--until-end`, is two answers in a row that the queue
 * is empty, with nothing open and nothing delivered between.  One answer is not
 * enough: the broker counts a message out of the queue before its frames are
 * written, and the answer may overtake them.
 *
 * A drain stops consuming; when everything that was taken has been settled and
 * written, one more question and its answer prove that the broker read it all,
 * since acknowledgements themselves have no answer. In an order the consumer is
 * not cancelled: the next one would get later messages at once, and what is
 * stashed here behind them. The end of the channel gives both back together.
 *
 * A pipeline that stands still for ten minutes, a third of the time after which
 * RabbitMQ closes the channel of a consumer that acknowledges nothing, hands
 * back what no callback has begun, once, so that other consumers get it: the
 * consumer is cancelled, what is stashed is requeued, the intake abandons what
 * waits. When what was begun has ended, everything starts anew.
 *
 * Threads: the producer's own; wake() from any.
 */
#include "amqp_producer.h"

#include <poll.h>

#include "address.h"
#include "clock.h"
#include "consumer.h"
#include "log.h"
#include "loop.h"
#include "options.h"
#include "pace.h"
#include "questions.h"

/* How often the length of the queue is asked for, and near the end. */
#define LAG_EVERY_US (5 * CLOCK_SECOND_US)
#define END_EVERY_US (CLOCK_SECOND_US / 50)

/* A third of RabbitMQ's default consumer_timeout. */
#define STANDSTILL_US (600 * CLOCK_SECOND_US)

enum { NEAR_LIMIT = 3, ANSWERS_AT_END = 2, SLEEP_MS = 1000 };

struct amqp_producer {
    struct amqp_guard guard;
    size_t url_index; /* kept from open to open: the next one after a failure */
    struct consumer consumer;
    struct pace pace;
    uint64_t taken; /* offered and not settled */
    int64_t asked_at_us;
    uint64_t reported;  /* answers that were passed on as the lag */
    uint64_t end_asked; /* the question whose answer may be the last; 0: none */
    unsigned empty_answers;
    int64_t moved_us; /* when there was demand, or something was settled */
    int64_t delivery_limit;
    bool is_open, has_begun, is_draining, until_end, is_starved, is_ordered;
    bool is_dry;      /* nothing was there to read a moment ago */
    bool has_skipped; /* so it wasn't asked for in the last round */
    bool is_handing_back, has_handed_back;
    bool is_uncounted, has_said_uncounted; /* kept from open to open */
    struct log_limit limit_warnings;
};

static enum weir_status open_consumer(struct amqp_producer *amqp,
                                      const struct weir_settings *settings,
                                      struct weir_error *err)
{
    const struct amqp_link_options options = amqp_address_options(settings);
    struct amqp_url url;
    enum weir_status status;

    status = amqp_address_url(settings, amqp->url_index, &url, err);
    if (status != WEIR_OK)
        return status;
    amqp->consumer.prefetch = options_prefetch(settings);
    status = consumer_open(&amqp->consumer, &url, &options, settings,
                           &amqp->guard, err);
    amqp_url_finish(&url);
    return status;
}

static enum weir_status amqp_open(void *self,
                                  const struct weir_settings *settings,
                                  struct weir_error *err)
{
    struct amqp_producer *amqp = self;
    enum weir_status status = amqp_guard_open(&amqp->guard, err);

    if (status != WEIR_OK)
        return status;
    amqp->until_end = weir_settings_share(settings)->until_end;
    amqp->is_ordered =
        weir_settings_share(settings)->ordering != WEIR_ORDERING_NONE;
    amqp->delivery_limit = weir_settings_int(settings, "delivery_limit", 20);
    status = open_consumer(amqp, settings, err);
    if (status != WEIR_OK)
        return status;
    amqp->is_open = true;
    return WEIR_OK;
}

/* Said once: a classic queue takes a message back without limit. */
static void warn_uncounted(struct amqp_producer *amqp)
{
    if (!amqp->is_uncounted || amqp->has_said_uncounted)
        return;
    amqp->has_said_uncounted = true;
    log_write(WEIR_LOG_WARNING,
              "amqp: queue %s counts no deliveries (a classic queue): a "
              "message that always fails is requeued without limit",
              amqp->consumer.queue);
}

/* Quorum queues drop a message after so many deliveries. */
static void note_deliveries(struct amqp_producer *amqp,
                            struct delivery *delivery)
{
    unsigned suppressed = 0;

    if (delivery->is_redelivered && delivery->broker_count < 0)
        amqp->is_uncounted = true;
    if (delivery->broker_count < 0 ||
        delivery->broker_count + NEAR_LIMIT < amqp->delivery_limit)
        return;
    delivery->record.is_last = true;
    acks_forbid_requeue(amqp->consumer.acks);
    if (log_limit_pass(&amqp->limit_warnings, 5, &suppressed))
        log_write(WEIR_LOG_WARNING,
                  "amqp: a message of queue %s has %lld earlier deliveries, "
                  "and the limit is %lld (%u more like it)",
                  amqp->consumer.queue, (long long)delivery->broker_count,
                  (long long)amqp->delivery_limit, suppressed);
}

/* WEIR_AGAIN: it went to the front of the stash. */
static enum weir_status offer(struct amqp_producer *amqp,
                              struct weir_intake *intake,
                              struct delivery *delivery)
{
    const enum weir_status status =
        weir_intake_add(intake, 0, &delivery->record);

    if (status != WEIR_OK) {
        consumer_stash_again(&amqp->consumer, delivery);
        return WEIR_AGAIN;
    }
    assembly_recycle(&amqp->consumer.assembly, delivery);
    amqp->taken++;
    amqp->is_starved = false;
    return WEIR_OK;
}

/* The next message, from the stash or the socket.  NULL with WEIR_OK: it was
 * something else that came. */
static enum weir_status next_delivery(struct amqp_producer *amqp,
                                      struct delivery **ret_delivery,
                                      struct weir_error *err)
{
    enum weir_status status;

    *ret_delivery = consumer_unstash(&amqp->consumer);
    if (*ret_delivery)
        return WEIR_OK;
    status = consumer_read(&amqp->consumer, ret_delivery, err);
    if (*ret_delivery) {
        note_deliveries(amqp, *ret_delivery);
        amqp->empty_answers = 0;
        amqp->end_asked = 0;
    }
    return status;
}

/* Offers up to `demand`, oldest first.  WEIR_AGAIN: no more for now. */
static enum weir_status offer_all(struct amqp_producer *amqp,
                                  struct weir_intake *intake, unsigned demand,
                                  unsigned *ret_offered, struct weir_error *err)
{
    enum weir_status status = WEIR_OK;
    unsigned offered = 0;

    while (status == WEIR_OK && offered < demand) {
        struct delivery *delivery;

        status = next_delivery(amqp, &delivery, err);
        if (!delivery)
            continue;
        status = offer(amqp, intake, delivery);
        if (status == WEIR_OK)
            offered++;
    }
    *ret_offered = offered;
    return status;
}

/* Reads what came into the stash; it ends, since the prefetch does. */
static enum weir_status read_ahead(struct amqp_producer *amqp,
                                   struct weir_error *err)
{
    enum weir_status status = WEIR_OK;

    while (status == WEIR_OK) {
        struct delivery *delivery;

        status = consumer_read(&amqp->consumer, &delivery, err);
        if (!delivery)
            continue;
        note_deliveries(amqp, delivery);
        amqp->end_asked = 0;
        consumer_stash(&amqp->consumer, delivery);
    }
    return status;
}

/* Everything that we were given has ended, and the broker was told. */
static bool is_settled(const struct amqp_producer *amqp)
{
    return amqp->taken == 0 && acks_waiting(amqp->consumer.acks) == 0;
}

static bool is_idle(const struct amqp_producer *amqp)
{
    return is_settled(amqp) && amqp->consumer.stashed == 0 &&
           amqp->consumer.assembly.step == ASSEMBLY_IDLE;
}

/* All that the broker may send is here and taken, so it waits for us. */
static bool is_exhausted(const struct amqp_producer *amqp)
{
    return amqp->consumer.stashed == 0 &&
           acks_unwritten(amqp->consumer.acks) >= amqp->consumer.prefetch;
}

static enum weir_status write_acks(struct amqp_producer *amqp, int64_t now_us,
                                   struct weir_error *err)
{
    const struct acks *acks = amqp->consumer.acks;
    enum acks_haste haste = ACKS_DUE;
    enum weir_status status;

    if (amqp->is_draining || (amqp->until_end && amqp->taken == 0))
        haste = ACKS_ALL;
    else if (is_exhausted(amqp))
        haste = ACKS_PREFIX;
    if (acks_waiting(acks) == 0 ||
        (haste == ACKS_DUE && acks_due_us(acks) > now_us))
        return WEIR_OK;
    status = consumer_flush(&amqp->consumer, haste, now_us, err);
    return status == WEIR_AGAIN ? WEIR_OK : status;
}

/* Nothing more of what the broker delivers is taken. */
static bool has_stopped(const struct amqp_producer *amqp)
{
    return amqp->is_draining &&
           (amqp->is_ordered || amqp->consumer.is_cancelled);
}

/* When the queue's length is to be asked for again. */
static int64_t ask_due_us(const struct amqp_producer *amqp)
{
    if (amqp->consumer.asked != amqp->consumer.answered)
        return CLOCK_NEVER_US;
    if (amqp->is_draining)
        return has_stopped(amqp) && is_settled(amqp) ? 0 : CLOCK_NEVER_US;
    return amqp->asked_at_us + (amqp->until_end && amqp->consumer.stashed == 0
                                    ? END_EVERY_US
                                    : LAG_EVERY_US);
}

static enum weir_status ask(struct amqp_producer *amqp, int64_t now_us,
                            struct weir_error *err)
{
    enum weir_status status;

    if (now_us < ask_due_us(amqp))
        return WEIR_OK;
    status = consumer_ask(&amqp->consumer, err);
    if (status != WEIR_OK)
        return status == WEIR_AGAIN ? WEIR_OK : status;
    amqp->asked_at_us = now_us;
    if (is_settled(amqp))
        amqp->end_asked = amqp->consumer.asked;
    return WEIR_OK;
}

/* WEIR_DONE: this answer was the last one. */
static enum weir_status take_answer(struct amqp_producer *amqp,
                                    struct weir_intake *intake)
{
    const struct consumer *consumer = &amqp->consumer;

    if (consumer->answered == amqp->reported)
        return WEIR_OK;
    amqp->reported = consumer->answered;
    weir_intake_set_lag(intake, 0, consumer->ready);
    if (amqp->until_end && consumer->ready == 0 && consumer->stashed == 0)
        weir_intake_set_starved(intake, 0); /* no batch need wait for more */
    if (consumer->answered != amqp->end_asked)
        return WEIR_OK;
    if (amqp->is_draining)
        return has_stopped(amqp) && is_settled(amqp) ? WEIR_DONE : WEIR_OK;
    amqp->empty_answers =
        consumer->ready == 0 && is_idle(amqp) ? amqp->empty_answers + 1 : 0;
    return amqp->until_end && amqp->empty_answers >= ANSWERS_AT_END ? WEIR_DONE
                                                                    : WEIR_OK;
}

static enum weir_status begin(struct amqp_producer *amqp,
                              struct weir_intake *intake)
{
    const struct weir_origin origin = {.topic = amqp->consumer.queue,
                                       .partition = -1};
    enum weir_status status;

    if (amqp->has_begun)
        return WEIR_OK;
    status = weir_intake_begin(intake, 0, &origin);
    if (status != WEIR_OK)
        return status;
    weir_intake_set_lag(intake, 0, amqp->consumer.ready);
    amqp->moved_us = clock_now_us();
    amqp->has_begun = true;
    return WEIR_OK;
}

static void requeue_stash(struct amqp_producer *amqp)
{
    struct delivery *delivery = consumer_unstash(&amqp->consumer);

    while (delivery) {
        const struct weir_settlement one = {.first = delivery->record.ticket,
                                            .count = 1};

        acks_hand_back(amqp->consumer.acks, &one, clock_now_us());
        assembly_recycle(&amqp->consumer.assembly, delivery);
        delivery = consumer_unstash(&amqp->consumer);
    }
}

/* WEIR_RETRY: it is over, and consuming starts anew. */
static enum weir_status hand_back(struct amqp_producer *amqp,
                                  struct weir_intake *intake, int64_t now_us,
                                  struct weir_error *err)
{
    if (amqp->is_draining ||
        (!amqp->is_handing_back && now_us - amqp->moved_us < STANDSTILL_US))
        return WEIR_OK;
    if (!amqp->is_handing_back)
        log_write(WEIR_LOG_WARNING,
                  "amqp: the pipeline has stood still for ten minutes: what "
                  "nobody has begun goes back to queue %s until it moves",
                  amqp->consumer.queue);
    amqp->is_handing_back = true;
    if (!amqp->consumer.is_cancelling)
        return consumer_cancel(&amqp->consumer, err);
    if (amqp->consumer.is_cancelled && !amqp->has_handed_back) {
        amqp->has_handed_back = true;
        requeue_stash(amqp);
        if (weir_intake_await(intake, 0, now_us) != WEIR_OK)
            return WEIR_OK; /* what was begun is still open */
    }
    if (!amqp->has_handed_back || !is_settled(amqp))
        return WEIR_OK;
    return weir_fail(err, WEIR_RETRY,
                     "%s: the pipeline moves again: consuming again",
                     amqp->consumer.link.where);
}

/* WEIR_AGAIN: no more for now. */
static enum weir_status take_in(struct amqp_producer *amqp,
                                struct weir_intake *intake, unsigned demand,
                                unsigned *ret_offered, struct weir_error *err)
{
    enum weir_status status = WEIR_AGAIN;

    /* Never twice in a row: heartbeats are seen to where frames are read. */
    amqp->has_skipped =
        amqp->is_dry && !amqp->has_skipped && amqp->consumer.stashed == 0;
    amqp->is_dry = false;
    if (amqp->has_skipped)
        return WEIR_AGAIN;
    if (demand > 0 && !amqp->is_draining && !amqp->is_handing_back)
        status = offer_all(amqp, intake, demand, ret_offered, err);
    if (status == WEIR_AGAIN && *ret_offered == 0)
        status = read_ahead(amqp, err);
    amqp->is_dry = status == WEIR_AGAIN && *ret_offered > 0;
    return status;
}

/* One round: read, offer, write.  WEIR_AGAIN: nothing more to do for now. */
static enum weir_status serve(struct amqp_producer *amqp,
                              struct weir_intake *intake, unsigned demand,
                              int64_t now_us, unsigned *ret_offered,
                              struct weir_error *err)
{
    enum weir_status status;

    *ret_offered = 0;
    status = take_in(amqp, intake, demand, ret_offered, err);
    if (status == WEIR_RETRY)
        return status;
    status = write_acks(amqp, now_us, err);
    if (status == WEIR_OK && amqp->is_draining && !amqp->is_ordered &&
        !amqp->consumer.is_cancelling)
        status = consumer_cancel(&amqp->consumer, err);
    if (status == WEIR_OK)
        status = hand_back(amqp, intake, now_us, err);
    if (status == WEIR_OK)
        status = take_answer(amqp, intake);
    if (status == WEIR_OK)
        status = ask(amqp, now_us, err);
    if (status == WEIR_OK && is_exhausted(amqp) && !amqp->is_starved) {
        weir_intake_set_starved(intake, 0);
        amqp->is_starved = true;
    }
    return status == WEIR_OK ? WEIR_AGAIN : status;
}

static int64_t earlier(int64_t a_us, int64_t b_us)
{
    return a_us < b_us ? a_us : b_us;
}

/* Sleeps until there is something to do; true: woken by wake(). */
static bool sleep_until(struct amqp_producer *amqp, int64_t now_us,
                        int64_t deadline_us)
{
    const short events =
        amqp->consumer.is_write_blocked ? POLLIN | POLLOUT : POLLIN;
    struct pollfd fds[2] = {
        {.fd = amqp->consumer.link.socket, .events = events},
        {.fd = amqp_guard_fd(&amqp->guard), .events = POLLIN}};
    const int64_t nap_us =
        is_exhausted(amqp)
            ? 0
            : pace_nap_us(&amqp->pace, amqp->consumer.prefetch / 10, now_us);

    if (nap_us > 0)
        return amqp_guard_nap(&amqp->guard, nap_us);
    if (!amqp->consumer.is_write_blocked)
        deadline_us =
            earlier(deadline_us, earlier(acks_due_us(amqp->consumer.acks),
                                         ask_due_us(amqp)));
    amqp->is_dry = poll(fds, 2, clock_until_ms(deadline_us, SLEEP_MS)) >= 0 &&
                   fds[0].revents == 0;
    return fds[1].revents != 0 && amqp_guard_take(&amqp->guard);
}

static enum weir_status amqp_pull(void *self, struct weir_intake *intake,
                                  unsigned demand, int64_t deadline_us,
                                  struct weir_error *err)
{
    struct amqp_producer *amqp = self;
    int64_t now_us = clock_now_us();
    enum weir_status status = begin(amqp, intake);

    if (status != WEIR_OK)
        return status;
    if (demand > 0 || amqp->taken == 0)
        amqp->moved_us = now_us;
    for (;;) {
        unsigned offered;

        status = serve(amqp, intake, demand, now_us, &offered, err);
        if (status != WEIR_AGAIN)
            return status;
        if (offered > 0) {
            pace_count(&amqp->pace, offered);
            return WEIR_OK;
        }
        if (now_us >= deadline_us || sleep_until(amqp, now_us, deadline_us))
            return WEIR_AGAIN;
        now_us = clock_now_us();
    }
}

static enum weir_status amqp_settle(void *self,
                                    const struct weir_settlement *settlements,
                                    size_t count, struct weir_error *err)
{
    struct amqp_producer *amqp = self;
    const int64_t now_us = clock_now_us();

    (void)err;
    amqp->moved_us = now_us;
    for (size_t i = 0; i < count; i++) {
        if (amqp->is_handing_back &&
            settlements[i].outcome == WEIR_OUTCOME_LEAVE)
            acks_hand_back(amqp->consumer.acks, &settlements[i], now_us);
        else
            acks_settle(amqp->consumer.acks, &settlements[i], now_us);
        if (settlements[i].outcome == WEIR_OUTCOME_REQUEUE)
            warn_uncounted(amqp);
        amqp->taken -= settlements[i].count;
    }
    return WEIR_OK;
}

/* Tags are no positions, and RabbitMQ keeps none. */
static void amqp_describe(const void *self, uint32_t source,
                          struct weir_source_facts *facts)
{
    const struct amqp_producer *amqp = self;

    (void)source;
    facts->window = acks_unwritten(amqp->consumer.acks);
    facts->window_limit = amqp->consumer.prefetch;
}

static void amqp_wake(void *self)
{
    struct amqp_producer *amqp = self;

    amqp_guard_wake(&amqp->guard);
}

static void amqp_drain(void *self)
{
    struct amqp_producer *amqp = self;

    amqp->is_draining = true;
}

/* What the next open() needs stays: which URL, and a wake() that is due. */
static void amqp_close(void *self, int64_t deadline_us)
{
    struct amqp_producer *amqp = self;
    const unsigned unsaid = log_limit_end(&amqp->limit_warnings);

    if (unsaid > 0)
        log_write(WEIR_LOG_WARNING,
                  "amqp: %u more messages of queue %s were near the limit",
                  unsaid, amqp->consumer.queue);
    if (!amqp->is_open || amqp->consumer.link.is_broken)
        amqp->url_index++;
    consumer_close(&amqp->consumer, deadline_us);
    amqp_guard_close(&amqp->guard);
    amqp->taken = 0;
    amqp->asked_at_us = 0;
    amqp->reported = 0;
    amqp->end_asked = 0;
    amqp->empty_answers = 0;
    amqp->is_open = false;
    amqp->has_begun = false;
    amqp->is_draining = false;
    amqp->is_starved = false;
    amqp->is_dry = false;
    amqp->has_skipped = false;
    amqp->is_handing_back = false;
    amqp->has_handed_back = false;
}

const struct weir_producer_ops weir_amqp_producer = {
    .name = "amqp",
    .help = "A queue of an AMQP 0-9-1 broker, such as RabbitMQ.",
    .options = amqp_producer_options,
    .self_size = sizeof(struct amqp_producer),
    .policies = WEIR_POLICY_BIT(WEIR_POLICY_REJECT) |
                WEIR_POLICY_BIT(WEIR_POLICY_REQUEUE) |
                WEIR_POLICY_BIT(WEIR_POLICY_REQUEUE_ONCE) |
                WEIR_POLICY_BIT(WEIR_POLICY_DROP) |
                WEIR_POLICY_BIT(WEIR_POLICY_STOP),
    .backlog = WEIR_BACKLOG_HALF,
    .is_pushed = true,
    .ordering = WEIR_ORDERING_NONE,
    .fields = DELIVERY_FIELDS,
    .check = options_check,
    .reads = loop_reads,
    .probe = questions_ask,
    .open = amqp_open,
    .pull = amqp_pull,
    .settle = amqp_settle,
    .describe = amqp_describe,
    .wake = amqp_wake,
    .drain = amqp_drain,
    .close = amqp_close,
};
