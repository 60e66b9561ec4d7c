/*
 * control.h - what may be asked of a stage instance, and what it answers.
 */
#ifndef WEIR_FLOW_CONTROL_H
#define WEIR_FLOW_CONTROL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum control {
    CONTROL_DRAIN = 0, /* take in no more; leave what waits for a retry */
    CONTROL_CLOSE,     /* hand on what is there until the deadline, then end */
    CONTROL_DESCRIBE,  /* say what you hold */
    CONTROL_PAUSE,     /* take in no more, until it is withdrawn */
    /* must stay last */
    CONTROL_COUNT
};

/* What an instance holds, in messages. */
struct holdings {
    uint64_t waiting;  /* taken over, and nothing done with it yet */
    uint64_t begun;    /* in a batch that is filled, or at the destination */
    uint64_t retrying; /* waits for its time */
};

/* One per instance. */
struct controls {
    _Atomic unsigned asked, answered; /* bits of enum control */
    pthread_mutex_t lock;             /* of what follows */
    int64_t deadline_us[CONTROL_COUNT];
    struct holdings holdings;
    void (*wake)(void *opaque); /* ends the instance's sleep */
    void *opaque;
    void (*changed)(void *opaque); /* somebody may wait for an answer */
    void *changed_opaque;
};

void controls_init(struct controls *controls, void (*wake)(void *opaque),
                   void *opaque);
void controls_finish(struct controls *controls);

/* Any thread.  Asking again before the answer asks for the same answer. */
void control_ask(struct controls *controls, enum control control,
                 int64_t deadline_us);

/* Any thread: it is not asked any more. */
void control_withdraw(struct controls *controls, enum control control);

/* Any thread; `ret_holdings` (may be NULL) is of the last CONTROL_DESCRIBE. */
bool control_is_answered(struct controls *controls, enum control control,
                         struct holdings *ret_holdings);

/* The instance's own: asked, whether answered or not. */
bool control_is_asked(const struct controls *controls, enum control control);
int64_t control_deadline_us(struct controls *controls, enum control control);

/* DRAIN, CLOSE and PAUSE stay asked; DESCRIBE (`holdings` not NULL) is over. */
void control_answer(struct controls *controls, enum control control,
                    const struct holdings *holdings);

#endif
