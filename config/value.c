/*
 * value.c - numbers with their units, as people write them.
 *
 * A unit is never guessed: a timeout of `10` is ten seconds to one reader and
 * ten milliseconds to the next.  Fractions are exact to six digits ("1.5s"), so
 * no floating point is needed.
 */
#include "value.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct unit {
    const char *name;
    int64_t factor;
};

/* From small to large, for value_*_format(). */
static const struct unit durations[] = {
    {"us", 1},
    {"ms", INT64_C(1000)},
    {"s", INT64_C(1000000)},
    {"m", INT64_C(60000000)},
    {"h", INT64_C(3600000000)},
    {"d", INT64_C(86400000000)},
    {NULL, 0},
};

static const struct unit sizes[] = {
    {"B", 1},
    {"KiB", INT64_C(1024)},
    {"MiB", INT64_C(1048576)},
    {"GiB", INT64_C(1073741824)},
    {NULL, 0},
};

/* Accepted, never written. */
static const struct unit decimal_sizes[] = {
    {"kB", INT64_C(1000)},
    {"KB", INT64_C(1000)},
    {"MB", INT64_C(1000000)},
    {"GB", INT64_C(1000000000)},
    {NULL, 0},
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

const char *value_int(const char *text, int64_t *ret_value)
{
    const char *digits = text[0] == '-' ? text + 1 : text;
    char *end;
    long long value;

    if (!is_digit(digits[0]))
        return "is not a whole number";
    errno = 0;
    value = strtoll(text, &end, 10);
    if (*end != '\0')
        return "is not a whole number";
    if (errno != 0)
        return "is too large";
    *ret_value = value;
    return NULL;
}

/* "1.25" as 1 and 250000 millionths; the rest of the text, NULL: no number. */
static const char *number_parse(const char *text, int64_t *ret_whole,
                                int64_t *ret_millionths)
{
    int64_t scale = 100000;
    char *end;

    *ret_millionths = 0;
    if (!is_digit(text[0]))
        return NULL;
    errno = 0;
    *ret_whole = strtoll(text, &end, 10);
    if (errno != 0)
        *ret_whole = INT64_MAX;
    if (end[0] != '.')
        return end;
    if (!is_digit(end[1]))
        return NULL;
    for (end++; is_digit(*end); end++, scale /= 10)
        *ret_millionths += (*end - '0') * scale;
    return end;
}

static const struct unit *unit_find(const struct unit *units, const char *name)
{
    for (; units->name; units++) {
        if (strcmp(units->name, name) == 0)
            return units;
    }
    return NULL;
}

static const char *unit_apply(const struct unit *unit, int64_t whole,
                              int64_t millionths, int64_t *ret_value)
{
    const int64_t limit = INT64_MAX / 4;

    if (whole > limit / unit->factor)
        return "is too large";
    *ret_value = whole * unit->factor + (unit->factor / 1000000) * millionths +
                 (unit->factor % 1000000) * millionths / 1000000;
    return NULL;
}

const char *value_duration(const char *text, int64_t *ret_us)
{
    int64_t whole, millionths;
    const char *rest = number_parse(text, &whole, &millionths);
    const struct unit *unit;

    if (!rest)
        return "is not a duration: write a number and a unit, as in 200ms "
               "or 5s";
    if (*rest == '\0')
        return "has no unit: write us, ms, s, m, h or d after the number";
    unit = unit_find(durations, rest);
    if (!unit)
        return "has a unit that is not known: a duration is in us, ms, s, m, "
               "h or d";
    return unit_apply(unit, whole, millionths, ret_us);
}

const char *value_share(const char *text, unsigned *ret_percent,
                        int64_t *ret_over_us)
{
    static const char over[] = "% over ";
    int64_t whole, millionths, over_us;
    const char *rest = number_parse(text, &whole, &millionths);

    if (!rest || millionths != 0 || strncmp(rest, over, strlen(over)) != 0 ||
        value_duration(rest + strlen(over), &over_us) != NULL)
        return "is not a share of a time, as in 50% over 1m";
    if (whole < 1 || whole > 99)
        return "is out of bounds: a share is 1% to 99%";
    if (over_us < 1000000 || over_us > INT64_C(86400000000))
        return "is out of bounds: the time is 1s to 1d";
    *ret_percent = (unsigned)whole;
    *ret_over_us = over_us;
    return NULL;
}

const char *value_percent(const char *text, double *ret_share)
{
    int64_t whole, millionths;
    const char *rest = number_parse(text, &whole, &millionths);

    if (!rest || strcmp(rest, "%") != 0)
        return "is not a share, as in 1% or 0.1%";
    if (whole > 100 || (whole == 100 && millionths > 0))
        return "is out of bounds: a share is 0% to 100%";
    *ret_share = ((double)whole + (double)millionths / 1e6) / 100;
    return NULL;
}

const char *value_size(const char *text, int64_t *ret_bytes)
{
    int64_t whole, millionths;
    const char *rest = number_parse(text, &whole, &millionths);
    const struct unit *unit;

    if (!rest)
        return "is not a size: write a number and a unit, as in 64KiB or "
               "1MiB";
    if (*rest == '\0')
        return "has no unit: write B, KiB, MiB or GiB after the number";
    unit = unit_find(sizes, rest);
    if (!unit)
        unit = unit_find(decimal_sizes, rest);
    if (!unit)
        return "has a unit that is not known: a size is in B, KiB, MiB or GiB "
               "(or kB, MB, GB)";
    return unit_apply(unit, whole, millionths, ret_bytes);
}

const char *value_bool(const char *text, bool *ret_value)
{
    if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
        return "is neither true nor false";
    *ret_value = text[0] == 't';
    return NULL;
}

static void number_format(const struct unit *units, int64_t value, char *out,
                          size_t size)
{
    const struct unit *best = units;

    for (const struct unit *unit = units; unit->name; unit++) {
        if (value != 0 && value % unit->factor == 0)
            best = unit;
    }
    (void)snprintf(out, size, "%" PRId64 "%s", value / best->factor,
                   best->name);
}

void value_duration_format(int64_t us, char *out, size_t size)
{
    number_format(durations, us, out, size);
}

void value_size_format(int64_t bytes, char *out, size_t size)
{
    number_format(sizes, bytes, out, size);
}
