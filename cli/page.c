/*
 * page.c - reading what a running weir answered, and printing it.
 *
 * Threads: none.
 */
#include "page.h"

const char *page_text(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "";
}

json_int_t page_number(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

bool page_is_known(const json_t *object, const char *name)
{
    return json_is_integer(json_object_get(object, name));
}

bool page_is_true(const json_t *object, const char *name)
{
    return json_is_true(json_object_get(object, name));
}

void page_each(const json_t *page, const char *name,
               void (*say)(const json_t *item, FILE *out), FILE *out)
{
    const json_t *list = json_object_get(page, name);

    for (size_t i = 0; i < json_array_size(list); i++)
        say(json_array_get(list, i), out);
}

/* What a terminal would obey rather than show: control characters, those above
 * 127 too, and what turns the direction of writing. */
static bool is_obeyed(unsigned code)
{
    return code < ' ' || (code >= 0x7F && code < 0xA0) || code == 0x200E ||
           code == 0x200F || (code >= 0x2028 && code <= 0x202E) ||
           (code >= 0x2066 && code <= 0x2069);
}

/* Of the first character of `at`, as far as is_obeyed() wants to know. */
static size_t decode(const unsigned char *at, unsigned *ret_code)
{
    *ret_code = at[0];
    if (at[0] >> 5 == 6 && at[1] >> 6 == 2) {
        *ret_code = (at[0] & 0x1FU) << 6 | (at[1] & 0x3FU);
        return 2;
    }
    if (at[0] >> 4 == 14 && at[1] >> 6 == 2 && at[2] >> 6 == 2) {
        *ret_code =
            (at[0] & 0x0FU) << 12 | (at[1] & 0x3FU) << 6 | (at[2] & 0x3FU);
        return 3;
    }
    if (at[0] >= 0x80)
        *ret_code = 0xFFFD; /* of four bytes: never obeyed */
    return 1;
}

void page_print(FILE *out, const char *text)
{
    const unsigned char *at = (const unsigned char *)text;

    while (*at) {
        unsigned code;
        const size_t size = decode(at, &code);

        if (!is_obeyed(code))
            (void)fwrite(at, 1, size, out);
        else if (code == '\n')
            (void)fputs("\\n", out);
        else if (code == '\t')
            (void)fputs("\\t", out);
        else
            (void)fprintf(out, code < 0x100 ? "\\x%02x" : "\\u%04x", code);
        at += size;
    }
}

void page_print_source(FILE *out, const json_t *source)
{
    page_print(out, page_text(source, "name"));
    if (page_is_known(source, "partition"))
        (void)fprintf(out, "[%lld]",
                      (long long)page_number(source, "partition"));
}

void page_print_message(FILE *out, const json_t *source, json_int_t position)
{
    page_print_source(out, source);
    (void)fprintf(out, "%c%lld", page_is_known(source, "partition") ? '@' : '#',
                  (long long)position);
}

struct page_span page_span(json_int_t ms)
{
    const json_int_t s = ms / 1000;
    struct page_span span;

    if (ms < 1000)
        (void)snprintf(span.text, sizeof span.text, "%d ms", (int)ms);
    else if (s < 60)
        (void)snprintf(span.text, sizeof span.text, "%d s", (int)s);
    else if (s < 3600)
        (void)snprintf(span.text, sizeof span.text, "%d min %d s",
                       (int)(s / 60), (int)(s % 60));
    else
        (void)snprintf(span.text, sizeof span.text, "%lld h %d min",
                       (long long)(s / 3600), (int)(s / 60 % 60));
    return span;
}
