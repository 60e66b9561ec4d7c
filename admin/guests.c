/*
 * guests.c - who is connected, and for how long that is fine.
 *
 * The library's own timeout counts from the last byte, so whoever sends one a
 * second stays for ever, and whoever opens enough connections shuts out the
 * health check.  Here time counts from the last answer, for all of a request:
 * reading it, answering it, and the client's taking of it.
 *
 * Where more are here than may stay, one that has had an answer goes before one
 * that has not, and then the one that waits longest.  So a thousand connections
 * that say nothing make room for a new one within a round, and those that ask
 * without a pause don't push out who has just come.
 *
 * A connection is cut by shutdown(2): its owner, the library, finds it at its
 * end and closes it, so no descriptor is closed twice.
 *
 * Threads: the admin's.
 */
#include "guests.h"

#include <stddef.h>
#include <sys/socket.h>

enum { PATIENCE_US = 10 * 1000 * 1000 };

struct guest *guest_come(struct guests *guests, int fd, int64_t now_us)
{
    for (unsigned i = 0; i < GUESTS_MAX; i++) {
        struct guest *guest = &guests->list[i];

        if (guest->is_here)
            continue;
        *guest = (struct guest){.is_here = true, .fd = fd, .since_us = now_us};
        return guest;
    }
    return NULL;
}

void guest_go(struct guest *guest)
{
    *guest = (struct guest){.is_here = false};
}

bool guest_answered(struct guest *guest, int64_t now_us)
{
    guest->since_us = now_us;
    return ++guest->requests < GUEST_REQUESTS;
}

static void cut(struct guest *guest)
{
    guest->is_cut = true;
    (void)shutdown(guest->fd, SHUT_RDWR);
}

static bool goes_before(const struct guest *one, const struct guest *other)
{
    const bool is_answered = one->requests > 0;

    if (is_answered != (other->requests > 0))
        return is_answered;
    return one->since_us < other->since_us;
}

/* Of those that stay; NULL: they are not too many. */
static struct guest *one_too_many(struct guests *guests)
{
    struct guest *first = NULL;
    unsigned count = 0;

    for (unsigned i = 0; i < GUESTS_MAX; i++) {
        struct guest *guest = &guests->list[i];

        if (!guest->is_here || guest->is_cut)
            continue;
        count++;
        if (!first || goes_before(guest, first))
            first = guest;
    }
    return count > GUESTS_STAY ? first : NULL;
}

void guests_trim(struct guests *guests, int64_t now_us)
{
    struct guest *surplus;

    for (unsigned i = 0; i < GUESTS_MAX; i++) {
        struct guest *guest = &guests->list[i];

        if (guest->is_here && !guest->is_cut &&
            now_us - guest->since_us > PATIENCE_US)
            cut(guest);
    }
    for (surplus = one_too_many(guests); surplus;
         surplus = one_too_many(guests))
        cut(surplus);
}
