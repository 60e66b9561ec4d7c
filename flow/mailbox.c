/*
 * mailbox.c - the one way from a stage instance to another.
 *
 *      writers                                   reader(s)
 *      post / offer ---> [ letter, letter, .. ] ---> take / take_all
 *           |                  limits                    |
 *           +-- wakes a reader that said it sleeps       +-- wakes writers that
 *               and for which enough waits                   wait for room
 *
 * A letter carries up to a chunk of messages, so the lock, the atomic
 * operations in it and the wake-up are paid once for 64 messages.
 *
 * Waking a sleeping thread costs the waker 11 to 14 us, a hundred times the
 * rest.  So a reader says when it sleeps, and for how much: it is listed while
 * it sleeps, and taken off the list by whoever wakes it, which makes the second
 * writer find nobody to wake.  Because listing and looking happen under one
 * lock, no wake-up is lost between "empty" and "asleep".
 *
 * Some readers sleep in a client library (poll(2) on the broker's socket).
 * They arm themselves with a wake() function; it is called after the lock was
 * released.
 *
 * Why not a lock-free queue: at one operation per 64 messages the uncontended
 * mutex costs 0.3 ns a message, and limits, several readers, sifting and sleep
 * need the lock anyway.
 *
 * Threads: any.  `lock` guards everything; foreign code is called without it.
 */
#include "mailbox.h"

#include "clock.h"
#include "invariant.h"

void waiter_init(struct waiter *waiter, void (*wake)(void *opaque),
                 void *opaque)
{
    *waiter = (struct waiter){.wake = wake, .opaque = opaque};
    clock_cond_init(&waiter->cond);
}

void waiter_finish(struct waiter *waiter)
{
    INVARIANT(!waiter->is_listed);
    (void)pthread_cond_destroy(&waiter->cond);
}

static void list_locked(struct waiter **list, struct waiter *waiter)
{
    waiter->next = *list;
    waiter->is_listed = true;
    waiter->is_woken = false;
    *list = waiter;
}

static void unlist_locked(struct waiter **list, struct waiter *waiter)
{
    for (struct waiter **at = list; *at; at = &(*at)->next) {
        if (*at != waiter)
            continue;
        *at = waiter->next;
        break;
    }
    waiter->is_listed = false;
}

/* Takes one off the list for which `count` is enough; wakes it if it sleeps
 * here, returns it if it must be woken by its function. */
static struct waiter *wake_one_locked(struct waiter **list, uint32_t count)
{
    for (struct waiter **at = list; *at; at = &(*at)->next) {
        struct waiter *waiter = *at;

        if (count < waiter->threshold)
            continue;
        *at = waiter->next;
        waiter->is_listed = false;
        waiter->is_woken = true;
        if (waiter->wake)
            return waiter;
        (void)pthread_cond_signal(&waiter->cond);
        return NULL;
    }
    return NULL;
}

/* A waiter outlives its mailbox's use, so it may be called without the lock. */
static void wake_foreign(struct waiter *waiter)
{
    if (waiter)
        waiter->wake(waiter->opaque);
}

void mailbox_init(struct mailbox *box, uint32_t max_letters,
                  uint32_t max_messages, size_t max_bytes)
{
    *box = (struct mailbox){.max_letters = max_letters,
                            .max_messages = max_messages,
                            .max_bytes = max_bytes};
    mail_list_init(&box->mail);
    (void)pthread_mutex_init(&box->lock, NULL);
}

void mailbox_finish(struct mailbox *box)
{
    INVARIANT(!box->mail.head);
    INVARIANT(!box->readers && !box->writers);
    (void)pthread_mutex_destroy(&box->lock);
}

static uint32_t letters_of(const struct mail_list *list)
{
    uint32_t letters = 0;

    for (const struct mail *mail = list->head; mail; mail = mail->next)
        letters++;
    return letters;
}

