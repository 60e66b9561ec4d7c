/*
 * reload.c - another topology file for a pipeline that runs.
 *
 *     next --fit--> what can become so --check--> change.c: one step
 *       |              what needs a restart: named, and left as it is
 *       +--differences-^
 *
 * What a file says otherwise is either applied or named; nothing is passed over
 * in silence.  A value that would be fine after a restart may not fit what runs
 * (a larger batch, in a window that only a restart makes larger): then nothing
 * is applied, because half of a file is not what anybody wrote.
 *
 * A file that says what holds already is a reload, too: it undoes what was
 * changed by the admin interface meanwhile, since the file goes first.
 *
 * Threads: any, one reload at a time; what others look at is behind `lock`.
 */
#include "reload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "assembly.h"
#include "clock.h"
#include "difference.h"
#include "log.h"

const char *const reload_outcome_names[RELOAD_OUTCOME_COUNT] = {
    [RELOAD_NONE] = "none",
    [RELOAD_APPLIED] = "applied",
    [RELOAD_UNCHANGED] = "unchanged",
    [RELOAD_REFUSED] = "refused",
};

/* ---- results ---- */

static void add(void *opaque, const struct tuning_change *change)
{
    struct reload_list *list = opaque;

    if (list->count < RELOAD_LISTED)
        list->changes[list->count] = *change;
    list->count++;
}

static struct reload_result *begin(enum reload_outcome outcome, const char *by)
{
    struct reload_result *result = calloc(1, sizeof *result);

    if (!result)
        return NULL;
    result->outcome = outcome;
    result->wall_ms = clock_wall_ms();
    result->by = by;
    return result;
}

/* Takes `result`; NULL: there was no memory for it, only its outcome counts. */
static void note(struct pipeline *pipeline, enum reload_outcome outcome,
                 struct reload_result *result)
{
    struct reload_view *view = &pipeline->reloaded;

    (void)pthread_mutex_lock(&pipeline->lock);
    view->counts[outcome]++;
    if (outcome == RELOAD_APPLIED)
        view->generation++;
    if (result)
        view->last = *result;
    (void)pthread_mutex_unlock(&pipeline->lock);
    free(result);
}

static unsigned count_late(const struct pipeline *pipeline)
{
    const struct board *board = &pipeline->run.board;
    unsigned late = 0;

    for (unsigned i = 0; i < pipeline->processor_count; i++)
        late += !board_view_is_current(&pipeline->processors[i].limits, board);
    for (unsigned i = 0; i < pipeline->batcher_count; i++)
        late += !board_view_is_current(&pipeline->batchers[i].limits, board);
    for (unsigned i = 0; i < pipeline->sink_count; i++)
        late += !board_view_is_current(&pipeline->sinks[i].limits, board);
    return late;
}

struct reload_view *pipeline_look_at_reload(struct pipeline *pipeline)
{
    struct reload_view *view = malloc(sizeof *view);

    if (!view)
        return NULL;
    (void)pthread_mutex_lock(&pipeline->lock);
    *view = pipeline->reloaded;
    (void)pthread_mutex_unlock(&pipeline->lock);
    view->late = count_late(pipeline);
    return view;
}

/* ---- words ---- */

enum { LINE_SIZE = 1200, NAMED = 8 };

static const char *or_nothing(const char *value)
{
    return value[0] ? value : "nothing";
}

/* "log.level from info to debug", or a path alone where it has no values. */
static int format(const struct tuning_change *change, char *out, size_t size)
{
    if (!change->from[0] && !change->to[0])
        return snprintf(out, size, "%s", change->path);
    return snprintf(out, size, "%s from %s to %s", change->path,
                    or_nothing(change->from), or_nothing(change->to));
}

/* As much of them as there is room for. */
static void append(char *line, const char *before,
                   const struct reload_list *list)
{
    size_t used = strlen(line);

    for (size_t i = 0; i < list->count && i < NAMED; i++) {
        if (used < LINE_SIZE)
            used += (size_t)snprintf(line + used, LINE_SIZE - used, "%s",
                                     i == 0 ? before : ", ");
        if (used < LINE_SIZE)
            used += (size_t)format(&list->changes[i], line + used,
                                   LINE_SIZE - used);
    }
    if (list->count > NAMED && used < LINE_SIZE)
        (void)snprintf(line + used, LINE_SIZE - used, " and %zu more",
                       list->count - NAMED);
}

