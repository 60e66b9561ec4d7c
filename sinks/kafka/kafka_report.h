/*
 * kafka_report.h - what the broker said of a message, made into outcomes.
 */
#ifndef WEIR_KAFKA_REPORT_H
#define WEIR_KAFKA_REPORT_H

#include "kafka_writer.h"

/* A delivery report; of a configuration whose opaque is the writer's trouble.
 */
void kafka_report(rd_kafka_t *rk, const rd_kafka_message_t *message,
                  void *opaque);

/* A message that the client didn't take, or that came back with `code`. */
void kafka_report_judge(struct kafka_writer *writer,
                        struct kafka_letter *letter,
                        const rd_kafka_topic_t *topic,
                        rd_kafka_resp_err_t code);

/* The client can't go on: what it has is waited for, but not for long. */
void kafka_report_give_up(struct kafka_writer *writer);

/* Nothing is away: what came back may be sent again.  WEIR_RETRY: with another
 * client. */
WEIR_MUST_USE
enum weir_status kafka_report_mend(struct kafka_writer *writer,
                                   struct weir_error *err);

#endif