static bool has_room_locked(const struct mailbox *box, uint32_t letters,
                            const struct mail_list *list)
{
    if (box->letters == 0)
        return true;
    if (box->max_letters && box->letters + letters > box->max_letters)
        return false;
    if (box->max_messages && box->mail.count + list->count > box->max_messages)
        return false;
    return !box->max_bytes || box->mail.size + list->size <= box->max_bytes;
}

void mailbox_post(struct mailbox *box, struct mail_list *list)
{
    const uint32_t letters = letters_of(list);
    struct waiter *foreign;

    if (letters == 0)
        return;
    (void)pthread_mutex_lock(&box->lock);
    mail_list_join(&box->mail, list);
    box->letters += letters;
    foreign = wake_one_locked(&box->readers, box->mail.count);
    (void)pthread_mutex_unlock(&box->lock);
    wake_foreign(foreign);
}

enum weir_status mailbox_offer(struct mailbox *box, struct mail_list *list)
{
    const uint32_t letters = letters_of(list);
    struct waiter *foreign = NULL;
    bool has_room;

    (void)pthread_mutex_lock(&box->lock);
    has_room = has_room_locked(box, letters, list);
    if (has_room) {
        mail_list_join(&box->mail, list);
        box->letters += letters;
        foreign = wake_one_locked(&box->readers, box->mail.count);
    }
    (void)pthread_mutex_unlock(&box->lock);
    wake_foreign(foreign);
    return has_room ? WEIR_OK : WEIR_AGAIN;
}

/* Writers sleep here only, so no function of theirs has to be called. */
static void wake_writers_locked(struct mailbox *box)
{
    while (box->writers)
        (void)wake_one_locked(&box->writers, UINT32_MAX);
}

void mailbox_take_all(struct mailbox *box, struct mail_list *list)
{
    (void)pthread_mutex_lock(&box->lock);
    mail_list_join(list, &box->mail);
    box->letters = 0;
    wake_writers_locked(box);
    (void)pthread_mutex_unlock(&box->lock);
}

struct mail *mailbox_take(struct mailbox *box)
{
    struct mail *mail;

    (void)pthread_mutex_lock(&box->lock);
    mail = mail_list_pop(&box->mail);
    if (mail) {
        box->letters--;
        /* One by one: each letter taken lets the next one in. */
        (void)wake_one_locked(&box->writers, UINT32_MAX);
    }
    (void)pthread_mutex_unlock(&box->lock);
    return mail;
}

void mailbox_sift(struct mailbox *box,
                  bool (*wants)(const struct mail *mail, const void *opaque),
                  const void *opaque, struct mail_list *list)
{
    struct mail_list kept;
    struct mail *mail;
    bool has_room = false;

    mail_list_init(&kept);
    (void)pthread_mutex_lock(&box->lock);
    mail = mail_list_pop(&box->mail);
    while (mail) {
        const bool is_wanted = wants(mail, opaque);

        box->letters -= is_wanted ? 1 : 0;
        has_room |= is_wanted;
        mail_list_add(is_wanted ? list : &kept, mail);
        mail = mail_list_pop(&box->mail);
    }
    mail_list_join(&box->mail, &kept);
    if (has_room)
        wake_writers_locked(box);
    (void)pthread_mutex_unlock(&box->lock);
}

static void sleep_locked(struct mailbox *box, struct waiter **list,
                         struct waiter *waiter, int64_t deadline_us)
{
    const struct timespec until = clock_timespec(deadline_us);
    int rc = 0;

    INVARIANT(!waiter->wake); /* it sleeps here, not elsewhere */
    list_locked(list, waiter);
    while (!waiter->is_woken && rc == 0)
        rc = deadline_us == CLOCK_NEVER_US
                 ? pthread_cond_wait(&waiter->cond, &box->lock)
                 : pthread_cond_timedwait(&waiter->cond, &box->lock, &until);
    if (waiter->is_listed)
        unlist_locked(list, waiter);
}

