/*
 * producer_script.h - what is behind struct producer_script.
 */
#ifndef WEIR_TEST_PRODUCER_SCRIPT_H
#define WEIR_TEST_PRODUCER_SCRIPT_H

#include <pthread.h>

#include "scripted_producer.h"
#include "waker.h"

enum { HANDLE_SIZE = 32, TEXT_SIZE = 64, SCRIPT_MAGIC = 0x70726f64 };

enum step_kind {
    STEP_BEGIN = 0,
    STEP_ADD,
    STEP_AWAIT,
    STEP_END,
    STEP_DISCONNECT,
    STEP_FAIL,
    STEP_PAUSE
};

struct step {
    enum step_kind kind;
    bool is_done;
    uint32_t source;
    char text[TEXT_SIZE], key[TEXT_SIZE]; /* payload or topic */
    bool has_key, is_last;
    int32_t partition;
    size_t omitted, record; /* record: which one of the script */
    int64_t offset, span_us;
    uint32_t deliveries;
    uint64_t ticket, epoch; /* of the last offer */
    int outcome;            /* -1: none */
};

struct source {
    bool is_begun, is_held;
    uint64_t epoch, next_ticket;
    int64_t next_offset; /* while the script is written */
};

struct producer_script {
    unsigned magic;
    char handle[HANDLE_SIZE];
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct step *steps;
    size_t count, capacity, first; /* all before `first` are done */
    size_t records;
    struct source sources[SCRIPT_SOURCE_COUNT];
    bool is_endless, is_draining;
    unsigned continues, settlements;
    struct producer_script_counts counts;
    struct waker *waker; /* of the producer that runs */
};

#endif
