/*
 * inquiry.c - every connector of a topology is asked what will go wrong.
 *
 * Each is asked on a thread of its own, so that one broker that says nothing
 * costs its time once, and not once for each sink that writes to it.  SIGPIPE
 * is blocked there: a server that hangs up in a handshake ends nothing.
 *
 *     probe  ---- findings ---->  closed, read
 *     probe  ---- ...             deadline + GRACE: closed; one more finding
 *     probe  -------------->      says that its client doesn't come back
 *
 * The deadline is the connectors' to keep.  Where a library keeps none (a
 * resolver that hangs), its thread is left behind, and with it all that it may
 * still touch.
 *
 * Threads: one for each subject; `lock` guards what they share.
 */
#include "inquiry.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "machine.h"
#include "thread.h"

#define GRACE_US (2 * CLOCK_SECOND_US)

enum { OVERHEAD_MIB = 32, MIB = 1024 * 1024 };

typedef void (*probe_fn)(const struct weir_settings *settings,
                         int64_t deadline_us, struct weir_findings *findings);

/* Shared by those that ask and the one that waits; left behind when deserted.
 */
struct desk {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    size_t open; /* threads that are still asking */
};

struct asker {
    struct desk *desk;
    struct inquiry_subject *subject;
    const struct weir_settings *settings;
    probe_fn probe;
    int64_t deadline_us;
    pthread_t thread;
    bool has_thread, is_over;
};

static void *ask(void *opaque)
{
    struct asker *asker = opaque;
    struct desk *desk = asker->desk;

    asker->probe(asker->settings, asker->deadline_us,
                 &asker->subject->findings);
    pthread_mutex_lock(&desk->lock);
    asker->is_over = true;
    desk->open--;
    pthread_cond_signal(&desk->changed);
    pthread_mutex_unlock(&desk->lock);
    return NULL;
}

static void start(struct asker *asker)
{
    struct desk *desk = asker->desk;

    pthread_mutex_lock(&desk->lock);
    asker->has_thread =
        thread_start(&asker->thread, "weir-ask", ask, asker) == 0;
    asker->is_over = !asker->has_thread;
    desk->open += asker->has_thread;
    pthread_mutex_unlock(&desk->lock);
    if (!asker->has_thread)
        weir_findings_add(&asker->subject->findings, WEIR_SEVERITY_ERROR,
                          "weir", NULL, "there is no thread to ask it with");
}

/* Those that are still asking when it returns are said so. */
static bool await(struct desk *desk, struct asker *askers, size_t count,
                  int64_t deadline_us)
{
    const struct timespec until = clock_timespec(deadline_us + GRACE_US);
    bool is_deserted;
    int rc = 0;

    pthread_mutex_lock(&desk->lock);
    while (desk->open > 0 && rc == 0)
        rc = pthread_cond_timedwait(&desk->changed, &desk->lock, &until);
    is_deserted = desk->open > 0;
    for (size_t i = 0; i < count; i++)
        if (!askers[i].is_over)
            weir_findings_add(&askers[i].subject->findings, WEIR_SEVERITY_ERROR,
                              "weir", "check the network and the name service",
                              "its client library did not come back in time");
    pthread_mutex_unlock(&desk->lock);
    return is_deserted;
}

/* Memory that the kernel lets this process have, against what it will take. */
static void probe_memory(const struct topology *topology,
                         struct weir_findings *findings)
{
    const size_t limit = machine_memory_limit("");
    const size_t needed = topology->memory + (size_t)OVERHEAD_MIB * MIB;

    if (limit == 0)
        weir_findings_add(findings, WEIR_SEVERITY_OK, "cgroup", NULL,
                          "it sets no limit; weir takes up to %zu MiB",
                          needed / MIB);
    else if (needed > limit)
        weir_findings_add(findings, WEIR_SEVERITY_WARNING, "cgroup",
                          "lower `memory`, or raise the limit",
                          "its limit is %zu MiB, and weir takes up to %zu "
                          "(`memory` and %d more)",
                          limit / MIB, needed / MIB, OVERHEAD_MIB);
    else
        weir_findings_add(findings, WEIR_SEVERITY_OK, "cgroup", NULL,
                          "its limit is %zu MiB; weir takes up to %zu",
                          limit / MIB, needed / MIB);
}

