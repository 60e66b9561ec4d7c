/*
 * collecting_sink.c - a destination that keeps everything for a test to see.
 *
 * Threads: a collection has a lock; what was added never moves or changes, so
 * it is read without it.
 */
#include "collecting_sink.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "invariant.h"

enum { HANDLE_SIZE = 32, BLOCK_COUNT = 4096, MAGIC = 0x636f6c6c };

/* Blocks, so that nothing moves. */
struct block {
    struct collected entries[BLOCK_COUNT];
    struct block *next;
};

struct collection {
    unsigned magic;
    char handle[HANDLE_SIZE];
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct block *first, *last;
    size_t count;
    unsigned batches;
};

struct collecting_sink {
    struct collection *collection;
};

static const struct weir_option collecting_options[] = {
    {.name = "into",
     .type = WEIR_OPTION_STRING,
     .flags = WEIR_OPTION_REQUIRED,
     .help = "The handle of the test's collection."},
    {0},
};

struct collection *collection_create(void)
{
    struct collection *const collection = calloc(1, sizeof *collection);

    INVARIANT(collection != NULL);
    collection->magic = MAGIC;
    (void)snprintf(collection->handle, HANDLE_SIZE, "%p", (void *)collection);
    pthread_mutex_init(&collection->lock, NULL);
    clock_cond_init(&collection->changed);
    return collection;
}

void collection_destroy(struct collection *collection)
{
    struct block *block = collection ? collection->first : NULL;

    if (!collection)
        return;
    for (size_t i = 0; i < collection->count; i++) {
        const struct collected *const entry = collection_get(collection, i);

        for (size_t at = 0; at < entry->header_count; at++) {
            free(entry->headers[at].name);
            free(entry->headers[at].value);
        }
        free(entry->headers);
        free(entry->message_key);
        free(entry->payload);
        free(entry->key);
        free(entry->batcher);
        free(entry->topic);
    }
    while (block) {
        struct block *const next = block->next;

        free(block);
        block = next;
    }
    pthread_cond_destroy(&collection->changed);
    pthread_mutex_destroy(&collection->lock);
    collection->magic = 0;
    free(collection);
}

const char *collection_handle(const struct collection *collection)
{
    return collection->handle;
}

struct collection *collection_find(const char *handle)
{
    void *pointer = NULL;
    struct collection *collection;

    INVARIANT(handle != NULL && sscanf(handle, "%p", &pointer) == 1);
    collection = pointer;
    INVARIANT(collection->magic == MAGIC);
    return collection;
}

static char *copy(struct weir_bytes bytes)
{
    char *text;

    if (!bytes.data)
        return NULL;
    text = malloc(bytes.size + 1);
    INVARIANT(text != NULL);
    memcpy(text, bytes.data, bytes.size);
    text[bytes.size] = '\0';
    return text;
}

/* The place for the next entry; needs `lock`. */
static struct collected *append_locked(struct collection *collection)
{
    const size_t at = collection->count++ % BLOCK_COUNT;

    if (at == 0) {
        struct block *const block = calloc(1, sizeof *block);

        INVARIANT(block != NULL);
        if (collection->last)
            collection->last->next = block;
        else
            collection->first = block;
        collection->last = block;
    }
    return &collection->last->entries[at];
}

static void copy_headers(struct collected *entry,
                         const struct weir_message *msg)
{
    const size_t count = weir_message_header_count(msg);

    if (count == 0)
        return;
    entry->headers = calloc(count, sizeof *entry->headers);
    INVARIANT(entry->headers != NULL);
    entry->header_count = count;
    for (size_t i = 0; i < count; i++) {
        const struct weir_header header = weir_message_header(msg, i);

        entry->headers[i].name = copy(header.name);
        entry->headers[i].value = copy(header.value);
    }
}

const char *collected_header(const struct collected *entry, const char *name)
{
    for (size_t i = entry->header_count; i > 0; i--) {
        if (strcmp(entry->headers[i - 1].name, name) == 0)
            return entry->headers[i - 1].value;
    }
    return NULL;
}

