/*
 * list.c - weir list: which connectors there are.
 */
#include <stdio.h>

#include "arguments.h"
#include "connectors.h"
#include "verb.h"

static void print_row(const char *name, const char *help)
{
    (void)printf("  %-12s %s\n", name, help);
}

static int list_run(const struct verb *verb, const struct call *call)
{
    const struct connectors *all = connectors_all();
    struct argument_texts operands;

    if (arguments_parse(verb, call, NULL, &operands) != WEIR_OK)
        return VERB_EXIT_USAGE;
    (void)printf("producers:\n");
    for (size_t i = 0; all->producers[i]; i++)
        print_row(all->producers[i]->name, all->producers[i]->help);
    (void)printf("\nhandlers:\n");
    for (size_t i = 0; all->handlers[i]; i++)
        print_row(all->handlers[i]->name, "built in");
    print_row("plugin", "a shared object, made by `weir cc`");
    if (call->linked)
        print_row("linked", call->linked->name);
    (void)printf("\nsinks:\n");
    for (size_t i = 0; all->sinks[i]; i++)
        print_row(all->sinks[i]->name, all->sinks[i]->help);
    (void)printf("\n`weir describe NAME` lists the options of one.\n");
    return VERB_EXIT_OK;
}

const struct verb verb_list = {
    .name = "list",
    .operands = "",
    .summary = "the producers, handlers and sinks of this build",
    .example = "  weir list\n",
    .run = list_run,
};
