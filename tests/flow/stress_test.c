/*
 * stress_test.c - everything between the stages at once, with threads.
 *
 *     the test: a producer with a script    ready queue     4 workers
 *     begin, add, hold, await, end   ----->  lanes   -----> done, again, left
 *         ^                                                   | small mailbox
 *         +------------- settlements <------- a deliverer <---+
 *
 * The script is random, from fixed seeds.  What a lane has seen last is a
 * plain variable: ThreadSanitizer proves that its workers hand it on properly.
 * Hands are given back, and taken back, at any time.
 * Checked: the order of every lane, at the workers and at the deliverer; that
 * the ledger balances at every look; that every ticket is told at most once and
 * in its own epoch, and exactly once where its epoch did not end; that nothing
 * is left.  Other threads than the test's abort where something is wrong.
 */
#include "test.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "invariant.h"
#include "rig.h"
#include "span.h"

enum { WORKERS = 4, SOURCES = 5, KEYS = 7, MESSAGES = 30000 };

struct handled_lane {
    _Atomic bool is_running;
    uint64_t next; /* the lowest ticket that may come; its worker's own */
};

struct ticket {
    uint32_t source, epoch;
    bool is_told, was_ended; /* ended: its epoch was, before it was told */
};

struct stress {
    struct rig *rig;
    struct mailbox box; /* small, to the deliverer */
    _Atomic bool is_over;
    struct handled_lane handled[SOURCES * KEYS];
    uint64_t delivered[SOURCES * KEYS];

    /* The producer's own. */
    uint64_t seed, produced;
    uint32_t epochs[SOURCES];
    bool is_held[SOURCES];
    struct ticket tickets[MESSAGES];
};

static uint64_t random_next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static bool one_in(uint64_t *seed, unsigned count)
{
    return random_next(seed) % count == 0;
}

/* Which order a message has to keep. */
static unsigned lane_index(const struct stress *stress,
                           const struct weir_message *msg)
{
    unsigned key = 0;

    if (stress->rig->run.ordering == WEIR_ORDERING_KEY)
        memcpy(&key, weir_message_key(msg).data, sizeof key);
    return (unsigned)weir_message_partition(msg) * KEYS + key;
}

/* ---- workers ---- */

struct worker {
    struct stress *stress;
    struct settler settler;
    struct context context;
    struct waiter waiter;
    uint64_t seed;
    pthread_t thread;
};

static void note_handled(struct stress *stress, const struct weir_message *msg)
{
    struct handled_lane *lane = &stress->handled[lane_index(stress, msg)];

    if (stress->rig->run.ordering == WEIR_ORDERING_NONE)
        return;
    INVARIANT(!atomic_exchange(&lane->is_running, true));
    INVARIANT(msg->ticket >= lane->next);
    lane->next = msg->ticket + 1;
    atomic_store(&lane->is_running, false);
}

static struct weir_message *move(struct worker *worker,
                                 struct weir_message *msg)
{
    struct weir_message *copy = NULL;

    if (!message_is_alone(msg))
        copy = message_move(&worker->stress->rig->run, msg, false);
    if (copy)
        settle(&worker->settler, msg, ENDING_MOVED);
    else
        message_forget_changes(msg);
    return copy ? copy : msg;
}

static void put_back(struct mail_list *back, struct weir_message *msg)
{
    msg->mail = (struct mail){.count = 1, .size = msg->record->size};
    mail_list_add(back, &msg->mail);
}

static void change(struct worker *worker, struct weir_message *msg)
{
    msg->context = &worker->context;
    weir_message_set_batch_key(msg, weir_message_payload(msg));
    (void)weir_message_reject(msg, "ticket %d", (int)msg->ticket);
    msg->context = NULL;
}

