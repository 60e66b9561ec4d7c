/*
 * control.c - what may be asked of a stage instance, and what it answers.
 *
 * Drain and introspection ask and wait for the answer; they never reach into an
 * instance. There is at most one request of a kind, so asking needs no memory
 * and nothing is left in a queue when an instance ends: it answers all that
 * was asked, and what is asked later is its successor's.
 *
 * The question travels beside the mail: an instance looks at its controls in
 * every round, also while its hands are full and it takes no mail. An instance
 * that is stuck in foreign code does not answer, and whoever asked has a
 * deadline of its own.
 *
 * Threads: any; `asked` and `answered` are bits, the rest is behind `lock`.
 */
#include "control.h"

#include <stddef.h>

void controls_init(struct controls *controls, void (*wake)(void *opaque),
                   void *opaque)
{
    *controls = (struct controls){.wake = wake, .opaque = opaque};
    (void)pthread_mutex_init(&controls->lock, NULL);
}

void controls_finish(struct controls *controls)
{
    (void)pthread_mutex_destroy(&controls->lock);
}

void control_ask(struct controls *controls, enum control control,
                 int64_t deadline_us)
{
    (void)pthread_mutex_lock(&controls->lock);
    controls->deadline_us[control] = deadline_us;
    (void)pthread_mutex_unlock(&controls->lock);
    if (control == CONTROL_DESCRIBE || control == CONTROL_PAUSE)
        atomic_fetch_and_explicit(&controls->answered, ~(1U << control),
                                  memory_order_acq_rel);
    /* Partner: control_is_asked(). */
    atomic_fetch_or_explicit(&controls->asked, 1U << control,
                             memory_order_acq_rel);
    controls->wake(controls->opaque);
}

void control_withdraw(struct controls *controls, enum control control)
{
    const unsigned bit = 1U << control;

    atomic_fetch_and_explicit(&controls->asked, ~bit, memory_order_acq_rel);
    atomic_fetch_and_explicit(&controls->answered, ~bit, memory_order_acq_rel);
    controls->wake(controls->opaque);
}

bool control_is_answered(struct controls *controls, enum control control,
                         struct holdings *ret_holdings)
{
    /* Partner: control_answer(). */
    if (!(atomic_load_explicit(&controls->answered, memory_order_acquire) &
          (1U << control)))
        return false;
    if (ret_holdings) {
        (void)pthread_mutex_lock(&controls->lock);
        *ret_holdings = controls->holdings;
        (void)pthread_mutex_unlock(&controls->lock);
    }
    return true;
}

bool control_is_asked(const struct controls *controls, enum control control)
{
    return (atomic_load_explicit(&controls->asked, memory_order_acquire) &
            (1U << control)) != 0;
}

int64_t control_deadline_us(struct controls *controls, enum control control)
{
    int64_t deadline_us;

    (void)pthread_mutex_lock(&controls->lock);
    deadline_us = controls->deadline_us[control];
    (void)pthread_mutex_unlock(&controls->lock);
    return deadline_us;
}

void control_answer(struct controls *controls, enum control control,
                    const struct holdings *holdings)
{
    const unsigned bit = 1U << control;

    if (holdings) {
        (void)pthread_mutex_lock(&controls->lock);
        controls->holdings = *holdings;
        (void)pthread_mutex_unlock(&controls->lock);
        atomic_fetch_and_explicit(&controls->asked, ~bit, memory_order_acq_rel);
    }
    if (atomic_fetch_or_explicit(&controls->answered, bit,
                                 memory_order_acq_rel) &
        bit)
        return;
    if (controls->changed)
        controls->changed(controls->changed_opaque);
}
