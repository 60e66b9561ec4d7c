/*
 * producer_subjects.h - the producer connectors, each with something to read.
 */
#ifndef WEIR_TEST_PRODUCER_SUBJECTS_H
#define WEIR_TEST_PRODUCER_SUBJECTS_H

#include <stddef.h>

#include <weir/producer.h>

struct producer_subject {
    const struct weir_producer_ops *ops;

    /* Makes a source with `count` records that then ends, and settings for it.
     * NULL: that can't be had here; says why. */
    void *(*prepare)(struct weir_settings *settings, size_t count);
    void (*finish)(void *prepared);

    /* Makes the next open() fail, also where check() would have refused. */
    void (*spoil)(struct weir_settings *settings, void *prepared);
};

extern const struct producer_subject producer_subjects[]; /* ends with {0} */

#endif
