/*
 * fields_test.c - %{names} that no message of the source has are refused.
 */
#include "load_support.h"
#include "test.h"

#define LOG   "name: t\nproducer: { log: { topics: a, group: g } }\n"
#define QUEUE "name: t\nproducer: { queue: { url: amqp://h } }\n"

static void an_ordering_key_is_a_template_over_a_message(void **state)
{
    (void)state;
#define KEYED(source, key)                                                     \
    source "processors: { handler: passthrough, ordering: key, "               \
           "ordering_key: \"" key "\" }\nfailure: { then: drop }\n"
    assert_accepted(KEYED(QUEUE, "%{header.x}-%{routing_key}"));
    assert_mentions(KEYED(QUEUE, "%{header.x"),
                    "ordering_key: `%{header.x` is not a template");
    assert_mentions(KEYED(QUEUE, "all"), "is the same for every message");
#undef KEYED
    assert_mentions(COUNTER "processors: { handler: passthrough, "
                            "ordering_key: \"%{key}\" }\n"
                            "failure: { then: drop }\n",
                    "has a meaning with `ordering: key` only");
}

static void a_name_that_the_source_does_not_have_is_refused(void **state)
{
    (void)state;
#define KEYED(source, key)                                                     \
    source "processors:\n  handler: passthrough\n  ordering: key\n"            \
           "  ordering_key: \"" key "\"\nfailure: { then: drop }\n"
    assert_refused(KEYED(QUEUE, "%{nope}"),
                   "/conf/t.yaml:6:17: processors.ordering_key: `nope` is "
                   "nothing that a message of queue has; known here: topic, "
                   "header.NAME, routing_key, exchange\n");
    assert_mentions(KEYED(QUEUE, "%{routing-key}"),
                    "has (did you mean `routing_key`?); known");
    assert_mentions(KEYED(QUEUE, "%{topic}%{header.}"), "`header.` is nothing");
    assert_mentions(KEYED(QUEUE, "%{Topic}"), "(did you mean `topic`?)");
    assert_mentions(KEYED(QUEUE, "%{key}"), "`key` is nothing");
    assert_mentions(KEYED(LOG, "%{routing_key}"), "a message of log has");
    assert_accepted(KEYED(LOG, "%{topic}%{partition}%{offset}%{timestamp}"));
    assert_accepted(KEYED(LOG, "%{key}%{header.any-thing.at all}"));
#undef KEYED
}

static void a_sink_may_name_what_the_handler_made(void **state)
{
    (void)state;
#define TO(...)                                                                \
    QUEUE "batchers:\n  default:\n    sink: { topic: { " __VA_ARGS__           \
          " } }\n" REST
    assert_accepted(TO("topic: \"%{routing_key}-%{topic}-%{batch_key}-"
                       "%{header.x}\", headers: { a: \"%{exchange}\" }"));
    assert_refused(TO("topic: \"a-%{toppic}\""),
                   "/conf/t.yaml:5:29: batchers.default.sink.topic.topic: "
                   "`toppic` is nothing that a message of queue has (did you "
                   "mean `topic`?); known here: topic, header.NAME, "
                   "routing_key, exchange, batch_key\n");
    assert_refused(TO("topic: t, headers: { a: \"%{b}\", c: \"%{d\" }"),
                   "/conf/t.yaml:5:46: batchers.default.sink.topic.headers.a: "
                   "`b` is nothing that a message of queue has; known here: "
                   "topic, header.NAME, routing_key, exchange, "
                   "batch_key\n"
                   "/conf/t.yaml:5:57: batchers.default.sink.topic.headers.c: "
                   "is not a template: \"%{\" at character 1 has no closing "
                   "brace\n");
#undef TO
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_ordering_key_is_a_template_over_a_message),
        cmocka_unit_test(a_name_that_the_source_does_not_have_is_refused),
        cmocka_unit_test(a_sink_may_name_what_the_handler_made),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
