/*
 * scripted_sink.c - a destination that fails as a test tells it to.
 *
 * Threads: a script has a lock, and every sink worker that follows it waits on
 * its condition; nothing is called out to while the lock is held.
 */
#include "scripted_sink.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "invariant.h"

enum {
    HANDLE_SIZE = 32,
    RULE_COUNT = 64,
    TEXT_SIZE = 64,
    OPEN_COUNT = 16,
    MAGIC = 0x73696e6b
};

/* One of: an answer of a call, an outcome of messages. */
struct rule {
    enum weir_status status;
    unsigned times; /* left */
    bool is_any;
    char payload[TEXT_SIZE], reason[TEXT_SIZE];
};

struct rules {
    struct rule list[RULE_COUNT];
    size_t count;
};

struct sink_script {
    unsigned magic;
    char handle[HANDLE_SIZE];
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct rules opens, writes, polls, messages;
    bool is_late, is_stalled;
    unsigned open_calls, write_calls;
    struct collection *delivered;
};

struct scripted_sink {
    _Atomic(struct sink_script *) script;
    atomic_bool is_woken;
    struct weir_batch *batches[OPEN_COUNT]; /* without their outcomes yet */
    unsigned numbers[OPEN_COUNT];
    size_t count;
};

static const struct weir_option scripted_options[] = {
    {.name = "script",
     .type = WEIR_OPTION_STRING,
     .flags = WEIR_OPTION_REQUIRED,
     .help = "The handle of the test's script."},
    {0},
};

struct sink_script *sink_script_create(void)
{
    struct sink_script *const script = calloc(1, sizeof *script);

    INVARIANT(script != NULL);
    script->magic = MAGIC;
    (void)snprintf(script->handle, HANDLE_SIZE, "%p", (void *)script);
    pthread_mutex_init(&script->lock, NULL);
    clock_cond_init(&script->changed);
    script->delivered = collection_create();
    return script;
}

void sink_script_destroy(struct sink_script *script)
{
    if (!script)
        return;
    collection_destroy(script->delivered);
    pthread_cond_destroy(&script->changed);
    pthread_mutex_destroy(&script->lock);
    script->magic = 0;
    free(script);
}

const char *sink_script_handle(const struct sink_script *script)
{
    return script->handle;
}

struct collection *sink_script_delivered(struct sink_script *script)
{
    return script->delivered;
}

static void add_rule(struct sink_script *script, struct rules *rules,
                     const struct rule *rule)
{
    pthread_mutex_lock(&script->lock);
    INVARIANT(rules->count < RULE_COUNT);
    rules->list[rules->count++] = *rule;
    pthread_mutex_unlock(&script->lock);
}

void sink_script_open(struct sink_script *script, enum weir_status status,
                      unsigned times)
{
    const struct rule rule = {.status = status, .times = times, .is_any = true};

    add_rule(script, &script->opens, &rule);
}

void sink_script_write(struct sink_script *script, enum weir_status status,
                       unsigned times)
{
    const struct rule rule = {.status = status, .times = times, .is_any = true};

    add_rule(script, &script->writes, &rule);
}

void sink_script_poll(struct sink_script *script, enum weir_status status,
                      unsigned times)
{
    const struct rule rule = {.status = status, .times = times, .is_any = true};

    add_rule(script, &script->polls, &rule);
}

void sink_script_message(struct sink_script *script, const char *payload,
                         enum weir_status status, unsigned times,
                         const char *reason)
{
    struct rule rule = {.status = status, .times = times, .is_any = !payload};

    INVARIANT(!payload || strlen(payload) < TEXT_SIZE);
    (void)snprintf(rule.payload, TEXT_SIZE, "%s", payload ? payload : "");
    (void)snprintf(rule.reason, TEXT_SIZE, "%s", reason ? reason : "");
    add_rule(script, &script->messages, &rule);
}

void sink_script_set_late(struct sink_script *script, bool is_stalled)
{
    pthread_mutex_lock(&script->lock);
    script->is_late = true;
    script->is_stalled = is_stalled;
    pthread_mutex_unlock(&script->lock);
}

void sink_script_release(struct sink_script *script)
{
    pthread_mutex_lock(&script->lock);
    script->is_stalled = false;
    pthread_cond_broadcast(&script->changed);
    pthread_mutex_unlock(&script->lock);
}

unsigned sink_script_opens(struct sink_script *script)
{
    unsigned calls;

    pthread_mutex_lock(&script->lock);
    calls = script->open_calls;
    pthread_mutex_unlock(&script->lock);
    return calls;
}

