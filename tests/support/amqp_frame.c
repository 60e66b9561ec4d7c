/*
 * amqp_frame.c - the payload of an AMQP frame, byte by byte.
 */
#include "amqp_frame.h"

#include <string.h>

struct amqp_frame_payload amqp_frame_begin(uint32_t method)
{
    struct amqp_frame_payload out = {.size = 0};

    amqp_frame_put(&out, method, 4);
    return out;
}

void amqp_frame_put(struct amqp_frame_payload *out, uint64_t value,
                    unsigned bytes)
{
    while (bytes-- > 0)
        out->bytes[out->size++] = (uint8_t)(value >> (8 * bytes));
}

void amqp_frame_put_short_text(struct amqp_frame_payload *out, const char *text)
{
    amqp_frame_put(out, strlen(text), 1);
    memcpy(out->bytes + out->size, text, strlen(text));
    out->size += strlen(text);
}

void amqp_frame_put_long_text(struct amqp_frame_payload *out, const char *text)
{
    amqp_frame_put(out, strlen(text), 4);
    memcpy(out->bytes + out->size, text, strlen(text));
    out->size += strlen(text);
}

uint64_t amqp_frame_get(const uint8_t *bytes, unsigned count)
{
    uint64_t value = 0;

    while (count-- > 0)
        value = value << 8 | *bytes++;
    return value;
}
