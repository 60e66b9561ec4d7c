/*
 * arena_test.c - memory for changes: by hand, by worker, freed together.
 */
#include "test.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "failing_alloc.h"
#include "rig.h"

#define BYTES(text) ((struct weir_bytes){text, sizeof(text) - 1})

struct fixture {
    struct rig *rig;
    struct context context;
    struct weir_message *msg, *other; /* in a callback of one hand */
};

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    if (!fixture)
        return -1;
    fixture->rig = rig_create(WEIR_ORDERING_NONE);
    fixture->context.run = &fixture->rig->run;
    rig_begin(fixture->rig, 0);
    rig_offer(fixture->rig, 0, 1);
    fixture->msg = rig_take_one(fixture->rig);
    rig_offer(fixture->rig, 0, 1);
    fixture->other = rig_take_one(fixture->rig);
    fixture->msg->context = &fixture->context;
    fixture->other->context = &fixture->context;
    *state = fixture;
    return 0;
}

static void end_hand(struct context *context)
{
    if (context->arena)
        arena_release(context->arena, 1);
    context->arena = NULL;
}

/* The rig sees that no memory stays counted. */
static int teardown(void **state)
{
    struct fixture *fixture = *state;

    end_hand(&fixture->context);
    settle(&fixture->rig->settler, fixture->msg, ENDING_DONE);
    settle(&fixture->rig->settler, fixture->other, ENDING_DONE);
    rig_destroy(fixture->rig);
    free(fixture);
    return 0;
}

static void expect_bytes(struct weir_bytes have, struct weir_bytes want)
{
    assert_int_equal(have.size, want.size);
    assert_memory_equal(have.data, want.data, want.size);
}

/* ---- alone ---- */

static void pieces_are_aligned_apart_and_counted(void **state)
{
    struct budget budget = {.limit = SIZE_MAX};
    struct arena *arena = arena_create(&budget);
    char *pieces[1000];

    (void)state;
    assert_non_null(arena);
    for (size_t i = 0; i < 1000; i++) {
        pieces[i] = arena_alloc(arena, i);
        assert_non_null(pieces[i]);
        assert_int_equal((uintptr_t)pieces[i] % 8, 0);
        memset(pieces[i], (int)i, i);
    }
    for (size_t i = 1; i < 1000; i++) {
        assert_int_equal((unsigned char)pieces[i][0], i & 0xff);
        assert_int_equal((unsigned char)pieces[i][i - 1], i & 0xff);
    }
    assert_true(atomic_load(&budget.used) >= (size_t)999 * 1000 / 2);
    arena_release(arena, 1);
    assert_int_equal(atomic_load(&budget.used), 0);
}

static void the_last_reference_frees_all(void **state)
{
    struct budget budget = {.limit = SIZE_MAX};
    struct arena *arena = arena_create(&budget);

    (void)state;
    assert_non_null(arena);
    assert_non_null(arena_alloc(arena, 1));
    arena_hold(arena);
    arena_hold(arena);
    arena_release(arena, 2);
    assert_true(atomic_load(&budget.used) > 0);
    arena_release(arena, 1);
    assert_int_equal(atomic_load(&budget.used), 0);
}

static void sizes_beyond_all_memory_are_refused(void **state)
{
    struct budget budget = {.limit = SIZE_MAX};
    struct arena *arena = arena_create(&budget);

    (void)state;
    assert_non_null(arena);
    assert_null(arena_alloc(arena, SIZE_MAX));
    assert_null(arena_alloc(arena, SIZE_MAX - 6));
    assert_null(arena_alloc(arena, SIZE_MAX / 2));
    assert_non_null(arena_alloc(arena, 1));
    arena_release(arena, 1);
}

static void a_line_of_elders_is_freed_with_the_youngest(void **state)
{
    struct budget budget = {.limit = SIZE_MAX};
    struct arena *arena = arena_create(&budget);

    (void)state;
    assert_non_null(arena);
    for (int i = 0; i < 3000; i++) {
        struct arena *younger = arena_create(&budget);

        assert_non_null(younger);
        assert_true(arena_keep(younger, arena));
        arena = younger;
    }
    arena_release(arena, 1);
    assert_int_equal(atomic_load(&budget.used), 0);
}

/* ---- without memory ---- */

static void without_memory_nothing_is_kept_and_the_old_changes_stay(
    void **state)
{
    struct fixture *fixture = *state;
    struct context sink = {.run = &fixture->rig->run};
    struct weir_message *msg = fixture->msg;

    assert_int_equal(weir_message_set_payload(msg, BYTES("made")), WEIR_OK);
    msg->context = &sink;
    for (unsigned n = 1; n <= 2; n++) { /* the arena, then its block */
        failing_alloc_arm(n);
        assert_int_equal(weir_message_set_payload(msg, BYTES("new")),
                         WEIR_RETRY);
        assert_true(failing_alloc_disarm());
        assert_true(sink.is_out_of_memory);
        sink.is_out_of_memory = false;
        end_hand(&sink);
    }
    expect_bytes(weir_message_payload(msg), BYTES("made"));
}

