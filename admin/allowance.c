/*
 * allowance.c - how much of a core a thread may use.
 *
 * Whoever can reach the port can ask without end, and each answer costs time
 * that the pipeline could use.  Counting requests would need to know what each
 * costs; the thread's own clock knows.  What is used beyond the allowance is
 * rested for, before anybody is served again.
 *
 * Threads: the caller's.
 */
#include "allowance.h"

void allowance_init(struct allowance *allowance, int64_t wall_us,
                    int64_t cpu_us)
{
    *allowance = (struct allowance){
        .left_us = ALLOWANCE_BURST_US, .wall_us = wall_us, .cpu_us = cpu_us};
}

int64_t allowance_rest_us(struct allowance *allowance, int64_t wall_us,
                          int64_t cpu_us)
{
    allowance->left_us += (wall_us - allowance->wall_us) / ALLOWANCE_PART -
                          (cpu_us - allowance->cpu_us);
    allowance->wall_us = wall_us;
    allowance->cpu_us = cpu_us;
    if (allowance->left_us > ALLOWANCE_BURST_US)
        allowance->left_us = ALLOWANCE_BURST_US;
    return allowance->left_us < 0 ? -allowance->left_us * ALLOWANCE_PART : 0;
}
