/*
 * letter.h - what the tests of dead letters share.
 */
#ifndef WEIR_TEST_LETTER_H
#define WEIR_TEST_LETTER_H

#include "harness.h"

#define HEAD                                                                   \
    "producer: { SOURCE }\n"                                                   \
    "processors: { handler: linked, concurrency: 2, ordering: none }\n"
#define LIMITS "batch_size: 10, batch_timeout: 5ms"
#define FAILURE                                                                \
    "failure: { then: dead_letter, retry: { attempts: 3, "                     \
    "backoff: { min: 1ms, max: 4ms } } }\n"

/* Changes everything first: none of it may be seen in a dead letter. Rejects
 * the message at offset 3: "order 3 has no total". */
enum weir_status letter_reject_three(struct weir_message *msg, void *state);

void letter_assert_header(const struct collected *letter, const char *name,
                          const char *value);

#endif
