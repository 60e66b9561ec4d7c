/*
 * topology_fuzz.c - any text as a topology file.
 *
 * It is a topology, or there is an error with a place and a text.
 */
#include "target.h"

#include <stdlib.h>
#include <string.h>

#include "fake_connectors.h"
#include "invariant.h"
#include "topology.h"

static void check_errors(const struct topology_errors *errors)
{
    char line[1024];

    for (size_t i = 0; i < errors->count; i++) {
        INVARIANT(errors->list[i].text[0] != '\0');
        INVARIANT(topology_error_format(&errors->list[i], line, sizeof line) >
                  0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const overrides[] = {"batchers.default.batch_size=10",
                                            NULL};
    char *text = target_text(data, size);
    const struct topology_source source = {.file = "/nowhere/t.yaml",
                                           .text = text,
                                           .overrides =
                                               size % 2 == 0 ? overrides : NULL,
                                           .until_end = size % 3 == 0,
                                           .has_linked_handler = size % 5 == 0};
    struct topology_errors errors = {0};
    struct topology *topology = NULL;
    enum weir_status status;

    if (!text || strstr(text, "file:/")) {
        free(text);
        return 0;
    }
    status = topology_load(&source, &fake_connectors, &topology, &errors);
    INVARIANT((status == WEIR_OK) == (topology != NULL));
    INVARIANT((status == WEIR_REJECT) == (errors.error_count > 0));
    check_errors(&errors);
    topology_destroy(topology);
    topology_errors_finish(&errors);
    free(text);
    return 0;
}
