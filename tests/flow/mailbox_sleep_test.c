/*
 * mailbox_sleep_test.c - who sleeps for a mailbox is woken, in time and always.
 */
#include "test.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "clock.h"
#include "mailbox_fixture.h"

enum { PING_PONGS = 20000, WRITERS = 4, LETTERS = 2000 };

/* Much patience: what must come comes at once. */
static int64_t soon(void)
{
    return clock_after_us(10 * CLOCK_SECOND_US);
}

static bool is_large(const struct mail *mail, const void *opaque)
{
    (void)opaque;
    return mail->count > 1;
}

/* ---- sleep ---- */

static void a_wait_with_mail_in_the_box_returns_at_once(void **state)
{
    struct fixture *fixture = *state;

    post_one(&fixture->box, &fixture->letters[0]);
    mailbox_wait(&fixture->box, &fixture->waiter, 1, CLOCK_NEVER_US);
}

static void a_wait_without_mail_ends_at_its_deadline(void **state)
{
    struct fixture *fixture = *state;
    const int64_t deadline = clock_after_us(2000);

    mailbox_wait(&fixture->box, &fixture->waiter, 1, deadline);
    assert_true(clock_now_us() >= deadline);
    mailbox_wait(&fixture->box, &fixture->waiter, 1, 0);
}

static void an_interrupt_before_a_wait_ends_it_and_only_it(void **state)
{
    struct fixture *fixture = *state;
    int64_t deadline;

    mailbox_interrupt(&fixture->box);
    mailbox_interrupt(&fixture->box);
    mailbox_wait(&fixture->box, &fixture->waiter, 1, CLOCK_NEVER_US);
    deadline = clock_after_us(1000);
    mailbox_wait(&fixture->box, &fixture->waiter, 1, deadline);
    assert_true(clock_now_us() >= deadline);
}

/* Something that happens once somebody sleeps for `box`. */
struct later {
    struct mailbox *box;
    struct waiter **list;
    void (*act)(struct later *later);
    struct mail *mail;
    pthread_t thread;
};

static bool has_sleeper(const struct later *later)
{
    bool has_one;

    (void)pthread_mutex_lock(&later->box->lock);
    has_one = *later->list != NULL;
    (void)pthread_mutex_unlock(&later->box->lock);
    return has_one;
}

static void *run_later(void *opaque)
{
    struct later *later = opaque;

    while (!has_sleeper(later))
        (void)sched_yield();
    later->act(later);
    return NULL;
}

static void begin_later(struct later *later)
{
    if (!later->list)
        later->list = &later->box->readers;
    assert_int_equal(pthread_create(&later->thread, NULL, run_later, later), 0);
}

static void end_later(struct later *later)
{
    assert_int_equal(pthread_join(later->thread, NULL), 0);
}

static void act_post(struct later *later)
{
    post_one(later->box, later->mail);
}

static void act_interrupt(struct later *later)
{
    mailbox_interrupt(later->box);
}

static void act_take(struct later *later)
{
    assert_non_null(mailbox_take(later->box));
}

static void act_sift(struct later *later)
{
    struct mail_list list;

    mail_list_init(&list);
    mailbox_sift(later->box, is_large, NULL, &list);
    assert_int_equal(list.count, 2);
}

static void mail_ends_a_sleep(void **state)
{
    struct fixture *fixture = *state;
    struct later later = {
        .box = &fixture->box, .act = act_post, .mail = fixture->letters};

    begin_later(&later);
    mailbox_wait(&fixture->box, &fixture->waiter, 1, CLOCK_NEVER_US);
    assert_ptr_equal(mailbox_take(&fixture->box), fixture->letters);
    end_later(&later);
}

static void an_interrupt_ends_a_sleep_and_not_the_next_one_too(void **state)
{
    struct fixture *fixture = *state;
    struct later later = {.box = &fixture->box, .act = act_interrupt};
    int64_t deadline;

    begin_later(&later);
    mailbox_wait(&fixture->box, &fixture->waiter, UINT32_MAX, CLOCK_NEVER_US);
    end_later(&later);
    deadline = clock_after_us(1000);
    mailbox_wait(&fixture->box, &fixture->waiter, 1, deadline);
    assert_true(clock_now_us() >= deadline);
}

static void act_post_three(struct later *later)
{
    post_one(later->box, &later->mail[0]);
    post_one(later->box, &later->mail[1]);
    assert_true(has_sleeper(later)); /* two are not worth it */
    post_one(later->box, &later->mail[2]);
}

