/*
 * batch_test.c - every message of a batch gets one outcome.
 */
#include "test.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "batch.h"
#include "failing_alloc.h"
#include "rig.h"

enum { COUNT = 10 };

struct fixture {
    struct rig *rig;
    struct weir_batch *batch;
    struct weir_message *messages[COUNT];
};

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    if (!fixture)
        return -1;
    *state = fixture;
    fixture->rig = rig_create(WEIR_ORDERING_NONE);
    fixture->rig->run.is_strict = false;
    rig_begin(fixture->rig, 0);
    fixture->batch = batch_create(&fixture->rig->run, "orders",
                                  (struct weir_bytes){"k\0y", 3}, 2);
    if (!fixture->batch)
        return -1;
    for (int i = 0; i < COUNT; i++) {
        rig_offer(fixture->rig, 0, 1);
        fixture->messages[i] = rig_take_one(fixture->rig);
        if (batch_add(fixture->batch, fixture->messages[i]) != WEIR_OK)
            return -1;
    }
    return batch_begin(fixture->batch) == WEIR_OK ? 0 : -1;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    batch_destroy(fixture->batch);
    for (int i = 0; i < COUNT; i++)
        settle(&fixture->rig->settler, fixture->messages[i], ENDING_DONE);
    rig_destroy(fixture->rig);
    free(fixture);
    return 0;
}

static struct weir_batch *batch_in(void **state)
{
    return ((struct fixture *)*state)->batch;
}

static uint64_t refused(void **state)
{
    struct fixture *fixture = *state;

    return counter_get(&fixture->rig->run.counters.refused_settlements);
}

static void a_batch_shows_its_messages_its_key_and_its_batcher(void **state)
{
    struct fixture *fixture = *state;
    struct weir_batch *batch = fixture->batch;

    assert_int_equal(weir_batch_count(batch), COUNT);
    for (size_t i = 0; i < COUNT; i++)
        assert_ptr_equal(weir_batch_message(batch, i), fixture->messages[i]);
    assert_int_equal(weir_batch_key(batch).size, 3);
    assert_memory_equal(weir_batch_key(batch).data, "k\0y", 3);
    assert_string_equal(weir_batch_batcher(batch), "orders");
    assert_int_equal(batch->worker, 2);
    assert_int_equal(batch->mail.count, COUNT);
}

static void absent_and_empty_keys_differ(void **state)
{
    struct fixture *fixture = *state;
    struct run *run = &fixture->rig->run;
    struct weir_batch *batch =
        batch_create(run, "b", (struct weir_bytes){NULL, 0}, 0);

    assert_non_null(batch);
    assert_null(weir_batch_key(batch).data);
    batch_destroy(batch);
    batch = batch_create(run, "b", (struct weir_bytes){"", 0}, 0);
    assert_non_null(batch);
    assert_non_null(weir_batch_key(batch).data);
    assert_int_equal(weir_batch_key(batch).size, 0);
    batch_destroy(batch);
    batch_destroy(NULL);
}

static void outcomes_come_by_ranges_in_any_order(void **state)
{
    struct weir_batch *batch = batch_in(state);
    char reason[] = "bad";

    assert_int_equal(batch->missing, COUNT);
    weir_batch_set_outcome(batch, 7, 3, WEIR_REJECT, reason);
    reason[0] = '!'; /* it was copied */
    weir_batch_set_outcome(batch, 0, 0, WEIR_OK, NULL);
    assert_int_equal(batch->missing, 7);
    assert_int_equal(batch_outcome(batch, 6), WEIR_STATUS_COUNT);
    weir_batch_set_outcome(batch, 0, 6, WEIR_OK, "not kept");
    weir_batch_set_outcome(batch, 6, 1, WEIR_RETRY, NULL);
    assert_int_equal(batch->missing, 0);
    assert_int_equal(batch_outcome(batch, 0), WEIR_OK);
    assert_null(batch->why[0]);
    assert_int_equal(batch_outcome(batch, 6), WEIR_RETRY);
    for (uint32_t i = 7; i < COUNT; i++) {
        assert_int_equal(batch_outcome(batch, i), WEIR_REJECT);
        assert_string_equal(batch->why[i], "bad");
    }
    assert_int_equal(refused(state), 0);
}

static void a_second_outcome_is_refused_and_counted(void **state)
{
    struct weir_batch *batch = batch_in(state);

    weir_batch_set_outcome(batch, 2, 3, WEIR_REJECT, "first");
    weir_batch_set_outcome(batch, 0, COUNT, WEIR_OK, NULL);
    assert_int_equal(refused(state), 3);
    assert_int_equal(batch->missing, 0);
    assert_int_equal(batch_outcome(batch, 3), WEIR_REJECT);
    assert_int_equal(batch_outcome(batch, 5), WEIR_OK);
    weir_batch_set_outcome(batch, 0, 1, WEIR_RETRY, NULL);
    assert_int_equal(refused(state), 4);
    assert_int_equal(batch_outcome(batch, 0), WEIR_OK);
}

static void outcomes_beyond_the_batch_are_refused_whole(void **state)
{
    struct weir_batch *batch = batch_in(state);

    weir_batch_set_outcome(batch, 0, COUNT + 1, WEIR_OK, NULL);
    weir_batch_set_outcome(batch, COUNT, 1, WEIR_OK, NULL);
    weir_batch_set_outcome(batch, COUNT + 1, 0, WEIR_OK, NULL);
    weir_batch_set_outcome(batch, 1, SIZE_MAX, WEIR_OK, NULL);
    weir_batch_set_outcome(batch, SIZE_MAX, 2, WEIR_OK, NULL);
    assert_int_equal(refused(state), 5);
    assert_int_equal(batch->missing, COUNT);
}

