/*
 * weir/producer.h - what a producer connector implements.
 */
#ifndef WEIR_PRODUCER_H
#define WEIR_PRODUCER_H

#include <stdbool.h>

#include <weir/finding.h>
#include <weir/intake.h>
#include <weir/settings.h>
#include <weir/share.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a producer does with its broker when a message has ended. */
enum weir_outcome {
    WEIR_OUTCOME_DONE = 0, /* done, dropped: store, ack */
    WEIR_OUTCOME_DISCARD,  /* `then: reject` */
    WEIR_OUTCOME_REQUEUE,
    WEIR_OUTCOME_LEAVE, /* nothing is said to the broker */
    /* must stay last */
    WEIR_OUTCOME_COUNT
};

/* One run: tickets first .. first + count - 1 of one source ended alike. */
struct weir_settlement {
    uint32_t source;
    enum weir_outcome outcome;
    uint64_t first, count;
};

/* What a connector knows of one of its sources, for people. */
struct weir_source_facts {
    int64_t position;      /* of the next record to be offered; -1: it has no
                              positions */
    int64_t committed;     /* where a successor would begin; -1: likewise */
    uint64_t window;       /* read, and not settled with the broker */
    uint64_t window_limit; /* reading stops there; 0: there is none */
};

/* What a drain does with messages that no callback has begun. */
enum weir_backlog {
    WEIR_BACKLOG_ABANDON = 0, /* the broker has them: Kafka */
    WEIR_BACKLOG_HALF,        /* finish for half of the deadline: AMQP */
    WEIR_BACKLOG_FINISH,      /* they can't be asked for again: stdin */
};

#define WEIR_POLICY_BIT(policy) (1U << (policy))

/*
 * Every call except wake() is made by the one thread that runs the producer,
 * so a connector needs no locks of its own.  Calls arrive in this order:
 *
 *     open -> (pull | settle | hold | release)* -> drain
 *          -> (pull(0) | settle)* -> close
 *
 * A call that returns WEIR_RETRY asks to be closed and opened again: the
 * runtime does that, with jitter and damping, for ever.  WEIR_FATAL asks for
 * the same where it was not to be expected: that is counted in the restart
 * budget of the pipeline, and WEIR_REJECT ends the run at once, because opening
 * again would change nothing.  An opened connector
 * never sees a settlement from before its open().  `self` is zeroed once,
 * before the first open(): what the next one needs (the next URL) may stay.
 * `settings` is borrowed until the last close().
 */
struct weir_producer_ops {
    const char *name;                  /* as written in the configuration */
    const char *help;                  /* one line, for `weir list` */
    const struct weir_option *options; /* what it accepts; ends with {0} */
    size_t self_size;                  /* the runtime allocates it */
    unsigned policies;                 /* WEIR_POLICY_BIT of each it honours */
    enum weir_backlog backlog;
    enum weir_ordering ordering; /* the default */
    bool is_pushed; /* its broker sends by itself; how much, open() decides by
                       what the batches of the share need */
    const char *fields; /* that its messages have, for %{...}: "topic|header.";
                           every property that it offers is one.  NULL: none */

    /* Refuses what can be known to be wrong without a connection, with
     * weir_settings_refuse().  NULL: nothing beyond the table. */
    void (*check)(const struct weir_settings *settings);

    /* Whether it would read again what the sink of the same name, with the
     * settings `sink`, writes, as far as that can be known without a
     * connection.  NULL: never. */
    bool (*reads)(const struct weir_settings *settings,
                  const struct weir_settings *sink);

    /* For `weir check --connect`: asks the broker what will go wrong with these
     * settings, and says it; also what is as it should be, and what can't be
     * asked.  It may block until `deadline_us`, is called on a thread of its
     * own and beside no other call, and changes nothing at the broker.  NULL:
     * there is nobody to ask. */
    void (*probe)(const struct weir_settings *settings, int64_t deadline_us,
                  struct weir_findings *findings);

    /* Connects.  May block, until wake().  When it fails, close() is still
     * called. */
    enum weir_status (*open)(void *self, const struct weir_settings *settings,
                             struct weir_error *err);

    /*
     * Offers at most `demand` records to `intake` with weir_intake_add(), and
     * returns no later than `deadline_us` (of base/clock.h), and at once when
     * it has offered some.  Offering fewer, or none, is normal (WEIR_AGAIN).
     * Demand 0 means: offer nothing, but keep the connection alive, because
     * Kafka wants to be polled and AMQP wants to be read also while we are
     * full; what is already fetched is kept.
     *
     * WEIR_DONE: the end is reached (Kafka and AMQP: only when the settings
     * ask for an end, or after drain()) and the broker has confirmed all that
     * was settled; pull() is not called again.
     */
    enum weir_status (*pull)(void *self, struct weir_intake *intake,
                             unsigned demand, int64_t deadline_us,
                             struct weir_error *err);

    /* Each record that was taken is settled at most once, in any order. */
    enum weir_status (*settle)(void *self,
                               const struct weir_settlement *settlements,
                               size_t count, struct weir_error *err);

    /*
     * hold() says between two pulls what WEIR_HOLD says inside one: offer
     * nothing of this source, and keep what is fetched.  So a source that was
     * alone, and may then have all of the memory, makes room when another one
     * begins.  release() ends either.  Both idempotent; both NULL when there is
     * one source: then WEIR_HOLD is never answered, and demand 0 says it.
     */
    void (*hold)(void *self, uint32_t source);
    void (*release)(void *self, uint32_t source);

    /* Fills in what it knows of a source that was begun; the rest stays as it
     * is: unknown.  A few times a second, also inside weir_intake_await(): it
     * only looks, and asks nobody.  NULL: it knows nothing. */
    void (*describe)(const void *self, uint32_t source,
                     struct weir_source_facts *facts);

    /* Cuts a blocked open() or pull() short, also the next one if none is
     * under way.  Any thread; must not block. */
    void (*wake)(void *self);

    /* Stops asking the broker for more.  Must be idempotent. */
    void (*drain)(void *self);

    /* Lets go of everything, also after a half-finished open(), no later than
     * `deadline_us`. */
    void (*close)(void *self, int64_t deadline_us);
};

#ifdef __cplusplus
}
#endif

#endif
