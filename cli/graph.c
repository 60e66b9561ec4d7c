/*
 * graph.c - weir graph: a topology as a picture.
 *
 * Each format is a row of functions over the same walk: the producer, the
 * processors, then each batcher with its sink.  Only names and sizes are
 * shown, never a connector's settings: those may hold secrets.
 *
 * Threads: none.
 */
#include <stdio.h>
#include <string.h>

#include "arguments.h"
#include "loaded.h"
#include "value.h"
#include "verb.h"

enum { UNIT_SIZE = 32 };

struct graph_format {
    const char *name; /* NULL ends the table */
    void (*begin)(const struct topology *topology, const char *handler);
    void (*batcher)(const struct topology_batcher *batcher, size_t index);
    void (*end)(const struct topology *topology);
};

static const char *sink_name(const struct topology_batcher *batcher)
{
    return batcher->sink ? batcher->sink->name : "handle_batch";
}

/* What leads to it: what failed, or what the handler routes there. */
static const char *source_of(const struct topology_batcher *batcher)
{
    return strcmp(batcher->name, "dead_letter") == 0 ? "failure" : "processors";
}

/* "100 messages, 1MiB or 1s" */
static void limits(const struct topology_batcher *batcher, char *out,
                   size_t size)
{
    char bytes[UNIT_SIZE];
    char timeout[UNIT_SIZE];

    value_size_format((int64_t)batcher->batch_bytes, bytes, sizeof bytes);
    value_duration_format(batcher->batch_timeout_us, timeout, sizeof timeout);
    (void)snprintf(out, size, "%u messages, %s or %s", batcher->batch_size,
                   bytes, timeout);
}

static void text_begin(const struct topology *topology, const char *handler)
{
    const struct topology_processors *processors = &topology->processors;

    (void)printf("%s\n  %s x%u\n    -> %s x%u, ordering %s\n", topology->name,
                 topology->producer.ops->name, topology->producer.concurrency,
                 handler, processors->concurrency,
                 topology_ordering_names[processors->ordering]);
}

static void text_batcher(const struct topology_batcher *batcher, size_t index)
{
    char when[3 * UNIT_SIZE];

    (void)index;
    limits(batcher, when, sizeof when);
    (void)printf("      -> %s: %s -> %s x%u\n", batcher->name, when,
                 sink_name(batcher), batcher->concurrency);
}

static void text_end(const struct topology *topology)
{
    if (topology->batcher_count == 0)
        (void)printf("      -> done when handled\n");
    (void)printf("  rejected, or failed %u times -> %s\n",
                 topology->failure.attempts,
                 topology_policy_names[topology->failure.then]);
}

static void mermaid_begin(const struct topology *topology, const char *handler)
{
    const struct topology_processors *processors = &topology->processors;

    (void)printf("flowchart LR\n"
                 "  producer[\"%s x%u\"] --> "
                 "processors[\"%s x%u<br/>ordering %s\"]\n",
                 topology->producer.ops->name, topology->producer.concurrency,
                 handler, processors->concurrency,
                 topology_ordering_names[processors->ordering]);
}

static void mermaid_batcher(const struct topology_batcher *batcher,
                            size_t index)
{
    char when[3 * UNIT_SIZE];

    limits(batcher, when, sizeof when);
    (void)printf("  %s --> batcher%zu[\"%s<br/>%s\"] --> "
                 "sink%zu[\"%s x%u\"]\n",
                 source_of(batcher), index, batcher->name, when, index,
                 sink_name(batcher), batcher->concurrency);
}

static void mermaid_end(const struct topology *topology)
{
    (void)printf(
        "  processors -. rejected, or failed %u times .-> failure[\"%s\"]\n",
        topology->failure.attempts,
        topology_policy_names[topology->failure.then]);
}

