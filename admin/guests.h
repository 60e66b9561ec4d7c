/*
 * guests.h - who is connected, and for how long that is fine.
 */
#ifndef WEIR_ADMIN_GUESTS_H
#define WEIR_ADMIN_GUESTS_H

#include <stdbool.h>
#include <stdint.h>

/* So many may stay; a few more are let in, so that room can be made for them.
 */
enum { GUESTS_STAY = 64, GUESTS_MAX = 96, GUEST_REQUESTS = 100 };

struct guest {
    bool is_here;
    bool is_cut; /* and will be gone soon */
    int fd;
    unsigned requests;
    int64_t since_us; /* it came, or was answered last */
};

struct guests {
    struct guest list[GUESTS_MAX];
};

/* NULL: there is no room. */
struct guest *guest_come(struct guests *guests, int fd, int64_t now_us);
void guest_go(struct guest *guest);

/* It was answered.  False: that was its last request. */
bool guest_answered(struct guest *guest, int64_t now_us);

/* Cuts those that take too long, and some where too many are here; their
 * descriptors say so to whoever serves them. */
void guests_trim(struct guests *guests, int64_t now_us);

#endif
