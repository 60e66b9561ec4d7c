/*
 * generator.c - a source that makes its messages itself.
 *
 * For trying a handler, for tests and for bench/: message n has the number n,
 * as fast as there is demand for it, or at a rate.  With several instances,
 * instance i of c makes i, i + c, i + 2c, ...
 *
 * Invariants:
 *   (1) `settled` <= `offered`: what was offered and not settled is open;
 *   (2) the end is reached when everything that will be offered was, and
 *       nothing is open.
 *
 * It can't be asked for a message again, so it keeps nothing; after a second
 * open() it goes on with the next number.
 *
 * Threads: the producer's own, but for generator_wake().
 */
#include "generator.h"

#include <time.h>

#include "clock.h"
#include "invariant.h"
#include "pace.h"
#include "payload.h"
#include "waker.h"

enum { SOURCE = 0, NO_ROOM_US = 10000, KEYS_MAX = 1000000000 };

struct generator {
    struct waker waker;
    struct payload *payload;
    struct pace pace;
    uint64_t rate, limit;      /* limit: of this instance */
    uint64_t offered, settled; /* the next ticket is `offered` */
    unsigned index, members;
    bool is_begun, is_draining;
};

static const struct weir_option generator_options[] = {
    {.name = "rate",
     .type = WEIR_OPTION_INT,
     .min = 1,
     .max = 1000000000,
     .help = "Messages a second, of all instances together; absent: as many "
             "as there is demand for."},
    {.name = "size",
     .type = WEIR_OPTION_SIZE,
     .fallback = "100B",
     .min = 0,
     .max = INT64_C(1) << 30,
     .help = "Bytes of a payload: its number, a space and letters."},
    {.name = "count",
     .type = WEIR_OPTION_INT,
     .min = 0,
     .max = INT64_MAX,
     .help = "Messages in all, then the run ends; absent: no end."},
    {.name = "keys",
     .type = WEIR_OPTION_INT,
     .fallback = "0",
     .min = 0,
     .max = KEYS_MAX,
     .help = "How many different keys there are, 0 to one less; 0: no keys."},
    {.name = "seed",
     .type = WEIR_OPTION_INT,
     .fallback = "1",
     .min = 0,
     .max = INT64_MAX,
     .help = "What keys, letters and %{random} are drawn from."},
    {.name = "template",
     .type = WEIR_OPTION_STRING,
     .help = "The payload's text, instead of `size`: %{n}, %{key}, %{random} "
             "(16 hex digits), %{random.N} (a number below N), %{time}."},
    {0},
};

static void generator_check(const struct weir_settings *settings)
{
    const size_t limit = weir_settings_share(settings)->max_message_bytes;
    const char *const text = weir_settings_string(settings, "template");
    const int64_t size = weir_settings_int(settings, "size", 0);
    struct weir_error err = {0};

    if (text && payload_check(text, &err) != WEIR_OK)
        weir_settings_refuse(settings, "template", "%s", err.text);
    if (!text && (uint64_t)size > limit)
        weir_settings_refuse(settings, "size",
                             "%lld bytes are more than max_message_bytes "
                             "(%zu): make one smaller or the other larger",
                             (long long)size, limit);
}

/* How many of `count` numbers belong to instance `index`. */
static uint64_t share_of(uint64_t count, unsigned index, unsigned members)
{
    return count > index ? (count - index - 1) / members + 1 : 0;
}

static enum weir_status generator_open(void *self,
                                       const struct weir_settings *settings,
                                       struct weir_error *err)
{
    struct generator *generator = self;
    const struct weir_share *const share = weir_settings_share(settings);
    const struct payload_shape shape = {
        .seed = (uint64_t)weir_settings_int(settings, "seed", 1),
        .keys = (uint64_t)weir_settings_int(settings, "keys", 0),
        .size = (size_t)weir_settings_int(settings, "size", 0),
        .limit = share->max_message_bytes,
        .text = weir_settings_string(settings, "template")};
    struct weir_error why = {0};
    enum weir_status status = waker_open(&generator->waker, err);

    if (status != WEIR_OK)
        return status;
    status = payload_create(&shape, &generator->payload, &why);
    if (status != WEIR_OK)
        return weir_fail(err, status == WEIR_RETRY ? WEIR_RETRY : WEIR_FATAL,
                         "generator: %s", why.text);
    generator->index = share->index;
    generator->members = share->count;
    generator->rate = (uint64_t)weir_settings_int(settings, "rate", 0);
    generator->limit = UINT64_MAX;
    if (weir_settings_has(settings, "count"))
        generator->limit =
            share_of((uint64_t)weir_settings_int(settings, "count", 0),
                     share->index, share->count);
    return WEIR_OK;
}

static enum weir_status begin(struct generator *generator,
                              struct weir_intake *intake,
                              struct weir_error *err)
{
    const struct weir_origin origin = {.topic = "generator",
                                       .partition = (int32_t)generator->index};
    const enum weir_status status = weir_intake_begin(intake, SOURCE, &origin);

