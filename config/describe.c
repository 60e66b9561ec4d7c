/*
 * describe.c - tables of options, for people.
 *
 * The same table that parses an option says here what it is, so a default that
 * is described is the default.  Options in groups are written with their path,
 * as errors and --set write them:
 *
 *     tls.ca           path
 *         File with the certificates of those who may vouch for the broker.
 *
 * Threads: any; nothing is kept.
 */
#include "describe.h"

#include <string.h>

#include "describe_option.h"
#include "suggest.h"
#include "topology_options.h"

enum { NAME_WIDTH = 26 };

static void write_option(void *opaque, const char *path,
                         const struct weir_option *option)
{
    FILE *out = opaque;
    char type[DESCRIBE_TEXT_MAX], facts[DESCRIBE_TEXT_MAX];

    (void)fprintf(out, "  %-*s %s%s\n      %s\n", NAME_WIDTH, path,
                  describe_type(option, type, sizeof type),
                  describe_facts(option, facts, sizeof facts), option->help);
}

void describe_options(FILE *out, const struct weir_option *options)
{
    if (options)
        describe_each(options, write_option, out);
}

/* A heading, its options, and an empty line before a second one. */
static void write_entry(FILE *out, const char *noun, const char *name,
                        const char *help, const struct weir_option *options)
{
    (void)fprintf(out, "%s (%s): %s\n", name, noun, help ? help : "");
    if (options && options->name)
        (void)fputc('\n', out);
    else
        (void)fputs("  It has no options.\n", out);
    describe_options(out, options);
}

/* A mapping of the file's top level that has no table of its own: `failure`. */
static const struct weir_option *find_group(const char *name)
{
    for (const struct weir_option *option = topology_top_options; option->name;
         option++) {
        if (option->type == WEIR_OPTION_GROUP && option->children &&
            strcmp(option->name, name) == 0)
            return option;
    }
    return NULL;
}

/* Parts of the topology file; returns how many were written. */
static unsigned write_parts(FILE *out, const char *name, unsigned count)
{
    const struct weir_option *group = find_group(name);

    for (const struct topology_section *section = topology_sections;
         section->name; section++) {
        if (strcmp(section->name, name) != 0)
            continue;
        (void)fputs(count++ > 0 ? "\n" : "", out);
        write_entry(out, "topology file", name, section->help,
                    section->options);
    }
    if (count == 0 && group) {
        write_entry(out, "topology file", name, group->help, group->children);
        count++;
    }
    return count;
}

bool describe_write(FILE *out, const struct connectors *connectors,
                    const char *name)
{
    unsigned count = 0;

    for (size_t i = 0; connectors->producers[i]; i++) {
        const struct weir_producer_ops *ops = connectors->producers[i];

        if (strcmp(ops->name, name) != 0)
            continue;
        write_entry(out, "producer", name, ops->help, ops->options);
        count++;
    }
    for (size_t i = 0; connectors->sinks[i]; i++) {
        const struct weir_sink_ops *ops = connectors->sinks[i];

        if (strcmp(ops->name, name) != 0)
            continue;
        (void)fputs(count++ > 0 ? "\n" : "", out);
        write_entry(out, "sink", name, ops->help, ops->options);
    }
    for (size_t i = 0; connectors->handlers[i]; i++) {
        if (strcmp(connectors->handlers[i]->name, name) != 0)
            continue;
        (void)fputs(count++ > 0 ? "\n" : "", out);
        write_entry(out, "handler", name, "built in", NULL);
    }
    return write_parts(out, name, count) > 0;
}

const char *describe_suggest(const struct connectors *connectors,
                             const char *name, char *out, size_t size)
{
    struct suggestion suggestion = {.word = name};

    for (size_t i = 0; connectors->producers[i]; i++)
        suggestion_offer(&suggestion, connectors->producers[i]->name);
    for (size_t i = 0; connectors->sinks[i]; i++)
        suggestion_offer(&suggestion, connectors->sinks[i]->name);
    for (size_t i = 0; connectors->handlers[i]; i++)
        suggestion_offer(&suggestion, connectors->handlers[i]->name);
    for (size_t i = 0; topology_sections[i].name; i++)
        suggestion_offer(&suggestion, topology_sections[i].name);
    for (size_t i = 0; topology_top_options[i].name; i++) {
        if (find_group(topology_top_options[i].name))
            suggestion_offer(&suggestion, topology_top_options[i].name);
    }
    return suggestion_text(&suggestion, out, size);
}
