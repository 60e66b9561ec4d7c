/*
 * template_fuzz.c - any text as a template, filled in with values of any size.
 *
 * What is rendered into too little room is the beginning of what is rendered
 * into enough; a name means the same each time.
 */
#include "target.h"

#include <stdlib.h>
#include <string.h>

#include "field.h"
#include "invariant.h"
#include "template.h"

enum { WHOLE_SIZE = 1 << 16, PART_SIZE = 37 };

/* As long as the name's second character says; absent for `!`. */
static struct weir_bytes look_up(void *opaque, const char *name)
{
    static const char value[256] = "a value";
    const unsigned char length = (unsigned char)name[1];
    const char *rest;
    const enum field field = field_parse(name, &rest);

    (void)opaque;
    INVARIANT(field <= FIELD_COUNT && rest);
    if (name[0] == '!')
        return (struct weir_bytes){NULL, 0};
    return (struct weir_bytes){value, length};
}

static void render(const struct template *template)
{
    static char whole[WHOLE_SIZE];
    char part[PART_SIZE];
    const size_t size =
        template_render(template, look_up, NULL, whole, sizeof whole);
    const size_t again =
        template_render(template, look_up, NULL, part, sizeof part);

    INVARIANT(size == again);
    INVARIANT(memcmp(whole, part, size < PART_SIZE ? size : PART_SIZE) == 0);
    INVARIANT(template_render(template, look_up, NULL, NULL, 0) == size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct template *template = NULL;
    struct weir_error err = {0};
    char *text = target_text(data, size);

    if (!text)
        return 0;
    if (template_parse(text, &template, &err) == WEIR_OK) {
        for (size_t i = 0; i < template_name_count(template); i++)
            INVARIANT(template_name(template, i)[0] != '\0');
        render(template);
    } else {
        INVARIANT(err.text[0] != '\0');
    }
    template_destroy(template);
    free(text);
    return 0;
}
