/*
 * topology_read.c - from nodes to the values of a topology.
 *
 * One function per section of the file.  The tables of topology_options.c do
 * most of it; here is what no table can say: the connector that is a key, the
 * handler with its four spellings, and batchers, whose names are the user's.
 *
 * Threads: none; the loader's.
 */
#include "topology_build.h"

#include <string.h>

#include "connector_pick.h"
#include "machine.h"
#include "plugin_path.h"
#include "suggest.h"
#include "topology_options.h"
#include "value.h"

static struct node *section(const struct build *build, const char *name)
{
    return node_find(build->root, name, strlen(name));
}

static unsigned number(const struct weir_settings *settings, const char *path,
                       unsigned fallback)
{
    return (unsigned)weir_settings_int(settings, path, fallback);
}

/* The index of `text` in names[]; the table has checked it. */
static size_t word_index(const char *const *names, size_t count,
                         const char *text, size_t fallback)
{
    for (size_t i = 0; text && i < count; i++) {
        if (strcmp(names[i], text) == 0)
            return i;
    }
    return fallback;
}

static void read_failure(struct build *build)
{
    struct topology_failure *failure = &build->topology->failure;
    const char *stop_above =
        weir_settings_string(build->top, "failure.stop_above");

    failure->attempts = number(build->top, "failure.retry.attempts", 1);
    failure->backoff_min_us =
        weir_settings_int(build->top, "failure.retry.backoff.min", 0);
    failure->backoff_max_us =
        weir_settings_int(build->top, "failure.retry.backoff.max", 0);
    if (stop_above) /* what is wrong with it, topology_check.c says */
        (void)value_share(stop_above, &failure->stop_percent,
                          &failure->stop_over_us);
    failure->max_crashes = number(build->top, "failure.max_crashes", 1);
    failure->then = (enum weir_policy)word_index(
        topology_policy_names, WEIR_POLICY_COUNT,
        weir_settings_string(build->top, "failure.then"), WEIR_POLICY_STOP);
}

static void read_admin(struct build *build)
{
    struct topology_admin *admin = &build->topology->admin;

    if (!weir_settings_has(build->top, "admin"))
        return;
    admin->listen = weir_settings_string(build->top, "admin.listen");
    admin->token = weir_settings_string(build->top, "admin.token");
    admin->cert = weir_settings_string(build->top, "admin.tls.cert");
    admin->key = weir_settings_string(build->top, "admin.tls.key");
}

static void read_traces(struct build *build)
{
    struct topology_traces *traces = &build->topology->telemetry.traces;

    if (!weir_settings_has(build->top, "telemetry.traces"))
        return;
    traces->endpoint =
        weir_settings_string(build->top, "telemetry.traces.endpoint");
    /* What is wrong with it, topology_check.c says. */
    (void)value_percent(
        weir_settings_string(build->top, "telemetry.traces.sample"),
        &traces->share);
    traces->authorization =
        weir_settings_string(build->top, "telemetry.traces.authorization");
    traces->ca = weir_settings_string(build->top, "telemetry.traces.ca");
    traces->timeout_us =
        weir_settings_int(build->top, "telemetry.traces.timeout", 0);
    traces->queue = number(build->top, "telemetry.traces.queue", 0);
}

static void read_telemetry(struct build *build)
{
    struct topology_statsd *statsd = &build->topology->telemetry.statsd;

    if (weir_settings_has(build->top, "telemetry.statsd"))
        statsd->address =
            weir_settings_string(build->top, "telemetry.statsd.address");
    read_traces(build);
    statsd->prefix =
        weir_settings_string(build->top, "telemetry.statsd.prefix");
    statsd->interval_us =
        weir_settings_int(build->top, "telemetry.statsd.interval", 0);
}

