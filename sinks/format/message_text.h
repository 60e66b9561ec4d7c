/*
 * message_text.h - a template, filled in from a message.
 */
#ifndef WEIR_FORMAT_MESSAGE_TEXT_H
#define WEIR_FORMAT_MESSAGE_TEXT_H

#include <stddef.h>

#include <weir/message.h>

#include "template.h"

/*
 * As template_render(): what the message doesn't have is empty.  `*ret_absent`
 * is the first place of which that is so, or NULL; it lives as long as the
 * template.
 */
size_t message_text_render(const struct template *template,
                           const struct weir_message *msg, char *out,
                           size_t size, const char **ret_absent);

#endif
