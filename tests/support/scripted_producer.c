/*
 * scripted_producer.c - a source that behaves as a test tells it to.
 *
 *     steps   begin 0 | add 0 | add 0 | pause | end 0 | disconnect | ...
 *             done      done    held    ^ a barrier: nothing behind it happens
 *
 * Invariants:
 *   (1) a step happens once, but an `add` is undone when its record comes back,
 *       and a `begin` when its source was begun at a disconnect;
 *   (2) steps of one source happen in their order;
 *   (3) tickets of a source are consecutive within an epoch.
 *
 * Threads: the script has a lock, which is never held while the intake is
 * called.
 */
#include "scripted_producer.h"

#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "invariant.h"
#include "producer_script.h"

struct scripted_producer {
    struct waker waker;
    struct producer_script *script;
};

static const struct weir_option scripted_options[] = {
    {.name = "script",
     .type = WEIR_OPTION_STRING,
     .flags = WEIR_OPTION_REQUIRED,
     .help = "The handle of the test's script."},
    {0},
};

static enum weir_status scripted_open(void *self,
                                      const struct weir_settings *settings,
                                      struct weir_error *err)
{
    struct scripted_producer *const producer = self;
    const char *const handle = weir_settings_string(settings, "script");
    void *pointer = NULL;

    INVARIANT(handle != NULL && sscanf(handle, "%p", &pointer) == 1);
    producer->script = pointer;
    INVARIANT(producer->script->magic == SCRIPT_MAGIC);
    pthread_mutex_lock(&producer->script->lock);
    producer->script->counts.opens++;
    producer->script->waker = &producer->waker;
    producer->script->is_draining = false;
    pthread_mutex_unlock(&producer->script->lock);
    return waker_open(&producer->waker, err);
}

/* The next step that can happen now; NULL: none.  Needs `lock`. */
static struct step *next_locked(struct producer_script *script)
{
    bool is_blocked[SCRIPT_SOURCE_COUNT] = {false};
    bool is_first = true;

    while (script->first < script->count &&
           script->steps[script->first].is_done)
        script->first++;
    for (size_t i = script->first; i < script->count; i++) {
        struct step *const step = &script->steps[i];
        const bool is_barrier = step->kind >= STEP_DISCONNECT;

        if (step->is_done)
            continue;
        if (is_barrier)
            return is_first ? step : NULL;
        if (!is_blocked[step->source] &&
            (step->kind != STEP_ADD || !script->sources[step->source].is_held))
            return step;
        is_blocked[step->source] = true;
        is_first = false;
    }
    return NULL;
}

static enum weir_status do_begin(struct producer_script *script,
                                 struct weir_intake *intake, struct step *step)
{
    struct source *const source = &script->sources[step->source];
    const struct weir_origin origin = {step->text, step->partition};
    const enum weir_status status =
        weir_intake_begin(intake, step->source, &origin);

    if (status != WEIR_OK)
        return WEIR_AGAIN;
    source->is_begun = true;
    source->is_held = false;
    source->epoch++;
    source->next_ticket = 0;
    step->is_done = true;
    return WEIR_OK;
}

static enum weir_status do_add(struct producer_script *script,
                               struct weir_intake *intake, struct step *step)
{
    struct source *const source = &script->sources[step->source];
    const struct weir_record record = {
        .ticket = source->next_ticket,
        .offset = step->offset,
        .timestamp_ms = -1,
        .deliveries = step->deliveries,
        .is_last = step->is_last,
        .key = step->has_key ? weir_str(step->key) : (struct weir_bytes){0},
        .payload =
            step->omitted > 0 ? (struct weir_bytes){0} : weir_str(step->text),
        .omitted = step->omitted};
    const enum weir_status status =
        weir_intake_add(intake, step->source, &record);

    if (status != WEIR_OK && status != WEIR_HOLD)
        return WEIR_AGAIN;
    source->is_held = source->is_held || status == WEIR_HOLD;
    pthread_mutex_lock(&script->lock);
    step->ticket = source->next_ticket++;
    step->epoch = source->epoch;
    step->outcome = -1;
    step->is_done = true;
    script->counts.offered++;
    pthread_mutex_unlock(&script->lock);
    return WEIR_OK;
}

static enum weir_status do_await(struct producer_script *script,
                                 struct weir_intake *intake, struct step *step)
{
    const enum weir_status status =
        weir_intake_await(intake, step->source, clock_after_us(step->span_us));

