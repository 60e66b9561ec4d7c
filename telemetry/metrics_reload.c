/*
 * metrics_reload.c - the part of the metrics about the topology file.
 *
 * Threads: any.
 */
#include <stdlib.h>

#include "reload.h"
#include "teller.h"

void metrics_reload(const struct teller *teller, struct pipeline *pipeline)
{
    static const struct metric reloads = {
        "weir_reloads_total", METRIC_COUNTER,
        "Times that the topology file was read again, by what became of it."};
    struct reload_view *view = pipeline_look_at_reload(pipeline);

    if (!view)
        return; /* the next one has them */
    for (unsigned i = RELOAD_APPLIED; i < RELOAD_OUTCOME_COUNT; i++) {
        const struct metric_label labels[] = {
            {"result", reload_outcome_names[i]}, {NULL, NULL}};

        teller_number(teller, &reloads, labels, (double)view->counts[i]);
    }
    teller_gauge(teller, "weir_reload_generation", (double)view->generation,
                 "Of the values that hold: 1 as it started, one more with each "
                 "reload that changed some.");
    teller_gauge(
        teller, "weir_reload_refused", view->last.outcome == RELOAD_REFUSED,
        "1: the last reload was refused, and what runs is older than the "
        "file.");
    teller_gauge(
        teller, "weir_reload_needs_restart", (double)view->last.restart.count,
        "Keys of the file that only a restart makes hold, as of the last "
        "reload.");
    free(view);
}