static void read_top(struct build *build)
{
    static const char *const levels[WEIR_LOG_LEVEL_COUNT] = {
        [WEIR_LOG_DEBUG] = "debug",
        [WEIR_LOG_INFO] = "info",
        [WEIR_LOG_WARNING] = "warning",
        [WEIR_LOG_ERROR] = "error",
    };
    static const char *const formats[] = {
        [LOG_TEXT] = "text", [LOG_JSON] = "json", [LOG_AUTO] = "auto"};
    struct topology *topology = build->topology;

    build->top = reader_read(&build->reader, build->root, build->root,
                             topology_top_options);
    if (!build->top)
        return;
    topology->own = build->top;
    topology->name = weir_settings_string(build->top, "name");
    if (!topology->name)
        topology->name = "";
    topology->memory = (size_t)weir_settings_int(build->top, "memory", 0);
    if (topology->memory == 0)
        topology->memory = machine_memory("");
    topology->max_restarts =
        (unsigned)weir_settings_int(build->top, "supervision.max_restarts", 0);
    topology->restart_window_us =
        weir_settings_int(build->top, "supervision.max_seconds", 0);
    topology->shutdown_timeout_us =
        weir_settings_int(build->top, "shutdown.timeout", 0);
    topology->log_format = (enum log_format)word_index(
        formats, LOG_FORMAT_COUNT,
        weir_settings_string(build->top, "log.format"), LOG_AUTO);
    topology->log_level = (enum weir_log_level)word_index(
        levels, WEIR_LOG_LEVEL_COUNT,
        weir_settings_string(build->top, "log.level"), WEIR_LOG_INFO);
    topology->state = weir_settings_string(build->top, "state");
    topology->allows_core_files =
        weir_settings_bool(build->top, "core_files", false);
    topology->until_end = build->source->until_end;
    topology->admin.stalled_us =
        weir_settings_int(build->top, "admin.stalled_after", 0);
    read_admin(build);
    read_telemetry(build);
    read_failure(build);
}

static struct build_connector read_connector(const struct build *build,
                                             const struct node *node,
                                             const struct weir_option *options)
{
    const size_t before = build->reader.report->errors->error_count;
    struct build_connector connector = {0};

    connector.settings = reader_read(&build->reader, node, node, options);
    connector.is_sound = build->reader.report->errors->error_count == before;
    return connector;
}

static const char *producer_name(const void *list, size_t index)
{
    const struct weir_producer_ops *const *producers = list;

    return producers[index] ? producers[index]->name : NULL;
}

static const char *sink_name(const void *list, size_t index)
{
    const struct weir_sink_ops *const *sinks = list;

    return sinks[index] ? sinks[index]->name : NULL;
}

static void read_producer(struct build *build)
{
    const struct connector_names names = {.noun = "producer",
                                          .name_at = producer_name,
                                          .list = build->connectors->producers,
                                          .options = topology_producer_options};
    struct topology_producer *producer = &build->topology->producer;
    struct node *node = section(build, "producer");
    const struct node *place = NULL, *map = node;
    size_t index = 0;

    if (!node)
        report_under(build->reader.report, build->root, "producer",
                     "is required: where messages come from");
    else
        place = connector_pick(build->reader.report, node, &names, &index);
    if (node && node->kind != NODE_MAP)
        map = NULL; /* a name alone, or reported */
    build->producer =
        reader_read(&build->reader, map, node ? node : build->root,
                    topology_producer_options);
    if (!build->producer)
        return;
    producer->own = build->producer;
    producer->concurrency = number(build->producer, "concurrency", 1);
    producer->max_message_bytes =
        (size_t)weir_settings_int(build->producer, "max_message_bytes", 0);
    if (weir_settings_has(build->producer, "rate_limit"))
        producer->rate_limit = (struct topology_rate_limit){
            .messages =
                weir_settings_int(build->producer, "rate_limit.messages", 0),
            .bytes = weir_settings_int(build->producer, "rate_limit.bytes", 0),
            .interval_us =
                weir_settings_int(build->producer, "rate_limit.interval", 0),
        };
    if (!place)
        return;
    producer->ops = build->connectors->producers[index];
    build->connector = read_connector(build, place, producer->ops->options);
}

static const struct weir_handler *builtin_find(const struct build *build,
                                               const char *name)
{
    const struct weir_handler *const *handlers = build->connectors->handlers;

    for (; *handlers; handlers++) {
        if (strcmp((*handlers)->name, name) == 0)
            return *handlers;
    }
    return NULL;
}

static void read_linked(const struct build *build, const struct node *node)
{
    if (!build->source->has_linked_handler)
        report_value(build->reader.report, node,
                     "this program has no handler linked in: `linked` is for "
                     "programs that call weir_main() with one; a shared "
                     "object is written as { plugin: ./NAME.so }");
    build->topology->processors.handler.is_linked = true;
}

