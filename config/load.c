/*
 * load.c - YAML text to nodes.
 *
 * The part of YAML that a topology file may use is small: mappings, lists and
 * text, in one document.  What lets a file mean something else than what it
 * looks like is refused: anchors and aliases (also the way to make a small file
 * expand without end), tags, duplicate keys, several documents.  Text has no
 * type here; `true` or `5s` become values when an option's table is known.
 *
 *     events      {  "name"  "orders"  "producer"  {  ...  }  }
 *     open        ^root                            ^ child of root
 *     key            set      used      set        used
 *
 * Depth, nodes and bytes are bounded, so a hostile file costs little.  After a
 * syntax error there is nothing sensible to go on with; every other error is
 * reported and its node marked NODE_BAD.
 *
 * Threads: none; the loader's.
 */
#include "load.h"

#include <string.h>

#include <yaml.h>

struct loader {
    yaml_parser_t parser;
    struct storage *storage;
    struct report *report;
    struct weir_bytes text;
    struct node *root;
    struct node *open; /* the mapping or list that is being read */
    const char *key;   /* read, its value comes next */
    struct place key_place;
    unsigned node_count, depth, document_count;
    bool is_stopped;
};

static struct place place_of(yaml_mark_t mark)
{
    return (struct place){(unsigned)mark.line + 1, (unsigned)mark.column + 1};
}

WEIR_PRINTF(3, 4)
static void loader_stop(struct loader *loader, struct place place,
                        const char *fmt, ...)
{
    const struct report_where where = {.place = place, .path = ""};
    va_list args;

    va_start(args, fmt);
    report_add(loader->report, &where, fmt, args);
    va_end(args);
    loader->is_stopped = true;
}

static struct place place_of_offset(struct weir_bytes text, size_t offset)
{
    const char *bytes = text.data;
    struct place place = {1, 1};

    for (size_t i = 0; i < offset && i < text.size; i++) {
        place.column++;
        if (bytes[i] == '\n')
            place = (struct place){place.line + 1, 1};
    }
    return place;
}

/* Whether only spaces and tabs, at least one of them, lead to `place`. */
static bool is_tab_indented(struct weir_bytes text, struct place place)
{
    const char *line = text.data, *end = line + text.size;
    bool has_tab = false;

    for (unsigned n = 1; n < place.line && line; n++) {
        line = memchr(line, '\n', (size_t)(end - line));
        line = line ? line + 1 : NULL;
    }
    for (; line && line < end && (*line == ' ' || *line == '\t'); line++)
        has_tab = has_tab || *line == '\t';
    return has_tab;
}

static void report_syntax(struct loader *loader)
{
    const yaml_parser_t *parser = &loader->parser;
    const char *problem = parser->problem ? parser->problem : "unknown";
    const struct place place = place_of(parser->problem_mark);

    if (parser->error == YAML_MEMORY_ERROR) {
        loader->report->is_out_of_memory = true;
        loader->is_stopped = true;
        return;
    }
    if (parser->error == YAML_READER_ERROR)
        loader_stop(loader,
                    place_of_offset(loader->text, parser->problem_offset),
                    "the file is not UTF-8 text: %s", problem);
    else if (is_tab_indented(loader->text, place))
        loader_stop(loader, place,
                    "a tab can't be used to indent in YAML: use spaces");
    else if (parser->context)
        loader_stop(loader, place,
                    "the file is not well-formed YAML: %s, %s in line %u",
                    problem, parser->context,
                    place_of(parser->context_mark).line);
    else
        loader_stop(loader, place, "the file is not well-formed YAML: %s",
                    problem);
}

static void check_decoration(struct loader *loader, struct node *node,
                             const yaml_char_t *anchor, const yaml_char_t *tag)
{
    if (anchor) {
        report_value(loader->report, node,
                     "anchors (`&`) are not used here: write the value again "
                     "where it is needed");
        node->kind = NODE_BAD;
    }
    if (tag) {
        report_value(loader->report, node,
                     "tags (`!`) are not used here: leave it out");
        node->kind = NODE_BAD;
    }
}

/* Its place in the tree; a duplicate is read, too, but belongs to nobody. */
static void attach(struct loader *loader, struct node *node)
{
    struct node *open = loader->open;
    const struct node *first;

    if (!open) {
        loader->root = node;
        return;
    }
    if (open->kind == NODE_LIST || !loader->key) {
        node_append(open, node);
        return;
    }
    node->key = loader->key;
    node->key_place = loader->key_place;
    first = node_find(open, node->key, strlen(node->key));
    loader->key = NULL;
    if (!first) {
        node_append(open, node);
        return;
    }
    node->parent = open;
    report_key(loader->report, node,
               "the key was already written in line %u: keep one of them",
               first->key_place.line);
}

static struct node *add_node(struct loader *loader, enum node_kind kind,
                             struct place place)
{
    struct node *node;

    if (++loader->node_count > LOAD_NODE_MAX) {
        loader_stop(loader, place, "the file has more than %d values",
                    LOAD_NODE_MAX);
        return NULL;
    }
    node = node_create(loader->storage, kind, place);
    if (node)
        attach(loader, node);
    else
        loader->is_stopped = true;
    return node;
}

static bool awaits_key(const struct loader *loader)
{
    return loader->open && loader->open->kind == NODE_MAP && !loader->key;
}