unsigned sink_script_writes(struct sink_script *script)
{
    unsigned calls;

    pthread_mutex_lock(&script->lock);
    calls = script->write_calls;
    pthread_mutex_unlock(&script->lock);
    return calls;
}

static bool is_equal(struct weir_bytes payload, const struct rule *rule)
{
    const size_t size = strlen(rule->payload);

    return payload.data && payload.size == size &&
           memcmp(payload.data, rule->payload, size) == 0;
}

/* The first rule that applies and has not been used up; a copy, `times` 0:
 * there is none. */
static struct rule use_rule(struct sink_script *script, struct rules *rules,
                            struct weir_bytes payload)
{
    struct rule used = {.status = WEIR_OK};

    pthread_mutex_lock(&script->lock);
    for (size_t i = 0; i < rules->count && used.times == 0; i++) {
        struct rule *const rule = &rules->list[i];

        if (rule->times == 0 || (!rule->is_any && !is_equal(payload, rule)))
            continue;
        used = *rule;
        if (rule->times != SINK_SCRIPT_ALWAYS)
            rule->times--;
    }
    pthread_mutex_unlock(&script->lock);
    return used;
}

/* One message's outcome; nothing of `batch` may be touched after its last. */
static enum weir_status deliver(struct sink_script *script,
                                struct weir_batch *batch, size_t index,
                                unsigned number)
{
    const struct weir_bytes payload =
        weir_message_payload(weir_batch_message(batch, index));
    const struct rule rule = use_rule(script, &script->messages, payload);

    if (rule.status == WEIR_OK)
        collection_add(script->delivered, batch, index, number);
    weir_batch_set_outcome(batch, index, 1, rule.status,
                           rule.reason[0] ? rule.reason : NULL);
    return rule.status;
}

static void deliver_in_order(struct sink_script *script,
                             struct weir_batch *batch, unsigned number,
                             bool is_ordered)
{
    const size_t count = weir_batch_count(batch);

    for (size_t i = 0; i < count; i++) {
        const enum weir_status status = deliver(script, batch, i, number);

        if (is_ordered && status != WEIR_OK) {
            if (i + 1 < count)
                weir_batch_set_outcome(batch, i + 1, count - i - 1, WEIR_RETRY,
                                       "after a failed one");
            return;
        }
    }
}

static void deliver_backwards(struct sink_script *script,
                              struct weir_batch *batch, unsigned number)
{
    for (size_t i = weir_batch_count(batch); i > 0; i--)
        (void)deliver(script, batch, i - 1, number);
}

static enum weir_status scripted_open(void *self,
                                      const struct weir_settings *settings,
                                      struct weir_error *err)
{
    struct scripted_sink *sink = self;
    const char *const handle = weir_settings_string(settings, "script");
    void *pointer = NULL;
    struct sink_script *script;
    struct rule rule;

    INVARIANT(handle != NULL && sscanf(handle, "%p", &pointer) == 1);
    script = pointer;
    INVARIANT(script->magic == MAGIC);
    atomic_store(&sink->script, script);
    pthread_mutex_lock(&script->lock);
    script->open_calls++;
    pthread_mutex_unlock(&script->lock);
    rule = use_rule(script, &script->opens, (struct weir_bytes){0});
    if (rule.status != WEIR_OK)
        return weir_fail(err, rule.status, "scripted: open fails as told");
    return WEIR_OK;
}

static enum weir_status take(struct scripted_sink *sink,
                             struct weir_batch *batch, bool is_ordered,
                             struct weir_error *err)
{
    struct sink_script *const script = atomic_load(&sink->script);
    const struct rule rule =
        use_rule(script, &script->writes, (struct weir_bytes){0});
    unsigned number;
    bool is_late;

    pthread_mutex_lock(&script->lock);
    number = script->write_calls++;
    is_late = script->is_late;
    pthread_mutex_unlock(&script->lock);
    if (rule.status != WEIR_OK)
        return weir_fail(err, rule.status, "scripted: write fails as told");
    if (!is_late) {
        deliver_in_order(script, batch, number, is_ordered);
        return WEIR_OK;
    }
    if (sink->count == OPEN_COUNT)
        return WEIR_AGAIN;
    sink->batches[sink->count] = batch;
    sink->numbers[sink->count++] = number;
    return WEIR_OK;
}

static enum weir_status scripted_write(void *self, struct weir_batch *batch,
                                       struct weir_error *err)
{
    return take(self, batch, false, err);
}

