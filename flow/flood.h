/*
 * flood.h - stops the source when too many messages fail.
 */
#ifndef WEIR_FLOW_FLOOD_H
#define WEIR_FLOW_FLOOD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { FLOOD_SLICES = 20, FLOOD_CHUNK = 64, FLOOD_JUDGED_MIN = 100 };

struct flood_count {
    uint64_t judged, failed;
};

struct flood_limit {
    unsigned percent; /* 0: no limit */
    int64_t over_us;
};

struct flood {
    struct flood_limit limit;

    /* Of whoever observes. */
    struct flood_count slices[FLOOD_SLICES]; /* of the time that is judged */
    struct flood_count last;                 /* observed */
    struct flood_count step;                 /* since the step began */
    unsigned at;                             /* the slice under way */
    int64_t slice_us, step_us;               /* when it ends; how long it is */
    int64_t step_due_us;                     /* when it ends */

    /* Of all. */
    _Atomic bool is_stopped;
    _Atomic uint32_t allowance; /* messages that may pass all the same */
};

/* What has changed. */
enum flood_news { FLOOD_SAME = 0, FLOOD_STOPS, FLOOD_STEPS, FLOOD_RESUMES };

void flood_init(struct flood *flood, const struct flood_limit *limit);

/* Looks at what was counted since the start; one thread, several times a
 * second.  FLOOD_STEPS and FLOOD_RESUMES: producers may pull again. */
enum flood_news flood_observe(struct flood *flood, int64_t now_us,
                              struct flood_count all);

/* What was judged and failed in the time that is judged. */
struct flood_count flood_sum(const struct flood *flood);

/* How many of `demand` messages one of `homes` producers may pull.  Where they
 * are counted, it gives back what it did not pull.  Any thread. */
uint32_t flood_take(struct flood *flood, unsigned homes, uint32_t demand,
                    bool *ret_is_counted);
void flood_give(struct flood *flood, uint32_t unused);

#endif
