/*
 * value_test.c - numbers with units, words that are near, and the machine.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "machine.h"
#include "suggest.h"
#include "test.h"
#include "value.h"
#include "wordlist.h"

static void durations_are_microseconds(void **state)
{
    static const struct {
        const char *text;
        int64_t us;
    } cases[] = {
        {"0s", 0},         {"7us", 7},
        {"200ms", 200000}, {"5s", 5000000},
        {"1.5s", 1500000}, {"0.000001s", 1},
        {"2m", 120000000}, {"1h", INT64_C(3600000000)},
        {"1.5us", 1},      {"1d", INT64_C(86400000000)},
        {"0.5ms", 500},    {"1.0000019s", 1000001},
    };
    int64_t us;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_null(value_duration(cases[i].text, &us));
        assert_int_equal(us, cases[i].us);
    }
}

static void what_is_no_duration_says_why(void **state)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"", "is not a duration"},
        {"s", "is not a duration"},
        {"-5s", "is not a duration"},
        {"1.s", "is not a duration"},
        {"5", "has no unit"},
        {"5 s", "has a unit that is not known"},
        {"5sec", "has a unit that is"},
        {"5s ", "has a unit that is not known"},
        {"999999999999999999d", "is too large"},
        {"99999999999999999999999s", "is too large"},
    };
    int64_t us;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *why = value_duration(cases[i].text, &us);

        assert_non_null(why);
        assert_memory_equal(why, cases[i].why, strlen(cases[i].why));
    }
}

static void sizes_are_bytes(void **state)
{
    int64_t bytes;

    (void)state;
    assert_null(value_size("5B", &bytes));
    assert_int_equal(bytes, 5);
    assert_null(value_size("64KiB", &bytes));
    assert_int_equal(bytes, 65536);
    assert_null(value_size("1.5MiB", &bytes));
    assert_int_equal(bytes, 1572864);
    assert_null(value_size("2GB", &bytes));
    assert_int_equal(bytes, 2000000000);
    assert_non_null(value_size("5", &bytes));
    assert_non_null(value_size("5kib", &bytes));
    assert_non_null(value_size("KiB", &bytes));
    assert_non_null(value_size("9999999999999GiB", &bytes));
}

static void whole_numbers_are_whole(void **state)
{
    int64_t value;

    (void)state;
    assert_null(value_int("-12", &value));
    assert_int_equal(value, -12);
    assert_null(value_int("9223372036854775807", &value));
    assert_int_equal(value, INT64_MAX);
    assert_non_null(value_int("9223372036854775808", &value));
    assert_non_null(value_int("1.5", &value));
    assert_non_null(value_int("0x10", &value));
    assert_non_null(value_int("+1", &value));
    assert_non_null(value_int(" 1", &value));
    assert_non_null(value_int("", &value));
    assert_non_null(value_int("-", &value));
}

static void numbers_are_written_in_their_largest_unit(void **state)
{
    char text[32];

    (void)state;
    value_duration_format(1500000, text, sizeof text);
    assert_string_equal(text, "1500ms");
    value_duration_format(60000000, text, sizeof text);
    assert_string_equal(text, "1m");
    value_duration_format(0, text, sizeof text);
    assert_string_equal(text, "0us");
    value_size_format(65536, text, sizeof text);
    assert_string_equal(text, "64KiB");
    value_size_format(1000, text, sizeof text);
    assert_string_equal(text, "1000B");
}

static const char *nearest(const char *word)
{
    static const char *const words[] = {"batch_size", "batch_bytes", "sink",
                                        "concurrency", "id"};
    struct suggestion suggestion = {.word = word};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        suggestion_offer(&suggestion, words[i]);
    return suggestion.best ? suggestion.best : "";
}

static void the_nearest_word_is_suggested(void **state)
{
    char long_word[200];

    (void)state;
    assert_string_equal(nearest("batchsize"), "batch_size");
    assert_string_equal(nearest("btach_bytes"), "batch_bytes");
    assert_string_equal(nearest("snik"), "sink");
    assert_string_equal(nearest("concurency"), "concurrency");
    assert_string_equal(nearest("x"), "");
    assert_string_equal(nearest(""), "");
    assert_string_equal(nearest("table"), "");
    memset(long_word, 'a', sizeof long_word - 1);
    long_word[sizeof long_word - 1] = '\0';
    assert_string_equal(nearest(long_word), "");
}

static void lists_of_words_are_cut_off_where_they_end(void **state)
{
    char text[8] = "";

    (void)state;
    wordlist_append(text, sizeof text, WEIR_STR("ab"));
    wordlist_append(text, sizeof text, WEIR_STR("cd"));
    assert_string_equal(text, "ab, cd");
    wordlist_append(text, sizeof text, WEIR_STR("ef"));
    assert_string_equal(text, "ab, cd,");
    assert_true(wordlist_has("a|bc", "bc"));
    assert_false(wordlist_has("a|bc", "b"));
    assert_false(wordlist_has(NULL, "b"));
}

struct machine {
    char root[64];
};

static void write_below(const struct machine *machine, const char *name,
                        const char *text)
{
    char path[256];
    FILE *file;

    (void)snprintf(path, sizeof path, "%s%s", machine->root, name);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* Deepest last; removed in the other order. */