static void a_sleeper_is_woken_when_enough_waits_for_it(void **state)
{
    struct fixture *fixture = *state;
    struct later later = {
        .box = &fixture->box, .act = act_post_three, .mail = fixture->letters};

    begin_later(&later);
    mailbox_wait(&fixture->box, &fixture->waiter, 3, CLOCK_NEVER_US);
    end_later(&later);
    assert_int_equal(mailbox_count(&fixture->box), 3);
}

static void a_sleeper_here_is_woken_while_one_elsewhere_is_armed(void **state)
{
    struct fixture *fixture = *state;
    struct later later = {
        .box = &fixture->box, .act = act_post, .mail = fixture->letters};

    /* A producer that awaits the end of an epoch inside its pull(). */
    assert_true(mailbox_arm(&fixture->box, &fixture->far, 256));
    begin_later(&later);
    while (mailbox_count(&fixture->box) == 0)
        mailbox_wait(&fixture->box, &fixture->waiter, 1, soon());
    end_later(&later);
    assert_int_equal(fixture->wakes, 0);
    mailbox_disarm(&fixture->box, &fixture->far);
}

/* ---- writers ---- */

static void fill_box(struct fixture *fixture)
{
    set_limits(fixture, 0, 2, 0);
    fixture->letters[0].count = 2;
    post_one(&fixture->box, &fixture->letters[0]);
    mail_list_add(&fixture->list, &fixture->letters[1]);
}

static void expect_room_after(struct fixture *fixture,
                              void (*act)(struct later *later))
{
    struct later later = {
        .box = &fixture->box, .list = &fixture->box.writers, .act = act};
    const int64_t deadline = soon();

    begin_later(&later);
    mailbox_wait_room(&fixture->box, &fixture->waiter, &fixture->list,
                      deadline);
    assert_true(clock_now_us() < deadline);
    end_later(&later);
    assert_int_equal(mailbox_offer(&fixture->box, &fixture->list), WEIR_OK);
}

static void a_writer_does_not_wait_where_there_is_room(void **state)
{
    struct fixture *fixture = *state;

    mail_list_add(&fixture->list, &fixture->letters[1]);
    mailbox_wait_room(&fixture->box, &fixture->waiter, &fixture->list,
                      CLOCK_NEVER_US);
}

static void a_writer_waits_for_room_until_its_deadline(void **state)
{
    struct fixture *fixture = *state;
    const int64_t deadline = clock_after_us(2000);

    fill_box(fixture);
    mailbox_wait_room(&fixture->box, &fixture->waiter, &fixture->list,
                      deadline);
    assert_true(clock_now_us() >= deadline);
}

static void a_writer_is_woken_by_a_take(void **state)
{
    fill_box(*state);
    expect_room_after(*state, act_take);
}

static void a_writer_is_woken_by_a_sift(void **state)
{
    fill_box(*state);
    expect_room_after(*state, act_sift);
}

struct room_waiter {
    struct mailbox *box;
    struct mail mail;
    pthread_t thread;
};

static void *wait_and_offer(void *opaque)
{
    struct room_waiter *me = opaque;
    struct waiter waiter;
    struct mail_list list;

    waiter_init(&waiter, NULL, NULL);
    mail_list_init(&list);
    mail_list_add(&list, &me->mail);
    while (mailbox_offer(me->box, &list) != WEIR_OK)
        mailbox_wait_room(me->box, &waiter, &list, CLOCK_NEVER_US);
    waiter_finish(&waiter);
    return NULL;
}

/* Nobody may be left asleep while the reader takes all that comes. */
static void all_writers_get_in_one_after_the_other(void **state)
{
    struct fixture *fixture = *state;
    struct room_waiter writers[WRITERS];
    uint32_t taken = 0;

    set_limits(fixture, 1, 0, 0);
    for (int i = 0; i < WRITERS; i++) {
        writers[i] =
            (struct room_waiter){.box = &fixture->box, .mail = {.count = 1}};
        assert_int_equal(pthread_create(&writers[i].thread, NULL,
                                        wait_and_offer, &writers[i]),
                         0);
    }
    while (taken < WRITERS) {
        mailbox_wait(&fixture->box, &fixture->waiter, 1, CLOCK_NEVER_US);
        if (mailbox_take(&fixture->box))
            taken++;
    }
    for (int i = 0; i < WRITERS; i++)
        assert_int_equal(pthread_join(writers[i].thread, NULL), 0);
}

/* ---- no lost wake-up ---- */

static void *echo(void *opaque)
{
    struct fixture *fixture = opaque;

    for (int i = 0; i < PING_PONGS; i++) {
        struct mail *mail = mailbox_take(&fixture->box);

        while (!mail) {
            mailbox_wait(&fixture->box, &fixture->waiter, 1, CLOCK_NEVER_US);
            mail = mailbox_take(&fixture->box);
        }
        post_one(&fixture->other, mail);
    }
    return NULL;
}

