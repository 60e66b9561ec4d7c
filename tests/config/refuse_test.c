/*
 * refuse_test.c - what is wrong with a topology file is said, all of it, where
 * it stands.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load_support.h"
#include "test.h"

#define LOG "name: t\nproducer: { log: { topics: a, group: g } }\n"

static void all_errors_come_at_once_in_the_order_of_the_file(void **state)
{
    (void)state;
    assert_refused(
        "name: t\n"
        "producer:\n"
        "  counter: { cuont: 5 }\n"
        "  concurrency: many\n"
        "processors:\n"
        "  handler: passthrough\n"
        "  timeout: 5\n"
        "  concurency: 4\n"
        "failure: { then: dorp }\n"
        "memroy: 64MiB\n",
        "/conf/t.yaml:3:14: producer.counter.cuont: unknown key (did you mean "
        "`count`?)\n"
        "/conf/t.yaml:4:16: producer.concurrency: `many` is not a whole "
        "number\n"
        "/conf/t.yaml:7:12: processors.timeout: `5` has no unit: write us, ms, "
        "s, m, h or d after the number\n"
        "/conf/t.yaml:8:3: processors.concurency: unknown key (did you mean "
        "`concurrency`?)\n"
        "/conf/t.yaml:9:18: failure.then: `dorp` is not one of dead_letter, "
        "reject, "
        "requeue, requeue_once, drop, stop (did you mean `drop`?)\n"
        "/conf/t.yaml:10:1: memroy: unknown key (did you mean `memory`?)\n");
}

static void a_key_like_no_other_is_answered_with_the_known_ones(void **state)
{
    (void)state;
    assert_refused(COUNTER REST "log: { colour: red }\n",
                   "/conf/t.yaml:5:8: log.colour: unknown key; known here: "
                   "format, level\n");
}

static void keys_of_later_versions_are_unknown(void **state)
{
    (void)state;
    assert_mentions(COUNTER REST "state: { dir: x }\n", "state: must be ");
    assert_mentions(COUNTER "processors: { handler: passthrough, isolation: "
                            "process }\nfailure: { then: drop }\n",
                    "processors.isolation: unknown key");
}

static void a_wrong_type_is_named(void **state)
{
    (void)state;
    assert_mentions(COUNTER REST "memory: [1]\n",
                    "5:9: memory: must be a size, as in 64KiB or 1MiB, not a "
                    "list");
    assert_mentions(COUNTER REST "memory: 256\n",
                    "memory: `256` has no unit: write B, KiB, MiB or GiB");
    assert_mentions(COUNTER REST "memory: 1kib\n",
                    "memory: `1kib` has a unit that is not known");
    assert_mentions(
        COUNTER REST "memory: 1KiB\n",
        "memory: `1KiB` is out of bounds: it must be 8MiB to 1024GiB");
    assert_mentions(COUNTER REST "memory:\n", "memory: has no value");
    assert_mentions(COUNTER REST "shutdown: 30s\n",
                    "shutdown: must be a mapping, not text");
    assert_mentions(COUNTER REST "batchers: void\n",
                    "batchers: must be a mapping of names");
    assert_mentions(COUNTER REST "batchers: [void]\n",
                    "batchers: must be a mapping of names");
    assert_mentions(COUNTER REST "batchers: { default: void }\n",
                    "batchers.default: must be a mapping, not text");
    assert_mentions("name: t\n"
                    "producer: { log: { topics: { a: b }, group: [g], "
                    "properties: text, tls: { verify: yes }, interval: 1 } "
                    "}\n" REST,
                    "topics: must be a list, or text with commas, not a "
                    "mapping");
    assert_mentions("name: t\n"
                    "producer: { log: { topics: [a, [b]], group: g, "
                    "properties: { a: [b] } } }\n" REST,
                    "producer.log.topics[1]: must be text, not a list");
    assert_mentions("name: t\n"
                    "producer: { log: { topics: [], group: g, tls: { verify: "
                    "yes } } }\n" REST,
                    "tls.verify: `yes` is neither true nor false");
    assert_mentions("name: t\n"
                    "producer: { log: { topics: [], group: g } }\n" REST,
                    "producer.log.topics: the list is empty");
    assert_mentions("name: t\n"
                    "producer: { log: { topics: 'a,,b', group: g } }\n" REST,
                    "has an empty element between its commas");
}

static void zero_and_what_is_out_of_bounds_is_refused(void **state)
{
    (void)state;
    assert_mentions("name: t\nproducer: { counter: {}, concurrency: 0 }\n" REST,
                    "`0` is out of bounds: it must be 1 to 64");
    assert_mentions(COUNTER "batchers: { default: { sink: void, batch_size: 0, "
                            "batch_timeout: 0s } }\n" REST,
                    "batch_size: `0` is out of bounds");
    assert_mentions(COUNTER "batchers: { default: { sink: void, batch_size: "
                            "99999999999999999999 } }\n" REST,
                    "batch_size: `99999999999999999999` is too large");
    assert_mentions(COUNTER REST "memory: 99999999999999999999GiB\n",
                    "is too large");
}

static void a_duplicate_key_is_refused(void **state)
{
    (void)state;
    assert_refused(
        COUNTER REST "name: u\n",
        "/conf/t.yaml:5:1: name: the key was already written in line "
        "1: keep one of them\n");
}

static void anchors_aliases_and_tags_are_refused(void **state)
{
    (void)state;
    assert_mentions(COUNTER REST "memory: &m 64MiB\n",
                    "5:9: memory: anchors (`&`) are not used here");
    assert_mentions(COUNTER REST "memory: *m\n",
                    "5:9: memory: aliases (`*`) are not used here");
    assert_mentions(COUNTER REST "log: &l { level: info }\n",
                    "log: anchors (`&`) are not used here");
    assert_mentions(COUNTER REST "memory: !!str 64MiB\n",
                    "memory: tags (`!`) are not used here");
    assert_mentions("? [a]\n: b\n", "a key is text, not a mapping or a list");
}

static void a_tab_is_named(void **state)
{
    (void)state;
    assert_refused("name: t\nproducer:\n\tcounter: {}\n",
                   "/conf/t.yaml:3:1: a tab can't be used to indent in YAML: "
                   "use spaces\n");
}

static void what_is_no_yaml_is_refused_where_it_stops(void **state)
{
    (void)state;
    assert_mentions("name: t\nproducer: { counter: {}\n", "is not well-formed");
    assert_mentions("name: t\n  producer: x\n",
                    "t.yaml:2:11: the file is not well-formed YAML: mapping "
                    "values are not allowed");
    assert_refused("name: \xff\n",
                   "/conf/t.yaml:1:7: the file is not UTF-8 text: invalid "
                   "leading UTF-8 octet\n");
    assert_mentions("name: \"a\\0b\"\n", "text can't hold a NUL character");
}

static void an_empty_file_is_refused(void **state)
{
    static const char expected[] =
        "/conf/t.yaml:1:1: the file is empty: a topology has `name`, "
        "`producer`, `processors` and `failure`\n";

    (void)state;
    assert_refused("", expected);
    assert_refused("# nothing\n\n", expected);
    assert_refused("---\n", expected);
    assert_mentions("- a\n- b\n", "a topology is a mapping");
    assert_mentions("text\n", "a topology is a mapping");
}

static void several_documents_are_refused(void **state)
{
    (void)state;
    assert_mentions(COUNTER REST "---\n" COUNTER,
                    "5:1: a topology file holds one document");
}

/* A text of `size` characters that repeats `unit`. */
static char *repeat(const char *unit, size_t size)
{
    const size_t unit_size = strlen(unit);
    char *text = malloc(size + 1);

    assert_non_null(text);
    for (size_t i = 0; i < size; i++)
        text[i] = unit[i % unit_size];
    text[size] = '\0';
    return text;
}

