/*
 * top_view_test.c - what `weir top` shows, without a terminal.
 */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "top_view.h"

struct fixture {
    struct top_before before;
    char *said;
};

static int setup(void **state)
{
    *state = calloc(1, sizeof(struct fixture));
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    free(fixture->said);
    free(fixture);
    return 0;
}

/* Single quotes stand for double ones. */
static json_t *parse(const char *quoted)
{
    char text[2048];
    json_t *json;

    assert_true(strlen(quoted) < sizeof text);
    for (size_t i = 0; i <= strlen(quoted); i++)
        text[i] = (char)(quoted[i] == '\'' ? '"' : quoted[i]);
    json = json_loads(text, 0, NULL);
    assert_non_null(json);
    return json;
}

static const char *shown(struct fixture *fixture, const char *page,
                         const char *ledger, int64_t at_us)
{
    json_t *const one = parse(page), *const other = parse(ledger);
    size_t size = 0;
    FILE *out;

    free(fixture->said);
    fixture->said = NULL;
    out = open_memstream(&fixture->said, &size);
    assert_non_null(out);
    top_view(one, other, at_us, &fixture->before, out);
    assert_int_equal(fclose(out), 0);
    json_decref(one);
    json_decref(other);
    return fixture->said;
}

static void assert_shows(const char *said, const char *text)
{
    if (!strstr(said, text))
        fail_msg("'%s' is not in:\n%s", text, said);
}

static void rates_are_those_since_the_last_look(void **state)
{
    const char *page = "{'pipeline':'orders'}";

    assert_shows(
        shown(*state, page, "{'received':5000,'done':4000}", CLOCK_SECOND_US),
        "orders  received 0/s  done 0/s  rejected 0/s\n");
    assert_shows(shown(*state, page, "{'received':7000,'done':4500}",
                       3 * CLOCK_SECOND_US),
                 "orders  received 1,000/s  done 250/s  rejected 0/s\n");
    /* It was started anew in between. */
    assert_shows(shown(*state, page, "{'received':10}", 4 * CLOCK_SECOND_US),
                 "orders  received 0/s");
}

static void a_source_says_what_holds_it(void **state)
{
    const char *said = shown(
        *state,
        "{'sources':[{'name':'orders','partition':2,'committed':41,"
        "'position':130,'lag':9,'open':3,'hold':'window','oldest':{"
        "'position':41,'where':'sink','batcher':'audit','oldest_ms':125000}}]}",
        "{}", 1);

    assert_shows(said, "orders[2] ");
    assert_shows(said, "  41 sink audit 2 min 5 s (not read: window)\n");
}

static void a_name_that_is_too_long_is_cut_off(void **state)
{
    assert_shows(shown(*state,
                       "{'sources':[{'name':'abcdefghijklmnopqrstuvwxyz01234567"
                       "','partition':null}]}",
                       "{}", 1),
                 "\nabcdefghijklmnopqrstuvwxy...            -");
}

static void a_worker_says_what_it_is_at(void **state)
{
    const char *said = shown(
        *state,
        "{'workers':[{'stage':'processors','index':1,'in_hand':4,'callback':{"
        "'name':'orders','partition':2,'position':41,'for_ms':61000}},"
        "{'stage':'sink','batcher':'audit','index':0,'down_ms':9000,"
        "'trouble':'no\\nroute'}]}",
        "{}", 1);

    assert_shows(said, "4  orders[2]@41 for 1 min 1 s\n");
    assert_shows(said, "0  down for 9 s: no\\nroute\n");
}

static void what_failed_last_comes_with_its_reason(void **state)
{
    assert_shows(shown(*state,
                       "{'failures':[{'name':'jobs','partition':null,"
                       "'position':7,'code':'rejected','reason':'too old'}]}",
                       "{}", 1),
                 "failed last\njobs#7 (rejected): too old\n");
}

static void where_the_file_says_something_else_it_is_said(void **state)
{
    struct fixture *fixture = *state;

    assert_shows(shown(fixture,
                       "{'reload': {'generation': 3, 'last': {'result': "
                       "'refused', 'why': 'no such file'}}}",
                       "{}", 1),
                 "\nthe last reload was refused: no such file\n");
    assert_shows(shown(fixture,
                       "{'reload': {'generation': 3, 'last': {'result': "
                       "'applied', 'needs_restart_count': 2}}}",
                       "{}", 2),
                 "\n2 keys of the file need a restart\n");
    assert_null(strstr(shown(fixture,
                             "{'reload': {'generation': 3, 'last': {'result': "
                             "'applied', 'needs_restart_count': 0}}}",
                             "{}", 3),
                       "restart"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rates_are_those_since_the_last_look),
        TEST(a_source_says_what_holds_it),
        TEST(a_name_that_is_too_long_is_cut_off),
        TEST(a_worker_says_what_it_is_at),
        TEST(what_failed_last_comes_with_its_reason),
        TEST(where_the_file_says_something_else_it_is_said),
    };
    return cmocka_run_group_tests_name("top_view", tests, NULL, NULL);
}
