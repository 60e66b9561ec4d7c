/*
 * traces.c - sends spans to an OpenTelemetry collector, by OTLP over HTTP.
 *
 *     workers --spans_add--> spans --take--> pending --POST, 512 at once
 *                            |                        |
 *           full: dropped <--+     2xx: exported <----+
 *                                                     |
 *      no answer, 429, 502..504: again, in a while <--+
 *                        anything else: dropped <-----+
 *
 * The pipeline waits for none of it: while the collector is away `pending`
 * stays as it is, what comes behind it fills `spans`, and what doesn't fit is
 * counted. At the end what is left is sent for FLUSH_US at most; a request that
 * is under way then is cut short, and begun again.
 *
 * Invariant: a span is exported, dropped for one reason, or in one of the two
 * arrays.
 *
 * Threads: take() any; the exporter's own; start, stop and destroy the
 * caller's.
 */
#include "traces.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "errand.h"
#include "http_client.h"
#include "log.h"
#include "otlp.h"
#include "spans.h"

enum { BATCH = 512, REPLY_MAX = 64 * 1024, HEADER_SIZE = 1024 };

#define PERIOD_US   (CLOCK_SECOND_US / 5)
#define SHORTEST_US CLOCK_SECOND_US /* between two attempts, and */
#define LONGEST_US  (30 * CLOCK_SECOND_US)
#define FLUSH_US    (2 * CLOCK_SECOND_US)
#define PATIENCE_US (2 * FLUSH_US)

struct traces {
    struct spans spans;
    struct exporter *exporter; /* the errand's */
    struct errand *errand;
    _Atomic bool is_over;
    _Atomic uint64_t exported, dropped[TRACES_DROP_COUNT];
};

/* What the errand has, also when it is left behind. */
struct exporter {
    struct traces *traces;
    const struct topology_traces *config;
    struct otlp_resource resource;
    char host[256], authorization[HEADER_SIZE];
    struct http_client *client;

    struct span_record *pending;
    size_t count, sent; /* of `pending` */
    int64_t delay_us, retry_at_us;
    bool is_down, is_refused; /* each was said, and is not over */
};

enum result {
    RESULT_OVER = 0, /* exported, or refused */
    RESULT_LATER,
    RESULT_CUT_SHORT,
    RESULT_LEFT_BEHIND
};

static void add(_Atomic uint64_t *counter, uint64_t count)
{
    atomic_fetch_add_explicit(counter, count, memory_order_relaxed);
}

/* ---- what an answer means ---- */

static bool is_transient(int status)
{
    return status == 429 || (status >= 502 && status <= 504);
}

/* Once: what refuses one span refuses them all, five times a second. */
static void say_refused(struct exporter *exporter, const char *why)
{
    if (!exporter->is_refused)
        log_write(WEIR_LOG_WARNING,
                  "telemetry.traces: %s: spans are dropped until it takes them",
                  why);
    exporter->is_refused = true;
}

static void accept(struct exporter *exporter, const struct http_reply *reply,
                   size_t count)
{
    struct traces *traces = exporter->traces;
    uint64_t refused = otlp_refused(reply->body, reply->body_size);

    if (refused > count)
        refused = count;
    add(&traces->exported, count - refused);
    add(&traces->dropped[TRACES_DROP_REFUSED], refused);
    if (refused > 0)
        say_refused(exporter, "the collector refused some");
    if (exporter->is_down || (exporter->is_refused && refused == 0))
        log_write(WEIR_LOG_INFO,
                  "telemetry.traces: the collector takes spans again");
    exporter->is_down = false;
    exporter->is_refused = refused > 0;
    exporter->delay_us = SHORTEST_US;
}

static enum result put_off(struct exporter *exporter, const char *why)
{
    const int64_t half_us = exporter->delay_us / 2;

    if (!exporter->is_down)
        log_write(
            WEIR_LOG_WARNING,
            "telemetry.traces: %s; spans wait, and are dropped when there "
            "are too many",
            why);
    exporter->is_down = true;
    exporter->retry_at_us = clock_after_us(half_us + clock_now_us() % half_us);
    if (exporter->delay_us < LONGEST_US)
        exporter->delay_us *= 2;
    return RESULT_LATER;
}

