/*
 * figure.c - a number as people read it: 1,234,567.
 */
#include "figure.h"

const char *figure(struct figure *figure, uint64_t value)
{
    char *at = figure->text + sizeof figure->text - 1;
    unsigned digits = 0;

    *at = '\0';
    do {
        if (digits > 0 && digits % 3 == 0)
            *--at = ',';
        *--at = (char)('0' + value % 10);
        value /= 10;
        digits++;
    } while (value > 0);
    return at;
}
