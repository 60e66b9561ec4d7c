/*
 * alone.h - a message that took the process down in handle_batch().
 */
#ifndef WEIR_SINKS_ALONE_H
#define WEIR_SINKS_ALONE_H

#include "sink.h"

/*
 * Leaves in `batch` what handle_batch() may have together: one that is
 * suspected is alone in its batch, one that is condemned fails. The rest is
 * held, in front of all else.  False: `batch` is not to be handled now, and is
 * the sink's.
 */
bool alone_split(struct sink *sink, struct weir_batch *batch);

#endif
