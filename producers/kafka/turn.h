/*
 * turn.h - whether a partition has its turn to be fetched, and how long.
 */
#ifndef WEIR_KAFKA_TURN_H
#define WEIR_KAFKA_TURN_H

#include <stdbool.h>
#include <stdint.h>

struct turn {
    int64_t since_us;  /* it has its turn, or waits for it */
    int64_t slice_us;  /* the turn's first message came; 0: none yet */
    int64_t stuck_us;  /* it can't be read since; 0: it can */
    int64_t end;       /* offset, by the broker; -1: not known */
    int64_t heard_us;  /* when the broker said so */
    int64_t tried;     /* assigned anew at this offset, nothing came */
    uint64_t read;     /* messages, by its reader */
    uint64_t from, to; /* `read` at the turn's begin, and where it ends */
    bool is_waiting, is_last;
};

/* How a partition is. */
struct turn_facts {
    int64_t next;    /* offset to read next */
    uint64_t queued; /* messages that are in memory */
    bool is_able;    /* what is queued may be read */
    bool is_offered; /* one was read, and not taken by the intake */
    bool is_done;    /* nothing more is wanted of it */
};

struct turn turn_create(bool is_waiting, int64_t now_us);

void turn_begin(struct turn *turn, int64_t now_us);
void turn_end(struct turn *turn, int64_t now_us);

/* There is something to read, as far as is known. */
bool turn_is_wanted(const struct turn *turn, const struct turn_facts *facts,
                    int64_t now_us);

/* Asked again and again of one that has its turn while others want one. */
bool turn_is_over(struct turn *turn, const struct turn_facts *facts,
                  int64_t now_us);

/* It has its turn, the broker has messages, and none came for long. */
bool turn_is_in_vain(const struct turn *turn, const struct turn_facts *facts,
                     int64_t now_us);

#endif
