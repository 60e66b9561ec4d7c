/*
 * file_questions.h - what will go wrong when this file is written?
 */
#ifndef WEIR_FILE_QUESTIONS_H
#define WEIR_FILE_QUESTIONS_H

#include <stdint.h>

#include <weir/finding.h>
#include <weir/settings.h>

/* As struct weir_sink_ops.probe. */
void file_questions_ask(const struct weir_settings *settings,
                        int64_t deadline_us, struct weir_findings *findings);

#endif