static void an_outcome_without_a_batch_under_way_is_refused(void **state)
{
    struct weir_batch *batch = batch_in(state);
    bool keep[COUNT] = {true};

    batch_keep(batch, keep);
    weir_batch_set_outcome(batch, 0, 1, WEIR_OK, NULL);
    assert_int_equal(refused(state), 1);
}

static void an_outcome_that_is_no_answer_is_a_rejection(void **state)
{
    static const int nonsense[] = {-1, WEIR_STATUS_COUNT, 255, 256, 1000};
    struct weir_batch *batch = batch_in(state);

    for (uint32_t i = 0; i < 5; i++) {
        weir_batch_set_outcome(batch, i, 1, (enum weir_status)nonsense[i],
                               NULL);
        assert_int_equal(batch->missing, COUNT - i - 1);
        assert_int_equal(batch_outcome(batch, i), WEIR_REJECT);
        assert_non_null(batch->why[i]);
        weir_batch_set_outcome(batch, i, 1, WEIR_OK, NULL);
        assert_int_equal(refused(state), i + 1);
    }
}

/* In a process of its own, without a core. */
static void a_second_outcome_aborts_where_it_is_strict(void **state)
{
    struct fixture *fixture = *state;
    int how = 0;
    const pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        const struct rlimit none = {0, 0};

        (void)setrlimit(RLIMIT_CORE, &none);
        (void)signal(SIGABRT, SIG_DFL);
        (void)close(STDERR_FILENO);
        fixture->rig->run.is_strict = true;
        weir_batch_set_outcome(fixture->batch, 0, 1, WEIR_OK, NULL);
        weir_batch_set_outcome(fixture->batch, 0, 1, WEIR_OK, NULL);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFSIGNALED(how));
    assert_int_equal(WTERMSIG(how), SIGABRT);
}

static void what_is_kept_begins_anew(void **state)
{
    struct fixture *fixture = *state;
    struct weir_batch *batch = fixture->batch;
    bool keep[COUNT] = {false};

    weir_batch_set_outcome(batch, 0, COUNT, WEIR_REJECT, "why");
    keep[3] = keep[9] = true;
    batch_keep(batch, keep);
    assert_int_equal(weir_batch_count(batch), 2);
    assert_int_equal(batch->mail.count, 2);
    assert_ptr_equal(weir_batch_message(batch, 0), fixture->messages[3]);
    assert_ptr_equal(weir_batch_message(batch, 1), fixture->messages[9]);
    assert_int_equal(batch_begin(batch), WEIR_OK);
    assert_int_equal(batch->missing, 2);
    assert_int_equal(batch_outcome(batch, 0), WEIR_STATUS_COUNT);
}

/* ---- without memory ---- */

static void without_memory_a_batch_is_not_made_or_stays_as_it_was(void **state)
{
    struct fixture *fixture = *state;
    struct weir_batch *batch;

    failing_alloc_arm(1);
    assert_null(
        batch_create(&fixture->rig->run, "b", (struct weir_bytes){"k", 1}, 0));
    assert_true(failing_alloc_disarm());

    batch = batch_create(&fixture->rig->run, "b", (struct weir_bytes){0}, 0);
    assert_non_null(batch);
    for (uint32_t i = 0; i < 200; i++) {
        failing_alloc_arm(1);
        if (batch_add(batch, fixture->messages[0]) != WEIR_OK) {
            assert_true(failing_alloc_disarm());
            assert_int_equal(weir_batch_count(batch), i);
            assert_int_equal(batch_add(batch, fixture->messages[0]), WEIR_OK);
        }
        (void)failing_alloc_disarm();
        assert_int_equal(batch->mail.count, i + 1);
    }
    for (unsigned n = 1; n <= 2; n++) {
        failing_alloc_arm(n);
        assert_int_equal(batch_begin(batch), WEIR_RETRY);
        assert_true(failing_alloc_disarm());
    }
    assert_int_equal(batch_begin(batch), WEIR_OK);
    batch_destroy(batch);
}

static void without_memory_an_outcome_counts_and_its_text_does_not(void **state)
{
    struct weir_batch *batch = batch_in(state);

    failing_alloc_arm(1);
    weir_batch_set_outcome(batch, 0, COUNT, WEIR_REJECT, "why");
    assert_true(failing_alloc_disarm());
    assert_int_equal(batch->missing, 0);
    assert_int_equal(batch_outcome(batch, 0), WEIR_REJECT);
    assert_null(batch->why[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_batch_shows_its_messages_its_key_and_its_batcher),
        TEST(absent_and_empty_keys_differ),
        TEST(outcomes_come_by_ranges_in_any_order),
        TEST(a_second_outcome_is_refused_and_counted),
        TEST(outcomes_beyond_the_batch_are_refused_whole),
        TEST(an_outcome_without_a_batch_under_way_is_refused),
        TEST(an_outcome_that_is_no_answer_is_a_rejection),
        TEST(a_second_outcome_aborts_where_it_is_strict),
        TEST(what_is_kept_begins_anew),
        TEST(without_memory_a_batch_is_not_made_or_stays_as_it_was),
        TEST(without_memory_an_outcome_counts_and_its_text_does_not),
    };

    return cmocka_run_group_tests_name("batch", tests, NULL, NULL);
}
