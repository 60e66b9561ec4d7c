/*
 * api_run.c - /api/v1: what runs, and what became of the messages.
 *
 * Threads: the admin's.
 */
#include <string.h>

#include "api.h"

struct number {
    const char *name; /* NULL ends the table */
    size_t offset;    /* in struct pipeline_stats */
};

#define NUMBER(member)                                                         \
    {                                                                          \
#member, offsetof(struct pipeline_stats, member)                       \
    }

static const struct number ledger[] = {
    NUMBER(received),  NUMBER(done),      NUMBER(rejected),
    NUMBER(abandoned), NUMBER(in_flight), {NULL, 0},
};

static const struct number counters[] = {
    NUMBER(retries),
    NUMBER(sink_retries),
    NUMBER(reconnects),
    NUMBER(restarts),
    NUMBER(fenced),
    NUMBER(rejected_by_handler),
    NUMBER(rejected_retries),
    NUMBER(rejected_size),
    NUMBER(rejected_batcher),
    NUMBER(rejected_sink),
    NUMBER(rejected_nonsense),
    NUMBER(rejected_crashes),
    NUMBER(dead_letters),
    NUMBER(dead_letter_errors),
    NUMBER(flood_stops),
    NUMBER(callback_errors),
    NUMBER(handler_stuck),
    NUMBER(failed_after_settle),
    NUMBER(refused_settlements),
    NUMBER(gaps),
    NUMBER(last_deliveries),
    NUMBER(batches),
    NUMBER(closed_size),
    NUMBER(closed_bytes),
    NUMBER(closed_timeout),
    NUMBER(closed_flush),
    NUMBER(closed_drain),
    NUMBER(closed_starved),
    NUMBER(closed_revoke),
    NUMBER(closed_keys),
    {NULL, 0},
};

#undef NUMBER

static json_t *numbers(const struct number *table,
                       const struct pipeline_stats *stats)
{
    json_t *object = json_object();

    for (; table->name; table++) {
        uint64_t value;

        memcpy(&value, (const char *)stats + table->offset, sizeof value);
        (void)json_object_set_new(object, table->name,
                                  json_integer((json_int_t)value));
    }
    return object;
}

void page_ledger(const struct site *site, const struct request *request,
                 struct answer *answer)
{
    struct pipeline_stats stats;
    json_t *json;

    (void)request;
    pipeline_stats(site->config->pipeline, &stats);
    json = numbers(ledger, &stats);
    (void)json_object_set_new(
        json, "lag", stats.lag < 0 ? json_null() : json_integer(stats.lag));
    (void)json_object_set_new(json, "counters", numbers(counters, &stats));
    answer_json(answer, 200, json);
}

void page_version(const struct site *site, const struct request *request,
                  struct answer *answer)
{
    const struct admin_library *library = site->config->libraries;
    json_t *libraries = json_object();

    (void)request;
    for (; library && library->name; library++)
        (void)json_object_set_new(libraries, library->name,
                                  plain_json(library->version()));
    answer_json(answer, 200,
                json_pack("{s:s, s:i, s:o}", "weir", WEIR_VERSION,
                          "handler_abi", (int)WEIR_ABI_VERSION, "libraries",
                          libraries));
}
