/*
 * kit_test.c - where `weir cc` finds headers, seen from where the library is.
 */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kit.h"

static void make_folder(const char *root, const char *name)
{
    char path[512];

    (void)snprintf(path, sizeof path, "%s/%s", root, name);
    assert_int_equal(mkdir(path, 0755), 0);
}

static void make_file(const char *root, const char *name, const char *text)
{
    char path[512];
    FILE *out;

    (void)snprintf(path, sizeof path, "%s/%s", root, name);
    out = fopen(path, "w");
    assert_non_null(out);
    assert_true(fputs(text, out) >= 0);
    assert_int_equal(fclose(out), 0);
}

static int setup(void **state)
{
    char *root = strdup("/tmp/weir-kit-test-XXXXXX");

    *state = root;
    if (!root || !mkdtemp(root))
        return -1;
    make_folder(root, "include");
    make_folder(root, "include/weir");
    make_folder(root, "lib");
    make_folder(root, "lib/x86_64-linux-gnu");
    make_folder(root, "build");
    make_folder(root, "build/dev");
    make_folder(root, "build/dev/cli");
    make_file(root, "include/weir/handler.h", "");
    return 0;
}

static int teardown(void **state)
{
    char command[512];

    (void)snprintf(command, sizeof command, "rm -rf '%s'", (char *)*state);
    (void)!system(command);
    free(*state);
    return 0;
}

static void assert_finds(const char *root, const char *library)
{
    struct kit kit;
    char path[512], include[512];

    make_file(root, library, "");
    (void)snprintf(path, sizeof path, "%s/%s", root, library);
    (void)snprintf(include, sizeof include, "%s/include", root);
    assert_int_equal(kit_find_near(path, &kit, NULL), WEIR_OK);
    assert_string_equal(kit.include, include);
    assert_string_equal(kit.library, path);
}

static void an_installed_library_has_its_headers_beside_it(void **state)
{
    assert_finds(*state, "lib/libweir.so.0");
}

static void so_has_one_in_a_folder_of_its_architecture(void **state)
{
    assert_finds(*state, "lib/x86_64-linux-gnu/libweir.so.0");
}

static void a_build_tree_names_its_headers_in_a_file(void **state)
{
    char line[512];

    (void)snprintf(line, sizeof line, "%s/include\n", (char *)*state);
    make_file(*state, "build/dev/cli/weir.include", line);
    assert_finds(*state, "build/dev/cli/libweir.so.0");
}

static void without_headers_it_says_where_it_looked(void **state)
{
    struct weir_error err = {0};
    struct kit kit;
    char path[512];

    make_file(*state, "build/dev/cli/libweir.so", "");
    (void)snprintf(path, sizeof path, "%s/build/dev/cli/libweir.so",
                   (char *)*state);
    assert_int_equal(kit_find_near(path, &kit, &err), WEIR_REJECT);
    assert_non_null(strstr(err.text, "build/dev/cli"));
}

static void a_program_that_holds_all_of_weir_needs_no_library(void **state)
{
    struct kit kit;
    char path[512];

    make_file(*state, "lib/weir", "");
    (void)snprintf(path, sizeof path, "%s/lib/weir", (char *)*state);
    assert_int_equal(kit_find_near(path, &kit, NULL), WEIR_OK);
    assert_string_equal(kit.library, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_installed_library_has_its_headers_beside_it),
        TEST(so_has_one_in_a_folder_of_its_architecture),
        TEST(a_build_tree_names_its_headers_in_a_file),
        TEST(without_headers_it_says_where_it_looked),
        TEST(a_program_that_holds_all_of_weir_needs_no_library),
    };
    return cmocka_run_group_tests_name("kit", tests, NULL, NULL);
}