static void read_handler_name(const struct build *build,
                              const struct node *node)
{
    struct topology_handler *handler = &build->topology->processors.handler;
    struct suggestion suggestion = {.word = node->text};
    char hint[64];

    handler->builtin = builtin_find(build, node->text);
    if (handler->builtin)
        return;
    if (strcmp(node->text, "linked") == 0) {
        read_linked(build, node);
        return;
    }
    suggestion_offer(&suggestion, "linked");
    for (const struct weir_handler *const *known = build->connectors->handlers;
         *known; known++)
        suggestion_offer(&suggestion, (*known)->name);
    report_value(build->reader.report, node,
                 "is no handler that this program has%s; a shared object is "
                 "written as { plugin: ./NAME.so }",
                 suggestion_text(&suggestion, hint, sizeof hint));
}

static void read_plugin(const struct build *build, const struct node *node,
                        const char *name)
{
    struct topology_handler *handler = &build->topology->processors.handler;
    const struct node *at = node_find(node, "plugin", strlen("plugin"));
    char tried[REPORT_TEXT_MAX];

    handler->plugin = plugin_path_find(
        build->reader.storage, build->reader.folder, name, tried, sizeof tried);
    handler->plugin_line = at->value_place.line;
    handler->plugin_column = at->value_place.column;
    if (!handler->plugin && !storage_is_exhausted(build->reader.storage))
        report_value(build->reader.report, at,
                     "the plugin isn't there; looked for %s",
                     at->is_hidden ? "what the file names" : tried);
}

static void read_handler_map(const struct build *build, const struct node *node)
{
    struct topology_handler *handler = &build->topology->processors.handler;
    const struct weir_settings *settings =
        reader_read(&build->reader, node, node, topology_handler_options);
    const char *plugin;
    bool is_linked;

    if (!settings)
        return;
    handler->options = reader_read_any(
        &build->reader, node_find(node, "options", strlen("options")));
    plugin = weir_settings_string(settings, "plugin");
    is_linked = weir_settings_bool(settings, "linked", false);
    if (plugin && is_linked)
        report_value(build->reader.report, node,
                     "is either a plugin or linked, not both");
    else if (plugin)
        read_plugin(build, node, plugin);
    else if (is_linked)
        read_linked(build, node);
    else if (!node_find(node, "plugin", strlen("plugin")))
        report_value(build->reader.report, node,
                     "names no handler: write { plugin: ./NAME.so }, "
                     "{ linked: true } or passthrough");
}

static void read_handler(struct build *build, const struct node *processors)
{
    struct topology_handler *handler = &build->topology->processors.handler;
    const struct node *node =
        node_find(processors, "handler", strlen("handler"));

    if (!node || node_is_empty(node))
        report_under(build->reader.report, processors, "handler",
                     "is required: { plugin: ./NAME.so }, linked or "
                     "passthrough");
    else if (node->kind == NODE_SCALAR)
        read_handler_name(build, node);
    else if (node->kind == NODE_MAP)
        read_handler_map(build, node);
    else if (node->kind == NODE_LIST)
        report_value(build->reader.report, node,
                     "there is one handler, not a list: it decides by the "
                     "message itself what to do");
    if (!handler->options)
        handler->options = reader_read_any(&build->reader, NULL);
}

/* Broadway's form has named processors, each a mapping. */
static bool has_named_processors(const struct node *node)
{
    for (const struct node *child = node->first; child; child = child->next) {
        if (child->kind != NODE_MAP || strcmp(child->key, "handler") == 0)
            return false;
    }
    return node->first != NULL;
}

/* NULL: reported. */
static struct node *processors_section(const struct build *build)
{
    static const char one_handler[] =
        "a pipeline has one handler, written as `processors: { handler: ... "
        "}`: more processors would only be more places for the same code, so "
        "a handler decides by the message itself what to do, and "
        "`concurrency` says how many workers run it";
    struct node *node = section(build, "processors");

    if (!node || node_is_empty(node)) {
        report_under(build->reader.report, build->root, "processors",
                     "is required: what handles each message");
        return NULL;
    }
    if (node->kind == NODE_MAP && !has_named_processors(node))
        return node;
    if (node->kind == NODE_SCALAR)
        report_value(build->reader.report, node,
                     "must be a mapping, not text: write { handler: ... }");
    else if (node->kind != NODE_BAD)
        report_value(build->reader.report, node, "%s", one_handler);
    return NULL;
}

