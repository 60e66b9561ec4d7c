/*
 * amqp_frame.h - the payload of an AMQP frame, byte by byte.
 */
#ifndef WEIR_TEST_AMQP_FRAME_H
#define WEIR_TEST_AMQP_FRAME_H

#include <stddef.h>
#include <stdint.h>

#define AMQP_FRAME_METHOD_ID(class, method) ((uint32_t)(class) << 16 | (method))

struct amqp_frame_payload {
    uint8_t bytes[1024];
    size_t size;
};

struct amqp_frame_payload amqp_frame_begin(uint32_t method);
void amqp_frame_put(struct amqp_frame_payload *out, uint64_t value,
                    unsigned bytes);
void amqp_frame_put_short_text(struct amqp_frame_payload *out,
                               const char *text);
void amqp_frame_put_long_text(struct amqp_frame_payload *out, const char *text);
uint64_t amqp_frame_get(const uint8_t *bytes, unsigned count);

#endif
