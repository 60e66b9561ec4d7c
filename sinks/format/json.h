/*
 * json.h - a message as one JSON object.
 */
#ifndef WEIR_FORMAT_JSON_H
#define WEIR_FORMAT_JSON_H

#include <weir/message.h>

#include "buffer.h"

/* One line without its newline; see README.md for the fields. */
void json_append_message(struct buffer *buffer, const struct weir_message *msg);

/* "text"; what is above 127 becomes ? where it isn't UTF-8. */
void json_append_text(struct buffer *buffer, const char *text);

/* "name":"text", "name_base64":"..." when it isn't UTF-8, or "name":null. */
void json_append_bytes(struct buffer *buffer, const char *name,
                       struct weir_bytes bytes);

#endif
