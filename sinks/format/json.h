/*
 * json.h - a message as one JSON object.
 */
#ifndef WEIR_FORMAT_JSON_H
#define WEIR_FORMAT_JSON_H

#include <weir/message.h>

#include "buffer.h"

/* One line without its newline; see README.md for the fields. */
void json_append_message(struct buffer *buffer, const struct weir_message *msg);

#endif
