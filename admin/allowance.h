/*
 * allowance.h - how much of a core a thread may use.
 */
#ifndef WEIR_ADMIN_ALLOWANCE_H
#define WEIR_ADMIN_ALLOWANCE_H

#include <stdint.h>

struct allowance {
    int64_t left_us;         /* of work; below zero: to be rested for */
    int64_t wall_us, cpu_us; /* when it was looked at last */
};

/* A fiftieth of a core, and a twentieth of a second's work at once: what
 * hostile clients can take from a pipeline that needs a whole one. */
enum { ALLOWANCE_PART = 50, ALLOWANCE_BURST_US = 50 * 1000 };

void allowance_init(struct allowance *allowance, int64_t wall_us,
                    int64_t cpu_us);

/* For how long the thread is to rest now: 0, not at all. */
int64_t allowance_rest_us(struct allowance *allowance, int64_t wall_us,
                          int64_t cpu_us);

#endif
