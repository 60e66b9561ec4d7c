/*
 * interpolation_fuzz.c - any text with ${...} in it.
 *
 * A text is filled in, or it is reported; files outside of the topology's
 * folder, which isn't there, are left alone.
 */
#include "target.h"

#include <stdlib.h>
#include <string.h>

#include "interpolate.h"
#include "invariant.h"

static void interpolate(struct storage *storage, const char *text, size_t size)
{
    struct topology_errors errors = {0};
    struct report report = {.errors = &errors, .file = "t.yaml"};
    const struct interpolation inter = {
        .storage = storage, .report = &report, .folder = "/nowhere"};
    struct node *node = node_create(storage, NODE_SCALAR, (struct place){1, 1});

    INVARIANT(node);
    node->text = storage_copy(storage, text, size);
    INVARIANT(node->text);
    interpolate_tree(&inter, node);
    INVARIANT((node->kind == NODE_BAD) == (errors.error_count > 0));
    INVARIANT(node->kind == NODE_BAD || node->text);
    topology_errors_finish(&errors);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = target_text(data, size);
    struct storage *storage = storage_create();

    (void)clearenv();
    (void)setenv("SET", "value ${SET}", 1);
    (void)setenv("EMPTY", "", 1);
    if (text && storage && !strstr(text, "file:/"))
        interpolate(storage, text, strlen(text));
    storage_destroy(storage);
    free(text);
    return 0;
}