static void read_processors(struct build *build)
{
    struct topology_processors *processors = &build->topology->processors;
    const struct weir_producer_ops *ops = build->topology->producer.ops;
    const struct node *node = processors_section(build);
    const struct weir_settings *settings;
    const char *on_requeue;

    build->processors =
        reader_read(&build->reader, node, node ? node : build->root,
                    topology_processors_options);
    settings = build->processors;
    if (!settings)
        return;
    processors->own = settings;
    processors->concurrency = number(settings, "concurrency", machine_cores());
    processors->ordering = (enum weir_ordering)word_index(
        topology_ordering_names, WEIR_ORDERING_COUNT,
        weir_settings_string(settings, "ordering"),
        ops ? ops->ordering : WEIR_ORDERING_NONE);
    processors->ordering_key = weir_settings_string(settings, "ordering_key");
    on_requeue = weir_settings_string(settings, "ordering_on_requeue");
    processors->requeue_breaks_order =
        on_requeue && strcmp(on_requeue, "accept") == 0;
    processors->timeout_us = weir_settings_int(settings, "timeout", 0);
    processors->max_demand = number(settings, "max_demand", 1024);
    processors->min_demand =
        number(settings, "min_demand", processors->max_demand / 2);
    if (node)
        read_handler(build, node);
}

static const char dead_letter[] = "dead_letter";

static bool is_batcher_name(const char *name)
{
    return name[0] != '\0' &&
           name[strspn(name, "abcdefghijklmnopqrstuvwxyz"
                             "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")] == '\0';
}

static void check_batcher_name(const struct build *build,
                               const struct node *node)
{
    if (!is_batcher_name(node->key))
        report_key(build->reader.report, node,
                   "a batcher's name is made of letters, digits, _ and -");
}

static void read_sink(const struct build *build, struct node *node,
                      struct topology_batcher *batcher,
                      struct build_batcher *made)
{
    const struct connector_names names = {
        .noun = "sink", .name_at = sink_name, .list = build->connectors->sinks};
    const struct node *place;
    size_t index = 0;

    place = connector_pick(build->reader.report, node, &names, &index);
    if (!place)
        return;
    batcher->sink = build->connectors->sinks[index];
    made->sink = read_connector(build, place, batcher->sink->options);
}

static void read_batcher(const struct build *build, const struct node *node,
                         struct topology_batcher *batcher,
                         struct build_batcher *made)
{
    const struct weir_settings *settings;
    struct node *sink = node_find(node, "sink", strlen("sink"));

    check_batcher_name(build, node);
    if (node->kind == NODE_SCALAR && !node_is_empty(node))
        report_value(build->reader.report, node,
                     "must be a mapping, not text: a sink is written as "
                     "{ sink: ... }");
    made->settings =
        reader_read(&build->reader, node, node, topology_batcher_options);
    settings = made->settings;
    if (!settings)
        return;
    batcher->name = node->key;
    batcher->own = settings;
    batcher->line = node->key_place.line;
    batcher->column = node->key_place.column;
    batcher->batch_size = number(settings, "batch_size", 1);
    batcher->batch_bytes =
        (size_t)weir_settings_int(settings, "batch_bytes", 0);
    batcher->batch_timeout_us = weir_settings_int(settings, "batch_timeout", 0);
    batcher->max_batch_keys = number(settings, "max_batch_keys", 1);
    batcher->concurrency = number(settings, "concurrency", 1);
    batcher->max_in_flight = number(settings, "max_in_flight", 1);
    if (sink)
        read_sink(build, sink, batcher, made);
}

/* In the order of the file, but for `dead_letter`, which is the last. */
static void read_batchers(struct build *build)
{
    struct topology *topology = build->topology;
    const struct node *node = section(build, "batchers");
    struct storage *storage = build->reader.storage;
    size_t i = 0;

    if (!node || node->kind == NODE_BAD || node_is_empty(node))
        return;
    if (node->kind != NODE_MAP) {
        report_value(build->reader.report, node,
                     "must be a mapping of names, as in { default: { sink: "
                     "... } }, not %s",
                     node_kind_name(node));
        return;
    }
    topology->batchers =
        storage_alloc(storage, (node->count + 1) * sizeof *topology->batchers);
    build->batchers =
        storage_alloc(storage, (node->count + 1) * sizeof *build->batchers);
    if (!topology->batchers || !build->batchers)
        return;
    for (const struct node *child = node->first; child; child = child->next) {
        const bool is_last = strcmp(child->key, dead_letter) == 0;
        const size_t at = is_last ? node->count - 1 : i++;

        topology->has_dead_letter |= is_last;
        read_batcher(build, child, &topology->batchers[at],
                     &build->batchers[at]);
    }
    topology->batcher_count = i + (topology->has_dead_letter ? 1 : 0);
}

void build_read(struct build *build)
{
    read_top(build);
    read_producer(build);
    read_processors(build);
    read_batchers(build);
}