static enum result judge(struct exporter *exporter, enum weir_status status,
                         const struct http_reply *reply, size_t count)
{
    char why[64];

    if (status == WEIR_AGAIN)
        return RESULT_CUT_SHORT;
    (void)snprintf(why, sizeof why, "the collector answered %d", reply->status);
    if (is_transient(reply->status))
        return put_off(exporter, why);
    exporter->sent += count;
    if (reply->status >= 200 && reply->status < 300) {
        accept(exporter, reply, count);
        return RESULT_OVER;
    }
    add(&exporter->traces->dropped[TRACES_DROP_REFUSED], count);
    say_refused(exporter, why);
    return RESULT_OVER;
}

/* ---- sending ---- */

static enum weir_status post(struct exporter *exporter, const char *body,
                             int64_t timeout_us, struct http_reply *ret_reply,
                             struct weir_error *err)
{
    const char *const headers[] = {
        "Content-Type: application/json",
        "Expect:", exporter->authorization[0] ? exporter->authorization : NULL,
        NULL};
    const struct http_request request = {.url = exporter->config->endpoint,
                                         .headers = headers,
                                         .body = body,
                                         .body_size = strlen(body),
                                         .reply_max = REPLY_MAX,
                                         .timeout_us = timeout_us};

    return http_client_send(exporter->client, &request, ret_reply, err);
}

static enum result send_some(struct exporter *exporter, struct errand *errand,
                             int64_t timeout_us)
{
    const size_t left = exporter->count - exporter->sent;
    const size_t count = left < BATCH ? left : BATCH;
    struct http_reply reply = {.status = 0};
    struct weir_error err = {0};
    enum weir_status status;
    char *body;

    exporter->resource.wall_us = clock_wall_ms() * 1000 - clock_now_us();
    body = otlp_request(&exporter->resource, exporter->pending + exporter->sent,
                        count);
    if (!body)
        return put_off(exporter, "no memory");
    errand_go_out(errand);
    status = post(exporter, body, timeout_us, &reply, &err);
    free(body);
    if (!errand_come_back(errand))
        return RESULT_LEFT_BEHIND;
    if (status == WEIR_RETRY)
        return put_off(exporter, err.text);
    return judge(exporter, status, &reply, count);
}

/* What waits, once everything before it is over. */
static void take_more(struct exporter *exporter)
{
    if (exporter->sent < exporter->count)
        return;
    exporter->count = spans_take(&exporter->traces->spans, &exporter->pending);
    exporter->sent = 0;
}

static enum result send_all(struct exporter *exporter, struct errand *errand)
{
    enum result result = RESULT_OVER;

    if (clock_now_us() < exporter->retry_at_us)
        return RESULT_LATER;
    take_more(exporter);
    while (exporter->sent < exporter->count && result == RESULT_OVER)
        result = send_some(exporter, errand, exporter->config->timeout_us);
    return result;
}

/* What is left, what came behind it, too. */
static enum result flush(struct exporter *exporter, struct errand *errand)
{
    const int64_t deadline_us = clock_after_us(FLUSH_US);
    enum result result = RESULT_OVER;
    size_t left;

    take_more(exporter);
    while (exporter->sent < exporter->count &&
           (result == RESULT_OVER || result == RESULT_CUT_SHORT)) {
        const int64_t left_us = deadline_us - clock_now_us();

        if (left_us <= 0)
            break;
        result = send_some(exporter, errand,
                           left_us < exporter->config->timeout_us
                               ? left_us
                               : exporter->config->timeout_us);
        take_more(exporter);
    }
    if (result == RESULT_LEFT_BEHIND)
        return result;
    left = exporter->count - exporter->sent;
    left += spans_take(&exporter->traces->spans, &exporter->pending);
    add(&exporter->traces->dropped[TRACES_DROP_END], left);
    return result;
}

static void report(struct traces *traces)
{
    struct traces_counts counts;
    uint64_t dropped = 0;

    traces_count(traces, &counts);
    for (unsigned i = 0; i < TRACES_DROP_COUNT; i++)
        dropped += counts.dropped[i];
    log_write(dropped > 0 ? WEIR_LOG_WARNING : WEIR_LOG_DEBUG,
              "telemetry.traces: %llu spans exported, %llu dropped (%llu of "
              "them at the end)",
              (unsigned long long)counts.exported, (unsigned long long)dropped,
              (unsigned long long)counts.dropped[TRACES_DROP_END]);
}