static enum weir_status scripted_write_ordered(void *self,
                                               struct weir_batch *batch,
                                               struct weir_error *err)
{
    return take(self, batch, true, err);
}

/* True when late outcomes may be set; waits until a wake or the deadline. */
static bool wait_for_release(struct scripted_sink *sink, int64_t deadline_us)
{
    struct sink_script *const script = atomic_load(&sink->script);
    const struct timespec deadline = clock_timespec(deadline_us);
    bool is_released;
    int rc = 0;

    pthread_mutex_lock(&script->lock);
    while ((script->is_stalled || sink->count == 0) &&
           !atomic_load(&sink->is_woken) && rc == 0)
        rc = pthread_cond_timedwait(&script->changed, &script->lock, &deadline);
    is_released = !script->is_stalled;
    pthread_mutex_unlock(&script->lock);
    atomic_store(&sink->is_woken, false);
    return is_released;
}

static void deliver_late(struct scripted_sink *sink, bool is_ordered)
{
    struct sink_script *const script = atomic_load(&sink->script);
    const size_t count = sink->count;

    sink->count = 0;
    for (size_t i = 0; i < count; i++) {
        if (is_ordered)
            deliver_in_order(script, sink->batches[i], sink->numbers[i], true);
        else
            deliver_backwards(script, sink->batches[i], sink->numbers[i]);
    }
}

static enum weir_status serve(struct scripted_sink *sink, bool is_ordered,
                              int64_t deadline_us, struct weir_error *err)
{
    struct sink_script *const script = atomic_load(&sink->script);
    const struct rule rule =
        use_rule(script, &script->polls, (struct weir_bytes){0});

    if (rule.status == WEIR_HOLD) /* it goes on trying until then */
        (void)wait_for_release(sink, deadline_us);
    if (rule.status != WEIR_OK)
        return weir_fail(err, rule.status, "scripted: poll fails as told");
    if (wait_for_release(sink, deadline_us))
        deliver_late(sink, is_ordered);
    return WEIR_OK;
}

static enum weir_status scripted_poll(void *self, int64_t deadline_us,
                                      struct weir_error *err)
{
    return serve(self, false, deadline_us, err);
}

static enum weir_status scripted_poll_ordered(void *self, int64_t deadline_us,
                                              struct weir_error *err)
{
    return serve(self, true, deadline_us, err);
}

static enum weir_status scripted_flush(void *self, int64_t deadline_us,
                                       struct weir_error *err)
{
    struct scripted_sink *const sink = self;

    if (sink->count > 0)
        (void)scripted_poll(self, deadline_us, err);
    return sink->count > 0 ? WEIR_AGAIN : WEIR_OK;
}

static enum weir_status scripted_flush_ordered(void *self, int64_t deadline_us,
                                               struct weir_error *err)
{
    struct scripted_sink *const sink = self;

    if (sink->count > 0)
        (void)scripted_poll_ordered(self, deadline_us, err);
    return sink->count > 0 ? WEIR_AGAIN : WEIR_OK;
}

static void scripted_wake(void *self)
{
    struct scripted_sink *const sink = self;
    struct sink_script *const script = atomic_load(&sink->script);

    atomic_store(&sink->is_woken, true);
    if (!script)
        return;
    pthread_mutex_lock(&script->lock);
    pthread_cond_broadcast(&script->changed);
    pthread_mutex_unlock(&script->lock);
}

static void scripted_close(void *self, int64_t deadline_us)
{
    struct scripted_sink *const sink = self;

    (void)deadline_us;
    sink->count = 0; /* the batches are the runtime's again */
}

const struct weir_sink_ops scripted_sink = {
    .name = "scripted",
    .help = "Fails as a test tells it to.",
    .options = scripted_options,
    .self_size = sizeof(struct scripted_sink),
    .open = scripted_open,
    .write = scripted_write,
    .poll = scripted_poll,
    .flush = scripted_flush,
    .wake = scripted_wake,
    .close = scripted_close,
};

const struct weir_sink_ops scripted_ordered_sink = {
    .name = "scripted_ordered",
    .help = "Fails as a test tells it to, and delivers nothing after that.",
    .options = scripted_options,
    .self_size = sizeof(struct scripted_sink),
    .is_ordered = true,
    .open = scripted_open,
    .write = scripted_write_ordered,
    .poll = scripted_poll_ordered,
    .flush = scripted_flush_ordered,
    .wake = scripted_wake,
    .close = scripted_close,
};
