/*
 * payload.c - what the generator's message number n looks like.
 *
 *     "0000000001234567 JTQTSfmIZlmuUvpydKpOw..."  `size` bytes
 *
 * The number has 16 digits, the last ones in a payload with no room for more.
 * The letters are a piece of a text made once from the seed; where it begins is
 * drawn for each message.  So every payload is written anew and differs from
 * the one before, for the price of a copy: drawing each letter costs more than
 * the rest of the pipeline.
 *
 *     pattern  |<---- STEP ---->|<---- STEP ---->|
 *                   ^ begin            ^ begin + STEP: never beyond the end
 *
 * Everything is drawn from a hash of seed and number (splitmix64), not from a
 * stream, so that message n is the same in every run, with any number of
 * producer instances, and when it is offered a second time.
 *
 * Threads: one payload belongs to one thread.
 */
#include "payload.h"

#include <endian.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "template.h"

enum {
    STEP = 4096, /* a power of two */
    NUMBER_SIZE = 24,
    VALUE_SIZE = 40,
    RENDERED_SIZE_MIN = 256
};

struct payload {
    struct payload_shape shape;
    uint64_t root;             /* hash of the seed */
    struct template *template; /* NULL: `size` bytes */
    char *out;
    size_t capacity;
    char key[NUMBER_SIZE];
    size_t step; /* STEP; gcc makes a slow copy of a bound that it knows */
    char pattern[2 * STEP];

    /* Of the message under way, for the template's names. */
    uint64_t number, draws;
    struct weir_bytes current_key;
    char value[VALUE_SIZE];
};

static uint64_t mix(uint64_t value)
{
    value += UINT64_C(0x9E3779B97F4A7C15);
    value = (value ^ value >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    value = (value ^ value >> 27) * UINT64_C(0x94D049BB133111EB);
    return value ^ value >> 31;
}

/* Draw `index` of message `number`. */
static uint64_t draw(const struct payload *payload, uint64_t number,
                     uint64_t index)
{
    return mix(payload->root + index * UINT64_C(0xD1B54A32D192ED03) + number);
}

/* Evenly among 0 .. below - 1, for `below` up to 32 bits. */
static uint64_t scale(uint64_t drawn, uint64_t below)
{
    return (drawn >> 32) * below >> 32;
}

/* Decimal digits, right-aligned in `out`; returns the first. */
static char *write_number(char out[NUMBER_SIZE], uint64_t number)
{
    char *at = out + NUMBER_SIZE;

    do {
        *--at = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    return at;
}

static struct weir_bytes make_key(struct payload *payload, uint64_t number)
{
    const uint64_t key = scale(draw(payload, number, 1), payload->shape.keys);
    char *const digits = write_number(payload->key, key);

    return (struct weir_bytes){digits,
                               (size_t)(payload->key + NUMBER_SIZE - digits)};
}

/* Eight decimal digits as text, the first in the first byte: halves, quarters
 * and eighths side by side in one word, so that nothing waits for anything. */
static uint64_t eight_digits(uint32_t number)
{
    const uint64_t halves = number / 10000 | (uint64_t)(number % 10000) << 32;
    const uint64_t hundreds =
        (halves * 10486 >> 20) & UINT64_C(0x0000007F0000007F);
    const uint64_t pairs = hundreds | (halves - 100 * hundreds) << 16;
    const uint64_t tens = (pairs * 103 >> 10) & UINT64_C(0x000F000F000F000F);

    return htole64((tens | (pairs - 10 * tens) << 8) +
                   UINT64_C(0x3030303030303030));
}

static void write_bytes(struct payload *payload, uint64_t number)
{
    const size_t size = payload->shape.size, step = payload->step;
    const char *const from =
        payload->pattern + (draw(payload, number, 0) & (STEP - 1));
    const uint64_t digits[] = {
        eight_digits((uint32_t)(number / 100000000 % 100000000)),
        eight_digits((uint32_t)(number % 100000000))};
    char *const out = payload->out;

    for (size_t at = 0; at < size; at += step)
        memcpy(out + at, from, size - at < step ? size - at : step);
    if (size <= sizeof digits) {
        memcpy(out, (const char *)digits + sizeof digits - size, size);
        return;
    }
    memcpy(out, digits, sizeof digits);
    out[sizeof digits] = ' ';
}

/* The names of a template. */

static struct weir_bytes value_number(struct payload *payload,
                                      const char *argument)
{
    (void)argument;
    (void)snprintf(payload->value, VALUE_SIZE, "%llu",
                   (unsigned long long)payload->number);
    return weir_str(payload->value);
}

static struct weir_bytes value_key(struct payload *payload,
                                   const char *argument)
{
    (void)argument;
    return payload->current_key;
}

/* The argument of `random.N`, 0: none or too large. */
static uint64_t parse_below(const char *argument)
{
    char *end;
    const uint64_t below = strtoull(argument, &end, 10);

    return *end == '\0' && below <= UINT32_MAX ? below : 0;
}

static struct weir_bytes value_random(struct payload *payload,
                                      const char *argument)
{
    const uint64_t drawn =
        draw(payload, payload->number, 2 + payload->draws++ % 64);

    if (argument)
        (void)snprintf(payload->value, VALUE_SIZE, "%llu",
                       (unsigned long long)scale(drawn, parse_below(argument)));
    else
        (void)snprintf(payload->value, VALUE_SIZE, "%016llx",
                       (unsigned long long)drawn);
    return weir_str(payload->value);
}

static struct weir_bytes value_time(struct payload *payload,
                                    const char *argument)
{
    struct timespec now;
    struct tm utc;
    size_t used;

    (void)argument;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    used = strftime(payload->value, VALUE_SIZE, "%Y-%m-%dT%H:%M:%S", &utc);
    (void)snprintf(payload->value + used, VALUE_SIZE - used, ".%03ldZ",
                   now.tv_nsec / 1000000);
    return weir_str(payload->value);
}

struct place {
    const char *name;
    bool has_argument;
    struct weir_bytes (*value)(struct payload *payload, const char *argument);
};

static const struct place places[] = {
    {"n", false, value_number},      {"key", false, value_key},
    {"random", false, value_random}, {"random.", true, value_random},
    {"time", false, value_time},
};

/* The place that `name` means; *ret_argument is NULL or what follows it. */
static const struct place *find_place(const char *name,
                                      const char **ret_argument)
{
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        const struct place *const place = &places[i];
        const size_t size = strlen(place->name);

        *ret_argument = place->has_argument ? name + size : NULL;
        if (place->has_argument && strncmp(name, place->name, size) == 0 &&
            parse_below(name + size) > 0)
            return place;
        if (!place->has_argument && strcmp(name, place->name) == 0)
            return place;
    }
    return NULL;
}

static struct weir_bytes lookup(void *opaque, const char *name)
{
    const char *argument;
    const struct place *const place = find_place(name, &argument);

    return place->value(opaque, argument);
}

static enum weir_status parse(const char *text, struct template **ret_template,
                              struct weir_error *err)
{
    struct template *template = NULL;
    const enum weir_status status = template_parse(text, &template, err);
    const char *argument;

    if (status != WEIR_OK)
        return status;
    for (size_t i = 0; i < template_name_count(template); i++) {
        const char *const name = template_name(template, i);

        if (find_place(name, &argument))
            continue;
        (void)weir_fail(err, WEIR_REJECT,
                        "%%{%s} is not known here: use %%{n}, %%{key}, "
                        "%%{random}, %%{random.N} (below N) or %%{time}",
                        name);
        template_destroy(template);
        return WEIR_REJECT;
    }
    *ret_template = template;
    return WEIR_OK;
}

enum weir_status payload_check(const char *text, struct weir_error *err)
{
    struct template *template = NULL;
    const enum weir_status status = parse(text, &template, err);

    template_destroy(template);
    return status;
}

static bool grow(struct payload *payload, size_t size)
{
    char *out;

    if (size <= payload->capacity)
        return true;
    out = realloc(payload->out, size);
    if (!out)
        return false;
    payload->out = out;
    payload->capacity = size;
    return true;
}

/* Letters and digits drawn from the seed. */
static void fill_pattern(struct payload *payload)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "abcdefghijklmnopqrstuvwxyz0123456789-_";

    for (size_t i = 0; i < sizeof payload->pattern; i++)
        payload->pattern[i] = letters[draw(payload, i, 255) & 63];
}