/* Fails allocation 1, 2, 3, ... of all changes, until none fails. */
static void every_change_survives_running_out_of_memory(void **state)
{
    static char large[20000];
    const struct weir_bytes big = {large, sizeof large};
    struct fixture *fixture = *state;
    struct weir_message *msg = fixture->msg;
    bool has_failed = true;

    for (unsigned n = 1; has_failed; n++) {
        enum weir_status status;
        char *room;

        msg->changes = NULL;
        msg->reason = NULL;
        end_hand(&fixture->context);
        fixture->context.is_out_of_memory = false;
        failing_alloc_arm(n);
        status = weir_message_set_payload(msg, big);
        expect_bytes(weir_message_payload(msg),
                     status == WEIR_OK ? big : BYTES("0"));
        room = weir_message_reserve(msg, sizeof large);
        if (room)
            memset(room, 'r', sizeof large);
        weir_message_commit(msg, 5);
        weir_message_route(msg, "batcher");
        weir_message_set_batch_key(msg, big);
        weir_message_flush(msg);
        weir_message_settle_early(msg);
        status = weir_message_add_header(msg, "name", big);
        assert_int_equal(weir_message_header_count(msg), status == WEIR_OK);
        assert_int_equal(weir_message_retry_after(msg, 5), WEIR_RETRY);
        /* A reason without memory is a fixed one, and no cause to retry. */
        has_failed = failing_alloc_disarm();
        assert_int_equal(fixture->context.is_out_of_memory, has_failed);
        failing_alloc_arm(1);
        assert_int_equal(weir_message_reject(msg, "%900d", 1), WEIR_REJECT);
        (void)failing_alloc_disarm();
        assert_true(weir_message_reason(msg)[0] != '\0');
    }
}

/* ---- one message, several workers ---- */

static void an_arena_is_filled_by_its_own_worker_only(void **state)
{
    struct fixture *fixture = *state;
    struct context sink = {.run = &fixture->rig->run};
    struct weir_message *msg = fixture->msg;

    assert_int_equal(weir_message_set_payload(msg, BYTES("made")), WEIR_OK);
    weir_message_set_batch_key(msg, BYTES("key"));
    msg->context = &sink;
    assert_int_equal(weir_message_add_header(msg, "h", BYTES("v")), WEIR_OK);
    message_set_reason(msg, &sink, "late");
    assert_non_null(sink.arena);
    assert_ptr_equal(msg->arena, sink.arena);
    assert_ptr_not_equal(msg->arena, fixture->context.arena);
    end_hand(&fixture->context);

    /* What the first worker made is still there. */
    expect_bytes(weir_message_payload(msg), BYTES("made"));
    expect_bytes(weir_message_batch_key(msg), BYTES("key"));
    expect_bytes(weir_message_find_header(msg, "h"), BYTES("v"));
    assert_string_equal(weir_message_reason(msg), "late");
    end_hand(&sink);
}

enum { CHANGES = 2000 };

struct changer {
    struct context context;
    struct weir_message *msg;
    pthread_t thread;
};

static void *change_often(void *opaque)
{
    struct changer *changer = opaque;

    changer->msg->context = &changer->context;
    for (int i = 0; i < CHANGES; i++) {
        message_set_reason(changer->msg, &changer->context, "reason %d", i);
        weir_message_set_batch_key(changer->msg, BYTES("another key"));
    }
    end_hand(&changer->context);
    return NULL;
}

/* Two messages of one hand, with a sink worker each. */
static void neighbours_can_be_changed_by_two_threads_at_once(void **state)
{
    struct fixture *fixture = *state;
    struct weir_message *other = fixture->other;
    struct changer changers[2] = {
        {.context.run = &fixture->rig->run, .msg = fixture->msg},
        {.context.run = &fixture->rig->run, .msg = other}};

    weir_message_set_batch_key(fixture->msg, BYTES("key"));
    weir_message_set_batch_key(other, BYTES("key"));
    assert_ptr_equal(other->arena, fixture->msg->arena);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&changers[i].thread, NULL, change_often,
                                        &changers[i]),
                         0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_join(changers[i].thread, NULL), 0);
    for (int i = 0; i < 2; i++) {
        assert_string_equal(weir_message_reason(changers[i].msg),
                            "reason 1999");
        expect_bytes(weir_message_batch_key(changers[i].msg),
                     BYTES("another key"));
    }
}

/* A message that is tried again and again, with a new arena each time. */
static void attempts_do_not_pile_up_arenas(void **state)
{
    struct fixture *fixture = *state;
    struct weir_message *msg = fixture->msg;
    size_t used = 0;

    for (int i = 0; i < 3; i++) {
        if (i == 1)
            used = atomic_load(&fixture->rig->run.budget.used);
        message_forget_changes(msg);
        msg->reason = NULL;
        assert_int_equal(weir_message_reject(msg, "again"), WEIR_REJECT);
        weir_message_set_batch_key(msg, BYTES("key"));
        end_hand(&fixture->context);
    }
    assert_int_equal(atomic_load(&fixture->rig->run.budget.used), used);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(pieces_are_aligned_apart_and_counted),
        TEST(the_last_reference_frees_all),
        TEST(sizes_beyond_all_memory_are_refused),
        TEST(a_line_of_elders_is_freed_with_the_youngest),
        TEST(without_memory_nothing_is_kept_and_the_old_changes_stay),
        TEST(every_change_survives_running_out_of_memory),
        TEST(an_arena_is_filled_by_its_own_worker_only),
        TEST(neighbours_can_be_changed_by_two_threads_at_once),
        TEST(attempts_do_not_pile_up_arenas),
    };

    return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