    pthread_mutex_lock(&script->lock);
    if (status == WEIR_OK)
        script->counts.awaits_ended++;
    else
        script->counts.awaits_late++;
    step->is_done = true;
    pthread_mutex_unlock(&script->lock);
    return WEIR_OK;
}

static enum weir_status do_pause(struct producer_script *script,
                                 struct step *step)
{
    pthread_mutex_lock(&script->lock);
    step->is_done = script->continues > 0;
    if (step->is_done)
        script->continues--;
    pthread_mutex_unlock(&script->lock);
    return step->is_done ? WEIR_OK : WEIR_AGAIN;
}

/* WEIR_AGAIN: it could not be done now. */
static enum weir_status do_step(struct producer_script *script,
                                struct weir_intake *intake, struct step *step,
                                struct weir_error *err)
{
    switch (step->kind) {
    case STEP_BEGIN:
        return do_begin(script, intake, step);
    case STEP_ADD:
        return do_add(script, intake, step);
    case STEP_AWAIT:
        return do_await(script, intake, step);
    case STEP_END:
        step->is_done = true;
        script->sources[step->source].is_begun = false;
        weir_intake_end(intake, step->source);
        return WEIR_OK;
    case STEP_PAUSE:
        return do_pause(script, step);
    case STEP_DISCONNECT:
        step->is_done = true;
        return weir_fail(err, WEIR_RETRY, "scripted: disconnected as told");
    case STEP_FAIL:
        break;
    }
    step->is_done = true;
    return weir_fail(err, WEIR_FATAL, "scripted: fails as told");
}

/* Whether a record is offered and neither settled nor gone with its epoch. */
static bool is_open(const struct producer_script *script,
                    const struct step *step)
{
    const struct source *const source = &script->sources[step->source];

    return step->kind == STEP_ADD && step->is_done && step->outcome < 0 &&
           source->is_begun && step->epoch == source->epoch;
}

static bool is_over(struct producer_script *script)
{
    bool is_settled = true;
    bool is_at_end;

    pthread_mutex_lock(&script->lock);
    (void)next_locked(script);
    is_at_end = script->first == script->count && !script->is_endless;
    for (size_t i = 0; i < script->count; i++)
        is_settled = is_settled && !is_open(script, &script->steps[i]);
    pthread_mutex_unlock(&script->lock);
    return is_settled && (is_at_end || script->is_draining);
}

static bool is_allowed(const struct producer_script *script,
                       const struct step *step, unsigned left)
{
    if (!step)
        return false;
    return step->kind != STEP_ADD || (left > 0 && !script->is_draining);
}

/* All steps that can happen now; *ret_taken: records. */
static enum weir_status advance(struct scripted_producer *producer,
                                struct weir_intake *intake, unsigned demand,
                                unsigned *ret_taken, struct weir_error *err)
{
    struct producer_script *const script = producer->script;
    enum weir_status status = WEIR_OK;

    *ret_taken = 0;
    while (status == WEIR_OK) {
        struct step *step;

        pthread_mutex_lock(&script->lock);
        step = next_locked(script);
        pthread_mutex_unlock(&script->lock);
        if (!is_allowed(script, step, demand - *ret_taken))
            break;
        status = do_step(script, intake, step, err);
        if (status == WEIR_OK && step->kind == STEP_ADD)
            ++*ret_taken;
    }
    return status == WEIR_AGAIN ? WEIR_OK : status;
}

static enum weir_status scripted_pull(void *self, struct weir_intake *intake,
                                      unsigned demand, int64_t deadline_us,
                                      struct weir_error *err)
{
    struct scripted_producer *const producer = self;
    enum weir_status status;
    unsigned taken;

    status = advance(producer, intake, demand, &taken, err);
    if (status != WEIR_OK || taken > 0)
        return status;
    if (is_over(producer->script))
        return WEIR_DONE;
    (void)waker_wait(&producer->waker, -1, 0, deadline_us);
    status = advance(producer, intake, demand, &taken, err);
    if (status != WEIR_OK)
        return status;
    return taken > 0 ? WEIR_OK : WEIR_AGAIN;
}

/* The open record of this ticket; NULL: there is none. */
static struct step *find_open(struct producer_script *script, uint32_t source,
                              uint64_t ticket)
{
    for (size_t i = 0; i < script->count; i++) {
        struct step *const step = &script->steps[i];

        if (step->source == source && step->ticket == ticket &&
            is_open(script, step))
            return step;
    }
    return NULL;
}

