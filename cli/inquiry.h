/*
 * inquiry.h - every connector of a topology is asked what will go wrong.
 */
#ifndef WEIR_CLI_INQUIRY_H
#define WEIR_CLI_INQUIRY_H

#include <stdbool.h>
#include <stdint.h>

#include "findings.h"
#include "topology.h"

/* One connector, and what it found. */
struct inquiry_subject {
    char path[160]; /* "producer.kafka", "batchers.default.sink.file" */
    struct weir_findings findings;
};

struct inquiry {
    struct inquiry_subject *list;
    size_t count;
    bool is_deserted; /* a connector is still asking: end with _exit() */
};

/*
 * Asks all of them at once, for `timeout_us` and no more than a moment longer,
 * also where a library doesn't come back.  WEIR_RETRY: no memory, no thread.
 */
WEIR_MUST_USE
enum weir_status inquiry_run(const struct topology *topology,
                             int64_t timeout_us, struct inquiry *ret_inquiry,
                             struct weir_error *err);

/* Nothing when deserted: what others still use stays. */
void inquiry_finish(struct inquiry *inquiry);

#endif