static const char *const folders[] = {
    "/proc",
    "/proc/self",
    "/sys",
    "/sys/fs",
    "/sys/fs/cgroup",
    "/sys/fs/cgroup/a",
    "/sys/fs/cgroup/a/b",
    "/sys/fs/cgroup/memory",
    "/sys/fs/cgroup/memory/j",
};
enum { FOLDER_COUNT = sizeof folders / sizeof folders[0] };

static const char *const files[] = {
    "/proc/self/cgroup",
    "/sys/fs/cgroup/memory.max",
    "/sys/fs/cgroup/a/memory.max",
    "/sys/fs/cgroup/a/b/memory.max",
    "/sys/fs/cgroup/memory/memory.limit_in_bytes",
    "/sys/fs/cgroup/memory/j/memory.limit_in_bytes",
};

static int setup(void **state)
{
    static struct machine machine;
    char path[256];

    (void)snprintf(machine.root, sizeof machine.root, "/tmp/weir_root_XXXXXX");
    assert_non_null(mkdtemp(machine.root));
    for (size_t i = 0; i < FOLDER_COUNT; i++) {
        (void)snprintf(path, sizeof path, "%s%s", machine.root, folders[i]);
        assert_int_equal(mkdir(path, 0700), 0);
    }
    *state = &machine;
    return 0;
}

static int teardown(void **state)
{
    const struct machine *machine = *state;
    char path[256];

    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        (void)snprintf(path, sizeof path, "%s%s", machine->root, files[i]);
        (void)remove(path);
    }
    for (size_t i = FOLDER_COUNT; i > 0; i--) {
        (void)snprintf(path, sizeof path, "%s%s", machine->root,
                       folders[i - 1]);
        assert_int_equal(rmdir(path), 0);
    }
    return rmdir(machine->root);
}

enum { MIB = 1024 * 1024 };

static void memory_is_half_of_the_smallest_limit_above_us(void **state)
{
    const struct machine *machine = *state;

    write_below(machine, "/proc/self/cgroup", "0::/a/b\n");
    write_below(machine, "/sys/fs/cgroup/a/b/memory.max", "max\n");
    write_below(machine, "/sys/fs/cgroup/a/memory.max", "134217728\n");
    assert_int_equal(machine_memory(machine->root), 64 * MIB);
    write_below(machine, "/sys/fs/cgroup/memory.max", "67108864\n");
    assert_int_equal(machine_memory(machine->root), 32 * MIB);
}

static void a_container_sees_its_limit_at_the_mount(void **state)
{
    const struct machine *machine = *state;

    write_below(machine, "/proc/self/cgroup", "0::/\n");
    write_below(machine, "/sys/fs/cgroup/memory.max", "67108864\n");
    assert_int_equal(machine_memory(machine->root), 32 * MIB);
}

static void the_first_version_of_cgroups_is_read_too(void **state)
{
    const struct machine *machine = *state;

    write_below(machine, "/proc/self/cgroup",
                "9:cpu,cpuacct:/j\n5:memory:/j\n");
    write_below(machine, "/sys/fs/cgroup/memory/memory.limit_in_bytes",
                "9223372036854771712\n");
    assert_int_equal(machine_memory(machine->root), 256 * MIB);
    write_below(machine, "/sys/fs/cgroup/memory/j/memory.limit_in_bytes",
                "1073741824\n");
    assert_int_equal(machine_memory(machine->root), 512 * MIB);
}

static void without_a_limit_it_is_256_mebibytes(void **state)
{
    const struct machine *machine = *state;

    assert_int_equal(machine_memory(machine->root), 256 * MIB);
    write_below(machine, "/proc/self/cgroup", "nonsense\n0::/a\n");
    assert_int_equal(machine_memory(machine->root), 256 * MIB);
    assert_true(machine_cores() >= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_are_microseconds),
        cmocka_unit_test(what_is_no_duration_says_why),
        cmocka_unit_test(sizes_are_bytes),
        cmocka_unit_test(whole_numbers_are_whole),
        cmocka_unit_test(numbers_are_written_in_their_largest_unit),
        cmocka_unit_test(the_nearest_word_is_suggested),
        cmocka_unit_test(lists_of_words_are_cut_off_where_they_end),
        TEST(memory_is_half_of_the_smallest_limit_above_us),
        TEST(a_container_sees_its_limit_at_the_mount),
        TEST(the_first_version_of_cgroups_is_read_too),
        TEST(without_a_limit_it_is_256_mebibytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
