/*
 * producer_subjects.c - the producer connectors, each with something to read.
 */
#include "producer_subjects.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "generator.h"
#include "scripted_producer.h"
#include "stdin_producer.h"
#include "test.h"
#include "test_settings.h"

enum { NUMBER_SIZE = 24 };

static void *prepare_generator(struct weir_settings *settings, size_t count)
{
    char number[NUMBER_SIZE];

    (void)snprintf(number, sizeof number, "%zu", count);
    test_settings_set(settings, "count", number);
    return settings;
}

static void finish_generator(void *prepared)
{
    (void)prepared;
}

static void spoil_generator(struct weir_settings *settings, void *prepared)
{
    (void)prepared;
    test_settings_set(settings, "template", "%{");
}

/* Standard input is the reading end of a pipe with `count` lines in it. */
struct pipe_input {
    int saved;
};

static void *prepare_stdin(struct weir_settings *settings, size_t count)
{
    struct pipe_input *const input = malloc(sizeof *input);
    int ends[2];

    (void)settings;
    assert_non_null(input);
    input->saved = dup(STDIN_FILENO);
    assert_int_equal(pipe(ends), 0);
    for (size_t i = 0; i < count; i++)
        assert_true(dprintf(ends[1], "line %zu\n", i) > 0);
    close(ends[1]);
    assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    close(ends[0]);
    return input;
}

static void finish_stdin(void *prepared)
{
    struct pipe_input *const input = prepared;

    close(STDIN_FILENO);
    if (input->saved >= 0) {
        assert_int_equal(dup2(input->saved, STDIN_FILENO), STDIN_FILENO);
        close(input->saved);
    }
    free(input);
}

static void spoil_stdin(struct weir_settings *settings, void *prepared)
{
    (void)settings;
    (void)prepared;
    close(STDIN_FILENO);
}

static void *prepare_scripted(struct weir_settings *settings, size_t count)
{
    struct producer_script *const script = producer_script_create();

    producer_script_begin(script, 0, "first", 0);
    producer_script_begin(script, 1, "second", 1);
    producer_script_add_many(script, 0, (unsigned)(count / 2));
    producer_script_add_many(script, 1, (unsigned)(count - count / 2));
    test_settings_set(settings, "script", producer_script_handle(script));
    return script;
}

static void finish_scripted(void *prepared)
{
    producer_script_destroy(prepared);
}

const struct producer_subject producer_subjects[] = {
    {.ops = &weir_generator_producer,
     .prepare = prepare_generator,
     .finish = finish_generator,
     .spoil = spoil_generator},
    {.ops = &weir_stdin_producer,
     .prepare = prepare_stdin,
     .finish = finish_stdin,
     .spoil = spoil_stdin},
    {.ops = &scripted_producer,
     .prepare = prepare_scripted,
     .finish = finish_scripted},
    {0},
};
