/*
 * check.c - weir check: everything that can be known without a connection.
 */
#include <stdio.h>

#include "arguments.h"
#include "invariant.h"
#include "loaded.h"
#include "pipeline.h"
#include "verb.h"

struct check_values {
    struct loaded_options topology;
};

static const struct argument check_options[] = {
    LOADED_SET_OPTION(struct check_values),
    {"--until-end", NULL, ARGUMENT_FLAG,
     offsetof(struct check_values, topology.until_end),
     "as if it were run with this option"},
    {0},
};

/* Whether the handler has what the topology needs. */
static int check_handler(const struct loaded *loaded, const char *file)
{
    const struct pipeline_options options = {.handler = loaded->handler};
    struct pipeline *pipeline = NULL;
    struct weir_error err = {0};

    if (pipeline_create(loaded->topology, &options, &pipeline, &err) !=
        WEIR_OK) {
        (void)fprintf(stderr, "%s: %s\n", file, err.text);
        return VERB_EXIT_CONFIG;
    }
    INVARIANT(pipeline_destroy(pipeline) == WEIR_OK); /* it never ran */
    (void)printf("%s: ok\n", file);
    return VERB_EXIT_OK;
}

static int check_run(const struct verb *verb, const struct call *call)
{
    struct check_values values = {.topology = {.until_end = false}};
    struct argument_texts operands;
    struct loaded loaded;
    int code;

    if (arguments_parse(verb, call, &values, &operands) != WEIR_OK)
        return VERB_EXIT_USAGE;
    if (loaded_open_file(call, operands.list[0], &values.topology, &loaded) !=
        WEIR_OK)
        return VERB_EXIT_CONFIG;
    code = check_handler(&loaded, operands.list[0]);
    loaded_close(&loaded);
    return code;
}

const struct verb verb_check = {
    .name = "check",
    .operands = "FILE",
    .summary = "says whether a topology can be run, without connecting",
    .text = "Reads the file, checks every option of every connector, loads "
            "the plugin and\nchecks its ABI.  All errors are printed at once; "
            "the exit code is then 78.\n",
    .example = "  weir check topology.yaml\n"
               "  weir check topology.yaml --set batchers.default."
               "batch_size=10\n",
    .options = check_options,
    .operand_min = 1,
    .operand_max = 1,
    .run = check_run,
};
