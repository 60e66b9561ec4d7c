/*
 * tables_test.c - the option tables of this build, each of them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connectors.h"
#include "describe.h"
#include "field.h"
#include "reader.h"
#include "test.h"
#include "topology_options.h"
#include "wordlist.h"

static void check_option(const struct weir_option *option)
{
    const bool has_bounds = option->min != 0 || option->max != 0;

    if (!option->help || option->help[strlen(option->help) - 1] != '.')
        fail_msg("`%s` has no sentence that helps", option->name);
    if (option->type == WEIR_OPTION_CHOICE && !option->choices)
        fail_msg("`%s` has nothing to choose from", option->name);
    if ((option->flags & WEIR_OPTION_REQUIRED) && option->fallback)
        fail_msg("`%s` is required and has a default", option->name);
    if (has_bounds && option->min > option->max)
        fail_msg("`%s` has bounds that nothing is within", option->name);
    if ((option->type == WEIR_OPTION_GROUP ||
         option->type == WEIR_OPTION_GROUPS) != (option->children != NULL))
        fail_msg("`%s` is a group, or has children, not both", option->name);
}

static void check_table(const struct weir_option *options)
{
    for (const struct weir_option *option = options; option && option->name;
         option++) {
        check_option(option);
        check_table(option->children);
        for (const struct weir_option *other = options; other != option;
             other++)
            assert_string_not_equal(other->name, option->name);
    }
}

/* A default that isn't a value of its option ends the program. */
static void read_defaults(const struct weir_option *options)
{
    struct topology_errors errors = {0};
    struct report report = {.errors = &errors, .file = "t.yaml"};
    struct storage *storage = storage_create();
    const struct reader reader = {
        .storage = storage, .report = &report, .folder = "/"};
    const struct node *node;

    assert_non_null(storage);
    node = node_create(storage, NODE_MAP, (struct place){1, 1});
    assert_non_null(node);
    assert_non_null(reader_read(&reader, node, node, options));
    topology_errors_finish(&errors);
    storage_destroy(storage);
}

static void every_table_makes_sense(void **state)
{
    const struct connectors *all = connectors_all();

    (void)state;
    for (size_t i = 0; all->producers[i]; i++) {
        check_table(all->producers[i]->options);
        read_defaults(all->producers[i]->options);
    }
    for (size_t i = 0; all->sinks[i]; i++) {
        check_table(all->sinks[i]->options);
        read_defaults(all->sinks[i]->options);
    }
    for (size_t i = 0; topology_sections[i].name; i++) {
        check_table(topology_sections[i].options);
        read_defaults(topology_sections[i].options);
    }
}

static void check_fields(const char *producer, const char *list)
{
    struct weir_bytes word;
    const char *rest;
    char name[64];

    while (wordlist_next(&list, &word)) {
        const char *const text = word.data;

        (void)snprintf(name, sizeof name, "%.*s%s", (int)word.size, text,
                       text[word.size - 1] == '.' ? "x" : "");
        if (field_parse(name, &rest) == FIELD_COUNT)
            fail_msg("%s lists `%s`, which no template can be filled in with",
                     producer, name);
    }
}

static void what_a_producer_lists_can_be_filled_in(void **state)
{
    const struct connectors *all = connectors_all();

    (void)state;
    for (size_t i = 0; all->producers[i]; i++) {
        assert_non_null(all->producers[i]->fields);
        check_fields(all->producers[i]->name, all->producers[i]->fields);
    }
}

enum { PAGE_MAX = 262144 };

static char *read_reference(void)
{
    FILE *file = fopen(WEIR_REFERENCE, "r");
    char *text = calloc(1, PAGE_MAX);

    assert_non_null(file);
    assert_non_null(text);
    assert_true(fread(text, 1, PAGE_MAX - 1, file) > 0);
    assert_int_equal(fclose(file), 0);
    return text;
}

/* Connectors that this build lacks may be on the page, too. */
static void the_reference_page_says_what_the_tables_say(void **state)
{
    char *page = read_reference(), *text = NULL, *line;
    char *rest = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    (void)state;
    assert_non_null(out);
    reference_write(out, connectors_all());
    assert_int_equal(fclose(out), 0);
    for (line = strtok_r(text, "\n", &rest); line;
         line = strtok_r(NULL, "\n", &rest)) {
        if (!strstr(page, line))
            fail_msg("docs/topology.md is old, write it with `weir describe "
                     "--reference`: it lacks\n%s",
                     line);
    }
    free(text);
    free(page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_table_makes_sense),
        cmocka_unit_test(what_a_producer_lists_can_be_filled_in),
        cmocka_unit_test(the_reference_page_says_what_the_tables_say),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