static void add(struct inquiry *inquiry, struct asker *askers, size_t *asked,
                const struct asker *asker)
{
    inquiry->count++;
    if (asker->probe)
        askers[(*asked)++] = *asker;
    else
        weir_findings_add(&asker->subject->findings, WEIR_SEVERITY_OK, "weir",
                          NULL, "there is nobody to ask");
}

/* The producer, each sink, and the memory: their paths, and who asks. */
static size_t list(const struct topology *topology, struct inquiry *inquiry,
                   struct asker *askers)
{
    struct asker asker = {.subject = &inquiry->list[0],
                          .settings = topology->producer.settings[0],
                          .probe = topology->producer.ops->probe};
    struct inquiry_subject *memory;
    size_t asked = 0;

    (void)snprintf(asker.subject->path, sizeof asker.subject->path,
                   "producer.%s", topology->producer.ops->name);
    add(inquiry, askers, &asked, &asker);
    for (size_t i = 0; i < topology->batcher_count; i++) {
        const struct topology_batcher *batcher = &topology->batchers[i];

        if (!batcher->sink)
            continue;
        asker.subject = &inquiry->list[inquiry->count];
        asker.settings = batcher->settings[0];
        asker.probe = batcher->sink->probe;
        (void)snprintf(asker.subject->path, sizeof asker.subject->path,
                       "batchers.%s.sink.%s", batcher->name,
                       batcher->sink->name);
        add(inquiry, askers, &asked, &asker);
    }
    memory = &inquiry->list[inquiry->count++];
    (void)snprintf(memory->path, sizeof memory->path, "memory");
    probe_memory(topology, &memory->findings);
    return asked;
}

static void ask_all(struct desk *desk, struct inquiry *inquiry,
                    struct asker *askers, size_t asked, int64_t timeout_us)
{
    const int64_t deadline_us = clock_after_us(timeout_us);

    for (size_t i = 0; i < asked; i++) {
        askers[i].desk = desk;
        askers[i].deadline_us = deadline_us;
        start(&askers[i]);
    }
    inquiry->is_deserted = await(desk, askers, asked, deadline_us);
    for (size_t i = 0; i < asked && !inquiry->is_deserted; i++)
        if (askers[i].has_thread)
            pthread_join(askers[i].thread, NULL);
    for (size_t i = 0; i < inquiry->count; i++)
        findings_close(&inquiry->list[i].findings);
}

enum weir_status inquiry_run(const struct topology *topology,
                             int64_t timeout_us, struct inquiry *ret_inquiry,
                             struct weir_error *err)
{
    const size_t room = topology->batcher_count + 2;
    struct inquiry inquiry = {.list =
                                  calloc(room, sizeof(struct inquiry_subject))};
    struct asker *askers = calloc(room, sizeof(*askers));
    struct desk *desk = calloc(1, sizeof(*desk));

    if (!inquiry.list || !askers || !desk) {
        free(inquiry.list);
        free(askers);
        free(desk);
        return weir_fail(err, WEIR_RETRY, "out of memory");
    }
    for (size_t i = 0; i < room; i++)
        findings_init(&inquiry.list[i].findings);
    pthread_mutex_init(&desk->lock, NULL);
    clock_cond_init(&desk->changed);
    ask_all(desk, &inquiry, askers, list(topology, &inquiry, askers),
            timeout_us);
    if (!inquiry.is_deserted) {
        pthread_cond_destroy(&desk->changed);
        pthread_mutex_destroy(&desk->lock);
        free(desk);
        free(askers);
    }
    *ret_inquiry = inquiry;
    return WEIR_OK;
}

void inquiry_finish(struct inquiry *inquiry)
{
    if (inquiry->is_deserted)
        return;
    for (size_t i = 0; i < inquiry->count; i++)
        findings_finish(&inquiry->list[i].findings);
    free(inquiry->list);
    *inquiry = (struct inquiry){.list = NULL};
}