static void run(void *self, struct errand *errand)
{
    struct exporter *exporter = self;
    struct traces *traces = exporter->traces;

    while (!errand_wait(errand, clock_after_us(PERIOD_US))) {
        if (send_all(exporter, errand) == RESULT_LEFT_BEHIND)
            return;
    }
    if (flush(exporter, errand) != RESULT_LEFT_BEHIND)
        report(traces);
}

static void destroy(void *self)
{
    struct exporter *exporter = self;

    http_client_destroy(exporter->client);
    explicit_bzero(exporter->authorization, sizeof exporter->authorization);
    free(exporter->pending);
    free(exporter);
}

/* ---- from the outside ---- */

static void take(void *opaque, const struct traced *traced)
{
    struct traces *traces = opaque;

    if (atomic_load_explicit(&traces->is_over, memory_order_acquire))
        add(&traces->dropped[TRACES_DROP_END], 1);
    else
        spans_add(&traces->spans, traced);
}

static const char *system_of(const struct topology *topology)
{
    const char *name = topology->producer.ops->name;

    return strcmp(name, "amqp") == 0 ? "rabbitmq" : name;
}

static enum weir_status make_exporter(struct traces *traces,
                                      const struct topology *topology,
                                      struct weir_error *err)
{
    const struct topology_traces *config = &topology->telemetry.traces;
    const struct http_tls tls = {.ca = config->ca, .verify = true};
    struct exporter *exporter = calloc(1, sizeof *exporter);

    traces->exporter = exporter;
    if (!exporter)
        return weir_fail(err, WEIR_RETRY, "no memory");
    exporter->traces = traces;
    exporter->config = config;
    exporter->delay_us = SHORTEST_US;
    (void)gethostname(exporter->host, sizeof exporter->host - 1);
    exporter->resource = (struct otlp_resource){.service = topology->name,
                                                .host = exporter->host,
                                                .system = system_of(topology)};
    if (config->authorization)
        (void)snprintf(exporter->authorization, sizeof exporter->authorization,
                       "Authorization: %s", config->authorization);
    exporter->pending = calloc(config->queue, sizeof *exporter->pending);
    if (!exporter->pending)
        return weir_fail(err, WEIR_RETRY, "no memory");
    return http_client_create(&tls, &exporter->client, err);
}

enum weir_status traces_start(const struct topology *topology,
                              struct pipeline *pipeline,
                              struct traces **ret_traces,
                              struct weir_error *err)
{
    struct traces *traces = calloc(1, sizeof *traces);
    struct errand_config config = {.name = "weir-traces",
                                   .pipeline = topology->name,
                                   .run = run,
                                   .destroy = destroy};
    enum weir_status status;

    if (!traces)
        return weir_fail(err, WEIR_RETRY, "no memory");
    status = spans_init(&traces->spans, topology->telemetry.traces.queue, err);
    if (status == WEIR_OK)
        status = make_exporter(traces, topology, err);
    config.self = traces->exporter;
    if (status == WEIR_OK)
        status = errand_start(&config, &traces->errand, err);
    if (status != WEIR_OK) {
        if (traces->exporter)
            destroy(traces->exporter);
        traces_destroy(traces);
        return status;
    }
    pipeline_set_tracer(
        pipeline,
        &(struct pipeline_tracer){.take = take,
                                  .opaque = traces,
                                  .share = topology->telemetry.traces.share});
    *ret_traces = traces;
    return WEIR_OK;
}

void traces_stop(struct traces *traces)
{
    if (!traces || !traces->errand)
        return;
    /* Partner: take(). */
    atomic_store_explicit(&traces->is_over, true, memory_order_release);
    http_client_wake(traces->exporter->client);
    errand_stop(traces->errand, PATIENCE_US);
    traces->errand = NULL;
}

void traces_destroy(struct traces *traces)
{
    if (!traces)
        return;
    spans_finish(&traces->spans);
    free(traces);
}

void traces_count(struct traces *traces, struct traces_counts *ret_counts)
{
    ret_counts->exported =
        atomic_load_explicit(&traces->exported, memory_order_relaxed);
    for (unsigned i = 0; i < TRACES_DROP_COUNT; i++)
        ret_counts->dropped[i] =
            atomic_load_explicit(&traces->dropped[i], memory_order_relaxed);
    ret_counts->dropped[TRACES_DROP_FULL] += spans_dropped(&traces->spans);
}
