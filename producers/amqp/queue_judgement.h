/*
 * queue_judgement.h - what a queue's own settings mean for this topology.
 */
#ifndef WEIR_PRODUCERS_AMQP_QUEUE_JUDGEMENT_H
#define WEIR_PRODUCERS_AMQP_QUEUE_JUDGEMENT_H

#include "amqp_inquiry.h"
#include "comparison.h"
#include "management.h"

/* Compares all of it, and asks for the dead-letter exchange. */
void queue_judge(struct amqp_inquiry *inquiry, const char *where,
                 const struct amqp_queue_facts *facts,
                 struct amqp_management *management);

/* Says what is known without the management plugin, and what stays open. */
void queue_judge_compared(struct amqp_inquiry *inquiry, const char *where,
                          const struct comparison *comparison);

#endif