static void ten_mebibytes_of_garbage_are_refused(void **state)
{
    static const char *const units[] = {
        "\x01\x92garbage\n", "a: ", "{", "[", "- ", "a: [\n", "&a "};
    char path[] = "/tmp/weir_garbage_XXXXXX";
    const int fd = mkstemp(path);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    struct loaded loaded;

    (void)state;
    assert_non_null(file);
    for (size_t i = 0; i < (size_t)10 * 1024 * 1024 / 8; i++)
        assert_int_equal(fwrite("garbage\n", 1, 8, file), 8);
    assert_int_equal(fclose(file), 0);
    load_with(&loaded, &(struct topology_source){.file = path});
    assert_non_null(
        strstr(loaded.text, ":1:1: the file is larger than 1024 KiB"));
    loaded_finish(&loaded);
    assert_int_equal(remove(path), 0);
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        char *text = repeat(units[i], (size_t)1000 * 1000);

        load_text(&loaded, text);
        assert_int_equal(loaded.status, WEIR_REJECT);
        loaded_finish(&loaded);
        free(text);
    }
}

static void nesting_and_the_number_of_values_are_bounded(void **state)
{
    char *deep = repeat("[", 100);
    char *wide = repeat("- a\n", (size_t)4 * 30000);

    (void)state;
    assert_mentions(deep, "nested more than 32 deep");
    assert_mentions(wide, "more than 20000 values");
    free(deep);
    free(wide);
}

