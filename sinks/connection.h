/*
 * connection.h - whether a sink's destination is there, and what to do if not.
 */
#ifndef WEIR_SINKS_CONNECTION_H
#define WEIR_SINKS_CONNECTION_H

#include "sink.h"

/* Opens the connector; if that fails, says when to try again, or ends it. */
void connection_open(struct sink *sink);
void connection_close(struct sink *sink, int64_t deadline_us);

/* Known by the run, and by whoever asks whether the sink is connected. */
void connection_set_down(struct sink *sink, bool is_down);

/* A whole batch has to wait: counted, and said from time to time. */
void connection_wait(struct sink *sink, const struct weir_error *err);

/* The run ends. */
void connection_give_up(struct sink *sink, const struct weir_error *err);

/* What write() answered; poll() or flush(), which may say that the destination
 * is there again. */
void connection_answer(struct sink *sink, enum weir_status status,
                       const struct weir_error *err);
void connection_answer_service(struct sink *sink, enum weir_status status,
                               const struct weir_error *err);

#endif
