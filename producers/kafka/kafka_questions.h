/*
 * kafka_questions.h - what will go wrong when these topics are read?
 */
#ifndef WEIR_KAFKA_QUESTIONS_H
#define WEIR_KAFKA_QUESTIONS_H

#include <stdint.h>

#include <weir/finding.h>
#include <weir/settings.h>

/* As struct weir_producer_ops.probe. */
void kafka_questions_ask(const struct weir_settings *settings,
                         int64_t deadline_us, struct weir_findings *findings);

#endif