static void say(const struct pipeline *pipeline,
                const struct reload_result *result, uint64_t generation)
{
    char line[LINE_SIZE] = "";

    append(line, ": ", &result->applied);
    append(line, "; needs a restart: ", &result->restart);
    log_write(WEIR_LOG_WARNING, "%s: reloaded (%s), %s, generation %llu%s",
              pipeline->topology->name, result->by,
              reload_outcome_names[result->outcome],
              (unsigned long long)generation, line);
}

void pipeline_refuse_reload(struct pipeline *pipeline, const char *by,
                            const char *why)
{
    struct reload_result *result = begin(RELOAD_REFUSED, by);

    if (result)
        (void)snprintf(result->why, sizeof result->why, "%s", why);
    log_write(WEIR_LOG_ERROR,
              "%s: the reload (%s) was refused and nothing has changed: %s",
              pipeline->topology->name, by, why);
    note(pipeline, RELOAD_REFUSED, result);
}

/* ---- one reload ---- */

static bool is_ending(const struct pipeline *pipeline)
{
    return run_is_draining(&pipeline->run) ||
           atomic_load_explicit(&pipeline->is_drain_asked,
                                memory_order_acquire) ||
           atomic_load_explicit(&pipeline->ends, memory_order_acquire) != 0;
}

static enum weir_status may_reload(const struct pipeline *pipeline,
                                   const struct topology *next,
                                   struct weir_error *err)
{
    const char *name = pipeline->topology->name;

    if (is_ending(pipeline))
        return weir_fail(err, WEIR_REJECT, "it is about to end");
    if (strcmp(next->name, name) != 0)
        return weir_fail(err, WEIR_REJECT,
                         "name: the file is of the pipeline %.80s, and %.80s "
                         "is what runs",
                         next->name, name);
    return WEIR_OK;
}

/* What is said is said before a level that would hide it, and after one that
 * shows it. */
static void apply(struct pipeline *pipeline, const struct tuning *to,
                  struct reload_result *result)
{
    const enum weir_log_level before = log_level();
    const enum weir_log_level after =
        (enum weir_log_level)to->values[TUNING_LOG_LEVEL];
    const bool is_applied = result->applied.count > 0;
    const enum reload_outcome outcome =
        is_applied ? RELOAD_APPLIED : RELOAD_UNCHANGED;
    uint64_t generation;

    result->outcome = outcome;
    if (is_applied)
        pipeline_tune(pipeline, to);
    (void)pthread_mutex_lock(&pipeline->lock);
    generation = pipeline->reloaded.generation + (is_applied ? 1 : 0);
    (void)pthread_mutex_unlock(&pipeline->lock);
    if (before < after)
        log_set_level(before);
    say(pipeline, result, generation);
    log_set_level(after);
    note(pipeline, outcome, result);
}

static enum weir_status reload(struct pipeline *pipeline,
                               const struct topology *next,
                               const struct tuning *now,
                               struct reload_result *result,
                               struct weir_error *err)
{
    const struct topology *running = pipeline->topology;
    struct tuning to = {.batchers = NULL};
    struct weir_error why = {0};
    enum weir_status status;

    topology_differences(running, next, add, &result->restart);
    status = tuning_fit(running, now, next, &to, add, &result->restart);
    if (status == WEIR_OK)
        status = tuning_check(running, &to, &why);
    if (status == WEIR_OK) {
        tuning_differences(running, now, &to, add, &result->applied);
        apply(pipeline, &to, result);
    } else {
        status = weir_fail(err, status,
                           "what needs no restart doesn't fit what runs: %s",
                           status == WEIR_RETRY ? "out of memory" : why.text);
    }
    tuning_finish(&to);
    return status;
}

enum weir_status pipeline_reload(struct pipeline *pipeline,
                                 const struct topology *next, const char *by,
                                 struct weir_error *err)
{
    enum weir_status status = may_reload(pipeline, next, err);
    struct reload_result *result = NULL;
    struct tuning now = {.batchers = NULL};

    if (status == WEIR_OK) {
        result = begin(RELOAD_NONE, by);
        if (!result || pipeline_tuning(pipeline, &now) != WEIR_OK)
            status = weir_fail(err, WEIR_RETRY, "out of memory");
    }
    if (status == WEIR_OK)
        status = reload(pipeline, next, &now, result, err);
    if (status == WEIR_OK)
        result = NULL; /* it was noted */
    else
        pipeline_refuse_reload(pipeline, by, err->text);
    free(result);
    tuning_finish(&now);
    return status;
}
