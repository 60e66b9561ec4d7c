/*
 * version.c - weir version: of weir and of the client libraries in it.
 */
#include <stdio.h>

#include "arguments.h"
#include "connectors.h"
#include "verb.h"

static int version_run(const struct verb *verb, const struct call *call)
{
    const struct admin_library *library = connectors_libraries();
    struct argument_texts operands;

    if (arguments_parse(verb, call, NULL, &operands) != WEIR_OK)
        return VERB_EXIT_USAGE;
    (void)printf("weir %s\n", WEIR_VERSION);
    (void)printf("handler ABI %u\n", WEIR_ABI_VERSION);
    for (; library->name; library++)
        (void)printf("%s %s\n", library->name, library->version());
    return VERB_EXIT_OK;
}

const struct verb verb_version = {
    .name = "version",
    .operands = "",
    .summary = "the versions of weir and of its client libraries",
    .example = "  weir version\n",
    .run = version_run,
};
