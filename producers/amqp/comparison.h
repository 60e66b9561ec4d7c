/*
 * comparison.h - a queue's own arguments, learnt from what a declare differs
 * in.
 */
#ifndef WEIR_PRODUCERS_AMQP_COMPARISON_H
#define WEIR_PRODUCERS_AMQP_COMPARISON_H

#include <stdbool.h>

#include "amqp_inquiry.h"

struct comparison {
    char type[16]; /* "": not found out */
    char dead_letter_exchange[256];
    bool has_dead_letter_exchange; /* as an argument; a policy's isn't seen */
};

/* One "inequivalent arg" of a refusal. */
struct comparison_difference {
    char name[64], value[256], type[32]; /* value and type "": it has none */
};

/* False: it says no such thing. */
bool comparison_read(const char *text, struct comparison_difference *ret);

/* Asks for a queue that is there; false: that the user may not. */
bool comparison_ask(struct amqp_inquiry *inquiry, const char *queue,
                    struct comparison *ret_comparison);

#endif
