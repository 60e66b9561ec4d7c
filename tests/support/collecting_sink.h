/*
 * collecting_sink.h - a destination that keeps everything for a test to see.
 *
 * The test makes a collection and names it in the sink's settings:
 *
 *     sink: { collecting: { into: "<collection_handle()>" } }
 *
 * Any number of sink workers may write into one collection.
 */
#ifndef WEIR_TEST_COLLECTING_SINK_H
#define WEIR_TEST_COLLECTING_SINK_H

#include <stdbool.h>

#include <weir/sink.h>

extern const struct weir_sink_ops collecting_sink;

struct collection;

struct collected {
    char *payload, *key; /* key: the batch key; each with a NUL behind it, NULL:
                            absent */
    size_t payload_size;
    char *message_key; /* NULL: absent */
    struct collected_header {
        char *name, *value; /* value NULL: absent */
    } * headers;
    size_t header_count;
    char *batcher, *topic;
    int32_t partition;
    int64_t offset;
    unsigned batch; /* messages of one write() have the same */
    uint32_t attempt;
};

struct collection *collection_create(void);
void collection_destroy(struct collection *collection); /* NULL is fine */

/* For settings; lives as long as the collection. */
const char *collection_handle(const struct collection *collection);
struct collection *collection_find(const char *handle);

/* Any thread.  What is there stays where it is. */
void collection_add(struct collection *collection, struct weir_batch *batch,
                    size_t index, unsigned batch_number);
size_t collection_count(struct collection *collection);
const struct collected *collection_get(struct collection *collection,
                                       size_t index);

/* The value of the last header of that name, or NULL. */
const char *collected_header(const struct collected *entry, const char *name);

/* Message `nth` of those with this batch key (NULL: without), or NULL. */
const struct collected *collection_of_key(struct collection *collection,
                                          const char *key, size_t nth);

/* False when the deadline comes first. */
bool collection_wait(struct collection *collection, size_t count,
                     int64_t deadline_us);

#endif
