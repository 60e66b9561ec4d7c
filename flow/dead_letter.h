/*
 * dead_letter.h - a failed message on its way to the batcher `dead_letter`.
 */
#ifndef WEIR_FLOW_DEAD_LETTER_H
#define WEIR_FLOW_DEAD_LETTER_H

#include "message.h"

/*
 * Makes `msg`, which nothing else shares an allocation with, what was received,
 * with headers that say what became of it; those that handle_failed() added
 * come before them.  `batcher`: whose sink failed it, or NULL.  WEIR_RETRY: no
 * memory, nothing was changed.
 */
WEIR_MUST_USE
enum weir_status dead_letter_make(struct run *run, struct weir_message *msg,
                                  enum reject_reason code, const char *batcher);

/* As in its header `weir-code`: "rejected", "retries", ... */
const char *dead_letter_code(enum reject_reason code);

/* Leaves its payload out, and says so in a header; needs no memory.  False:
 * there was none to leave out. */
bool dead_letter_omit_payload(struct weir_message *msg);

#endif
