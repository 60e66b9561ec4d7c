/*
 * queue_judgement.c - what a queue's own settings mean for this topology.
 *
 *     failure.then    rejected, requeued too often: where does it go?
 *     delivery_limit  is it the queue's?
 *     ordering        is there one consumer at a time?
 *     how long a message may be held, against the consumer timeout
 *
 * Threads: the one that asks.
 */
#include "queue_judgement.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <weir/share.h>

enum { RABBITMQ_4_LIMIT = 20 };

static void find(struct amqp_inquiry *inquiry, enum weir_severity severity,
                 const char *where, const char *what, const char *advice)
{
    weir_findings_add(inquiry->findings, severity, where, advice, "%s", what);
}

static bool is_quorum(const struct amqp_queue_facts *facts)
{
    return strcmp(facts->type, "quorum") == 0;
}

/* Beyond it a message is dead-lettered, or gone.  -1: there is none. */
static int64_t limit_of(const struct amqp_inquiry *inquiry,
                        const struct amqp_queue_facts *facts)
{
    if (!is_quorum(facts))
        return -1;
    if (facts->delivery_limit < 0 && amqp_inquiry_is_rabbitmq(inquiry) &&
        amqp_inquiry_major(inquiry) >= 4)
        return RABBITMQ_4_LIMIT;
    return facts->delivery_limit;
}

static void judge_limit(struct amqp_inquiry *inquiry, const char *where,
                        const struct amqp_queue_facts *facts)
{
    const int64_t limit = limit_of(inquiry, facts);
    const int64_t ours =
        weir_settings_int(inquiry->settings, "delivery_limit", 0);

    if (limit >= 0 && limit != ours)
        weir_findings_add(inquiry->findings, WEIR_SEVERITY_WARNING, where,
                          "write the queue's as `delivery_limit`",
                          "it gives a message up after %" PRId64
                          " deliveries, and `delivery_limit` says %" PRId64,
                          limit, ours);
    if (limit >= 0 && !facts->has_dead_letter_exchange)
        weir_findings_add(inquiry->findings, WEIR_SEVERITY_WARNING, where,
                          "give it a dead-letter exchange",
                          "it drops a message after %" PRId64
                          " deliveries: there is no dead-letter exchange",
                          limit);
}

static void judge_policy(struct amqp_inquiry *inquiry, const char *where,
                         const struct amqp_queue_facts *facts)
{
    const enum weir_policy then =
        weir_settings_share(inquiry->settings)->policy;

    if ((then == WEIR_POLICY_REJECT || then == WEIR_POLICY_REQUEUE_ONCE) &&
        !facts->has_dead_letter_exchange)
        find(inquiry, WEIR_SEVERITY_WARNING, where,
             "what is rejected is lost: it has no dead-letter exchange",
             "give it one, or set failure.then to dead_letter");
    if (then == WEIR_POLICY_REQUEUE && limit_of(inquiry, facts) < 0)
        find(inquiry, WEIR_SEVERITY_WARNING, where,
             "what fails is requeued without end: it has no delivery limit",
             "give a quorum queue one, or choose another failure.then");
}

static void find_no_exchange(struct amqp_inquiry *inquiry, const char *where,
                             const char *exchange)
{
    weir_findings_add(inquiry->findings, WEIR_SEVERITY_ERROR, where,
                      "declare it",
                      "its dead-letter exchange %s is not there: what is "
                      "rejected is lost",
                      exchange);
}

static void judge_exchange(struct amqp_inquiry *inquiry, const char *where,
                           const struct amqp_queue_facts *facts,
                           struct amqp_management *management)
{
    const char *name = facts->dead_letter_exchange;
    struct amqp_exchange_facts exchange = {.is_there = true, .is_bound = true};
    struct weir_error err = {.text = ""};

    if (!facts->has_dead_letter_exchange)
        return;
    if (name[0] &&
        amqp_management_exchange(management, name, &exchange, &err) != WEIR_OK)
        find(inquiry, WEIR_SEVERITY_UNKNOWN, where, err.text, NULL);
    else if (!exchange.is_there)
        find_no_exchange(inquiry, where, name);
    else if (!exchange.is_bound)
        weir_findings_add(inquiry->findings, WEIR_SEVERITY_ERROR, where,
                          "bind a queue to it",
                          "its dead-letter exchange %s leads to no queue: what "
                          "is rejected is lost",
                          name);
    else
        weir_findings_add(inquiry->findings, WEIR_SEVERITY_OK, where, NULL,
                          "dead letters go to exchange %s",
                          name[0] ? name : "\"\" (the default one)");
}