/* True: it is to be tried again. */
static bool handle(struct worker *worker, struct weir_message *msg,
                   struct mail_list *out, struct weir_message **last)
{
    if (message_epoch_state(msg) != EPOCH_LIVE) {
        settle(&worker->settler, msg, ENDING_LEFT);
        return false;
    }
    if (one_in(&worker->seed, 4))
        change(worker, msg);
    if (one_in(&worker->seed, 50))
        return true;
    note_handled(worker->stress, msg);
    if (one_in(&worker->seed, 20))
        settle(&worker->settler, msg, ENDING_DISCARDED);
    else
        span_add(out, last, msg);
    return false;
}

static void send(struct worker *worker, struct mail_list *out)
{
    struct mailbox *box = &worker->stress->box;

    if (worker->context.arena)
        arena_release(worker->context.arena, 1);
    worker->context.arena = NULL;
    settler_flush(&worker->settler);
    while (out->head && mailbox_offer(box, out) != WEIR_OK)
        mailbox_wait_room(box, &worker->waiter, out, CLOCK_NEVER_US);
}

/* What one hand comes to. */
struct turn {
    struct mail_list out, back;
    struct weir_message *last;
    int64_t due_us; /* of its lane; 0: it goes on */
};

static void again(struct worker *worker, struct hand *hand,
                  struct weir_message *msg, struct turn *turn)
{
    const int64_t due_us =
        clock_after_us((int64_t)(random_next(&worker->seed) % 300));

    msg = move(worker, msg);
    if (hand->lane) {
        put_back(&turn->back, msg);
        turn->due_us = due_us;
    } else {
        INVARIANT(ready_delay(worker->stress->rig->ready, msg, due_us));
    }
}

/* Some hands are stale at once, so that idle workers take them back. */
static void open_hand(struct worker *worker, struct hand *hand)
{
    hand_open(hand, hand->count);
    if (one_in(&worker->seed, 2))
        atomic_store(&hand->since_us, 1);
    if (one_in(&worker->seed, 10))
        (void)sched_yield();
}

static void run_hand(struct worker *worker, struct hand *hand)
{
    struct turn turn = {0};
    uint32_t at = 0, end;

    mail_list_init(&turn.out);
    mail_list_init(&turn.back);
    open_hand(worker, hand);
    while (turn.due_us == 0 && at < hand->count && hand_begin(hand)) {
        struct weir_message *msg = hand->messages[at++];

        if (handle(worker, msg, &turn.out, &turn.last))
            again(worker, hand, msg, &turn);
    }
    end = hand_close(hand, hand->count);
    for (; at < end; at++)
        put_back(&turn.back, hand->messages[at]);
    send(worker, &turn.out);
    ready_finish(worker->stress->rig->ready, hand, &turn.back, turn.due_us);
}

static void *work(void *opaque)
{
    struct worker *worker = opaque;
    struct hand hand;

    while (ready_take(worker->stress->rig->ready, &hand,
                      1 + random_next(&worker->seed) % CHUNK_SLOTS,
                      clock_after_us(10 * CLOCK_SECOND_US))) {
        if (hand.count > 0)
            run_hand(worker, &hand);
    }
    return NULL;
}

/* ---- the deliverer ---- */

static void deliver(struct worker *worker, struct weir_message *msg)
{
    struct stress *stress = worker->stress;
    uint64_t *next = &stress->delivered[lane_index(stress, msg)];

    if (stress->rig->run.ordering != WEIR_ORDERING_NONE) {
        INVARIANT(msg->ticket >= *next);
        *next = msg->ticket + 1;
    }
    message_set_reason(msg, &worker->context, "late"); /* as a sink may */
    settle(&worker->settler, msg, ENDING_DONE);
}

static void *deliver_all(void *opaque)
{
    struct worker *worker = opaque;
    struct stress *stress = worker->stress;

    while (!atomic_load(&stress->is_over) || mailbox_count(&stress->box) > 0) {
        struct mail *mail = mailbox_take(&stress->box);

        if (!mail) {
            mailbox_wait(&stress->box, &worker->waiter, 1, CLOCK_NEVER_US);
            continue;
        }
        for (uint32_t i = 0, count = mail->count; i < count; i++)
            deliver(worker, &message_of(mail)[i]);
        if (worker->context.arena)
            arena_release(worker->context.arena, 1);
        worker->context.arena = NULL;
        settler_flush(&worker->settler);
    }
    return NULL;
}