static void a_thousand_errors_are_cut_off(void **state)
{
    struct loaded loaded;
    char text[16 * 1024] = "";

    (void)state;
    for (unsigned i = 0; i < 1000; i++)
        (void)snprintf(text + strlen(text), sizeof text - strlen(text),
                       "key%u: x\n", i);
    load_text(&loaded, text);
    assert_int_equal(loaded.errors.count, 100);
    assert_true(loaded.errors.error_count >= 1000);
    loaded_finish(&loaded);
}

static void a_file_that_cant_be_read_is_named(void **state)
{
    struct loaded loaded;

    (void)state;
    load_with(&loaded, &(struct topology_source){.file = "/nowhere/t.yaml"});
    assert_string_equal(
        loaded.text, "/nowhere/t.yaml:1:1: the file can't be opened: No such "
                     "file or directory\n");
    loaded_finish(&loaded);
    load_with(&loaded, &(struct topology_source){.file = "/tmp"});
    assert_string_equal(loaded.text,
                        "/tmp:1:1: the file is a folder, not a file\n");
    loaded_finish(&loaded);
}

static void what_is_missing_is_named(void **state)
{
    (void)state;
    assert_refused(
        "log: { level: info }\n",
        "/conf/t.yaml:1:1: name: is required: The name of the "
        "pipeline, in logs and at the broker.\n"
        "/conf/t.yaml:1:1: failure.then: is required: What happens to "
        "a message that finally failed; there is no default.\n"
        "/conf/t.yaml:1:1: producer: is required: where messages come "
        "from\n"
        "/conf/t.yaml:1:1: processors: is required: what handles each "
        "message\n");
    assert_refused(
        "name: t\n"
        "producer: { log: { group: g, sasl: {} } }\n" REST,
        "/conf/t.yaml:2:13: producer.log.topics: is required: What to "
        "read.\n"
        "/conf/t.yaml:2:30: producer.log.sasl.mechanism: is required: "
        "How to log in.\n");
    assert_refused(
        "name: t\nproducer: log\n" REST,
        "/conf/t.yaml:2:1: producer.topics: is required: What to "
        "read.\n"
        "/conf/t.yaml:2:1: producer.group: is required: With whom to "
        "share.\n");
}

static void a_topology_has_one_producer(void **state)
{
    (void)state;
    assert_refused("name: t\n"
                   "producer:\n"
                   "  counter: {}\n"
                   "  log: { topics: a, group: g }\n" REST,
                   "/conf/t.yaml:4:3: producer.log: there can be one producer, "
                   "and `counter` is one already (line 3)\n");
    assert_mentions("name: t\nproducer: [counter]\n" REST,
                    "producer: there can be one producer, not a list of them");
    assert_mentions("name: t\nproducer: { concurrency: 2 }\n" REST,
                    "producer: names no producer; this program has log, queue, "
                    "counter");
    assert_mentions("name: t\nproducer: countr\n" REST,
                    "producer: is neither a producer nor a key of it (did you "
                    "mean `counter`?)");
    assert_mentions(
        "name: t\nproducer: { teleprinter: {} }\n" REST,
        "producer.teleprinter: is no producer that this program has; "
        "it has log, queue, counter");
    assert_mentions("name: t\nproducer:\n" REST, "producer: names no producer");
}