static void dot_begin(const struct topology *topology, const char *handler)
{
    const struct topology_processors *processors = &topology->processors;

    (void)printf("digraph weir {\n  rankdir=LR;\n  node [shape=box];\n"
                 "  producer [label=\"%s x%u\"];\n"
                 "  processors [label=\"%s x%u\\nordering %s\"];\n"
                 "  producer -> processors;\n",
                 topology->producer.ops->name, topology->producer.concurrency,
                 handler, processors->concurrency,
                 topology_ordering_names[processors->ordering]);
}

static void dot_batcher(const struct topology_batcher *batcher, size_t index)
{
    char when[3 * UNIT_SIZE];

    limits(batcher, when, sizeof when);
    (void)printf("  batcher%zu [label=\"%s\\n%s\"];\n"
                 "  sink%zu [label=\"%s x%u\"];\n"
                 "  %s -> batcher%zu -> sink%zu;\n",
                 index, batcher->name, when, index, sink_name(batcher),
                 batcher->concurrency, source_of(batcher), index, index);
}

static void dot_end(const struct topology *topology)
{
    (void)printf("  failure [label=\"%s\"];\n"
                 "  processors -> failure [style=dotted, "
                 "label=\"rejected, or failed %u times\"];\n}\n",
                 topology_policy_names[topology->failure.then],
                 topology->failure.attempts);
}

static const struct graph_format formats[] = {
    {"text", text_begin, text_batcher, text_end},
    {"mermaid", mermaid_begin, mermaid_batcher, mermaid_end},
    {"dot", dot_begin, dot_batcher, dot_end},
    {NULL, NULL, NULL, NULL},
};

/* A plugin by its file's name: loading it is not needed to draw it. */
static const char *handler_name(const struct topology_handler *handler,
                                const struct weir_handler *linked)
{
    const char *slash;

    if (handler->builtin)
        return handler->builtin->name;
    if (handler->is_linked)
        return linked->name;
    slash = strrchr(handler->plugin, '/');
    return slash ? slash + 1 : handler->plugin;
}

static void draw(const struct graph_format *format,
                 const struct topology *topology,
                 const struct weir_handler *linked)
{
    format->begin(topology,
                  handler_name(&topology->processors.handler, linked));
    for (size_t i = 0; i < topology->batcher_count; i++)
        format->batcher(&topology->batchers[i], i);
    format->end(topology);
}

struct graph_values {
    const char *format;
    struct loaded_options topology;
};

static const struct argument graph_options[] = {
    {"--format", "FORMAT", ARGUMENT_TEXT, offsetof(struct graph_values, format),
     "text (the default), mermaid or dot"},
    LOADED_SET_OPTION(struct graph_values),
    {0},
};

static const struct graph_format *find_format(const char *name)
{
    for (const struct graph_format *format = formats; format->name; format++)
        if (strcmp(format->name, name) == 0)
            return format;
    return NULL;
}

static int graph_run(const struct verb *verb, const struct call *call)
{
    struct graph_values values = {.format = "text"};
    const struct graph_format *format;
    struct argument_texts operands;
    struct loaded loaded;

    if (arguments_parse(verb, call, &values, &operands) != WEIR_OK)
        return VERB_EXIT_USAGE;
    format = find_format(values.format);
    if (!format)
        return usage_error(verb, "--format is text, mermaid or dot, not %s",
                           values.format);
    if (loaded_open_file(call, operands.list[0], &values.topology, &loaded) !=
        WEIR_OK)
        return VERB_EXIT_CONFIG;
    draw(format, loaded.topology, call->linked);
    loaded_close(&loaded);
    return VERB_EXIT_OK;
}

const struct verb verb_graph = {
    .name = "graph",
    .operands = "FILE",
    .summary = "a topology as text, Mermaid or DOT",
    .example = "  weir graph topology.yaml\n"
               "  weir graph topology.yaml --format dot | dot -Tsvg "
               "-o topology.svg\n",
    .options = graph_options,
    .operand_min = 1,
    .operand_max = 1,
    .run = graph_run,
};