    if (status != WEIR_OK)
        return weir_fail(err, status, "generator: cannot begin its source");
    pace_init(&generator->pace, generator->rate, generator->index,
              generator->members, clock_now_us());
    generator->is_begun = true;
    return WEIR_OK;
}

/* How many may still be offered, at most `demand`. */
static unsigned left(const struct generator *generator, unsigned demand)
{
    const uint64_t rest = generator->limit - generator->offered;

    if (generator->is_draining)
        return 0;
    return rest < demand ? (unsigned)rest : demand;
}

static bool is_over(const struct generator *generator)
{
    return left(generator, 1) == 0 && generator->settled == generator->offered;
}

/* How many of `count` are due; waits until one is, a wake or the deadline. */
static unsigned wait_until_due(struct generator *generator, unsigned count,
                               int64_t deadline_us)
{
    unsigned due = pace_due(&generator->pace, count,
                            generator->rate > 0 ? clock_now_us() : 0);
    int64_t next_us;

    if (due > 0)
        return due;
    next_us = count > 0 ? pace_next_us(&generator->pace) : CLOCK_NEVER_US;
    (void)waker_wait(&generator->waker, -1, 0,
                     next_us < deadline_us ? next_us : deadline_us);
    return pace_due(&generator->pace, count, clock_now_us());
}

static int64_t wall_clock_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/* Offers up to `count`; returns how many were taken. */
static unsigned offer(struct generator *generator, struct weir_intake *intake,
                      unsigned count)
{
    struct weir_record record = {.timestamp_ms = wall_clock_ms()};
    unsigned taken = 0;

    while (taken < count) {
        const uint64_t number =
            generator->index + generator->offered * generator->members;
        enum weir_status status =
            payload_write(generator->payload, number, &record);

        record.ticket = generator->offered;
        record.offset = (int64_t)number;
        if (status == WEIR_OK)
            status = weir_intake_add(intake, SOURCE, &record);
        INVARIANT(status != WEIR_HOLD); /* there is one source */
        if (status != WEIR_OK)
            break;
        generator->offered++;
        taken++;
    }
    pace_take(&generator->pace, taken);
    return taken;
}

static enum weir_status generator_pull(void *self, struct weir_intake *intake,
                                       unsigned demand, int64_t deadline_us,
                                       struct weir_error *err)
{
    struct generator *generator = self;
    unsigned due;

    if (!generator->is_begun) {
        const enum weir_status status = begin(generator, intake, err);

        if (status != WEIR_OK)
            return status;
    }
    if (is_over(generator))
        return WEIR_DONE;
    due = wait_until_due(generator, left(generator, demand), deadline_us);
    if (due == 0)
        return WEIR_AGAIN;
    if (offer(generator, intake, due) > 0) {
        if (left(generator, 1) == 0) /* no batch need wait for more */
            weir_intake_set_starved(intake, SOURCE);
        return WEIR_OK;
    }
    /* No room: whoever makes some wakes us; if not, look again soon. */
    if (deadline_us > clock_after_us(NO_ROOM_US))
        deadline_us = clock_after_us(NO_ROOM_US);
    (void)waker_wait(&generator->waker, -1, 0, deadline_us);
    return WEIR_AGAIN;
}

static enum weir_status generator_settle(
    void *self, const struct weir_settlement *settlements, size_t count,
    struct weir_error *err)
{
    struct generator *generator = self;

    (void)err;
    for (size_t i = 0; i < count; i++)
        generator->settled += settlements[i].count;
    INVARIANT(generator->settled <= generator->offered);
    return WEIR_OK;
}

static void generator_describe(const void *self, uint32_t source,
                               struct weir_source_facts *facts)
{
    const struct generator *generator = self;

    (void)source;
    facts->position =
        (int64_t)(generator->index + generator->offered * generator->members);
    facts->window = generator->offered - generator->settled;
}

static void generator_wake(void *self)
{
    struct generator *generator = self;

    waker_wake(&generator->waker);
}

static void generator_drain(void *self)
{
    struct generator *generator = self;

    generator->is_draining = true;
}

static void generator_close(void *self, int64_t deadline_us)
{
    struct generator *generator = self;

    (void)deadline_us;
    waker_close(&generator->waker);
    payload_destroy(generator->payload);
    generator->payload = NULL;
    generator->settled = generator->offered; /* its epoch has ended */
    generator->is_begun = false;
    generator->is_draining = false;
}

const struct weir_producer_ops weir_generator_producer = {
    .name = "generator",
    .help = "Makes messages itself, as many as there is demand for or at a "
            "rate.",
    .options = generator_options,
    .self_size = sizeof(struct generator),
    .policies =
        WEIR_POLICY_BIT(WEIR_POLICY_DROP) | WEIR_POLICY_BIT(WEIR_POLICY_STOP),
    .backlog = WEIR_BACKLOG_FINISH,
    .ordering = WEIR_ORDERING_NONE,
    .fields = "topic|partition|offset|timestamp|key",
    .check = generator_check,
    .open = generator_open,
    .pull = generator_pull,
    .settle = generator_settle,
    .describe = generator_describe,
    .wake = generator_wake,
    .drain = generator_drain,
    .close = generator_close,
};
