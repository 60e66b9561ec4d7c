/*
 * fuzz_test.c - a topology file that is damaged, or memory that ends, is
 * refused and nothing else.
 *
 * The same seed every time: a failure can be seen again.
 */
#include <stdlib.h>
#include <string.h>

#include "load_support.h"
#include "test.h"

/* Every kind of thing that a file may hold. */
static const char whole[] =
    "name: orders # a comment\n"
    "producer:\n"
    "  log:\n"
    "    brokers: ${WEIR_T_BROKERS:-localhost:9092}\n"
    "    topics: [orders, \"re$${funds\"]\n"
    "    group: 'g'\n"
    "    tls: { ca: ca.pem, verify: false }\n"
    "    sasl: { mechanism: PLAIN, password: \"${file:/dev/null}\" }\n"
    "    properties: { client.rack: eu-1 }\n"
    "  concurrency: 2\n"
    "processors:\n"
    "  handler: passthrough\n"
    "  ordering: key\n"
    "  ordering_key: \"%{header.x}-%%{\"\n"
    "  min_demand: 5\n"
    "batchers:\n"
    "  default:\n"
    "    batch_timeout: 1.5s\n"
    "    sink:\n"
    "      table:\n"
    "        path: |\n"
    "          out\n"
    "  other: { sink: void }\n"
    "failure:\n"
    "  retry: { attempts: 3 }\n"
    "  then: stop\n"
    "memory: 64MiB\n";

static const char *const overrides[] = {"batchers.default.batch_size=10",
                                        "log.level=debug", NULL};

static enum weir_status load_whole(const char *text)
{
    struct loaded loaded;
    enum weir_status status;

    load_with(&loaded, &(struct topology_source){.file = "/conf/t.yaml",
                                                 .text = text,
                                                 .overrides = overrides});
    status = loaded.status;
    if (status == WEIR_REJECT)
        assert_true(loaded.errors.error_count > 0);
    loaded_finish(&loaded);
    return status;
}

static void every_truncation_is_read_or_refused(void **state)
{
    char text[sizeof whole];

    (void)state;
    assert_int_equal(load_whole(whole), WEIR_OK);
    for (size_t size = 0; size < sizeof whole; size++) {
        memcpy(text, whole, size);
        text[size] = '\0';
        (void)load_whole(text);
    }
}

static void random_damage_is_read_or_refused(void **state)
{
    static const char characters[] = "{}[]:,-|>&*!#%@`'\"\\$?~ \n\t0aA\x80\xc3";
    unsigned accepted = 0;
    char text[sizeof whole];

    (void)state;
    srandom(1);
    for (unsigned round = 0; round < 3000; round++) {
        const unsigned hits = 1 + (unsigned)random() % 4;

        memcpy(text, whole, sizeof whole);
        for (unsigned i = 0; i < hits; i++) {
            const size_t at = (size_t)random() % (sizeof whole - 1);
            const size_t which = (size_t)random() % (sizeof characters - 1);

            text[at] = characters[which];
        }
        accepted += load_whole(text) == WEIR_OK;
    }
    assert_true(accepted > 0 && accepted < 3000); /* it was damage */
}

static void lines_in_any_order_are_read_or_refused(void **state)
{
    char text[2 * sizeof whole];

    (void)state;
    srandom(2);
    for (unsigned round = 0; round < 500; round++) {
        size_t used = 0;

        while (used < sizeof whole) {
            const char *line = whole + (size_t)random() % (sizeof whole - 1);
            const size_t size = strcspn(line, "\n") + 1;

            if (used + size >= sizeof text)
                break;
            memcpy(text + used, line, size);
            used += size;
        }
        text[used] = '\0';
        (void)load_whole(text);
    }
}

/* The wrapped allocators fail once, on the n-th call. */
static unsigned long calls, failing_call;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *bytes, size_t size);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *bytes, size_t size);
char *__wrap_strdup(const char *text);

static int fails(void)
{
    return ++calls == failing_call;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *bytes, size_t size)
{
    return fails() ? NULL : __real_realloc(bytes, size);
}

char *__wrap_strdup(const char *text)
{
    return fails() ? NULL : __real_strdup(text);
}

/* Refused for want of memory, each time, until there is enough. */
static void fail_each_call(const char *text, enum weir_status in_the_end)
{
    enum weir_status status = WEIR_RETRY;

    for (unsigned long n = 1; status == WEIR_RETRY; n++) {
        struct topology *topology = NULL;
        struct topology_errors errors;
        const struct topology_source source = {
            .file = "/conf/t.yaml", .text = text, .overrides = overrides};

        calls = 0;
        failing_call = n;
        status = topology_load(&source, &fake_connectors, &topology, &errors);
        failing_call = 0;
        if (status != WEIR_OK)
            assert_null(topology);
        if (calls >= n)
            assert_int_equal(status, WEIR_RETRY);
        topology_destroy(topology);
        topology_errors_finish(&errors);
    }
    assert_int_equal(status, in_the_end);
}

static void memory_that_ends_anywhere_is_survived(void **state)
{
    (void)state;
    fail_each_call(whole, WEIR_OK);
    fail_each_call("name: t\nname: u\nfoo: ${WEIR_T_NOT_SET}\n", WEIR_REJECT);
    fail_each_call("name: t\nprocessors: { handler: { plugin: nowhere } }\n",
                   WEIR_REJECT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_truncation_is_read_or_refused),
        cmocka_unit_test(random_damage_is_read_or_refused),
        cmocka_unit_test(lines_in_any_order_are_read_or_refused),
        cmocka_unit_test(memory_that_ends_anywhere_is_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