static void judge_consumers(struct amqp_inquiry *inquiry, const char *where,
                            const struct amqp_queue_facts *facts)
{
    const struct weir_share *share = weir_settings_share(inquiry->settings);

    if (share->ordering == WEIR_ORDERING_NONE || facts->is_single_active)
        return;
    if (is_quorum(facts))
        find(inquiry, WEIR_SEVERITY_ERROR, where,
             "it lets several consumers in, so there is no order",
             "declare it with x-single-active-consumer");
    else if (!weir_settings_bool(inquiry->settings, "exclusive", false))
        find(inquiry, WEIR_SEVERITY_ERROR, where,
             "it has no single active consumer, so there is no order",
             "set exclusive, or declare it with x-single-active-consumer");
}

static void judge_times(struct amqp_inquiry *inquiry, const char *where,
                        const struct amqp_queue_facts *facts)
{
    const int64_t held_ms =
        weir_settings_share(inquiry->settings)->held_us / 1000;

    if (facts->consumer_timeout_ms >= 0 && held_ms > facts->consumer_timeout_ms)
        weir_findings_add(inquiry->findings, WEIR_SEVERITY_WARNING, where,
                          "lower attempts, backoff.max or timeout, or raise "
                          "its consumer timeout",
                          "a message may be held for %" PRId64
                          " ms, and the channel is closed after %" PRId64,
                          held_ms, facts->consumer_timeout_ms);
    if (facts->max_length >= 0 && facts->drops_head)
        weir_findings_add(inquiry->findings, WEIR_SEVERITY_WARNING, where,
                          "set overflow to reject-publish, where nothing may "
                          "be lost",
                          "with more than %" PRId64
                          " messages it drops the oldest",
                          facts->max_length);
}

void queue_judge(struct amqp_inquiry *inquiry, const char *where,
                 const struct amqp_queue_facts *facts,
                 struct amqp_management *management)
{
    weir_findings_add(inquiry->findings, WEIR_SEVERITY_OK, where, NULL,
                      "it is a %s queue, %s, policy %s",
                      facts->type[0] ? facts->type : "(unknown)",
                      facts->is_durable ? "durable" : "not durable",
                      facts->policy[0] ? facts->policy : "none");
    judge_limit(inquiry, where, facts);
    judge_policy(inquiry, where, facts);
    judge_exchange(inquiry, where, facts, management);
    judge_consumers(inquiry, where, facts);
    judge_times(inquiry, where, facts);
}

static void leave_open(struct amqp_inquiry *inquiry, const char *where,
                       const char *question)
{
    weir_findings_add(inquiry->findings, WEIR_SEVERITY_UNKNOWN, where,
                      "set `management_url`", "%s " AMQP_INQUIRY_OPEN,
                      question);
}

/* The exchange that an argument names; policies aside. */
static void judge_argument(struct amqp_inquiry *inquiry, const char *where,
                           const char *exchange)
{
    struct amqp_answer answer = {.code = 0};

    if (exchange[0])
        answer = amqp_inquiry_exchange(inquiry, exchange);
    if (answer.code == 404)
        find_no_exchange(inquiry, where, exchange);
    else
        weir_findings_add(inquiry->findings, WEIR_SEVERITY_OK, where, NULL,
                          "dead letters go to exchange %s",
                          exchange[0] ? exchange : "\"\" (the default one)");
}

void queue_judge_compared(struct amqp_inquiry *inquiry, const char *where,
                          const struct comparison *comparison)
{
    if (comparison->type[0])
        weir_findings_add(inquiry->findings, WEIR_SEVERITY_OK, where, NULL,
                          "it is a %s queue", comparison->type);
    else
        leave_open(inquiry, where, "its type");
    if (comparison->has_dead_letter_exchange)
        judge_argument(inquiry, where, comparison->dead_letter_exchange);
    else if (comparison->type[0])
        leave_open(inquiry, where,
                   "whether a policy gives it a dead-letter exchange, of which "
                   "its arguments have none,");
    else
        leave_open(inquiry, where, "its dead-letter exchange");
    if (strcmp(comparison->type, "classic") != 0)
        leave_open(inquiry, where, "its delivery limit");
    leave_open(inquiry, where, "what policies say of it");
}