static void there_is_one_handler_and_the_reason_is_said(void **state)
{
    static const char reason[] = "processors: a pipeline has one handler";

    (void)state;
    assert_mentions(COUNTER "processors: [{ handler: passthrough }]\n"
                            "failure: { then: drop }\n",
                    reason);
    assert_mentions(COUNTER "processors: { default: { concurrency: 2 } }\n"
                            "failure: { then: drop }\n",
                    reason);
    assert_mentions(COUNTER "processors: { handler: [a, b] }\n"
                            "failure: { then: drop }\n",
                    "there is one handler, not a list");
}

static void a_handler_that_isnt_there_is_named(void **state)
{
    (void)state;
    assert_mentions(COUNTER "processors: { handler: passtrough }\n"
                            "failure: { then: drop }\n",
                    "processors.handler: is no handler that this program has "
                    "(did you mean `passthrough`?)");
    assert_mentions(
        COUNTER "processors: { handler: linked }\n"
                "failure: { then: drop }\n",
        "processors.handler: this program has no handler linked in");
    assert_mentions(COUNTER "processors: { handler: { options: {} } }\n"
                            "failure: { then: drop }\n",
                    "processors.handler: names no handler");
    assert_mentions(COUNTER
                    "processors: { handler: { plugin: a, linked: true } "
                    "}\nfailure: { then: drop }\n",
                    "is either a plugin or linked, not both");
    assert_mentions(COUNTER "processors: { concurrency: 2 }\n"
                            "failure: { then: drop }\n",
                    "processors.handler: is required");
}

static void demand_that_would_never_ask_is_refused(void **state)
{
    (void)state;
    assert_refused(
        COUNTER "processors:\n"
                "  handler: passthrough\n"
                "  max_demand: 10\n"
                "  min_demand: 10\n"
                "failure: { then: drop }\n",
        "/conf/t.yaml:6:15: processors.min_demand: min_demand (10) "
        "must be less than max_demand (10), or nothing would ever be "
        "asked for\n");
    assert_mentions(COUNTER "processors: { handler: passthrough, max_demand: 1 "
                            "}\nfailure: { then: drop }\n",
                    "processors.max_demand: 1 leaves no room for min_demand");
}

#define LIMITED(limit)                                                         \
    "name: t\nproducer: { counter: { size: 1 }, rate_limit: " limit " }\n"     \
    "processors: { handler: passthrough }\n"                                   \
    "failure: { then: drop }\n"

static void a_rate_limit_that_limits_nothing_is_refused(void **state)
{
    (void)state;
    assert_mentions(LIMITED("{ interval: 1s }"),
                    "producer.rate_limit: limits nothing: it needs `messages`, "
                    "`bytes` or both");
    assert_mentions(LIMITED("{}"), "producer.rate_limit: limits nothing");
    assert_mentions(LIMITED("{ messages: 0 }"),
                    "producer.rate_limit.messages: ");
    assert_mentions(LIMITED("{ messages: 5, interval: 10 }"),
                    "producer.rate_limit.interval: ");
}

static void a_policy_that_the_producer_cant_honour_is_refused(void **state)
{
    (void)state;
    assert_refused(LOG "processors: { handler: passthrough }\n"
                       "failure: { then: requeue }\n",
                   "/conf/t.yaml:4:18: failure.then: log can't requeue a "
                   "message; with it a failed message can meet: drop, "
                   "stop, dead_letter\n");
}

#define REQUEUED(policy)                                                       \
    "name: t\nproducer: { queue: { url: amqp://h } }\n"                        \
    "processors: { handler: passthrough }\n"                                   \
    "failure: { then: " policy " }\n"

