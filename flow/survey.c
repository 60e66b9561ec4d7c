/*
 * survey.c - a producer's sources, as it shows them to others.
 *
 * The question that operators ask is what holds a partition: which message is
 * the oldest that is not settled, and where is it?  No stage can tell, for each
 * knows only what it has, and one that is stuck knows nothing any more.  But
 * every message lives in a chunk that comes back to its producer, so the
 * producer finds the oldest ones by itself:
 *
 *     chunks it filled    [x x x .][. x . .][. . . .]    x: came back
 *     copies of others    [.] [.]
 *                                 the first `.` of each source, or its copy
 *                                 with a lower ticket
 *
 * and reads where it is from the word that each stage leaves in it (where.h).
 * Chunks that it filled are in the order of their tickets, so it looks no
 * further than to the first open slot of each source; copies are in no order.
 *
 * What it found is published a few times a second, under a lock that is held
 * for a copy, by exchanging two arrays.  A survey that took long is followed by
 * a longer pause, so that it never takes more than a hundredth of the time.
 *
 * Why not ask the stages: see above; and why not keep a list of open messages:
 * it would cost each message two cache lines of its neighbours.
 *
 * Threads: the producer's; `reports` any, behind `lock`.
 */
#include "survey.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "intake.h"

enum { PERIOD_US = 400 * 1000, SHARE = 100 };

void survey_init(struct survey *survey)
{
    *survey = (struct survey){.due_us = 0};
    (void)pthread_mutex_init(&survey->lock, NULL);
}

void survey_finish(struct survey *survey)
{
    free(survey->drafts);
    free(survey->reports);
    (void)pthread_mutex_destroy(&survey->lock);
}

/* ---- the oldest of each source ---- */

/* Not of what only travels on, nor of what a copy stands for: the epoch of such
 * a slot may be gone. */
static bool is_sought(const struct weir_message *msg)
{
    const enum where where = where_of(msg).where;

    return where != WHERE_GHOST && where != WHERE_MOVED &&
           epoch_state(msg->epoch) != EPOCH_ENDED;
}

static void consider(struct weir_message *msg)
{
    struct epoch *epoch = msg->epoch;

    if (!epoch->oldest || msg->ticket < epoch->oldest->ticket)
        epoch->oldest = msg;
}

static void consider_copies(struct weir_intake *intake)
{
    for (struct chunk *chunk = intake->on_the_way.copies; chunk;
         chunk = chunk->next_live) {
        struct weir_message *msg = &chunk->messages[0];

        if (!is_sought(msg))
            continue;
        msg->epoch->copies++;
        consider(msg);
    }
}

/* Of sources that have more open than copies. */
static uint32_t count_sought(const struct weir_intake *intake)
{
    uint32_t sought = 0;

    for (uint32_t i = 0; i < intake->epoch_capacity; i++) {
        const struct epoch *epoch = intake->epochs[i];

        sought += epoch && epoch->open > epoch->copies;
    }
    return sought;
}

static void consider_filled(struct weir_intake *intake)
{
    uint32_t sought = count_sought(intake);

    for (struct chunk *chunk = intake->on_the_way.oldest; chunk && sought > 0;
         chunk = chunk->next_live) {
        for (uint64_t open = chunk->open; open != 0; open &= open - 1) {
            struct weir_message *msg = &chunk->messages[__builtin_ctzll(open)];
            struct epoch *epoch = msg->epoch;

            /* UINT64_MAX: found already. */
            if (!is_sought(msg) || epoch->copies == UINT64_MAX)
                continue;
            sought -= epoch->open > epoch->copies;
            epoch->copies = UINT64_MAX;
            consider(msg);
        }
    }
}

static void find_oldest(struct weir_intake *intake)
{
    for (uint32_t i = 0; i < intake->epoch_capacity; i++) {
        if (!intake->epochs[i])
            continue;
        intake->epochs[i]->oldest = NULL;
        intake->epochs[i]->copies = 0;
    }
    live_adopt(&intake->on_the_way, &intake->run->born[intake->home]);
    consider_copies(intake);
    consider_filled(intake);
}

/* ---- what is said of them ---- */

static void draw_oldest(struct epoch *epoch, int64_t now,
                        struct source_oldest *out)
{
    const struct weir_message *msg = epoch->oldest;

