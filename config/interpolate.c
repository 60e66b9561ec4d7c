/*
 * interpolate.c - ${VAR} and ${file:path} in the text of nodes.
 *
 *     ${VAR}            the environment's VAR; an error when it isn't set
 *     ${VAR:-default}   `default` when VAR isn't set or empty
 *     ${VAR:?message}   refused with `message` when VAR isn't set or empty
 *     ${file:path}      the file's text, without its last newline
 *     $${               a literal ${
 *
 * This runs on text that is already a node, so what is filled in can't add a
 * key, end a quote or be read a second time.  Texts from files are secrets more
 * often than not, so a node that holds one is never quoted in an error.
 *
 * Threads: none; the loader's.  The environment must not change meanwhile.
 */
#include "interpolate.h"

#include <stdlib.h>
#include <string.h>

#include "file.h"

enum { TEXT_MAX = 64 * 1024 };

/* What a text becomes; its memory is the heap's while it grows. */
struct result {
    char *bytes;
    size_t size, capacity;
    bool is_hidden, is_failed;
};

struct place_text {
    const char *name, *rest; /* "VAR", and "-default", "?message" or NULL */
};

static void result_append(const struct interpolation *inter,
                          const struct node *node, struct result *result,
                          struct weir_bytes piece)
{
    const size_t size = result->size + piece.size;

    if (result->is_failed)
        return;
    if (size > TEXT_MAX) {
        report_value(inter->report, node,
                     "the text is longer than %d KiB once it is filled in",
                     TEXT_MAX / 1024);
        result->is_failed = true;
        return;
    }
    if (size + 1 > result->capacity) {
        const size_t capacity = 2 * (size + 1);
        char *bytes = realloc(result->bytes, capacity);

        if (!bytes) {
            inter->report->is_out_of_memory = true;
            result->is_failed = true;
            return;
        }
        result->bytes = bytes;
        result->capacity = capacity;
    }
    if (piece.size > 0)
        memcpy(result->bytes + result->size, piece.data, piece.size);
    result->size = size;
    result->bytes[size] = '\0';
}

static void append_file(const struct interpolation *inter,
                        const struct node *node, struct result *result,
                        const char *name)
{
    const char *path = file_join(inter->storage, inter->folder, name);
    struct weir_bytes bytes;
    struct weir_error err;
    enum weir_status status;

    result->is_hidden = true;
    if (!path) {
        result->is_failed = true;
        return;
    }
    status = file_read(inter->storage, path, TEXT_MAX, &bytes, &err);
    if (status != WEIR_OK) {
        result->is_failed = true;
        if (status == WEIR_REJECT)
            report_value(inter->report, node, "${file:%s}: the file %s", name,
                         err.text);
        else
            inter->report->is_out_of_memory = true;
        return;
    }
    if (memchr(bytes.data, '\0', bytes.size)) {
        report_value(inter->report, node,
                     "${file:%s}: the file is not text, it holds a NUL", name);
        result->is_failed = true;
        return;
    }
    if (bytes.size > 0 && ((const char *)bytes.data)[bytes.size - 1] == '\n')
        bytes.size--;
    report_hide(inter->report, inter->storage, bytes);
    result_append(inter, node, result, bytes);
}

static void append_variable(const struct interpolation *inter,
                            const struct node *node, struct result *result,
                            const struct place_text *place)
{
    const char *value = getenv(place->name);
    const char *rest = place->rest;

    if (value && (!rest || value[0] != '\0')) {
        result_append(inter, node, result, weir_str(value));
        return;
    }
    if (rest && rest[0] == '-') {
        result_append(inter, node, result, weir_str(rest + 1));
        return;
    }
    result->is_failed = true;
    if (!rest)
        report_value(inter->report, node,
                     "the environment has no %s: set it, or write "
                     "${%s:-default}",
                     place->name, place->name);
    else
        report_value(inter->report, node, "the environment has no %s: %s",
                     place->name,
                     rest[1] != '\0' ? rest + 1 : "it must be set");
}

static bool is_variable_name(const char *name)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";

    return name[0] != '\0' && !strchr("0123456789", name[0]) &&
           name[strspn(name, letters)] == '\0';
}

/* `inside` is what stands between ${ and }, and ours to cut. */
static void append_place(const struct interpolation *inter,
                         const struct node *node, struct result *result,
                         char *inside)
{
    struct place_text place = {.name = inside};
    char *colon = strchr(inside, ':');

    if (strstr(inside, "${")) {
        report_value(inter->report, node, "${...} can't be nested");
        result->is_failed = true;
        return;
    }
    if (strncmp(inside, "file:", 5) == 0) {
        append_file(inter, node, result, inside + 5);
        return;
    }
    if (colon) {
        *colon = '\0';
        place.rest = colon + 1;
    }
    if (!is_variable_name(place.name) ||
        (place.rest && place.rest[0] != '-' && place.rest[0] != '?')) {
        report_value(inter->report, node,
                     "what stands in ${...} is VAR, VAR:-default, "
                     "VAR:?message or file:path; a literal ${ is written $${");
        result->is_failed = true;
        return;
    }
    append_variable(inter, node, result, &place);
}

/* What follows the place that `text` begins with; NULL: it has no end. */
static const char *take_place(const struct interpolation *inter,
                              const struct node *node, struct result *result,
                              const char *text)
{
    const char *end = strchr(text, '}');
    char *inside;

    if (!end) {
        report_value(inter->report, node,
                     "`${` without `}`; a literal ${ is written $${");
        result->is_failed = true;
        return NULL;
    }
    inside = storage_copy(inter->storage, text + 2, (size_t)(end - text - 2));
    if (inside)
        append_place(inter, node, result, inside);
    else
        result->is_failed = true;
    return end + 1;
}

static void fill_in(const struct interpolation *inter, const struct node *node,
                    struct result *result)
{
    const char *text = node->text;

    while (text && *text != '\0' && !result->is_failed) {
        const size_t plain = strcspn(text, "$");

        result_append(inter, node, result, (struct weir_bytes){text, plain});
        text += plain;
        if (strncmp(text, "$${", 3) == 0) {
            result_append(inter, node, result, WEIR_STR("${"));
            text += 3;
        } else if (strncmp(text, "${", 2) == 0) {
            text = take_place(inter, node, result, text);
        } else if (*text == '$') {
            result_append(inter, node, result, WEIR_STR("$"));
            text++;
        }
    }
}

static void interpolate_scalar(const struct interpolation *inter,
                               struct node *node)
{
    struct result result = {0};

    if (!strstr(node->text, "${"))
        return;
    fill_in(inter, node, &result);
    node->is_hidden = result.is_hidden;
    node->is_filled_in = true;
    node->is_quoted = true; /* an empty variable is empty text, not nothing */
    node->kind = result.is_failed ? NODE_BAD : NODE_SCALAR;
    if (!result.is_failed && result.size > 0)
        node->text = storage_copy(inter->storage, result.bytes, result.size);
    else
        node->text = "";
    if (!node->text)
        node->text = "";
    free(result.bytes);
}

void interpolate_tree(const struct interpolation *inter, struct node *node)
{
    if (node->key && strstr(node->key, "${"))
        report_key(inter->report, node,
                   "${...} is filled in in values, not in keys");
    if (node->kind == NODE_SCALAR)
        interpolate_scalar(inter, node);
    for (struct node *child = node->first; child; child = child->next)
        interpolate_tree(inter, child);
}
