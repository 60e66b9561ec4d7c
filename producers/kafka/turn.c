/*
 * turn.c - whether a partition has its turn to be fetched, and how long.
 *
 *     waits -- longest, and something is there --> has its turn
 *       ^                                             |
 *       +---- others want one, and it is over --------+
 *
 * Over, when others want one:
 *     nothing to read by what the broker said    at once
 *     empty, though there is something           a slice after its first
 * message something is read, and has been for long   when it has read what was
 *                                                queued after a slice
 *     can't be read (held, window full)          after a slice
 *     nothing came, though there is something    when patience is used up
 *
 * What is queued when a turn ends is thrown away and fetched again.  So a turn
 * is not over by time alone: where nothing is demanded its messages stay in
 * memory, which they would be in again soon, and where they are read slowly
 * the others wait for as many messages as memory has, and not longer.
 *
 * Invariant: without a message read, a turn that can be read ends only by
 * PATIENCE_US, or because the broker has nothing: however slow the machine is,
 * each turn brings something.
 *
 * Threads: pure functions.
 */
#include "turn.h"

enum {
    SLICE_US = 500000,
    PATIENCE_US = 5000000,
    STALE_US = 10000000 /* what the broker said is no longer believed */
};

struct turn turn_create(bool is_waiting, int64_t now_us)
{
    return (struct turn){
        .since_us = now_us, .end = -1, .tried = -1, .is_waiting = is_waiting};
}

void turn_begin(struct turn *turn, int64_t now_us)
{
    turn->since_us = now_us;
    turn->slice_us = turn->stuck_us = 0;
    turn->from = turn->read;
    turn->is_waiting = turn->is_last = false;
}

void turn_end(struct turn *turn, int64_t now_us)
{
    turn->since_us = now_us;
    turn->is_waiting = true;
}

static bool is_known(const struct turn *turn, int64_t now_us)
{
    return turn->end >= 0 && now_us - turn->heard_us < STALE_US;
}

bool turn_is_wanted(const struct turn *turn, const struct turn_facts *facts,
                    int64_t now_us)
{
    if (!facts->is_able || facts->is_done)
        return false;
    return facts->queued > 0 || !is_known(turn, now_us) ||
           turn->end > facts->next;
}

static bool is_stuck_for_long(struct turn *turn, int64_t now_us)
{
    if (turn->stuck_us == 0)
        turn->stuck_us = now_us;
    return now_us - turn->stuck_us >= SLICE_US;
}

bool turn_is_over(struct turn *turn, const struct turn_facts *facts,
                  int64_t now_us)
{
    if (turn->slice_us == 0 && turn->read != turn->from)
        turn->slice_us = now_us;
    if (facts->is_offered)
        return false;
    if (facts->is_done)
        return true;
    if (!facts->is_able)
        return is_stuck_for_long(turn, now_us);
    turn->stuck_us = 0;
    if (facts->queued == 0 && !turn_is_wanted(turn, facts, now_us))
        return true;
    if (turn->slice_us == 0)
        return facts->queued == 0 && now_us - turn->since_us >= PATIENCE_US;
    if (now_us - turn->slice_us < SLICE_US)
        return false;
    if (!turn->is_last) {
        turn->is_last = true;
        turn->to = turn->read + facts->queued;
    }
    return facts->queued == 0 || turn->read >= turn->to;
}

bool turn_is_in_vain(const struct turn *turn, const struct turn_facts *facts,
                     int64_t now_us)
{
    return facts->is_able && !facts->is_done && facts->queued == 0 &&
           is_known(turn, now_us) && turn->end > facts->next &&
           turn->read == turn->from && now_us - turn->since_us >= PATIENCE_US &&
           turn->tried != facts->next;
}