void mailbox_wait(struct mailbox *box, struct waiter *waiter,
                  uint32_t threshold, int64_t deadline_us)
{
    (void)pthread_mutex_lock(&box->lock);
    waiter->threshold = threshold;
    if (box->mail.count < threshold && !box->is_interrupted)
        sleep_locked(box, &box->readers, waiter, deadline_us);
    box->is_interrupted = false;
    (void)pthread_mutex_unlock(&box->lock);
}

void mailbox_wait_room(struct mailbox *box, struct waiter *waiter,
                       const struct mail_list *list, int64_t deadline_us)
{
    const uint32_t letters = letters_of(list);

    (void)pthread_mutex_lock(&box->lock);
    waiter->threshold = 0;
    if (!has_room_locked(box, letters, list))
        sleep_locked(box, &box->writers, waiter, deadline_us);
    (void)pthread_mutex_unlock(&box->lock);
}

static bool is_full_locked(const struct mailbox *box)
{
    if (box->letters == 0)
        return false;
    return (box->max_messages && box->mail.count >= box->max_messages) ||
           (box->max_bytes && box->mail.size >= box->max_bytes);
}

bool mailbox_is_full(struct mailbox *box)
{
    bool is_full;

    (void)pthread_mutex_lock(&box->lock);
    is_full = is_full_locked(box);
    (void)pthread_mutex_unlock(&box->lock);
    return is_full;
}

void mailbox_wait_emptier(struct mailbox *box, struct waiter *waiter,
                          int64_t deadline_us)
{
    (void)pthread_mutex_lock(&box->lock);
    waiter->threshold = 0;
    if (is_full_locked(box))
        sleep_locked(box, &box->writers, waiter, deadline_us);
    (void)pthread_mutex_unlock(&box->lock);
}

bool mailbox_arm(struct mailbox *box, struct waiter *waiter, uint32_t threshold)
{
    bool is_armed;

    (void)pthread_mutex_lock(&box->lock);
    waiter->threshold = threshold;
    is_armed = box->mail.count < threshold && !box->is_interrupted;
    if (is_armed)
        list_locked(&box->readers, waiter);
    box->is_interrupted = false;
    (void)pthread_mutex_unlock(&box->lock);
    return is_armed;
}

void mailbox_disarm(struct mailbox *box, struct waiter *waiter)
{
    (void)pthread_mutex_lock(&box->lock);
    if (waiter->is_listed)
        unlist_locked(&box->readers, waiter);
    (void)pthread_mutex_unlock(&box->lock);
}

static uint32_t waiters_locked(const struct waiter *list)
{
    uint32_t count = 0;

    for (; list; list = list->next)
        count++;
    return count;
}

/* One that sleeps elsewhere is called without the lock, and may sleep again
 * before the next one is looked for: so many are woken as slept at first. */
void mailbox_interrupt(struct mailbox *box)
{
    struct waiter *foreign;
    uint32_t left;

    (void)pthread_mutex_lock(&box->lock);
    left = waiters_locked(box->readers);
    if (left == 0)
        box->is_interrupted = true;
    while (left > 0) {
        foreign = wake_one_locked(&box->readers, UINT32_MAX);
        left--;
        if (!foreign)
            continue;
        (void)pthread_mutex_unlock(&box->lock);
        wake_foreign(foreign);
        (void)pthread_mutex_lock(&box->lock);
    }
    (void)pthread_mutex_unlock(&box->lock);
}

uint32_t mailbox_count(struct mailbox *box)
{
    uint32_t count;

    (void)pthread_mutex_lock(&box->lock);
    count = box->mail.count;
    (void)pthread_mutex_unlock(&box->lock);
    return count;
}

void mailbox_look(struct mailbox *box, struct mailbox_view *ret_view)
{
    (void)pthread_mutex_lock(&box->lock);
    *ret_view = (struct mailbox_view){
        .messages = box->mail.count,
        .letters = box->letters,
        .bytes = box->mail.size,
        .max_messages = box->max_messages,
        .max_letters = box->max_letters,
        .max_bytes = box->max_bytes,
        .readers = waiters_locked(box->readers),
        .writers = waiters_locked(box->writers),
    };
    (void)pthread_mutex_unlock(&box->lock);
}
