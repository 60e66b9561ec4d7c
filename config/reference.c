/*
 * reference.c - docs/topology.md, out of the tables.
 *
 * Written by the program itself, so that the page can't say anything else than
 * what the program accepts; a test compares the two.
 *
 * Threads: any; nothing is kept.
 */
#include "describe.h"

#include <string.h>

#include "describe_option.h"
#include "topology_options.h"
#include "wordlist.h"

static const char introduction[] =
    "<!-- Generated from the option tables; change those, not this page. -->\n"
    "# The topology file\n"
    "\n"
    "A topology file says where messages come from, what handles them, where\n"
    "they go, and what happens to those that fail. It is YAML, read strictly: "
    "an\n"
    "unknown key, a wrong type, a missing unit or a combination that makes no\n"
    "sense is refused before anything connects, with every error at once:\n"
    "\n"
    "```\n"
    "orders.yaml:9:3: processors.concurency: unknown key (did you mean "
    "`concurrency`?)\n"
    "```\n"
    "\n"
    "```yaml\n"
    "name: numbers\n"
    "\n"
    "producer:\n"
    "  generator: { count: 1000 }\n"
    "\n"
    "processors:\n"
    "  handler: passthrough\n"
    "\n"
    "batchers:\n"
    "  default:\n"
    "    batch_size: 100\n"
    "    sink: stdout\n"
    "\n"
    "failure:\n"
    "  then: stop\n"
    "```\n"
    "\n"
    "## Values\n"
    "\n"
    "* A duration is a number and a unit: `us`, `ms`, `s`, `m`, `h`, `d`.\n"
    "* A size is a number and a unit: `B`, `KiB`, `MiB`, `GiB` (or `kB`, `MB`, "
    "`GB`).\n"
    "* A list may be one text with commas: `topics: orders, refunds`.\n"
    "* A path is relative to the topology file.\n"
    "* A template has places that are filled in from each message: "
    "`\"%{topic}-%{key}\"`.\n"
    "  What messages have is listed with each producer; a sink's template "
    "may also name\n"
    "  `batch_key` and `header.NAME`, which a handler can give.\n"
    "  YAML wants it in quotes. A literal `%{` is written `%%{`.\n"
    "* A connector's or handler's name alone means: with its defaults.\n"
    "* Anchors, aliases, tags, duplicate keys and further documents are "
    "refused.\n"
    "\n"
    "In every value, but not in keys:\n"
    "\n"
    "| written | becomes |\n"
    "| --- | --- |\n"
    "| `${VAR}` | the environment's `VAR`; refused when it isn't set |\n"
    "| `${VAR:-default}` | `default` when `VAR` isn't set or is empty |\n"
    "| `${VAR:?message}` | refused with `message` when `VAR` isn't set or is "
    "empty |\n"
    "| `${file:path}` | the text of a file, without its last newline |\n"
    "| `$${` | a literal `${` |\n"
    "\n"
    "This happens after the file was parsed: what is filled in can't change "
    "its\n"
    "structure. `--set PATH=VALUE` overrides one value; a path is what errors "
    "print,\n"
    "as in `--set batchers.default.batch_size=10`.\n";

/* Text for a table's cell. */
static void write_cell(FILE *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '|')
            (void)fputc('\\', out);
        (void)fputc(*text, out);
    }
}

static void write_row(void *opaque, const char *path,
                      const struct weir_option *option)
{
    FILE *out = opaque;
    const bool is_secret = option->flags & WEIR_OPTION_SECRET;
    char text[DESCRIBE_TEXT_MAX];

    (void)fprintf(out, "| `%s` | ", path);
    write_cell(out, describe_type(option, text, sizeof text));
    (void)fputs(is_secret ? " (secret) | " : " | ", out);
    if (option->flags & WEIR_OPTION_REQUIRED)
        (void)fputs("required", out);
    else if (describe_default(option))
        (void)fprintf(out, "`%s`", describe_default(option));
    (void)fprintf(out, " | %s | ", describe_bounds(option, text, sizeof text));
    write_cell(out, option->help);
    (void)fputs(" |\n", out);
}

static void write_table(FILE *out, const struct weir_option *options)
{
    if (!options || !options->name) {
        (void)fputs("\nNo options.\n", out);
        return;
    }
    (void)fputs("\n| key | type | default | bounds | what it is |\n"
                "| --- | --- | --- | --- | --- |\n",
                out);
    describe_each(options, write_row, out);
}

static void write_connector(FILE *out, const char *name, const char *help,
                            const struct weir_option *options)
{
    (void)fprintf(out, "\n### `%s`\n\n%s\n", name, help);
    write_table(out, options);
}

/* What templates may name. */
static void write_fields(FILE *out, const char *list)
{
    const char *separator = "\nFor templates its messages have ";
    struct weir_bytes word;

    while (wordlist_next(&list, &word)) {
        const char *const text = word.data;

        (void)fprintf(out, "%s`%.*s%s`", separator, (int)word.size, text,
                      text[word.size - 1] == '.' ? "NAME" : "");
        separator = ", ";
    }
    (void)fputs(".\n", out);
}

void reference_write(FILE *out, const struct connectors *connectors)
{
    (void)fputs(introduction, out);
    for (const struct topology_section *section = topology_sections;
         section->name; section++) {
        (void)fprintf(out, "\n## `%s`\n\n%s\n", section->name, section->help);
        write_table(out, section->options);
    }
    (void)fputs("\n## Producers\n", out);
    for (size_t i = 0; connectors->producers[i]; i++) {
        const struct weir_producer_ops *ops = connectors->producers[i];

        write_connector(out, ops->name, ops->help, ops->options);
        write_fields(out, ops->fields);
    }
    (void)fputs("\n## Sinks\n", out);
    for (size_t i = 0; connectors->sinks[i]; i++) {
        const struct weir_sink_ops *ops = connectors->sinks[i];

        write_connector(out, ops->name, ops->help, ops->options);
    }
}
