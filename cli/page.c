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

void page_print(FILE *out, const char *text)
{
    for (; *text; text++) {
        const unsigned char c = (unsigned char)*text;

        (void)fputc(c < ' ' || c == 127 ? '?' : c, out);
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
