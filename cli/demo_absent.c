/*
 * demo_absent.c - weir demo, where Kafka was switched off in CMake.
 */
#include <stdio.h>

#include "arguments.h"
#include "verb.h"

static int demo_run(const struct verb *verb, const struct call *call)
{
    struct argument_texts operands;

    if (arguments_parse(verb, call, NULL, &operands) != WEIR_OK)
        return VERB_EXIT_USAGE;
    (void)fprintf(stderr, "weir demo: this build has no Kafka, and the demo is "
                          "one of Kafka\n");
    return VERB_EXIT_FAILED;
}

const struct verb verb_demo = {
    .name = "demo",
    .operands = "",
    .summary = "needs a build with Kafka",
    .example = "  weir demo\n",
    .run = demo_run,
};