enum weir_status payload_create(const struct payload_shape *shape,
                                struct payload **ret_payload,
                                struct weir_error *err)
{
    struct payload *const payload = calloc(1, sizeof *payload);
    enum weir_status status = WEIR_OK;

    if (!payload)
        return weir_fail(err, WEIR_RETRY, "no memory");
    payload->shape = *shape;
    payload->step = STEP;
    payload->root = mix(shape->seed);
    if (shape->text)
        status = parse(shape->text, &payload->template, err);
    if (status == WEIR_OK &&
        !grow(payload, shape->text || shape->size < RENDERED_SIZE_MIN
                           ? RENDERED_SIZE_MIN
                           : shape->size))
        status = weir_fail(err, WEIR_RETRY, "no memory");
    if (status != WEIR_OK) {
        payload_destroy(payload);
        return status;
    }
    fill_pattern(payload);
    *ret_payload = payload;
    return WEIR_OK;
}

void payload_destroy(struct payload *payload)
{
    if (!payload)
        return;
    template_destroy(payload->template);
    free(payload->out);
    free(payload);
}

static size_t render(struct payload *payload)
{
    payload->draws = 0;
    return template_render(payload->template, lookup, payload, payload->out,
                           payload->capacity);
}

/* The rendered size; SIZE_MAX: no memory. */
static size_t write_template(struct payload *payload, uint64_t number)
{
    size_t size;

    payload->number = number;
    size = render(payload);
    if (size <= payload->capacity || size > payload->shape.limit)
        return size;
    return grow(payload, size) ? render(payload) : SIZE_MAX;
}

enum weir_status payload_write(struct payload *payload, uint64_t number,
                               struct weir_record *record)
{
    size_t size = payload->shape.size;

    record->key = (struct weir_bytes){0};
    if (payload->shape.keys > 0)
        record->key = make_key(payload, number);
    if (payload->template) {
        payload->current_key = record->key;
        size = write_template(payload, number);
    } else {
        write_bytes(payload, number);
    }
    if (size == SIZE_MAX)
        return WEIR_RETRY;
    record->omitted = 0;
    record->payload = (struct weir_bytes){payload->out, size};
    if (size > payload->shape.limit) {
        record->omitted = size;
        record->payload = (struct weir_bytes){0};
    }
    return WEIR_OK;
}
