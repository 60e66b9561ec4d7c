/*
 * producer_script.c - the steps of a scripted source, and what came of them.
 *
 * Threads: steps are added before the run; all else takes the script's lock.
 */
#include "producer_script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "invariant.h"

struct producer_script *producer_script_create(void)
{
    struct producer_script *const script = calloc(1, sizeof *script);

    INVARIANT(script != NULL);
    script->magic = SCRIPT_MAGIC;
    (void)snprintf(script->handle, HANDLE_SIZE, "%p", (void *)script);
    pthread_mutex_init(&script->lock, NULL);
    clock_cond_init(&script->changed);
    return script;
}

void producer_script_destroy(struct producer_script *script)
{
    if (!script)
        return;
    pthread_cond_destroy(&script->changed);
    pthread_mutex_destroy(&script->lock);
    script->magic = 0;
    free(script->steps);
    free(script);
}

const char *producer_script_handle(const struct producer_script *script)
{
    return script->handle;
}

static struct step *append(struct producer_script *script,
                           const struct step *step)
{
    INVARIANT(step->source < SCRIPT_SOURCE_COUNT);
    if (script->count == script->capacity) {
        script->capacity = script->capacity == 0 ? 64 : script->capacity * 2;
        script->steps =
            realloc(script->steps, script->capacity * sizeof *script->steps);
        INVARIANT(script->steps != NULL);
    }
    script->steps[script->count] = *step;
    return &script->steps[script->count++];
}

void producer_script_begin(struct producer_script *script, uint32_t source,
                           const char *topic, int32_t partition)
{
    struct step *const step =
        append(script, &(struct step){.kind = STEP_BEGIN,
                                      .source = source,
                                      .partition = partition});

    (void)snprintf(step->text, TEXT_SIZE, "%s", topic);
}

static struct step *append_record(struct producer_script *script,
                                  uint32_t source)
{
    return append(
        script, &(struct step){.kind = STEP_ADD,
                               .source = source,
                               .offset = script->sources[source].next_offset++,
                               .record = script->records++,
                               .outcome = -1});
}

void producer_script_add(struct producer_script *script, uint32_t source,
                         const char *key, const char *payload)
{
    struct step *const step = append_record(script, source);

    INVARIANT(strlen(payload) < TEXT_SIZE);
    step->has_key = key != NULL;
    (void)snprintf(step->key, TEXT_SIZE, "%s", key ? key : "");
    (void)snprintf(step->text, TEXT_SIZE, "%s", payload);
}

void producer_script_add_many(struct producer_script *script, uint32_t source,
                              unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        char payload[TEXT_SIZE];

        (void)snprintf(payload, sizeof payload, "%u:%u", source, i);
        producer_script_add(script, source, NULL, payload);
    }
}

void producer_script_add_omitted(struct producer_script *script,
                                 uint32_t source, size_t size)
{
    append_record(script, source)->omitted = size;
}

void producer_script_mark_last(struct producer_script *script)
{
    script->steps[script->count - 1].is_last = true;
}

void producer_script_await(struct producer_script *script, uint32_t source,
                           int64_t span_us)
{
    append(script, &(struct step){.kind = STEP_AWAIT,
                                  .source = source,
                                  .span_us = span_us});
}

void producer_script_end(struct producer_script *script, uint32_t source)
{
    append(script, &(struct step){.kind = STEP_END, .source = source});
}

void producer_script_disconnect(struct producer_script *script)
{
    append(script, &(struct step){.kind = STEP_DISCONNECT});
}

void producer_script_fail(struct producer_script *script)
{
    append(script, &(struct step){.kind = STEP_FAIL});
}

void producer_script_pause(struct producer_script *script)
{
    append(script, &(struct step){.kind = STEP_PAUSE});
}

void producer_script_set_endless(struct producer_script *script)
{
    script->is_endless = true;
}

void producer_script_continue(struct producer_script *script)
{
    pthread_mutex_lock(&script->lock);
    script->continues++;
    if (script->waker)
        waker_wake(script->waker);
    pthread_mutex_unlock(&script->lock);
}

struct producer_script_counts producer_script_counts(
    struct producer_script *script)
{
    struct producer_script_counts counts;

    pthread_mutex_lock(&script->lock);
    counts = script->counts;
    pthread_mutex_unlock(&script->lock);
    return counts;
}

int producer_script_outcome(struct producer_script *script, size_t index)
{
    int outcome = -1;

    pthread_mutex_lock(&script->lock);
    for (size_t i = 0; i < script->count; i++)
        if (script->steps[i].kind == STEP_ADD &&
            script->steps[i].record == index)
            outcome = script->steps[i].outcome;
    pthread_mutex_unlock(&script->lock);
    return outcome;
}

bool producer_script_wait(struct producer_script *script, unsigned count,
                          int64_t deadline_us)
{
    const struct timespec deadline = clock_timespec(deadline_us);
    bool is_there;
    int rc = 0;

    pthread_mutex_lock(&script->lock);
    while (script->settlements < count && rc == 0)
        rc = pthread_cond_timedwait(&script->changed, &script->lock, &deadline);
    is_there = script->settlements >= count;
    pthread_mutex_unlock(&script->lock);
    return is_there;
}