/* ---- the producer ---- */

static enum weir_status told(void *self, const struct weir_settlement *list,
                             size_t count, struct weir_error *err)
{
    struct stress *stress = self;

    (void)err;
    for (size_t i = 0; i < count; i++) {
        for (uint64_t at = 0; at < list[i].count; at++) {
            struct ticket *ticket = &stress->tickets[list[i].first + at];

            assert_false(ticket->is_told);
            assert_int_equal(ticket->source, list[i].source);
            assert_int_equal(ticket->epoch, stress->epochs[ticket->source]);
            ticket->is_told = true;
        }
    }
    return WEIR_OK;
}

static void release(void *self, uint32_t source)
{
    struct stress *stress = self;

    assert_true(stress->is_held[source]);
    stress->is_held[source] = false;
}

static bool offer(struct stress *stress, uint32_t source)
{
    static const char filler[3000];
    const unsigned key = (unsigned)(random_next(&stress->seed) % KEYS);
    const uint64_t ticket = stress->produced;
    const size_t size = one_in(&stress->seed, 10) ? sizeof filler : 20;
    const enum weir_status status =
        weir_intake_add(&stress->rig->intake, source,
                        &(struct weir_record){.ticket = ticket,
                                              .offset = (int64_t)ticket,
                                              .key = {&key, sizeof key},
                                              .payload = {filler, size}});

    if (status == WEIR_RETRY)
        return false;
    stress->is_held[source] = status == WEIR_HOLD;
    stress->tickets[stress->produced++] =
        (struct ticket){.source = source, .epoch = stress->epochs[source]};
    return true;
}

static void end_epoch(struct stress *stress, uint32_t source)
{
    struct weir_intake *intake = &stress->rig->intake;

    if (one_in(&stress->seed, 2) &&
        weir_intake_await(intake, source, clock_after_us(500)) == WEIR_OK)
        assert_int_equal(intake->epochs[source]->open, 0);
    weir_intake_end(intake, source);
    for (uint64_t i = 0; i < stress->produced; i++) {
        struct ticket *ticket = &stress->tickets[i];

        if (ticket->source == source &&
            ticket->epoch == stress->epochs[source] && !ticket->is_told)
            ticket->was_ended = true;
    }
    stress->epochs[source]++;
    stress->is_held[source] = false;
    rig_begin(stress->rig, source);
}

static uint32_t demand(struct stress *stress)
{
    struct weir_intake *intake = &stress->rig->intake;
    uint32_t now = intake_demand(intake);

    if (now > 0)
        return now;
    ready_want_room(stress->rig->ready, 0);
    now = intake_demand(intake);
    if (now == 0 && intake->books.in_flight > 0)
        mailbox_wait(&intake->box, &intake->plain_waiter, 1,
                     clock_after_us(10 * CLOCK_SECOND_US));
    return now;
}

static void produce_some(struct stress *stress)
{
    uint32_t left = demand(stress);
    const uint64_t burst = random_next(&stress->seed) % 150;

    left = left < burst ? left : (uint32_t)burst;
    for (; left > 0 && stress->produced < MESSAGES; left--) {
        const uint32_t source =
            (uint32_t)(random_next(&stress->seed) % SOURCES);

        if (!stress->is_held[source] && !offer(stress, source))
            break;
    }
    intake_flush(&stress->rig->intake);
    if (one_in(&stress->seed, 40))
        end_epoch(stress, (uint32_t)(random_next(&stress->seed) % SOURCES));
}

