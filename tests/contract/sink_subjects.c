/*
 * sink_subjects.c - the sink connectors, each with somewhere to write.
 */
#include "sink_subjects.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collecting_sink.h"
#include "discard_sink.h"
#include "file_sink.h"
#include "scripted_sink.h"
#include "stdout_sink.h"
#include "test.h"
#include "test_settings.h"

enum { PATH_SIZE = 64, BLOCK_SIZE = 512 };

static void *prepare_discard(struct weir_settings *settings)
{
    return settings;
}

static void finish_discard(void *prepared)
{
    (void)prepared;
}

struct folder {
    char name[PATH_SIZE], path[PATH_SIZE + 8];
};

static void *prepare_file(struct weir_settings *settings)
{
    struct folder *const folder = calloc(1, sizeof *folder);

    assert_non_null(folder);
    strcpy(folder->name, "/tmp/weir_contract_XXXXXX");
    assert_non_null(mkdtemp(folder->name));
    (void)snprintf(folder->path, sizeof folder->path, "%s/out", folder->name);
    test_settings_set(settings, "path", folder->path);
    return folder;
}

static void finish_file(void *prepared)
{
    struct folder *const folder = prepared;

    (void)unlink(folder->path);
    assert_int_equal(rmdir(folder->name), 0);
    free(folder);
}

static void spoil_file(struct weir_settings *settings, void *prepared)
{
    (void)prepared;
    test_settings_set(settings, "path", "/no/such/folder/out");
}

/* Standard output is a pipe whose other end reads all the time. */
struct pipe_output {
    int saved, end;
    pthread_t reader;
};

static void *read_all(void *opaque)
{
    const struct pipe_output *const output = opaque;
    char block[BLOCK_SIZE];

    while (read(output->end, block, sizeof block) > 0)
        continue;
    return NULL;
}

static void *prepare_stdout(struct weir_settings *settings)
{
    struct pipe_output *const output = malloc(sizeof *output);
    int ends[2];

    (void)settings;
    assert_non_null(output);
    (void)fflush(stdout);
    output->saved = dup(STDOUT_FILENO);
    assert_true(output->saved >= 0);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(dup2(ends[1], STDOUT_FILENO), STDOUT_FILENO);
    close(ends[1]);
    output->end = ends[0];
    assert_int_equal(pthread_create(&output->reader, NULL, read_all, output),
                     0);
    return output;
}

static void finish_stdout(void *prepared)
{
    struct pipe_output *const output = prepared;

    assert_int_equal(dup2(output->saved, STDOUT_FILENO), STDOUT_FILENO);
    close(output->saved);
    assert_int_equal(pthread_join(output->reader, NULL), 0);
    close(output->end);
    free(output);
}

static void spoil_stdout(struct weir_settings *settings, void *prepared)
{
    (void)settings;
    (void)prepared;
    close(STDOUT_FILENO);
}

static void *prepare_collecting(struct weir_settings *settings)
{
    struct collection *const collection = collection_create();

    test_settings_set(settings, "into", collection_handle(collection));
    return collection;
}

static void finish_collecting(void *prepared)
{
    collection_destroy(prepared);
}

static void *prepare_scripted(struct weir_settings *settings)
{
    struct sink_script *const script = sink_script_create();

    test_settings_set(settings, "script", sink_script_handle(script));
    return script;
}

static void *prepare_late(struct weir_settings *settings)
{
    struct sink_script *const script = prepare_scripted(settings);

    sink_script_set_late(script, false);
    return script;
}

static void finish_scripted(void *prepared)
{
    sink_script_destroy(prepared);
}

static void spoil_scripted(struct weir_settings *settings, void *prepared)
{
    (void)settings;
    sink_script_open(prepared, WEIR_RETRY, 1);
}

const struct sink_subject sink_subjects[] = {
    {.name = "discard",
     .ops = &weir_discard_sink,
     .prepare = prepare_discard,
     .finish = finish_discard},
    {.name = "file",
     .ops = &weir_file_sink,
     .prepare = prepare_file,
     .finish = finish_file,
     .spoil = spoil_file},
    {.name = "stdout",
     .ops = &weir_stdout_sink,
     .prepare = prepare_stdout,
     .finish = finish_stdout,
     .spoil = spoil_stdout},
    {.name = "collecting",
     .ops = &collecting_sink,
     .prepare = prepare_collecting,
     .finish = finish_collecting},
    {.name = "scripted",
     .ops = &scripted_sink,
     .prepare = prepare_scripted,
     .finish = finish_scripted,
     .spoil = spoil_scripted},
    {.name = "scripted, late",
     .ops = &scripted_sink,
     .prepare = prepare_late,
     .finish = finish_scripted,
     .spoil = spoil_scripted},
    {.name = "scripted, ordered and late",
     .ops = &scripted_ordered_sink,
     .prepare = prepare_late,
     .finish = finish_scripted,
     .spoil = spoil_scripted},
    {0},
};
