/*
 * survey.h - a producer's sources, as it shows them to others.
 */
#ifndef WEIR_FLOW_SURVEY_H
#define WEIR_FLOW_SURVEY_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/producer.h>

#include "note.h"
#include "where.h"

/* Why nothing more of a source is read now. */
enum source_hold {
    SOURCE_FLOWS = 0,
    SOURCE_WAITS,  /* much of it waits for a worker; others go on */
    SOURCE_MEMORY, /* a quarter of the memory is its own */
    SOURCE_WINDOW, /* its window is full: something of it doesn't end */
    SOURCE_DRAINS, /* it is taken away */
    /* must stay last */
    SOURCE_HOLD_COUNT
};

/* The oldest message of a source that is not settled: what holds its commit. */
struct source_oldest {
    bool exists;
    int64_t position; /* offset, or delivery tag */
    struct whereabouts at;
    int64_t in_stage_us; /* for how long it is there */
    int64_t oldest_us;   /* and for how long it has been the oldest */
    char why[NOTE_SIZE]; /* its last failure; "": none, or not kept */
};

struct source_report {
    const char *name;  /* topic or queue; valid until the run is freed */
    int32_t partition; /* -1: none */
    uint64_t epoch;    /* how often it was taken, this time included */
    struct weir_source_facts facts;
    int64_t lag;       /* records; -1: unknown */
    int64_t newest_ms; /* timestamp of the newest one taken; -1: none */
    uint64_t open, open_bytes;
    uint32_t waiting; /* of `open`, for a worker; in ordered modes */
    enum source_hold hold;
    struct source_oldest oldest;
};

struct survey {
    int64_t due_us; /* the producer's own: when to publish next */
    struct source_report *drafts;
    size_t draft_capacity;

    pthread_mutex_t lock; /* of what follows */
    struct source_report *reports;
    size_t count, capacity;
};

struct weir_intake;

void survey_init(struct survey *survey);
void survey_finish(struct survey *survey);

/* Publishes when it is time to.  The producer's thread. */
void survey_publish(struct weir_intake *intake);

/* Copies what was published last, at most `capacity` reports; returns how many
 * there are.  Any thread. */
size_t survey_read(struct survey *survey, struct source_report *out,
                   size_t capacity);

#endif