static void offer_again_locked(struct producer_script *script,
                               struct step *step)
{
    step->is_done = false;
    step->deliveries++;
    script->first = 0;
}

static void settle_one_locked(struct producer_script *script,
                              const struct weir_settlement *settlement,
                              uint64_t ticket)
{
    struct step *const step = find_open(script, settlement->source, ticket);

    INVARIANT(step != NULL); /* settled twice, or in another epoch */
    step->outcome = (int)settlement->outcome;
    if (settlement->outcome == WEIR_OUTCOME_REQUEUE)
        offer_again_locked(script, step);
    script->counts.settled[settlement->outcome]++;
    script->settlements++;
}

static enum weir_status scripted_settle(
    void *self, const struct weir_settlement *settlements, size_t count,
    struct weir_error *err)
{
    struct scripted_producer *const producer = self;
    struct producer_script *const script = producer->script;

    (void)err;
    pthread_mutex_lock(&script->lock);
    for (size_t i = 0; i < count; i++)
        for (uint64_t k = 0; k < settlements[i].count; k++)
            settle_one_locked(script, &settlements[i],
                              settlements[i].first + k);
    pthread_cond_broadcast(&script->changed);
    pthread_mutex_unlock(&script->lock);
    return WEIR_OK;
}

static void scripted_hold(void *self, uint32_t source)
{
    struct scripted_producer *const producer = self;

    producer->script->sources[source].is_held = true;
    pthread_mutex_lock(&producer->script->lock);
    producer->script->counts.holds++;
    pthread_mutex_unlock(&producer->script->lock);
}

static void scripted_release(void *self, uint32_t source)
{
    struct scripted_producer *const producer = self;

    producer->script->sources[source].is_held = false;
    pthread_mutex_lock(&producer->script->lock);
    producer->script->counts.releases++;
    pthread_mutex_unlock(&producer->script->lock);
}

static void scripted_wake(void *self)
{
    struct scripted_producer *const producer = self;

    waker_wake(&producer->waker);
}

static void scripted_drain(void *self)
{
    struct scripted_producer *const producer = self;

    producer->script->is_draining = true;
    pthread_mutex_lock(&producer->script->lock);
    producer->script->counts.drains++;
    pthread_mutex_unlock(&producer->script->lock);
}

/* What a broker does with a connection that ended. */
static void give_back_locked(struct producer_script *script)
{
    for (size_t i = 0; i < script->count; i++) {
        struct step *const step = &script->steps[i];

        if (is_open(script, step) || (step->kind == STEP_ADD && step->is_done &&
                                      step->outcome == WEIR_OUTCOME_LEAVE &&
                                      script->sources[step->source].is_begun))
            offer_again_locked(script, step);
    }
    for (size_t i = script->count; i > 0; i--) {
        struct step *const step = &script->steps[i - 1];

        if (step->kind != STEP_BEGIN || !step->is_done ||
            !script->sources[step->source].is_begun)
            continue;
        step->is_done = false; /* its last one */
        script->sources[step->source].is_begun = false;
        script->first = 0;
    }
    for (size_t i = 0; i < SCRIPT_SOURCE_COUNT; i++)
        script->sources[i].is_held = false;
}

static void scripted_close(void *self, int64_t deadline_us)
{
    struct scripted_producer *const producer = self;
    struct producer_script *const script = producer->script;

    (void)deadline_us;
    if (script) {
        pthread_mutex_lock(&script->lock);
        script->waker = NULL;
        give_back_locked(script);
        pthread_mutex_unlock(&script->lock);
    }
    waker_close(&producer->waker);
}

const struct weir_producer_ops scripted_producer = {
    .name = "scripted",
    .help = "Behaves as a test tells it to.",
    .options = scripted_options,
    .self_size = sizeof(struct scripted_producer),
    .policies = (1U << WEIR_POLICY_COUNT) - 1,
    .backlog = WEIR_BACKLOG_ABANDON,
    .ordering = WEIR_ORDERING_PARTITION,
    .fields = "topic|partition|offset|timestamp|key|header.|routing_key",
    .open = scripted_open,
    .pull = scripted_pull,
    .settle = scripted_settle,
    .hold = scripted_hold,
    .release = scripted_release,
    .wake = scripted_wake,
    .drain = scripted_drain,
    .close = scripted_close,
};
