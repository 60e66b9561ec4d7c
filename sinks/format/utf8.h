/*
 * utf8.h - whether bytes are text.
 */
#ifndef WEIR_FORMAT_UTF8_H
#define WEIR_FORMAT_UTF8_H

#include <stdbool.h>

#include <weir/bytes.h>

/* By the Unicode standard: no overlong forms, no surrogates, nothing above
 * U+10FFFF.  Nothing at all is text. */
bool utf8_is_valid(struct weir_bytes bytes);

#endif
