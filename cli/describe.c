/*
 * describe.c - weir describe: the options of one connector.
 *
 * Printed from the table that parses them.  A name may be a producer and a
 * sink.
 *
 * Threads: none.
 */
#include <stdio.h>
#include <string.h>

#include "arguments.h"
#include "connectors.h"
#include "suggest.h"
#include "verb.h"

enum { PATH_SIZE = 128 };

static const char *const type_names[WEIR_OPTION_TYPE_COUNT] = {
    [WEIR_OPTION_STRING] = "text",           [WEIR_OPTION_PATH] = "path",
    [WEIR_OPTION_BOOL] = "true or false",    [WEIR_OPTION_INT] = "number",
    [WEIR_OPTION_DURATION] = "duration",     [WEIR_OPTION_SIZE] = "size",
    [WEIR_OPTION_CHOICE] = "choice",         [WEIR_OPTION_LIST] = "list",
    [WEIR_OPTION_MAP] = "mapping",           [WEIR_OPTION_GROUP] = "group",
    [WEIR_OPTION_GROUPS] = "list of groups",
};

static void print_option(const struct weir_option *option, const char *path)
{
    const char *type = option->type == WEIR_OPTION_CHOICE && option->choices
                           ? option->choices
                           : type_names[option->type];
    const char *fallback = option->fallback ? option->fallback : "";

    (void)printf("  %-24s %s%s%s%s\n", path, type,
                 *fallback ? ", default " : "", fallback,
                 option->flags & WEIR_OPTION_REQUIRED ? ", required" : "");
    if (option->help)
        (void)printf("  %-24s   %s\n", "", option->help);
}

/* `above`: "tls." or "". */
static void print_options(const struct weir_option *options, const char *above)
{
    char path[PATH_SIZE];

    for (; options && options->name; options++) {
        (void)snprintf(path, sizeof path, "%s%s", above, options->name);
        print_option(options, path);
        if (!options->children)
            continue;
        (void)snprintf(path, sizeof path, "%s%s%s", above, options->name,
                       options->type == WEIR_OPTION_GROUPS ? "[]." : ".");
        print_options(options->children, path);
    }
}

static void print_connector(const char *name, const char *kind,
                            const char *help, const struct weir_option *options)
{
    (void)printf("%s, a %s: %s\n", name, kind, help);
    print_options(options, "");
}

static unsigned describe(const struct connectors *all, const char *name)
{
    unsigned found = 0;

    for (size_t i = 0; all->producers[i]; i++) {
        const struct weir_producer_ops *ops = all->producers[i];

        if (strcmp(ops->name, name) == 0 && ++found)
            print_connector(name, "producer", ops->help, ops->options);
    }
    for (size_t i = 0; all->sinks[i]; i++) {
        const struct weir_sink_ops *ops = all->sinks[i];

        if (strcmp(ops->name, name) == 0) {
            (void)printf("%s", found++ ? "\n" : "");
            print_connector(name, "sink", ops->help, ops->options);
        }
    }
    for (size_t i = 0; all->handlers[i]; i++)
        if (strcmp(all->handlers[i]->name, name) == 0 && ++found)
            (void)printf("%s, a handler without options\n", name);
    return found;
}

static int no_connector(const struct verb *verb, const struct connectors *all,
                        const char *name)
{
    struct suggestion suggestion = {.word = name};
    char hint[80];

    for (size_t i = 0; all->producers[i]; i++)
        suggestion_offer(&suggestion, all->producers[i]->name);
    for (size_t i = 0; all->sinks[i]; i++)
        suggestion_offer(&suggestion, all->sinks[i]->name);
    for (size_t i = 0; all->handlers[i]; i++)
        suggestion_offer(&suggestion, all->handlers[i]->name);
    return usage_error(verb, "this build has no connector %s%s", name,
                       suggestion_text(&suggestion, hint, sizeof hint));
}

static int describe_run(const struct verb *verb, const struct call *call)
{
    const struct connectors *all = connectors_all();
    struct argument_texts operands;

    if (arguments_parse(verb, call, NULL, &operands) != WEIR_OK)
        return VERB_EXIT_USAGE;
    if (describe(all, operands.list[0]) == 0)
        return no_connector(verb, all, operands.list[0]);
    return VERB_EXIT_OK;
}

const struct verb verb_describe = {
    .name = "describe",
    .operands = "CONNECTOR",
    .summary = "the options of one connector",
    .example = "  weir describe kafka\n",
    .operand_min = 1,
    .operand_max = 1,
    .run = describe_run,
};