static void a_requeue_is_refused_until_the_end(void **state)
{
    static const char *const texts[] = {REQUEUED("requeue"),
                                        REQUEUED("requeue_once")};
    static const char *const reasons[] = {
        "4:18: failure.then: with --until-end a requeued message would come "
        "back for ever: use",
        "4:18: failure.then: with --until-end a requeued message might come "
        "back for ever, since a classic queue counts no deliveries: use"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const struct topology_source source = {
            .file = "/conf/t.yaml", .text = texts[i], .until_end = true};
        struct loaded loaded;

        load_with(&loaded, &source);
        assert_non_null(strstr(loaded.text, reasons[i]));
        loaded_finish(&loaded);
        assert_accepted(texts[i]);
    }
}

static void a_connector_refuses_in_its_own_words(void **state)
{
    (void)state;
    assert_refused("name: t\n"
                   "producer:\n"
                   "  log:\n"
                   "    topics: a\n"
                   "    group: g\n"
                   "    properties: { enable.auto.commit: true }\n"
                   "batchers: { default: { batch_size: 60000, sink: void } "
                   "}\n" REST,
                   "/conf/t.yaml:3:3: producer.log.window: must be at least "
                   "twice the largest batch (60000)\n"
                   "/conf/t.yaml:6:39: producer.log.properties.enable.auto."
                   "commit: is weir's own: use `interval`\n");
    assert_refused(
        "name: t\n"
        "producer: { queue: { url: amqp://h, prefetch: 50 } }\n"
        "batchers: { default: { sink: void } }\n" REST,
        "/conf/t.yaml:2:47: producer.queue.prefetch: 50 can't fill a "
        "batch of 100\n");
    assert_refused("name: t\n"
                   "producer: { queue: { url: amqp://h }, concurrency: 2 }\n"
                   "processors: { handler: passthrough, ordering: partition }\n"
                   "failure: { then: drop }\n",
                   "/conf/t.yaml:2:13: producer.queue: order needs one "
                   "consumer\n");
}

static void a_connector_isnt_asked_about_options_that_are_wrong(void **state)
{
    (void)state;
    assert_refused("name: t\n"
                   "producer: { queue: { url: amqp://h, prefetch: 0 } }\n"
                   "batchers: { default: { sink: void } }\n" REST,
                   "/conf/t.yaml:2:47: producer.queue.prefetch: `0` is out of "
                   "bounds: it must be 1 to 65535\n");
}

static void what_can_never_fit_the_memory_is_refused(void **state)
{
    (void)state;
    assert_mentions(
        "name: t\n"
        "producer: { counter: {}, max_message_bytes: 5MiB }\n" REST
        "memory: 16MiB\n",
        "producer.max_message_bytes: 5MiB is more than a quarter of "
        "`memory` (16MiB)");
    assert_mentions(COUNTER "batchers: { default: { batch_bytes: 9MiB, sink: "
                            "void } }\n" REST "memory: 16MiB\n",
                    "batch_bytes: 9MiB is more than half of `memory` (16MiB)");
}

static void what_is_surely_not_meant_is_a_warning(void **state)
{
    struct loaded loaded;

    (void)state;
    load_text(&loaded, LOG "batchers:\n"
                           "  default: { sink: void }\n"
                           "  other: { sink: void, max_in_flight: 2 }\n" REST);
    assert_int_equal(loaded.status, WEIR_OK);
    assert_int_equal(loaded.errors.error_count, 0);
    assert_string_equal(
        loaded.text,
        "/conf/t.yaml:3:1: batchers: warning: messages of one lane keep their "
        "order within one batcher and batch key; between these 2 batchers "
        "there "
        "is none\n"
        "/conf/t.yaml:5:3: batchers.other: warning: no message will come here: "
        "passthrough sends every message to the batcher `default`\n"
        "/conf/t.yaml:5:39: batchers.other.max_in_flight: warning: counts as "
        "1: "
        "this sink can't keep the order of more than one batch under way\n");
    loaded_finish(&loaded);
    assert_mentions(COUNTER "processors: { handler: passthrough, "
                            "ordering_on_requeue: accept }\n"
                            "failure: { then: drop }\n",
                    "ordering_on_requeue: warning: changes nothing");
    assert_mentions(COUNTER "batchers: { default: { sink: void, batch_bytes: "
                            "1KiB } }\n" REST,
                    "batch_bytes: warning: 1KiB is less than");
}

