/*
 * kafka_sink_questions.h - what will go wrong when this topic is written?
 */
#ifndef WEIR_KAFKA_SINK_QUESTIONS_H
#define WEIR_KAFKA_SINK_QUESTIONS_H

#include <stdint.h>

#include <weir/finding.h>
#include <weir/settings.h>

/* As struct weir_sink_ops.probe. */
void kafka_sink_questions_ask(const struct weir_settings *settings,
                              int64_t deadline_us,
                              struct weir_findings *findings);

#endif