void collection_add(struct collection *collection, struct weir_batch *batch,
                    size_t index, unsigned batch_number)
{
    const struct weir_message *const msg = weir_batch_message(batch, index);
    const struct weir_bytes payload = weir_message_payload(msg);
    struct collected entry = {.payload = copy(payload),
                              .message_key = copy(weir_message_key(msg)),
                              .payload_size = payload.size,
                              .key = copy(weir_message_batch_key(msg)),
                              .batcher =
                                  copy(weir_str(weir_batch_batcher(batch))),
                              .topic = copy(weir_str(weir_message_topic(msg))),
                              .partition = weir_message_partition(msg),
                              .offset = weir_message_offset(msg),
                              .batch = batch_number,
                              .attempt = weir_message_attempt(msg)};

    copy_headers(&entry, msg);
    pthread_mutex_lock(&collection->lock);
    *append_locked(collection) = entry;
    pthread_cond_broadcast(&collection->changed);
    pthread_mutex_unlock(&collection->lock);
}

size_t collection_count(struct collection *collection)
{
    size_t count;

    pthread_mutex_lock(&collection->lock);
    count = collection->count;
    pthread_mutex_unlock(&collection->lock);
    return count;
}

const struct collected *collection_get(struct collection *collection,
                                       size_t index)
{
    const struct block *block;

    pthread_mutex_lock(&collection->lock);
    INVARIANT(index < collection->count);
    block = collection->first;
    for (size_t i = 0; i < index / BLOCK_COUNT; i++)
        block = block->next;
    pthread_mutex_unlock(&collection->lock);
    return &block->entries[index % BLOCK_COUNT];
}

static bool is_same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

const struct collected *collection_of_key(struct collection *collection,
                                          const char *key, size_t nth)
{
    const size_t count = collection_count(collection);

    for (size_t i = 0; i < count; i++) {
        const struct collected *const entry = collection_get(collection, i);

        if (is_same(entry->key, key) && nth-- == 0)
            return entry;
    }
    return NULL;
}

bool collection_wait(struct collection *collection, size_t count,
                     int64_t deadline_us)
{
    const struct timespec deadline = clock_timespec(deadline_us);
    int rc = 0;
    bool is_there;

    pthread_mutex_lock(&collection->lock);
    while (collection->count < count && rc == 0)
        rc = pthread_cond_timedwait(&collection->changed, &collection->lock,
                                    &deadline);
    is_there = collection->count >= count;
    pthread_mutex_unlock(&collection->lock);
    return is_there;
}

static enum weir_status collecting_open(void *self,
                                        const struct weir_settings *settings,
                                        struct weir_error *err)
{
    struct collecting_sink *sink = self;

    (void)err;
    sink->collection = collection_find(weir_settings_string(settings, "into"));
    return WEIR_OK;
}

static unsigned next_batch(struct collection *collection)
{
    unsigned number;

    pthread_mutex_lock(&collection->lock);
    number = collection->batches++;
    pthread_mutex_unlock(&collection->lock);
    return number;
}

static enum weir_status collecting_write(void *self, struct weir_batch *batch,
                                         struct weir_error *err)
{
    struct collecting_sink *sink = self;
    const size_t count = weir_batch_count(batch);
    const unsigned number = next_batch(sink->collection);

    (void)err;
    for (size_t i = 0; i < count; i++)
        collection_add(sink->collection, batch, i, number);
    weir_batch_set_outcome(batch, 0, count, WEIR_OK, NULL);
    return WEIR_OK;
}

static void collecting_close(void *self, int64_t deadline_us)
{
    struct collecting_sink *sink = self;

    (void)deadline_us;
    sink->collection = NULL;
}

const struct weir_sink_ops collecting_sink = {
    .name = "collecting",
    .help = "Keeps every message for a test to see.",
    .options = collecting_options,
    .self_size = sizeof(struct collecting_sink),
    .is_ordered = true,
    .open = collecting_open,
    .write = collecting_write,
    .close = collecting_close,
};
