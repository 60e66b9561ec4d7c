/*
 * sink_subjects.h - the sink connectors, each with somewhere to write.
 */
#ifndef WEIR_TEST_SINK_SUBJECTS_H
#define WEIR_TEST_SINK_SUBJECTS_H

#include <weir/sink.h>

struct sink_subject {
    const char *name; /* a connector may be there more than once */
    const struct weir_sink_ops *ops;

    /* Makes a destination, and settings for it.  NULL: that can't be had here;
     * says why. */
    void *(*prepare)(struct weir_settings *settings);
    void (*finish)(void *prepared);

    /* Makes the next open() fail. */
    void (*spoil)(struct weir_settings *settings, void *prepared);
};

extern const struct sink_subject sink_subjects[]; /* ends with {0} */

#endif
