/*
 * run.h - what all stages of one run share.
 *
 * Made by the pipeline before the first thread, and read by all; what changes
 * while it runs is atomic.
 */
#ifndef WEIR_FLOW_RUN_H
#define WEIR_FLOW_RUN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <weir/share.h>
#include <weir/telemetry.h>

#include "board.h"
#include "budget.h"
#include "counters.h"
#include "flood.h"
#include "mailbox.h"
#include "recent.h"
#include "tap.h"
#include "tracer.h"

enum { RUN_MAX_HOMES = 64 };

/* Why a run ends on its own. */
enum run_end {
    RUN_END_NONE = 0,
    RUN_END_ASKED,   /* the sources are at their end, or drain was called */
    RUN_END_STOPPED, /* `then: stop` */
    RUN_END_GAVE_UP, /* WEIR_FATAL, restarts used up */
    RUN_END_INIT,    /* the handler's init failed */
    RUN_END_ABSENT,  /* --until-end: no connection in time */
    RUN_END_LEAK     /* open tickets that no stage has */
};

struct chunk;
struct journal; /* the processors' */

struct run {
    const char *name;
    const char *source; /* the producer connector's name */
    char host[256];     /* this machine's name */
    enum weir_ordering ordering;
    enum weir_policy policy; /* of the topology */
    unsigned policies;       /* that the source honours, as bits */
    size_t max_message_bytes;
    bool is_strict; /* a second settlement aborts: tests */

    struct journal *journal; /* of crashes; NULL: none is kept */

    /* <weir/telemetry.h>: which kinds are told, and whom; none: 0. */
    unsigned telemetry_kinds;
    weir_telemetry_fn telemetry;
    void *telemetry_opaque;

    struct board board; /* what may change */
    struct tracer tracer;
    struct budget budget;
    struct counters counters;
    struct flood flood; /* `failure.stop_above` */

    /* Where messages go back to, by producer instance. */
    struct mailbox *homes[RUN_MAX_HOMES];
    unsigned home_count;

    /* Copies of their messages that they have not heard of: live.h. */
    _Atomic(struct chunk *) born[RUN_MAX_HOMES];

    struct recent recent; /* what failed last */
    struct tap tap;       /* whoever samples messages */

    _Atomic bool is_started;    /* every init() was fine: connect */
    _Atomic bool is_draining;   /* stop begins nothing that can be given back */
    _Atomic bool is_abandoning; /* nothing more is begun, what waits is left */
    _Atomic bool is_aborting;   /* the deadline passed: let go of everything */

    _Atomic unsigned down; /* destinations that are not there now */

    /* The monotonic clock, of ten times a second: for where.h. */
    _Atomic uint32_t now_ms;

    /* Makes the batchers look at their batches again: an epoch drains, ended or
     * is starved.  Any thread. */
    void (*poke)(void *opaque);
    void *poke_opaque;

    /* Something that a drain waits for may have come true.  Any thread. */
    void (*changed)(void *opaque);
    void *changed_opaque;

    /* Asks for a drain; the first reason of each kind is logged.  Any thread.
     */
    void (*end)(void *opaque, enum run_end end, const char *why);
    void *end_opaque;

    /* An instance of a stage failed beyond what it can repair; `why` begins
     * with its name.  Returns after how long it is to be replaced; -1: the
     * restart budget is used up, the run ends.  With `end_opaque`.  Any thread.
     */
    int64_t (*replace)(void *opaque, const char *why);
};

static inline bool run_is_draining(const struct run *run)
{
    return atomic_load_explicit(&run->is_draining, memory_order_relaxed);
}

static inline bool run_is_destination_down(const struct run *run)
{
    return atomic_load_explicit(&run->down, memory_order_relaxed) > 0;
}

static inline bool run_is_aborting(const struct run *run)
{
    return atomic_load_explicit(&run->is_aborting, memory_order_relaxed);
}

#endif