static void produce(struct stress *stress)
{
    struct rig *rig = stress->rig;

    while (stress->produced < MESSAGES) {
        rig_serve(rig);
        intake_release(&rig->intake, release);
        produce_some(stress);
    }
    while (rig->intake.books.in_flight > 0) {
        const int64_t late = clock_after_us(10 * CLOCK_SECOND_US);

        mailbox_wait(&rig->intake.box, &rig->intake.plain_waiter, 1, late);
        assert_true(clock_now_us() < late); /* something is lost */
        rig_serve(rig);
    }
}

/* ---- the run ---- */

static void start(struct stress *stress, struct worker *worker,
                  void *(*run)(void *opaque), uint64_t seed)
{
    *worker = (struct worker){.stress = stress,
                              .context.run = &stress->rig->run,
                              .seed = seed * 7919 + 1};
    waiter_init(&worker->waiter, NULL, NULL);
    settler_init(&worker->settler, &stress->rig->run);
    assert_int_equal(pthread_create(&worker->thread, NULL, run, worker), 0);
}

static void join(struct worker *worker)
{
    assert_int_equal(pthread_join(worker->thread, NULL), 0);
    waiter_finish(&worker->waiter);
}

static void check_tickets(const struct stress *stress)
{
    unsigned ended = 0;

    for (uint64_t i = 0; i < MESSAGES; i++) {
        assert_true(stress->tickets[i].is_told != stress->tickets[i].was_ended);
        ended += stress->tickets[i].was_ended;
    }
    assert_true(ended > 0 && ended < MESSAGES); /* both were tried */
}

static void run_once(enum weir_ordering ordering, uint64_t seed)
{
    struct stress *stress = calloc(1, sizeof *stress);
    struct worker workers[WORKERS], deliverer;

    assert_non_null(stress);
    stress->seed = seed;
    stress->rig = rig_create_limited(
        ordering, &(struct ready_limits){
                      .workers = WORKERS, .max_demand = 100, .min_demand = 40});
    stress->rig->run.budget.limit = 1 << 20;
    stress->rig->intake.settle = told;
    stress->rig->intake.self = stress;
    mailbox_init(&stress->box, 3, 100, 0);
    for (uint32_t source = 0; source < SOURCES; source++)
        rig_begin(stress->rig, source);
    start(stress, &deliverer, deliver_all, seed);
    for (unsigned i = 0; i < WORKERS; i++)
        start(stress, &workers[i], work, seed + i + 1);

    produce(stress);
    ready_close(stress->rig->ready);
    for (unsigned i = 0; i < WORKERS; i++)
        join(&workers[i]);
    atomic_store(&stress->is_over, true);
    mailbox_interrupt(&stress->box);
    join(&deliverer);

    check_tickets(stress);
    assert_int_equal(rig_ledger(stress->rig).received, MESSAGES);
    rig_expect_counts(stress->rig, 0, 0);
    mailbox_finish(&stress->box);
    rig_destroy(stress->rig);
    free(stress);
}

/* Other seeds by WEIR_TEST_SEED, the first of them. */
static void run_stress(enum weir_ordering ordering)
{
    const char *text = getenv("WEIR_TEST_SEED");
    const uint64_t first = text ? strtoull(text, NULL, 10) : 1;

    for (uint64_t seed = first; seed < first + 3; seed++) {
        print_message("seed %llu\n", (unsigned long long)seed);
        run_once(ordering, seed);
    }
}

static void without_order_nothing_is_lost(void **state)
{
    (void)state;
    run_stress(WEIR_ORDERING_NONE);
}

static void partitions_keep_their_order_and_nothing_is_lost(void **state)
{
    (void)state;
    run_stress(WEIR_ORDERING_PARTITION);
}

static void keys_keep_their_order_and_nothing_is_lost(void **state)
{
    (void)state;
    run_stress(WEIR_ORDERING_KEY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_order_nothing_is_lost),
        cmocka_unit_test(partitions_keep_their_order_and_nothing_is_lost),
        cmocka_unit_test(keys_keep_their_order_and_nothing_is_lost),
    };

    return cmocka_run_group_tests_name("flow stress", tests, NULL, NULL);
}
