/*
 * describe.c - weir describe: the options of one connector.
 */
#include "describe.h"

#include <stdio.h>
#include <string.h>

#include "arguments.h"
#include "connectors.h"
#include "verb.h"

struct describe_values {
    bool is_reference;
};

static const struct argument describe_options_table[] = {
    {"--reference", NULL, ARGUMENT_FLAG,
     offsetof(struct describe_values, is_reference),
     "everything, as the Markdown page docs/topology.md"},
    {0},
};

/* What `weir list` calls a handler's kinds is described in one place. */
static const char *name_of(const char *name)
{
    const bool is_kind =
        strcmp(name, "plugin") == 0 || strcmp(name, "linked") == 0;

    return is_kind ? "handler" : name;
}

static int describe_run(const struct verb *verb, const struct call *call)
{
    struct describe_values values = {.is_reference = false};
    struct argument_texts operands;
    char hint[80];

    if (arguments_parse(verb, call, &values, &operands) != WEIR_OK)
        return VERB_EXIT_USAGE;
    if (values.is_reference && operands.count == 0) {
        reference_write(stdout, connectors_all());
        return VERB_EXIT_OK;
    }
    if (operands.count == 0 || values.is_reference)
        return usage_error(verb, "give a NAME, or --reference");
    if (describe_write(stdout, connectors_all(), name_of(operands.list[0])))
        return VERB_EXIT_OK;
    return usage_error(verb, "this build has no %s%s", operands.list[0],
                       describe_suggest(connectors_all(), operands.list[0],
                                        hint, sizeof hint));
}

const struct verb verb_describe = {
    .name = "describe",
    .operands = "NAME",
    .summary = "the options of one connector, or of one part of a topology",
    .text = "NAME is a producer, a sink or a handler (`weir list`), or a part "
            "of the topology\nfile: topology, producer, processors, handler, "
            "batchers, failure, shutdown, log.\n",
    .example = "  weir describe kafka\n"
               "  weir describe batchers\n"
               "  weir describe --reference > docs/topology.md\n",
    .options = describe_options_table,
    .operand_max = 1,
    .run = describe_run,
};
