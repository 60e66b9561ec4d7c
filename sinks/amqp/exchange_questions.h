/*
 * exchange_questions.h - what will go wrong when this exchange is published to?
 */
#ifndef WEIR_SINKS_AMQP_EXCHANGE_QUESTIONS_H
#define WEIR_SINKS_AMQP_EXCHANGE_QUESTIONS_H

#include <stdint.h>

#include <weir/finding.h>
#include <weir/settings.h>

/* As struct weir_sink_ops.probe. */
void exchange_questions_ask(const struct weir_settings *settings,
                            int64_t deadline_us,
                            struct weir_findings *findings);

#endif
