/*
 * questions.h - what will go wrong when this queue is consumed?
 */
#ifndef WEIR_PRODUCERS_AMQP_QUESTIONS_H
#define WEIR_PRODUCERS_AMQP_QUESTIONS_H

#include <stdint.h>

#include <weir/finding.h>
#include <weir/settings.h>

/* As struct weir_producer_ops.probe. */
void questions_ask(const struct weir_settings *settings, int64_t deadline_us,
                   struct weir_findings *findings);

#endif
