/*
 * template.c - texts with %{name} places, filled in by the caller.
 *
 * A template is parsed once and rendered for every message, so parsing leaves
 * nothing to do but to copy:
 *
 *     "a-%{key}-%%{b}"   ->   text "a-" | place "key" | text "-" | text "%{b}"
 *
 * The parts point into one private copy of the text: a place's closing brace
 * becomes the NUL of its name, and of "%%{" the first character belongs to no
 * part.
 *
 * Threads: a parsed template is never written again; any number may render it.
 */
#include "template.h"

#include <stdlib.h>
#include <string.h>

#include "invariant.h"

struct part {
    const char *text; /* of a place: its name, NUL-terminated */
    size_t size;
    enum { PART_TEXT = 0, PART_PLACE } kind;
};

struct template
{
    char *copy;
    size_t part_count, place_count;
    struct part parts[];
};

/* Every part but the last ends where a "%" is, and a place makes two. */
static size_t max_parts(const char *text)
{
    size_t count = 1;

    for (const char *c = strchr(text, '%'); c; c = strchr(c + 1, '%'))
        count += 2;
    return count;
}

static void add_text(struct template *template, const char *from,
                     const char *to)
{
    if (from == to)
        return;
    template->parts[template->part_count++] = (struct part){
        .text = from, .size = (size_t)(to - from), .kind = PART_TEXT};
}

/* `place` is at "%{"; *ret_rest is what follows the closing brace. */
static enum weir_status add_place(struct template *template, char *place,
                                  char **ret_rest, struct weir_error *err)
{
    char *name = place + 2;
    char *end = strchr(name, '}');

    if (!end)
        return weir_fail(err, WEIR_REJECT,
                         "\"%%{\" at character %zu has no closing brace",
                         (size_t)(place - template->copy) + 1);
    if (end == name)
        return weir_fail(err, WEIR_REJECT,
                         "\"%%{}\" at character %zu has no name",
                         (size_t)(place - template->copy) + 1);
    *end = '\0';
    template->parts[template->part_count++] = (struct part){
        .text = name, .size = (size_t)(end - name), .kind = PART_PLACE};
    template->place_count++;
    *ret_rest = end + 1;
    return WEIR_OK;
}

static enum weir_status add_parts(struct template *template,
                                  struct weir_error *err)
{
    char *from = template->copy;
    char *c = from;

    while (*c != '\0') {
        if (strncmp(c, "%%{", 3) == 0) {
            add_text(template, from, c);
            from = c + 1;
            c += 3;
        } else if (strncmp(c, "%{", 2) == 0) {
            enum weir_status status;

            add_text(template, from, c);
            status = add_place(template, c, &c, err);
            if (status != WEIR_OK)
                return status;
            from = c;
        } else {
            c++;
        }
    }
    add_text(template, from, c);
    return WEIR_OK;
}

enum weir_status template_parse(const char *text,
                                struct template **ret_template,
                                struct weir_error *err)
{
    struct template *template =
        calloc(1, sizeof *template + max_parts(text) * sizeof(struct part));
    enum weir_status status;

    if (template)
        template->copy = strdup(text);
    if (!template || !template->copy) {
        template_destroy(template);
        return weir_fail(err, WEIR_RETRY, "out of memory");
    }
    status = add_parts(template, err);
    if (status != WEIR_OK) {
        template_destroy(template);
        return status;
    }
    *ret_template = template;
    return WEIR_OK;
}

void template_destroy(struct template *template)
{
    if (!template)
        return;
    free(template->copy);
    free(template);
}

size_t template_name_count(const struct template *template)
{
    return template->place_count;
}

const char *template_name(const struct template *template, size_t index)
{
    INVARIANT(index < template->place_count);
    for (const struct part *part = template->parts;; part++) {
        if (part->kind != PART_PLACE)
            continue;
        if (index == 0)
            return part->text;
        index--;
    }
}

size_t template_render(const struct template *template,
                       template_lookup_fn lookup, void *opaque, char *out,
                       size_t size)
{
    size_t total = 0;

    for (size_t i = 0; i < template->part_count; i++) {
        const struct part *part = &template->parts[i];
        struct weir_bytes value = {.data = part->text, .size = part->size};

        if (part->kind == PART_PLACE)
            value = lookup(opaque, part->text);
        if (!value.data)
            continue;
        if (total < size) {
            const size_t room = size - total;

            memcpy(out + total, value.data,
                   value.size < room ? value.size : room);
        }
        total += value.size;
    }
    return total;
}
