/*
 * payload.h - what the generator's message number n looks like.
 */
#ifndef WEIR_GENERATOR_PAYLOAD_H
#define WEIR_GENERATOR_PAYLOAD_H

#include <stddef.h>
#include <stdint.h>

#include <weir/intake.h>

struct payload;

struct payload_shape {
    uint64_t seed, keys; /* keys 0: none */
    size_t size, limit;  /* bytes; above `limit` a payload is omitted */
    const char *text;    /* a template instead of `size` bytes, or NULL */
};

/* WEIR_REJECT: the template can't be read, or has a name that isn't known. */
WEIR_MUST_USE
enum weir_status payload_check(const char *text, struct weir_error *err);

/* New.  WEIR_REJECT as above, WEIR_RETRY: no memory. */
WEIR_MUST_USE
enum weir_status payload_create(const struct payload_shape *shape,
                                struct payload **ret_payload,
                                struct weir_error *err);
void payload_destroy(struct payload *payload); /* NULL is fine */

/* Sets the key and the payload of message `number`, which depend on nothing
 * but the seed, the number and (in a template) the time.  Borrowed until the
 * next call.  WEIR_RETRY: no memory. */
WEIR_MUST_USE
enum weir_status payload_write(struct payload *payload, uint64_t number,
                               struct weir_record *record);

#endif