    if (!msg) {
        epoch->oldest_us = 0;
        return;
    }
    if (epoch->oldest_us == 0 || epoch->oldest_ticket != msg->ticket) {
        epoch->oldest_us = now;
        epoch->oldest_ticket = msg->ticket;
    }
    out->exists = true;
    out->position =
        msg->record->offset >= 0 ? msg->record->offset : (int64_t)msg->ticket;
    out->at = where_of(msg);
    out->in_stage_us =
        (int64_t)((uint32_t)(now / 1000) - out->at.since_ms) * 1000;
    if (out->in_stage_us > UINT32_MAX * INT64_C(500)) /* later than `now` */
        out->in_stage_us = 0;
    out->oldest_us = now - epoch->oldest_us;
    if (message_is_alone(msg))
        note_read(&msg->chunk->why, out->why);
}

static enum source_hold hold_of(const struct weir_intake *intake,
                                const struct epoch *epoch,
                                const struct weir_source_facts *facts)
{
    if (epoch_state(epoch) == EPOCH_DRAINING)
        return SOURCE_DRAINS;
    if (facts->window_limit > 0 && facts->window >= facts->window_limit)
        return SOURCE_WINDOW;
    if (!epoch->is_held)
        return SOURCE_FLOWS;
    return intake->live > 1 && epoch->size > intake->run->budget.limit / 8
               ? SOURCE_MEMORY
               : SOURCE_WAITS;
}

static void draw(struct weir_intake *intake, struct epoch *epoch, int64_t now,
                 struct source_report *out)
{
    *out = (struct source_report){
        .name = epoch->origin->topic,
        .partition = epoch->origin->partition,
        .epoch = epoch->origin->epochs,
        .facts = {.position = -1, .committed = -1},
        .lag = atomic_load_explicit(&epoch->lag, memory_order_relaxed),
        .newest_ms = epoch->newest_ms,
        .open = epoch->open,
        .open_bytes = epoch->size,
        .waiting = atomic_load_explicit(&epoch->waiting, memory_order_relaxed),
    };
    if (intake->describe)
        intake->describe(intake->self, epoch->source, &out->facts);
    out->hold = hold_of(intake, epoch, &out->facts);
    draw_oldest(epoch, now, &out->oldest);
}

/* False: no memory; what was published stays. */
static bool reserve(struct survey *survey, size_t count)
{
    struct source_report *drafts;

    if (count <= survey->draft_capacity)
        return true;
    drafts = realloc(survey->drafts, (count + 8) * sizeof *drafts);
    if (!drafts)
        return false;
    survey->drafts = drafts;
    survey->draft_capacity = count + 8;
    return true;
}

static void exchange(struct survey *survey, size_t count)
{
    struct source_report *drafts = survey->drafts;
    const size_t capacity = survey->draft_capacity;

    (void)pthread_mutex_lock(&survey->lock);
    survey->drafts = survey->reports;
    survey->draft_capacity = survey->capacity;
    survey->reports = drafts;
    survey->capacity = capacity;
    survey->count = count;
    (void)pthread_mutex_unlock(&survey->lock);
}

void survey_publish(struct weir_intake *intake)
{
    struct survey *survey = &intake->survey;
    const int64_t now = clock_now_us();
    int64_t pause_us;
    size_t count = 0;

    if (now < survey->due_us)
        return;
    if (!reserve(survey, intake->live)) {
        survey->due_us = now + PERIOD_US;
        return;
    }
    find_oldest(intake);
    for (uint32_t i = 0; i < intake->epoch_capacity; i++) {
        if (intake->epochs[i])
            draw(intake, intake->epochs[i], now, &survey->drafts[count++]);
    }
    exchange(survey, count);
    pause_us = SHARE * (clock_now_us() - now);
    survey->due_us = now + (pause_us > PERIOD_US ? pause_us : PERIOD_US);
}

size_t survey_read(struct survey *survey, struct source_report *out,
                   size_t capacity)
{
    size_t count;

    (void)pthread_mutex_lock(&survey->lock);
    count = survey->count;
    if (out && capacity > 0 && count > 0)
        memcpy(out, survey->reports,
               (count < capacity ? count : capacity) * sizeof *out);
    (void)pthread_mutex_unlock(&survey->lock);
    return count;
}