static void take_scalar(struct loader *loader, const yaml_event_t *event)
{
    const char *value = (const char *)event->data.scalar.value;
    const size_t size = event->data.scalar.length;
    const struct place place = place_of(event->start_mark);
    const char *text = storage_copy(loader->storage, value, size);
    struct node *node;

    if (!text) {
        loader->is_stopped = true;
        return;
    }
    if (strlen(text) != size) {
        loader_stop(loader, place, "text can't hold a NUL character");
        return;
    }
    if (awaits_key(loader)) {
        loader->key = text;
        loader->key_place = place;
        if (event->data.scalar.anchor || event->data.scalar.tag)
            loader_stop(loader, place, "a key has neither anchor nor tag");
        return;
    }
    node = add_node(loader, NODE_SCALAR, place);
    if (!node)
        return;
    node->text = text;
    node->is_quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    check_decoration(loader, node, event->data.scalar.anchor,
                     event->data.scalar.tag);
}

static void open_container(struct loader *loader, enum node_kind kind,
                           const yaml_event_t *event)
{
    const struct place place = place_of(event->start_mark);
    struct node *node;

    if (awaits_key(loader)) {
        loader_stop(loader, place,
                    "a key is text, not a mapping or a list; "
                    "text that begins with `{` or `[` needs "
                    "quotes");
        return;
    }
    if (++loader->depth > LOAD_DEPTH_MAX) {
        loader_stop(loader, place, "the file is nested more than %d deep",
                    LOAD_DEPTH_MAX);
        return;
    }
    node = add_node(loader, kind, place);
    if (!node)
        return;
    loader->open = node;
    if (kind == NODE_MAP)
        check_decoration(loader, node, event->data.mapping_start.anchor,
                         event->data.mapping_start.tag);
    else
        check_decoration(loader, node, event->data.sequence_start.anchor,
                         event->data.sequence_start.tag);
    if (node->kind == NODE_BAD)
        loader->is_stopped = true; /* what its children are is unknown */
}

static void take_alias(struct loader *loader, const yaml_event_t *event)
{
    const struct place place = place_of(event->start_mark);
    struct node *node;

    if (awaits_key(loader)) {
        loader_stop(loader, place, "aliases (`*`) are not used here");
        return;
    }
    node = add_node(loader, NODE_BAD, place);
    if (node)
        report_value(loader->report, node,
                     "aliases (`*`) are not used here: write the value out, "
                     "or quote text that begins with `*`");
}

static void take_event(struct loader *loader, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (++loader->document_count > 1)
            loader_stop(loader, place_of(event->start_mark),
                        "a topology file holds one document: remove `---` and "
                        "what follows");
        break;
    case YAML_ALIAS_EVENT:
        take_alias(loader, event);
        break;
    case YAML_SCALAR_EVENT:
        take_scalar(loader, event);
        break;
    case YAML_SEQUENCE_START_EVENT:
        open_container(loader, NODE_LIST, event);
        break;
    case YAML_MAPPING_START_EVENT:
        open_container(loader, NODE_MAP, event);
        break;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        loader->open = loader->open->parent;
        loader->depth--;
        break;
    case YAML_STREAM_END_EVENT:
        loader->is_stopped = true;
        break;
    default:
        break;
    }
}

static void check_root(struct loader *loader)
{
    const struct report_where where = {.place = {1, 1}, .path = ""};

    if (!loader->root || node_is_empty(loader->root)) {
        report_at(loader->report, &where,
                  "the file is empty: a topology has `name`, `producer`, "
                  "`processors` and `failure`");
        loader->root = NULL;
    } else if (loader->root->kind != NODE_MAP) {
        report_at(loader->report, &where,
                  "a topology is a mapping, that is lines of `key: value`; "
                  "this is %s",
                  node_kind_name(loader->root));
        loader->root = NULL;
    }
}

/* libyaml would count a byte order mark, which some editors write, as a column
 * of the first line. */
static struct weir_bytes without_mark(struct weir_bytes text)
{
    static const char mark[] = "\xEF\xBB\xBF";
    const size_t size = sizeof mark - 1;

    if (text.size < size || memcmp(text.data, mark, size) != 0)
        return text;
    return (struct weir_bytes){.data = (const char *)text.data + size,
                               .size = text.size - size};
}

struct node *load_yaml(struct storage *storage, struct report *report,
                       struct weir_bytes text)
{
    struct loader loader = {
        .storage = storage, .report = report, .text = without_mark(text)};
    const size_t errors_before = report->errors->error_count;
    bool is_complete = false;

    if (!yaml_parser_initialize(&loader.parser)) {
        report->is_out_of_memory = true;
        return NULL;
    }
    yaml_parser_set_encoding(&loader.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&loader.parser, loader.text.data,
                                 loader.text.size);
    while (!loader.is_stopped) {
        yaml_event_t event;

        if (!yaml_parser_parse(&loader.parser, &event)) {
            report_syntax(&loader);
            break;
        }
        is_complete = event.type == YAML_STREAM_END_EVENT;
        take_event(&loader, &event);
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&loader.parser);
    if (!is_complete)
        return NULL;
    if (loader.root || report->errors->error_count == errors_before)
        check_root(&loader);
    return loader.root;
}
