/*
 * span.h - neighbouring slots of a chunk that travel as one letter.
 */
#ifndef WEIR_FLOW_SPAN_H
#define WEIR_FLOW_SPAN_H

#include "message.h"

/* Appends `msg` to `list`; joins the run that ends there if it continues it. */
void span_add(struct mail_list *list, struct weir_message **last,
              struct weir_message *msg);

/* Splits `span` after `count` slots; returns the rest, or NULL. */
struct weir_message *span_split(struct weir_message *span, uint32_t count);

/* Moves the messages that `wants` chooses from `from` to `to`. */
void span_sift(struct mail_list *from,
               bool (*wants)(const struct weir_message *, const void *opaque),
               const void *opaque, struct mail_list *to);

#endif