static void passthrough_needs_default_and_a_sink(void **state)
{
    (void)state;
    assert_mentions(COUNTER "batchers: { other: { sink: void } }\n" REST,
                    "batchers.default: is required");
    assert_mentions(COUNTER "batchers: { default: {} }\n" REST,
                    "batchers.default.sink: is required: passthrough has no "
                    "handle_batch()");
    assert_mentions(COUNTER "batchers: { 'a b': { sink: void } }\n" REST,
                    "a batcher's name is made of letters, digits, _ and -");
    assert_mentions(COUNTER "batchers: { default: { sink: { void: {}, table: "
                            "{ path: x } } } }\n" REST,
                    "there can be one sink, and `void` is one already");
}

static void a_name_without_blanks_is_wanted(void **state)
{
    (void)state;
    assert_mentions("name: a b\nproducer: counter\n" REST,
                    "name: a name is 1 to 200 characters");
    assert_mentions("name: ''\nproducer: counter\n" REST,
                    "name: a name is 1 to 200 characters");
}

static void what_is_quoted_cant_move_the_cursor(void **state)
{
    (void)state;
    assert_mentions(COUNTER REST "memory: \"\\e[2J\\n\"\n",
                    "memory: `?[2J?` is not a size");
    assert_mentions(COUNTER REST "\"a\\nb\": c\n", "a?b: unknown key");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_errors_come_at_once_in_the_order_of_the_file),
        cmocka_unit_test(a_key_like_no_other_is_answered_with_the_known_ones),
        cmocka_unit_test(keys_of_later_versions_are_unknown),
        cmocka_unit_test(a_wrong_type_is_named),
        cmocka_unit_test(zero_and_what_is_out_of_bounds_is_refused),
        cmocka_unit_test(a_duplicate_key_is_refused),
        cmocka_unit_test(anchors_aliases_and_tags_are_refused),
        cmocka_unit_test(a_tab_is_named),
        cmocka_unit_test(what_is_no_yaml_is_refused_where_it_stops),
        cmocka_unit_test(an_empty_file_is_refused),
        cmocka_unit_test(several_documents_are_refused),
        cmocka_unit_test(ten_mebibytes_of_garbage_are_refused),
        cmocka_unit_test(nesting_and_the_number_of_values_are_bounded),
        cmocka_unit_test(a_thousand_errors_are_cut_off),
        cmocka_unit_test(a_file_that_cant_be_read_is_named),
        cmocka_unit_test(what_is_missing_is_named),
        cmocka_unit_test(a_topology_has_one_producer),
        cmocka_unit_test(there_is_one_handler_and_the_reason_is_said),
        cmocka_unit_test(a_handler_that_isnt_there_is_named),
        cmocka_unit_test(demand_that_would_never_ask_is_refused),
        cmocka_unit_test(a_rate_limit_that_limits_nothing_is_refused),
        cmocka_unit_test(a_policy_that_the_producer_cant_honour_is_refused),
        cmocka_unit_test(a_requeue_is_refused_until_the_end),
        cmocka_unit_test(a_connector_refuses_in_its_own_words),
        cmocka_unit_test(a_connector_isnt_asked_about_options_that_are_wrong),
        cmocka_unit_test(what_can_never_fit_the_memory_is_refused),
        cmocka_unit_test(what_is_surely_not_meant_is_a_warning),
        cmocka_unit_test(passthrough_needs_default_and_a_sink),
        cmocka_unit_test(a_name_without_blanks_is_wanted),
        cmocka_unit_test(what_is_quoted_cant_move_the_cursor),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