/* Each message meets a reader that just fell asleep, or is about to. */
static void single_messages_to_a_sleeper_are_never_lost(void **state)
{
    struct fixture *fixture = *state;
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, echo, fixture), 0);
    for (int i = 0; i < PING_PONGS; i++) {
        post_one(&fixture->box, fixture->letters);
        while (!mailbox_take(&fixture->other))
            mailbox_wait(&fixture->other, &fixture->other_waiter, 1,
                         CLOCK_NEVER_US);
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
}

static void *interrupt_and_wait(void *opaque)
{
    struct fixture *fixture = opaque;

    for (int i = 0; i < PING_PONGS / 4; i++) {
        mailbox_interrupt(&fixture->box);
        mailbox_wait(&fixture->other, &fixture->other_waiter, 1,
                     CLOCK_NEVER_US);
    }
    return NULL;
}

static void interrupts_of_a_sleeper_are_never_lost(void **state)
{
    struct fixture *fixture = *state;
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, interrupt_and_wait, fixture),
                     0);
    for (int i = 0; i < PING_PONGS / 4; i++) {
        mailbox_wait(&fixture->box, &fixture->waiter, 1, CLOCK_NEVER_US);
        mailbox_interrupt(&fixture->other);
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
}

struct writer {
    struct mailbox *box;
    pthread_t thread;
    struct mail letters[LETTERS];
};

static void *write_all(void *opaque)
{
    struct writer *writer = opaque;
    struct waiter waiter;

    waiter_init(&waiter, NULL, NULL);
    for (int i = 0; i < LETTERS; i++) {
        struct mail_list list;

        mail_list_init(&list);
        writer->letters[i] = (struct mail){.count = 1 + (uint32_t)i % 3};
        mail_list_add(&list, &writer->letters[i]);
        while (mailbox_offer(writer->box, &list) != WEIR_OK)
            mailbox_wait_room(writer->box, &waiter, &list, CLOCK_NEVER_US);
    }
    waiter_finish(&waiter);
    return NULL;
}

/* Whether `mail` is the next letter of one of the writers; it is seen then. */
static bool is_next_of_some(const struct writer *writers,
                            const struct mail *mail, size_t *seen)
{
    for (int i = 0; i < WRITERS; i++) {
        if (seen[i] == LETTERS || mail != &writers[i].letters[seen[i]])
            continue;
        seen[i]++;
        return true;
    }
    return false;
}

/* A small box, so that everybody sleeps all the time. */
static void letters_of_many_writers_arrive_each_in_its_order(void **state)
{
    struct fixture *fixture = *state;
    struct writer *writers = calloc(WRITERS, sizeof *writers);
    size_t seen[WRITERS] = {0}, total = 0;

    assert_non_null(writers);
    set_limits(fixture, 3, 5, 0);
    for (int i = 0; i < WRITERS; i++) {
        writers[i].box = &fixture->box;
        assert_int_equal(
            pthread_create(&writers[i].thread, NULL, write_all, &writers[i]),
            0);
    }
    while (total < (size_t)WRITERS * LETTERS) {
        struct mail *mail;

        mailbox_wait(&fixture->box, &fixture->waiter, 1, CLOCK_NEVER_US);
        mail = mailbox_take(&fixture->box);
        if (!mail)
            continue;
        assert_true(is_next_of_some(writers, mail, seen));
        total++;
    }
    for (int i = 0; i < WRITERS; i++)
        assert_int_equal(pthread_join(writers[i].thread, NULL), 0);
    free(writers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_wait_with_mail_in_the_box_returns_at_once),
        TEST(a_wait_without_mail_ends_at_its_deadline),
        TEST(an_interrupt_before_a_wait_ends_it_and_only_it),
        TEST(mail_ends_a_sleep),
        TEST(an_interrupt_ends_a_sleep_and_not_the_next_one_too),
        TEST(a_sleeper_is_woken_when_enough_waits_for_it),
        TEST(a_sleeper_here_is_woken_while_one_elsewhere_is_armed),
        TEST(a_writer_does_not_wait_where_there_is_room),
        TEST(a_writer_waits_for_room_until_its_deadline),
        TEST(a_writer_is_woken_by_a_take),
        TEST(a_writer_is_woken_by_a_sift),
        TEST(all_writers_get_in_one_after_the_other),
        TEST(single_messages_to_a_sleeper_are_never_lost),
        TEST(interrupts_of_a_sleeper_are_never_lost),
        TEST(letters_of_many_writers_arrive_each_in_its_order),
    };

    return cmocka_run_group_tests_name("mailbox_sleep", tests, NULL, NULL);
}
